"""The operations that are called, as data: everything it takes, and nothing that does it."""

from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from halfhour import wire

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Endpoint(Generic[T]):
    """One operation. *answer* is the type that its JSON is read as."""

    name: str
    method: Literal["GET", "POST"]
    path: str
    answer: Any  # type[T]; mypy has no type for the generic alias Page[Named]


AGGREGATES: Endpoint[wire.Aggregates] = Endpoint(
    name="conversation aggregates",
    method="POST",
    path="/api/v2/analytics/conversations/aggregates/query",
    answer=wire.Aggregates,
)
AGENTS: Endpoint[wire.Page[wire.Named]] = Endpoint(
    name="agents",
    method="GET",
    path="/api/v2/users",
    answer=wire.Page[wire.Named],
)
QUEUES: Endpoint[wire.Page[wire.Named]] = Endpoint(
    name="queues",
    method="GET",
    path="/api/v2/routing/queues",
    answer=wire.Page[wire.Named],
)

LOGIN_PATH = "/oauth/token"
PAGE_SIZE = 100
"""Of every list. The swagger names no maximum; Genesys' own samples use 100."""
