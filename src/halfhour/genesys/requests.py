"""Which requests to send for what is asked, how to divide one, and what it will cost."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta, tzinfo
from typing import Any

from halfhour.errors import ApiError, ConfigError, near_miss
from halfhour.genesys.endpoints import (
    AGENTS,
    AGGREGATES,
    CAPACITY,
    DETAIL_AVAILABILITY,
    DETAIL_JOBS,
    LOGIN_PATH,
    PAGE_SIZE,
    QUEUES,
)
from halfhour.genesys.regions import Hosts
from halfhour.model.intervals import HALF_HOUR, QUARTER_HOUR, SECOND, Interval
from halfhour.model.tables import CAPACITY_METRIC, OFFERED_METRIC, POSTED_METRICS, STATUS_KINDS
from halfhour.model.time_ranges import granularity
from halfhour.model.vocabulary import Basis, By, Source, is_id

WINDOW = timedelta(days=1)
AGENTS_A_REQUEST = 100
"""As many as Genesys documents for user aggregates; it names no other number."""
QUEUES_A_REQUEST = 300
"""Past it, Genesys refuses a query (analytics conversation aggregate query guide)."""
REQUESTS_A_MINUTE = 300
"""``client.credentials.token.rate.per.minute``, the default of every organisation."""

_FIRST_PAGE = f"pageSize={PAGE_SIZE}&pageNumber=1"
_GRANULARITIES = {HALF_HOUR: "PT30M", QUARTER_HOUR: "PT15M"}


@dataclass(frozen=True, slots=True)
class Question:
    """What a person asks. *queues* and *agents* are names or ids, *media* are media types,
    *divisions* and *teams* names of those that agents belong to; none means all of them.

    *width* is that of the intervals a row stands for, or is summed of.
    """

    interval: Interval
    zone: tzinfo
    by: By = By.INTERVAL
    basis: Basis = Basis.POSTED
    queues: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    media: tuple[str, ...] = ()
    divisions: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    with_capacity: bool = False
    sort: str = ""
    top: int | None = None
    width: timedelta = HALF_HOUR

    @property
    def granularity(self) -> timedelta:
        """How wide the intervals must be that it is answered from."""
        return min(self.width, granularity(self.interval))

    @property
    def is_of_some(self) -> bool:
        """Whether it is of some of what agents do. Their status is of all, and no part of it."""
        return bool(self.queues or self.media)

    @property
    def sources(self) -> tuple[Source, ...]:
        """What has to be held to answer it."""
        return {
            Basis.POSTED: (Source.POSTED,),
            Basis.WORKED: (Source.DETAILS,),
            Basis.BOTH: (Source.POSTED, Source.DETAILS),
        }[self.basis]


@dataclass(frozen=True, slots=True)
class PostedQuery:
    """One question to the conversation aggregates. No *queues* or *agents* means all of them."""

    window: Interval
    granularity: timedelta
    queues: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()

    def body(self) -> dict[str, Any]:
        """The request's JSON.

        Each id list is one `or` clause under an `and`: the shape whose answer
        matches the Genesys UI. Several queues of one session are joined, so
        that no value is given twice.
        """
        wanted = (("queueId", self.queues), ("userId", self.agents))
        clauses = [_any(dimension, values) for dimension, values in wanted if values]
        width = {} if self.within_one else {"granularity": _GRANULARITIES[self.granularity]}
        body: dict[str, Any] = {
            "interval": str(self.window),
            **width,
            "groupBy": ["userId", "queueId", "mediaType"],
            "flattenMultivaluedDimensions": True,
            "metrics": list(dict.fromkeys(column.metric for column in POSTED_METRICS)),
        }
        return body | ({"filter": {"type": "and", "clauses": clauses}} if clauses else {})

    @property
    def within_one(self) -> bool:
        """Whether all of it lies in one interval of the granularity."""
        return self.window.width <= self.granularity

    def halves(self) -> "tuple[PostedQuery, PostedQuery] | None":
        """Two queries that ask the same together, cut at an edge; a single interval at a second.

        None if there is no second left to cut at. What is posted in the parts
        of an interval adds up to what is posted in it.
        """
        windows = self.window.halves(SECOND if self.within_one else self.granularity)
        return windows and (replace(self, window=windows[0]), replace(self, window=windows[1]))


def status(window: Interval, granularity: timedelta, agents: Sequence[str]) -> dict[str, Any]:
    """The JSON that asks for the status of at most 100 *agents*."""
    return {
        "interval": str(window),
        "granularity": _GRANULARITIES[granularity],
        "groupBy": ["userId"],
        "filter": _any("userId", agents),
        "metrics": list(STATUS_KINDS),
    }


def capacity(window: Interval, granularity: timedelta) -> dict[str, Any]:
    """The JSON that asks how much of agents' capacity was used, which is a preview."""
    return {
        "interval": str(window),
        "granularity": _GRANULARITIES[granularity],
        "groupBy": ["userId"],
        "metrics": [CAPACITY_METRIC],
    }


