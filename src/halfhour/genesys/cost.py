"""Which requests a question takes, how many, and how long they last."""

from collections.abc import Mapping
from typing import Any

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
from halfhour.genesys.requests import AGENTS_A_REQUEST, WINDOW, capacity, details, posted
from halfhour.model.question import Question
from halfhour.model.vocabulary import Source, is_id

REQUESTS_A_MINUTE = 300
"""``client.credentials.token.rate.per.minute``, the default of every organisation."""


_FIRST_PAGE = f"pageSize={PAGE_SIZE}&pageNumber=1"


def preview(question: Question, hosts: Hosts) -> dict[str, Any]:
    """Return the requests that *question* takes, how many at least, and the seconds they take.

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
