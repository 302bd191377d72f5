"""The operations of the API that halfhour calls, as values. The client calls them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic, Literal, TypeVar, cast
from urllib.parse import quote

import msgspec

from halfhour.genesys import payloads

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, slots=True)
class Endpoint(Generic[T]):
    """An operation. *answer_type* is the type into which its JSON is decoded, by msgspec or by a
    *decoder* that raises the errors of msgspec.
    """

    name: str
    method: Literal["GET", "POST", "DELETE"]
    path: str
    answer_type: Any  # type[T]; mypy has no type for the alias ListPage[DirectoryEntity]
    decoder: Callable[[bytes], T] | None = None

    def decode(self, body: bytes) -> T:
        """Return the answer in *body*; None if the operation has no answer."""
        if self.decoder:
            return self.decoder(body)
        return cast(T, self.answer_type and msgspec.json.decode(body, type=self.answer_type))

    def decoded_by(self, decoder: Callable[[bytes], U]) -> "Endpoint[U]":
        """Return the operation with another *decoder*."""
        return replace(cast("Endpoint[U]", self), decoder=decoder)

    def for_job(self, job_id: str) -> "Endpoint[T]":
        """Return the operation on the job *job_id*."""
        return replace(self, path=self.path.format(job_id=quote(job_id, safe="")))


CONVERSATION_AGGREGATES: Endpoint[payloads.AggregateAnswer] = Endpoint(
    name="conversation aggregates",
    method="POST",
    path="/api/v2/analytics/conversations/aggregates/query",
    answer_type=payloads.AggregateAnswer,
)
ORGANIZATION: Endpoint[payloads.Organization] = Endpoint(
    name="organisation",
    method="GET",
    path="/api/v2/organizations/me",
    answer_type=payloads.Organization,
)
AGENT_LIST: Endpoint[payloads.ListPage[payloads.DirectoryEntity]] = Endpoint(
    name="agents",
    method="GET",
    path="/api/v2/users",
    answer_type=payloads.ListPage[payloads.DirectoryEntity],
)
QUEUE_LIST: Endpoint[payloads.ListPage[payloads.DirectoryEntity]] = Endpoint(
    name="queues",
    method="GET",
    path="/api/v2/routing/queues",
    answer_type=payloads.ListPage[payloads.DirectoryEntity],
)
USER_AGGREGATES: Endpoint[payloads.AggregateAnswer] = Endpoint(
    name="user aggregates",
    method="POST",
    path="/api/v2/analytics/users/aggregates/query",
    answer_type=payloads.AggregateAnswer,
)
CAPACITY_AGGREGATES: Endpoint[payloads.AggregateAnswer] = Endpoint(
    name="capacity used (preview)",
    method="POST",
    path="/api/v2/analytics/agentutilizations/aggregates/query",
    answer_type=payloads.AggregateAnswer,
)
DETAILS_QUERY: Endpoint[payloads.DetailsPage] = Endpoint(
    name="conversation details",
    method="POST",
    path="/api/v2/analytics/conversations/details/query",
    answer_type=payloads.DetailsPage,
)
_JOBS_PATH = "/api/v2/analytics/conversations/details/jobs"
DETAIL_AVAILABILITY: Endpoint[payloads.DetailsAvailability] = Endpoint(
    name="conversation details availability",
    method="GET",
    path=f"{_JOBS_PATH}/availability",
    answer_type=payloads.DetailsAvailability,
)
DETAIL_JOB_SUBMISSION: Endpoint[payloads.SubmittedJob] = Endpoint(
    name="conversation details jobs",
    method="POST",
    path=_JOBS_PATH,
    answer_type=payloads.SubmittedJob,
)
DETAIL_JOB_STATUS: Endpoint[payloads.JobStatus] = Endpoint(
    name="conversation details job",
    method="GET",
    path=f"{_JOBS_PATH}/{{job_id}}",
    answer_type=payloads.JobStatus,
)
DETAIL_RESULTS: Endpoint[payloads.DetailsPage] = Endpoint(
    name="conversation details results",
    method="GET",
    path=f"{_JOBS_PATH}/{{job_id}}/results",
    answer_type=payloads.DetailsPage,
)
DETAIL_JOB_DELETION: Endpoint[None] = Endpoint(
    name="conversation details job",
    method="DELETE",
    path=f"{_JOBS_PATH}/{{job_id}}",
    answer_type=None,
)

LOGIN_PATH = "/oauth/token"
PAGE_SIZE = 100
"""The page size of every list. The swagger names no maximum; Genesys' own samples use 100."""
