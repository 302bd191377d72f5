"""The parts of Genesys Cloud's JSON that halfhour reads, with the names of the API.

Other keys are ignored, as Genesys adds fields every month. A key that may be missing has a
default, as Genesys leaves out keys without a value. An explicit null counts as a missing key.
"""

from typing import TYPE_CHECKING, Annotated, Generic, TypeVar

import msgspec

T = TypeVar("T")
if TYPE_CHECKING:
    OrNull = Annotated[T, "null is replaced by the default"]
else:
    OrNull = T | None
"""A field that may be null in JSON; `__post_init__` replaces null by the default."""


MAX_EXACT_INTEGER = 2**53
"""The largest whole number that a JSON number represents exactly."""


class Payload(msgspec.Struct, gc=False, rename="camel"):
    """A JSON object."""


class TokenAnswer(Payload, rename=None):
    """The answer of ``POST /oauth/token``; *expires_in* in seconds."""

    access_token: str
    expires_in: int

    def __repr__(self) -> str:
        return f"TokenAnswer(expires_in={self.expires_in})"


class LoginRefusal(Payload, rename=None):
    """The answer of the login host if it refuses a token; it is not an `ErrorBody`."""

    error: str
    description: str | None = None


class ErrorBody(Payload):
    """The body of every other refusal."""

    message: str | None = None
    code: str | None = None
    context_id: str | None = None


class MetricStats(Payload):
    """The values of a metric: timers have both, in ms; counters have only *count*.

    The schema types both as double.
    """

    sum: float | None = None
    count: float | None = None


class AggregateMetric(Payload):
    """A metric with its values; *qualifier* is a status, in user aggregates only."""

    metric: str
    qualifier: OrNull[str] = ""
    stats: OrNull[MetricStats] = msgspec.field(default_factory=MetricStats)

    def __post_init__(self) -> None:
        self.qualifier = self.qualifier or ""
        self.stats = self.stats or MetricStats()


class AggregateInterval(Payload):
    """A sub-interval of a group; *interval* is ``start/end`` in UTC or with an offset."""

    interval: str
    metrics: OrNull[tuple[AggregateMetric, ...]] = ()

    def __post_init__(self) -> None:
        self.metrics = self.metrics or ()


class AggregateGroup(Payload):
    """The values of dimensions and the data for them.

    A group lacks the dimensions that its metrics do not have.
    """

    group: OrNull[dict[str, OrNull[str]]] = {}
    data: OrNull[tuple[AggregateInterval, ...]] = ()

    def __post_init__(self) -> None:
        group = self.group or {}
        self.group = {name: value for name, value in group.items() if value is not None}
        self.data = self.data or ()


class AggregateAnswer(Payload):
    """The answer of ``POST …/aggregates/query``, without pages.

    *results* is missing if nothing matched.
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
    """An agent or a queue in a list. An agent has a *state*: active, inactive or deleted."""

    id: str
    name: str | None = None
    division: DivisionOrTeam | None = None
    team: DivisionOrTeam | None = None
    state: str | None = None


class ListPage(Payload, Generic[T]):
    """A page of a list. Only a missing *next_uri* marks the last page; a short page does not.

    *page_size* may be smaller than the requested size; *page_number* then counts smaller pages.
    """

    entities: tuple[T, ...] | None = None
    page_size: int | None = None
    page_number: int | None = None
    next_uri: str | None = None


class SessionMetric(Payload):
    """A value of a session, in ms or a count, which Genesys posts whole at *emit_date*.

    The schema types *value* as double. Here it may be anything, and every field may be missing,
    so that a malformed value does not make the whole conversation unreadable.
    """

    name: str | None = None
    value: object = None
    emit_date: str | None = None


class Segment(Payload):
    """A part of a session; it has no *segment_end* while it goes on."""

    segment_type: str
    segment_start: str | None = None
    segment_end: str | None = None
    queue_id: str | None = None


class Session(Payload):
    """The part of a participant in one medium. Exports of other tools may lack *session_id*."""

    session_id: str | None = None
    media_type: str | None = None
    direction: str | None = None
    metrics: tuple[SessionMetric, ...] | None = None
    segments: tuple[Segment, ...] | None = None


class Participant(Payload):
    """A participant. Agents have a *user_id*; their *purpose* is agent in queue work, else user."""

    purpose: str | None = None
    user_id: str | None = None
    sessions: tuple[Session, ...] | None = None


class Conversation(Payload):
    """A conversation with its participants.

    *conversation_end* is missing while the conversation or any of its sessions goes on.
    """

    conversation_id: str
    conversation_start: object = None
    conversation_end: str | None = None
    participants: OrNull[tuple[Participant, ...]] = ()

    def __post_init__(self) -> None:
        self.participants = self.participants or ()


class DetailsPage(Payload):
    """A page of detail records; *conversations* is missing after the last page.

    The records are not decoded yet, so that a malformed record does not affect the others.
    """

    conversations: tuple[msgspec.Raw, ...] | None = None
    total_hits: int | None = None
    cursor: str | None = None
    data_availability_date: str | None = None


class SubmittedJob(Payload):
    """The answer to the submission of a job."""

    job_id: str


class JobStatus(Payload):
    """The answer about a job; *state* is QUEUED, PENDING, FULFILLED, FAILED, CANCELLED or
    EXPIRED.
    """

    state: str
    error_message: str | None = None


class DetailsAvailability(Payload):
    """The time until which jobs have data."""

    data_availability_date: str
