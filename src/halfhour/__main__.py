"""``python -m halfhour``."""

from halfhour.cli.app import main

main()
