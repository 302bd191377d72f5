"""The operations that are called, as data: everything it takes, and nothing that does it."""

from dataclasses import dataclass, replace
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import quote

from halfhour import wire

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Endpoint(Generic[T]):
    """One operation. *answer* is the type that its JSON is read as."""

    name: str
    method: Literal["GET", "POST", "DELETE"]
    path: str
    answer: Any  # type[T]; mypy has no type for the generic alias Page[Named]

    def at(self, job_id: str) -> "Endpoint[T]":
        """The operation on the job with this id."""
        return replace(self, path=self.path.format(job_id=quote(job_id, safe="")))


AGGREGATES: Endpoint[wire.Aggregates] = Endpoint(
    name="conversation aggregates",
    method="POST",
    path="/api/v2/analytics/conversations/aggregates/query",
    answer=wire.Aggregates,
)
ORGANIZATION: Endpoint[wire.Organization] = Endpoint(
    name="organisation",
    method="GET",
    path="/api/v2/organizations/me",
    answer=wire.Organization,
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
STATUSES: Endpoint[wire.Aggregates] = Endpoint(
    name="user aggregates",
    method="POST",
    path="/api/v2/analytics/users/aggregates/query",
    answer=wire.Aggregates,
)
CAPACITY: Endpoint[wire.Aggregates] = Endpoint(
    name="capacity used (preview)",
    method="POST",
    path="/api/v2/analytics/agentutilizations/aggregates/query",
    answer=wire.Aggregates,
)
DETAILS: Endpoint[wire.Details] = Endpoint(
    name="conversation details",
    method="POST",
    path="/api/v2/analytics/conversations/details/query",
    answer=wire.Details,
)
_JOBS = "/api/v2/analytics/conversations/details/jobs"
DETAIL_AVAILABILITY: Endpoint[wire.Availability] = Endpoint(
    name="conversation details availability",
    method="GET",
    path=f"{_JOBS}/availability",
    answer=wire.Availability,
)
DETAIL_JOBS: Endpoint[wire.Job] = Endpoint(
    name="conversation details jobs", method="POST", path=_JOBS, answer=wire.Job
)
DETAIL_JOB: Endpoint[wire.JobStatus] = Endpoint(
    name="conversation details job",
    method="GET",
    path=f"{_JOBS}/{{job_id}}",
    answer=wire.JobStatus,
)
DETAIL_RESULTS: Endpoint[wire.Details] = Endpoint(
    name="conversation details results",
    method="GET",
    path=f"{_JOBS}/{{job_id}}/results",
    answer=wire.Details,
)
DETAIL_JOB_END: Endpoint[None] = Endpoint(
    name="conversation details job", method="DELETE", path=f"{_JOBS}/{{job_id}}", answer=None
)

LOGIN_PATH = "/oauth/token"
PAGE_SIZE = 100
"""Of every list. The swagger names no maximum; Genesys' own samples use 100."""
