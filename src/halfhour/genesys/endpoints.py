"""The operations that are called, as data: everything it takes, and nothing that does it."""

from dataclasses import dataclass, replace
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import quote

from halfhour.genesys import payloads

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


AGGREGATES: Endpoint[payloads.Aggregates] = Endpoint(
    name="conversation aggregates",
    method="POST",
    path="/api/v2/analytics/conversations/aggregates/query",
    answer=payloads.Aggregates,
)
ORGANIZATION: Endpoint[payloads.Organization] = Endpoint(
    name="organisation",
    method="GET",
    path="/api/v2/organizations/me",
    answer=payloads.Organization,
)
AGENTS: Endpoint[payloads.Page[payloads.Named]] = Endpoint(
    name="agents",
    method="GET",
    path="/api/v2/users",
    answer=payloads.Page[payloads.Named],
)
QUEUES: Endpoint[payloads.Page[payloads.Named]] = Endpoint(
    name="queues",
    method="GET",
    path="/api/v2/routing/queues",
    answer=payloads.Page[payloads.Named],
)
STATUSES: Endpoint[payloads.Aggregates] = Endpoint(
    name="user aggregates",
    method="POST",
    path="/api/v2/analytics/users/aggregates/query",
    answer=payloads.Aggregates,
)
CAPACITY: Endpoint[payloads.Aggregates] = Endpoint(
    name="capacity used (preview)",
    method="POST",
    path="/api/v2/analytics/agentutilizations/aggregates/query",
    answer=payloads.Aggregates,
)
DETAILS: Endpoint[payloads.Details] = Endpoint(
    name="conversation details",
    method="POST",
    path="/api/v2/analytics/conversations/details/query",
    answer=payloads.Details,
)
_JOBS = "/api/v2/analytics/conversations/details/jobs"
DETAIL_AVAILABILITY: Endpoint[payloads.Availability] = Endpoint(
    name="conversation details availability",
    method="GET",
    path=f"{_JOBS}/availability",
    answer=payloads.Availability,
)
DETAIL_JOBS: Endpoint[payloads.Job] = Endpoint(
    name="conversation details jobs", method="POST", path=_JOBS, answer=payloads.Job
)
DETAIL_JOB: Endpoint[payloads.JobStatus] = Endpoint(
    name="conversation details job",
    method="GET",
    path=f"{_JOBS}/{{job_id}}",
    answer=payloads.JobStatus,
)
DETAIL_RESULTS: Endpoint[payloads.Details] = Endpoint(
    name="conversation details results",
    method="GET",
    path=f"{_JOBS}/{{job_id}}/results",
    answer=payloads.Details,
)
DETAIL_JOB_END: Endpoint[None] = Endpoint(
    name="conversation details job", method="DELETE", path=f"{_JOBS}/{{job_id}}", answer=None
)

LOGIN_PATH = "/oauth/token"
PAGE_SIZE = 100
"""Of every list. The swagger names no maximum; Genesys' own samples use 100."""
