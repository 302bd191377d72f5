"""The filter of a query: predicates on dimensions, joined by and/or two levels deep."""

from collections.abc import Callable
from dataclasses import dataclass

LookUp = Callable[[str], tuple[str, ...] | None]
"""The values of a dimension: none, one or several; None where that is not known."""


@dataclass(frozen=True, slots=True)
class Predicate:
    """*operator* is matches, exists or notExists; *value* is of interest to the first only."""

    dimension: str
    operator: str
    value: str = ""

    def verdict(self, look_up: LookUp) -> bool | None:
        """Whether it holds; None where the dimension's values are not known."""
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
    """*type* is ``and`` or ``or``. A clause without parts holds."""

    type: str
    parts: "tuple[Predicate | Clause, ...]" = ()

    @property
    def size(self) -> int:
        """How many predicates there are in it."""
        return sum(part.size if isinstance(part, Clause) else 1 for part in self.parts)

    def verdict(self, look_up: LookUp) -> bool | None:
        decides = self.type == "or"
        verdicts = [part.verdict(look_up) for part in self.parts]
        if decides in verdicts:
            return decides
        if None in verdicts:
            return None
        return not decides or not self.parts


EVERYTHING = Clause("and")