def offered(window: Interval, granularity: timedelta, queues: Sequence[str] = ()) -> dict[str, Any]:
    """The JSON that asks how many interactions *queues*, or all, were offered, which no agent's
    rows say.
    """
    body: dict[str, Any] = {
        "interval": str(window),
        "granularity": _GRANULARITIES[granularity],
        "groupBy": ["queueId", "mediaType"],
        "flattenMultivaluedDimensions": True,
        "metrics": [OFFERED_METRIC],
    }
    return body | ({"filter": _any("queueId", queues)} if queues else {})


def details(interval: Interval) -> dict[str, Any]:
    """The JSON that asks for conversations of *interval* that an agent had a part in."""
    return {
        "interval": str(interval),
        "order": "asc",
        "orderBy": "conversationStart",
        "segmentFilters": [_any("purpose", ("agent", "user"))],
    }


def paged(query: Mapping[str, Any], number: int) -> dict[str, Any]:
    """*query* for one page of details."""
    return {**query, "paging": {"pageSize": PAGE_SIZE, "pageNumber": number}}


def posted(
    interval: Interval,
    granularity: timedelta,
    *,
    queues: Sequence[str] = (),
    agents: Sequence[str] = (),
) -> list[PostedQuery]:
    """The queries that cover *interval*, oldest first. Raises ConfigError past 300 queues."""
    if len(queues) > QUEUES_A_REQUEST:
        raise ConfigError(f"--queue: Genesys takes at most {QUEUES_A_REQUEST} queues at once")
    return [
        PostedQuery(window, granularity, tuple(queues), some)
        for window in interval.windows(WINDOW)
        for some in chunks(agents, AGENTS_A_REQUEST) or [()]
    ]


def identified(
    option: str, wanted: Sequence[str], known: Iterable[tuple[str, str | None]], where: str
) -> list[str]:
    """The ids for names or ids, by those that are *known*, as pairs of id and name.

    A name that several have stands for all of them. Raises ConfigError for
    one that nobody has; *where* is where it was looked for.
    """
    ids: dict[str, list[str]] = {}
    names = []
    for each, name in known:
        names.append(name or each)
        ids.setdefault(names[-1].casefold(), []).append(each)
    for text in wanted:
        if not is_id(text) and text.casefold() not in ids:
            raise ConfigError(
                f"{option} {text!r}: none of the {len(names)} {where} has that name"
                f"{near_miss(text, names)}"
            )
    return [found for text in wanted for found in ([text] if is_id(text) else ids[text.casefold()])]


def chunks(ids: Iterable[str], size: int) -> list[tuple[str, ...]]:
    """*ids* in tuples of at most *size*, in their order, each id once."""
    unique = list(dict.fromkeys(ids))
    return [tuple(unique[at : at + size]) for at in range(0, len(unique), size)]


