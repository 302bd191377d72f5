"""Estimate the cost of a question or a sync: its requests, their number and their time."""

from collections.abc import Mapping
from typing import Any

from halfhour.genesys.endpoints import (
    AGENT_LIST,
    CAPACITY_AGGREGATES,
    CONVERSATION_AGGREGATES,
    DETAIL_AVAILABILITY,
    DETAIL_JOB_SUBMISSION,
    LOGIN_PATH,
    PAGE_SIZE,
    QUEUE_LIST,
)
from halfhour.genesys.regions import Hosts
from halfhour.genesys.requests import (
    MAX_AGENTS_PER_REQUEST,
    QUERY_WINDOW,
    capacity_query,
    details_query,
    posted_queries,
)
from halfhour.model.question import Question
from halfhour.model.vocabulary import Source, is_uuid

DEFAULT_REQUESTS_PER_MINUTE = 300
"""``client.credentials.token.rate.per.minute``, the default of every organisation."""

_FIRST_PAGE_QUERY = f"pageSize={PAGE_SIZE}&pageNumber=1"


def preview_requests(question: Question, hosts: Hosts) -> dict[str, Any]:
    """Return the requests of *question*, their least number, and the seconds that they take.

    A name stands in angle brackets in place of its id, which only Genesys can tell. The ids of
    agents whose names are requested come from the answers, so they have a placeholder.
    """
    queues = [_id_placeholder("queue", name) for name in question.queues]
    agents = [_id_placeholder("agent", name) for name in question.agents]
    width = question.granularity
    windows = list(question.interval.split_into_windows(QUERY_WINDOW))
    entries = [_request_entry("POST", hosts.login + LOGIN_PATH, "grant_type=client_credentials")]
    if not all(map(is_uuid, question.queues)):
        entries.append(_request_entry("GET", f"{hosts.api}{QUEUE_LIST.path}?{_FIRST_PAGE_QUERY}"))
    if not all(map(is_uuid, question.agents)):
        entries.append(
            _request_entry("GET", f"{hosts.api}{AGENT_LIST.path}?state=any&{_FIRST_PAGE_QUERY}")
        )
    if Source.POSTED in question.required_sources:
        queries = posted_queries(question.interval, width, queues=queues, agents=agents)
        entries += [
            _request_entry("POST", hosts.api + CONVERSATION_AGGREGATES.path, query.request_body())
            for query in queries
        ]
    if Source.DETAILS in question.required_sources:
        entries.append(_request_entry("GET", hosts.api + DETAIL_AVAILABILITY.path))
        entries += [
            _request_entry("POST", hosts.api + DETAIL_JOB_SUBMISSION.path, details_query(day))
            for day in windows
        ]
    if question.with_capacity:
        entries += [
            _request_entry("POST", hosts.api + CAPACITY_AGGREGATES.path, capacity_query(day, width))
            for day in windows
        ]
    query = "id=<agents found>&state=any&expand=team"
    entries.append(
        _request_entry("GET", f"{hosts.api}{AGENT_LIST.path}?{query}&{_FIRST_PAGE_QUERY}")
    )
    return {"requests": entries, **request_cost(len(entries))}


def min_request_count(windows: Mapping[Source, int], agents: int) -> int:
    """Return the least number of requests for *windows*, which counts the windows per source.

    A details job takes four requests: to submit it, to ask for its state, to read its results and
    to delete it. One more request asks for the organisation of the client. *agents* is the number
    of agents whose status is requested.
    """
    requests_per_window = {
        Source.POSTED: 1,
        Source.STATUS: max(1, -(-agents // MAX_AGENTS_PER_REQUEST)),
        Source.DETAILS: 4,
    }
    requests = sum(count * requests_per_window[source] for source, count in windows.items())
    return requests + 1 if requests else 0


def request_seconds(requests: int, max_per_minute: int | None = None) -> float:
    """Return the seconds that *requests* requests take at the default rate limit.

    A lower limit of the settings is *max_per_minute*.
    """
    rate = min(max_per_minute or DEFAULT_REQUESTS_PER_MINUTE, DEFAULT_REQUESTS_PER_MINUTE)
    return round(requests * 60 / rate, 1)


def request_cost(requests: int, max_per_minute: int | None = None) -> dict[str, Any]:
    """Return the cost of *requests* requests, an estimate from below."""
    return {
        "request_count": requests,
        "seconds_at_limit": request_seconds(requests, max_per_minute),
        "note": "at least: a list takes a request per 100 entries, names take a request per 100 "
        "agents, a query with too large an answer is divided, and a conversation details job "
        "takes several requests for its state and a request per page",
    }


def _request_entry(method: str, url: str, body: object = None) -> dict[str, Any]:
    return {"method": method, "url": url} | ({} if body is None else {"body": body})


def _id_placeholder(kind: str, name_or_id: str) -> str:
    return name_or_id if is_uuid(name_or_id) else f"<id of {kind} {name_or_id}>"
