"""``python -m halfhour``."""

from halfhour.cli import main

main()