def divided(query: PostedQuery, error: ApiError) -> tuple[PostedQuery, PostedQuery] | None:
    """What to ask in place of *query*, which ended with *error*; None if nothing smaller will do.

    One interval that takes too long is not divided further.
    """
    too_large = error.code == "response.entity.too.large"
    too_slow = error.status in {408, 504} and not query.within_one
    return query.halves() if too_large or too_slow else None


def preview(question: Question, hosts: Hosts) -> dict[str, Any]:
    """What ``--dry-run`` shows: the requests, how many at least, and the seconds they take.

    Names, which only Genesys can turn into ids, stand in angle brackets, and
    the agents to be named are known only from the answers.
    """
    queues = [_placeholder("queue", name) for name in question.queues]
    agents = [_placeholder("agent", name) for name in question.agents]
    width = question.granularity
    windows = list(question.interval.windows(WINDOW))
    listed = [_shown("POST", hosts.login + LOGIN_PATH, "grant_type=client_credentials")]
    if not all(map(is_id, question.queues)):
        listed.append(_shown("GET", f"{hosts.api}{QUEUES.path}?{_FIRST_PAGE}"))
    if not all(map(is_id, question.agents)):
        listed.append(_shown("GET", f"{hosts.api}{AGENTS.path}?state=any&{_FIRST_PAGE}"))
    if Source.POSTED in question.sources:
        queries = posted(question.interval, width, queues=queues, agents=agents)
        listed += [_shown("POST", hosts.api + AGGREGATES.path, query.body()) for query in queries]
    if Source.DETAILS in question.sources:
        listed.append(_shown("GET", hosts.api + DETAIL_AVAILABILITY.path))
        listed += [_shown("POST", hosts.api + DETAIL_JOBS.path, details(day)) for day in windows]
    if question.with_capacity:
        bodies = [capacity(day, width) for day in windows]
        listed += [_shown("POST", hosts.api + CAPACITY.path, body) for body in bodies]
    found = "id=<agents found>&state=any&expand=team"
    listed.append(_shown("GET", f"{hosts.api}{AGENTS.path}?{found}&{_FIRST_PAGE}"))
    return {"requests": listed, **cost(len(listed))}


def least(windows: Mapping[Source, int], agents: int) -> int:
    """At least how many requests so many *windows* take, where the status of *agents* is asked.

    A job of details is submitted, looked at, read and ended; and the client's organisation is
    asked for once.
    """
    each = {
        Source.POSTED: 1,
        Source.STATUS: max(1, -(-agents // AGENTS_A_REQUEST)),
        Source.DETAILS: 4,
    }
    requests = sum(count * each[source] for source, count in windows.items())
    return requests + 1 if requests else 0


def seconds(requests: int, a_minute: int | None = None) -> float:
    """How long so many *requests* take at the limit, or at *a_minute*."""
    return round(requests * 60 / min(a_minute or REQUESTS_A_MINUTE, REQUESTS_A_MINUTE), 1)


def cost(requests: int, a_minute: int | None = None) -> dict[str, Any]:
    """What so many *requests* take, as far as is known before they are sent."""
    return {
        "request_count": requests,
        "seconds_at_limit": seconds(requests, a_minute),
        "note": "at least: lists have a page per 100 entries, agents are named 100 at a time, "
        "a query that is too much for one answer is divided, and a job of conversation details "
        "is looked at and read page by page",
    }


def _shown(method: str, url: str, body: object = None) -> dict[str, Any]:
    return {"method": method, "url": url} | ({} if body is None else {"body": body})


def _placeholder(kind: str, text: str) -> str:
    return text if is_id(text) else f"<id of {kind} {text}>"


def _any(dimension: str, values: Sequence[str]) -> dict[str, Any]:
    return {"type": "or", "predicates": [_matches(dimension, value) for value in values]}


def _matches(dimension: str, value: str) -> dict[str, str]:
    return {"type": "dimension", "dimension": dimension, "operator": "matches", "value": value}
