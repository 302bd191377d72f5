"""The bodies of requests, and how to divide a query whose answer is too large."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from halfhour.errors import ApiError, ConfigError
from halfhour.genesys.endpoints import (
    PAGE_SIZE,
)
from halfhour.model.intervals import HALF_HOUR, QUARTER_HOUR, SECOND, Interval
from halfhour.model.tables import CAPACITY_METRIC, OFFERED_METRIC, POSTED_METRICS, STATUS_KINDS

QUERY_WINDOW = timedelta(days=1)
MAX_AGENTS_PER_REQUEST = 100
"""The number that Genesys documents for user aggregates; it names no other."""
MAX_QUEUES_PER_REQUEST = 300
"""Past it, Genesys refuses a query (analytics conversation aggregate query guide)."""

_ISO_DURATIONS = {HALF_HOUR: "PT30M", QUARTER_HOUR: "PT15M"}


@dataclass(frozen=True, slots=True)
class PostedQuery:
    """A query of conversation aggregates. Empty *queues* or *agents* mean all."""

    window: Interval
    granularity: timedelta
    queues: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()

    def request_body(self) -> dict[str, Any]:
        """The request's JSON.

        Each id list is one `or` clause under an `and`: the shape whose answer
        matches the Genesys UI. Several queues of one session are joined, so
        that no value is given twice.
        """
        wanted = (("queueId", self.queues), ("userId", self.agents))
        clauses = [_any_value_filter(dimension, values) for dimension, values in wanted if values]
        width = {} if self.fits_one_interval else {"granularity": _ISO_DURATIONS[self.granularity]}
        body: dict[str, Any] = {
            "interval": str(self.window),
            **width,
            "groupBy": ["userId", "queueId", "mediaType"],
            "flattenMultivaluedDimensions": True,
            "metrics": list(dict.fromkeys(column.metric for column in POSTED_METRICS)),
        }
        return body | ({"filter": {"type": "and", "clauses": clauses}} if clauses else {})

    @property
    def fits_one_interval(self) -> bool:
        """Tell whether the whole window lies in one interval of the granularity."""
        return self.window.width <= self.granularity

    def split_query(self) -> "tuple[PostedQuery, PostedQuery] | None":
        """Split the query into two that ask for the same data, at an edge or, in one interval, at a
        second.

        Return None if no second is left to split at. Values posted in the parts of an interval add
        up to those of the interval.
        """
        windows = self.window.split_in_half(SECOND if self.fits_one_interval else self.granularity)
        return windows and (replace(self, window=windows[0]), replace(self, window=windows[1]))


def status_query(window: Interval, granularity: timedelta, agents: Sequence[str]) -> dict[str, Any]:
    """The JSON that asks for the status of at most 100 *agents*."""
    return {
        "interval": str(window),
        "granularity": _ISO_DURATIONS[granularity],
        "groupBy": ["userId"],
        "filter": _any_value_filter("userId", agents),
        "metrics": list(STATUS_KINDS),
    }


def capacity_query(window: Interval, granularity: timedelta) -> dict[str, Any]:
    """The JSON that asks how much of agents' capacity was used, which is a preview."""
    return {
        "interval": str(window),
        "granularity": _ISO_DURATIONS[granularity],
        "groupBy": ["userId"],
        "metrics": [CAPACITY_METRIC],
    }


def offered_query(
    window: Interval, granularity: timedelta, queues: Sequence[str] = ()
) -> dict[str, Any]:
    """The JSON that asks how many interactions *queues*, or all, were offered, which no agent's
    rows say.
    """
    body: dict[str, Any] = {
        "interval": str(window),
        "granularity": _ISO_DURATIONS[granularity],
        "groupBy": ["queueId", "mediaType"],
        "flattenMultivaluedDimensions": True,
        "metrics": [OFFERED_METRIC],
    }
    return body | ({"filter": _any_value_filter("queueId", queues)} if queues else {})


def details_query(interval: Interval) -> dict[str, Any]:
    """The JSON that asks for conversations of *interval* that an agent had a part in."""
    return {
        "interval": str(interval),
        "order": "asc",
        "orderBy": "conversationStart",
        "segmentFilters": [_any_value_filter("purpose", ("agent", "user"))],
    }


def with_paging(query: Mapping[str, Any], number: int) -> dict[str, Any]:
    """Return *query* for one page of details."""
    return {**query, "paging": {"pageSize": PAGE_SIZE, "pageNumber": number}}


def posted_queries(
    interval: Interval,
    granularity: timedelta,
    *,
    queues: Sequence[str] = (),
    agents: Sequence[str] = (),
) -> list[PostedQuery]:
    """The queries that cover *interval*, oldest first. Raises ConfigError past 300 queues."""
    if len(queues) > MAX_QUEUES_PER_REQUEST:
        raise ConfigError(
            f"⟨queues⟩: Genesys takes at most {MAX_QUEUES_PER_REQUEST} queues at once"
        )
    return [
        PostedQuery(window, granularity, tuple(queues), some)
        for window in interval.split_into_windows(QUERY_WINDOW)
        for some in unique_chunks(agents, MAX_AGENTS_PER_REQUEST) or [()]
    ]


def unique_chunks(ids: Iterable[str], size: int) -> list[tuple[str, ...]]:
    """Return *ids* in tuples of at most *size*, in order, each id once."""
    unique = list(dict.fromkeys(ids))
    return [tuple(unique[at : at + size]) for at in range(0, len(unique), size)]


def smaller_queries(query: PostedQuery, error: ApiError) -> tuple[PostedQuery, PostedQuery] | None:
    """Return two queries to send in place of *query*, which ended with *error*.

    Return None if a smaller query would not help.

    One interval that takes too long is not divided further.
    """
    too_large = error.code == "response.entity.too.large"
    too_slow = error.status in {408, 504} and not query.fits_one_interval
    return query.split_query() if too_large or too_slow else None


def _any_value_filter(dimension: str, values: Sequence[str]) -> dict[str, Any]:
    return {"type": "or", "predicates": [_match_predicate(dimension, value) for value in values]}


def _match_predicate(dimension: str, value: str) -> dict[str, str]:
    return {"type": "dimension", "dimension": dimension, "operator": "matches", "value": value}
