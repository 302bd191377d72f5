"""The cost of a question or a sync: its requests, their number and the time they take."""

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
    """Return the requests that *question* takes, how many at least, and the seconds they take.

    Names, which only Genesys can turn into ids, stand in angle brackets, and
    the agents to be named are known only from the answers.
    """
    queues = [_id_placeholder("queue", name) for name in question.queues]
    agents = [_id_placeholder("agent", name) for name in question.agents]
    width = question.granularity
    windows = list(question.interval.split_into_windows(QUERY_WINDOW))
    listed = [_request_entry("POST", hosts.login + LOGIN_PATH, "grant_type=client_credentials")]
    if not all(map(is_uuid, question.queues)):
        listed.append(_request_entry("GET", f"{hosts.api}{QUEUE_LIST.path}?{_FIRST_PAGE_QUERY}"))
    if not all(map(is_uuid, question.agents)):
        listed.append(
            _request_entry("GET", f"{hosts.api}{AGENT_LIST.path}?state=any&{_FIRST_PAGE_QUERY}")
        )
    if Source.POSTED in question.required_sources:
        queries = posted_queries(question.interval, width, queues=queues, agents=agents)
        listed += [
            _request_entry("POST", hosts.api + CONVERSATION_AGGREGATES.path, query.request_body())
            for query in queries
        ]
    if Source.DETAILS in question.required_sources:
        listed.append(_request_entry("GET", hosts.api + DETAIL_AVAILABILITY.path))
        listed += [
            _request_entry("POST", hosts.api + DETAIL_JOB_SUBMISSION.path, details_query(day))
            for day in windows
        ]
    if question.with_capacity:
        bodies = [capacity_query(day, width) for day in windows]
        listed += [
            _request_entry("POST", hosts.api + CAPACITY_AGGREGATES.path, body) for body in bodies
        ]
    query = "id=<agents found>&state=any&expand=team"
    listed.append(
        _request_entry("GET", f"{hosts.api}{AGENT_LIST.path}?{query}&{_FIRST_PAGE_QUERY}")
    )
    return {"requests": listed, **request_cost(len(listed))}


def min_request_count(windows: Mapping[Source, int], agents: int) -> int:
    """Return the least number of requests for these *windows* and the status of *agents* agents.

    A job of details is submitted, looked at, read and ended; and the client's organisation is
    asked for once.
    """
    requests_per_window = {
        Source.POSTED: 1,
        Source.STATUS: max(1, -(-agents // MAX_AGENTS_PER_REQUEST)),
        Source.DETAILS: 4,
    }
    requests = sum(count * requests_per_window[source] for source, count in windows.items())
    return requests + 1 if requests else 0


def request_seconds(requests: int, a_minute: int | None = None) -> float:
    """Return the seconds that *requests* requests take at the rate limit, or at *a_minute*."""
    return round(
        requests * 60 / min(a_minute or DEFAULT_REQUESTS_PER_MINUTE, DEFAULT_REQUESTS_PER_MINUTE), 1
    )


def request_cost(requests: int, a_minute: int | None = None) -> dict[str, Any]:
    """Return the cost of *requests* requests, as far as it is known before they are sent."""
    return {
        "request_count": requests,
        "seconds_at_limit": request_seconds(requests, a_minute),
        "note": "at least: lists have a page per 100 entries, agents are named 100 at a time, "
        "a query that is too much for one answer is divided, and a job of conversation details "
        "is looked at and read page by page",
    }


def _request_entry(method: str, url: str, body: object = None) -> dict[str, Any]:
    return {"method": method, "url": url} | ({} if body is None else {"body": body})


def _id_placeholder(kind: str, text: str) -> str:
    return text if is_uuid(text) else f"<id of {kind} {text}>"
