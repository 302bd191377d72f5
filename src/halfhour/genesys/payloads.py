"""The parts of Genesys Cloud's JSON that are read here, each as the API calls it.

A key that is not read is passed over, and one that may be missing has a
default: Genesys leaves out what it has nothing for, and adds fields monthly.
An explicit null is read as if the key were missing.
"""

from typing import TYPE_CHECKING, Annotated, Generic, TypeVar

import msgspec

T = TypeVar("T")
if TYPE_CHECKING:
    OrNull = Annotated[T, "null is replaced by the default"]
else:
    OrNull = T | None
"""A field that has no null once it is read: `__post_init__` puts the default in its place."""


class Payload(msgspec.Struct, gc=False, rename="camel"):
    """A JSON object."""


class TokenAnswer(Payload, rename=None):
    """The answer of ``POST /oauth/token``; *expires_in* in seconds."""

    access_token: str
    expires_in: int

    def __repr__(self) -> str:
        return f"TokenAnswer(expires_in={self.expires_in})"


class LoginRefusal(Payload, rename=None):
    """The answer of the login host that refuses a token; it is not an `ErrorBody`."""

    error: str
    description: str | None = None


class ErrorBody(Payload):
    """The body of every other refusal."""

    message: str | None = None
    code: str | None = None
    context_id: str | None = None


class MetricStats(Payload):
    """The statistics of a metric: timers have a sum in ms and a count, counters only *count*.

    The schema types them double.
    """

    sum: float | None = None
    count: float | None = None


class AggregateMetric(Payload):
    """A metric with its statistics; *qualifier* is a status, in user aggregates only."""

    metric: str
    qualifier: OrNull[str] = ""
    stats: OrNull[MetricStats] = msgspec.field(default_factory=MetricStats)

    def __post_init__(self) -> None:
        self.qualifier = self.qualifier or ""
        self.stats = self.stats or MetricStats()


class AggregateInterval(Payload):
    """The metrics of one group in one interval; *interval* is ``start/end``, in UTC or with an
    offset.
    """

    interval: str
    metrics: OrNull[tuple[AggregateMetric, ...]] = ()

    def __post_init__(self) -> None:
        self.metrics = self.metrics or ()


class AggregateGroup(Payload):
    """The intervals of one group; it lacks the dimensions that its metrics do not have."""

    group: OrNull[dict[str, OrNull[str]]] = {}
    data: OrNull[tuple[AggregateInterval, ...]] = ()

    def __post_init__(self) -> None:
        named = (self.group or {}).items()
        self.group = {name: value for name, value in named if value is not None}
        self.data = self.data or ()


class AggregateAnswer(Payload):
    """The answer of ``POST …/aggregates/query``, not paged; *results* is missing if nothing
    matches.
    """

    results: tuple[AggregateGroup, ...] | None = None


class DivisionOrTeam(Payload):
    """A division or a team."""

    name: str | None = None


class Organization(Payload):
    """The answer of ``GET /organizations/me``: the organisation that the client belongs to."""

    id: str
    name: str | None = None


class DirectoryEntity(Payload):
    """An agent or a queue in a list; *name* is missing if it has none."""

    id: str
    name: str | None = None
    division: DivisionOrTeam | None = None
    team: DivisionOrTeam | None = None


class ListPage(Payload, Generic[T]):
    """A page of a list. The list ends where *next_uri* is missing; a short page is no sign of it.

    *page_size* may be less than the request asked for; *page_number* then counts such pages.
    """

    entities: tuple[T, ...] | None = None
    page_size: int | None = None
    page_number: int | None = None
    next_uri: str | None = None


class SessionMetric(Payload):
    """A value of a session, in ms or a count, posted whole at *emit_date*.

    The schema types it double. An invalid value is no reason to drop the conversation, so every
    field may be missing, and *value* may be anything.
    """

    name: str | None = None
    value: object = None
    emit_date: str | None = None


class Segment(Payload):
    """A part of a session; *segment_end* is missing while it goes on."""

    segment_type: str
    segment_start: str | None = None
    segment_end: str | None = None
    queue_id: str | None = None


class Session(Payload):
    """A session of a participant; exports of other tools may lack its *session_id*."""

    session_id: str | None = None
    media_type: str | None = None
    direction: str | None = None
    metrics: tuple[SessionMetric, ...] | None = None
    segments: tuple[Segment, ...] | None = None


class Participant(Payload):
    """A participant of a conversation. Agents have a *user_id*.

    Their *purpose* is agent for work of a queue, and user for other calls.
    """

    purpose: str | None = None
    user_id: str | None = None
    sessions: tuple[Session, ...] | None = None


class Conversation(Payload):
    """A conversation with its participants.

    *conversation_end* is absent while the conversation or any session of it goes on.
    """

    conversation_id: str
    conversation_end: str | None = None
    participants: OrNull[tuple[Participant, ...]] = ()

    def __post_init__(self) -> None:
        self.participants = self.participants or ()


class DetailsPage(Payload):
    """A page of detail records, each one undecoded, so that a malformed one does not spoil the
    others.

    After the last page *conversations* is missing.
    """

    conversations: tuple[msgspec.Raw, ...] | None = None
    total_hits: int | None = None
    cursor: str | None = None
    data_availability_date: str | None = None


class SubmittedJob(Payload):
    """The answer to the submission of a job."""

    job_id: str


class JobStatus(Payload):
    """The status of a job; *state* is QUEUED, PENDING, FULFILLED, FAILED, CANCELLED or EXPIRED."""

    state: str
    error_message: str | None = None


class DetailsAvailability(Payload):
    """The time until which jobs have data."""

    data_availability_date: str
