"""Build the bodies of requests, and divide a query whose answer is too large."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from halfhour.errors import ApiError, ConfigError
from halfhour.genesys.endpoints import PAGE_SIZE
from halfhour.model.intervals import HALF_HOUR, QUARTER_HOUR, SECOND, Interval
from halfhour.model.measures import (
    CAPACITY_METRIC,
    OFFERED_METRIC,
    STATUS_KINDS,
    STORED_FIGURES,
)

QUERY_WINDOW = timedelta(days=1)
MAX_AGENTS_PER_REQUEST = 100
"""The most agents of a user aggregates query. Genesys documents no number for other queries."""
MAX_QUEUES_PER_REQUEST = 300
"""The most queues of a query (Genesys' analytics conversation aggregate query guide)."""

_HANDLE_METRIC = "tHandle"
_ISO_DURATIONS = {HALF_HOUR: "PT30M", QUARTER_HOUR: "PT15M"}


@dataclass(frozen=True, slots=True)
class PostedQuery:
    """A query to the conversation aggregates. No *queues* or *agents* means all of them."""

    window: Interval
    granularity: timedelta
    queues: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()

    def request_body(self) -> dict[str, Any]:
        """Return the JSON of the request.

        Each list of ids is an `or` clause under an `and`: the form whose answer matches the Genesys
        UI. The flag joins the queues of one session, so that no value counts twice.
        """
        filters = (("queueId", self.queues), ("userId", self.agents))
        clauses = [_any_value_filter(dimension, values) for dimension, values in filters if values]
        width = {} if self.fits_one_interval else {"granularity": _ISO_DURATIONS[self.granularity]}
        body: dict[str, Any] = {
            "interval": str(self.window),
            **width,
            "groupBy": ["userId", "queueId", "mediaType"],
            "flattenMultivaluedDimensions": True,
            "metrics": list(dict.fromkeys(figure.metric for figure in STORED_FIGURES)),
        }
        return body | ({"filter": {"type": "and", "clauses": clauses}} if clauses else {})

    @property
    def fits_one_interval(self) -> bool:
        """Tell whether the whole window lies in one interval of the granularity."""
        return self.window.width <= self.granularity

    def split_query(self) -> "tuple[PostedQuery, PostedQuery] | None":
        """Return two queries that cover the window, divided at an interval's edge.

        A window of a single interval is divided at a second, since the figures posted in its parts
        add up to those of the interval. Return None if it lasts a second or less.
        """
        windows = self.window.split_in_half(SECOND if self.fits_one_interval else self.granularity)
        return windows and (replace(self, window=windows[0]), replace(self, window=windows[1]))


def status_query(window: Interval, granularity: timedelta, agents: Sequence[str]) -> dict[str, Any]:
    """Return the JSON that requests the status of *agents*, at most 100."""
    return {
        "interval": str(window),
        "granularity": _ISO_DURATIONS[granularity],
        "groupBy": ["userId"],
        "filter": _any_value_filter("userId", agents),
        "metrics": list(STATUS_KINDS),
    }


def capacity_query(window: Interval, granularity: timedelta) -> dict[str, Any]:
    """Return the JSON that requests the used capacity of agents, a preview feature of Genesys."""
    return {
        "interval": str(window),
        "granularity": _ISO_DURATIONS[granularity],
        "groupBy": ["userId"],
        "metrics": [CAPACITY_METRIC],
    }


def offered_query(
    window: Interval, granularity: timedelta, queues: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the JSON that requests the number of interactions offered to *queues*, or to all.

    Rows of agents do not have this figure.
    """
    body: dict[str, Any] = {
        "interval": str(window),
        "granularity": _ISO_DURATIONS[granularity],
        "groupBy": ["queueId", "mediaType"],
        "flattenMultivaluedDimensions": True,
        "metrics": [OFFERED_METRIC],
    }
    return body | ({"filter": _any_value_filter("queueId", queues)} if queues else {})


def active_agents_query(interval: Interval) -> dict[str, Any]:
    """Return the JSON of a query for the agents who have handle time in *interval*."""
    return {"interval": str(interval), "groupBy": ["userId"], "metrics": [_HANDLE_METRIC]}


def details_query(interval: Interval) -> dict[str, Any]:
    """Return the JSON that requests the conversations of *interval* in which agents took part."""
    return {
        "interval": str(interval),
        "order": "asc",
        "orderBy": "conversationStart",
        "segmentFilters": [_any_value_filter("purpose", ("agent", "user"))],
    }


def with_paging(query: Mapping[str, Any], page_number: int) -> dict[str, Any]:
    """Return a details *query* for one page."""
    return {**query, "paging": {"pageSize": PAGE_SIZE, "pageNumber": page_number}}


def posted_queries(
    interval: Interval,
    granularity: timedelta,
    *,
    queues: Sequence[str] = (),
    agents: Sequence[str] = (),
) -> list[PostedQuery]:
    """Return the queries for *interval*, oldest first. Raises ConfigError above 300 queues."""
    if len(queues) > MAX_QUEUES_PER_REQUEST:
        raise ConfigError(
            f"⟨queues⟩: Genesys takes at most {MAX_QUEUES_PER_REQUEST} queues at once; name fewer, "
            "or leave it out for all queues"
        )
    return [
        PostedQuery(window, granularity, tuple(queues), agent_chunk)
        for window in interval.split_into_windows(QUERY_WINDOW)
        for agent_chunk in unique_chunks(agents, MAX_AGENTS_PER_REQUEST) or [()]
    ]


def unique_chunks(ids: Iterable[str], size: int) -> list[tuple[str, ...]]:
    """Return *ids* in tuples of at most *size*, in their order, without duplicates."""
    unique_ids = list(dict.fromkeys(ids))
    return [tuple(unique_ids[start : start + size]) for start in range(0, len(unique_ids), size)]


def smaller_queries(query: PostedQuery, error: ApiError) -> tuple[PostedQuery, PostedQuery] | None:
    """Return two queries to send in place of *query*, which failed with *error*.

    Return None if smaller queries would not help. A query of a single interval that takes too long
    is not divided.
    """
    too_large = error.code == "response.entity.too.large"
    too_slow = error.status in {408, 504} and not query.fits_one_interval
    return query.split_query() if too_large or too_slow else None


def _any_value_filter(dimension: str, values: Sequence[str]) -> dict[str, Any]:
    return {"type": "or", "predicates": [_match_predicate(dimension, value) for value in values]}


def _match_predicate(dimension: str, value: str) -> dict[str, str]:
    return {"type": "dimension", "dimension": dimension, "operator": "matches", "value": value}
