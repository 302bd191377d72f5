"""Filters: predicates on dimensions, joined by and/or two levels deep."""

from collections.abc import Callable
from dataclasses import dataclass

LookUp = Callable[[str], tuple[str, ...] | None]
"""Returns the values of a dimension; None if they are not known."""


@dataclass(frozen=True, slots=True)
class Predicate:
    """A predicate; *operator* is matches, exists or notExists, *value* is for matches only."""

    dimension: str
    operator: str
    value: str = ""

    def holds_for(self, look_up: LookUp) -> bool | None:
        """Return whether it holds; None if the dimension's values are not known."""
        values = look_up(self.dimension)
        if values is None:
            return None
        match self.operator:
            case "exists":
                return bool(values)
            case "notExists":
                return not values
            case _:
                return self.value in values


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause; *type* is ``and`` or ``or``. One without parts holds."""

    type: str
    parts: "tuple[Predicate | Clause, ...]" = ()

    @property
    def predicate_count(self) -> int:
        """The number of predicates in it."""
        return sum(part.predicate_count if isinstance(part, Clause) else 1 for part in self.parts)

    def holds_for(self, look_up: LookUp) -> bool | None:
        decides = self.type == "or"
        verdicts = [part.holds_for(look_up) for part in self.parts]
        if decides in verdicts:
            return decides
        if None in verdicts:
            return None
        return not decides or not self.parts


EVERYTHING = Clause("and")
