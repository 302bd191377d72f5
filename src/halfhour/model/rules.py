"""The rules of what numbers mean, as SQL texts in `sql/`."""

from functools import cache
from importlib.resources import files


@cache
def rule_text(name: str) -> str:
    """Return the SQL text of the rule *name*, such as `worked` or `by_interval`."""
    return (files("halfhour.model") / "sql" / f"{name}.sql").read_text(encoding="utf-8")
