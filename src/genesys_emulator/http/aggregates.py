"""The routes of conversation aggregates: the query that answers at once, and jobs."""

from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from genesys_emulator.answers import aggregates
from genesys_emulator.http import jobs as job_routes
from genesys_emulator.http.json_io import Handler, json_of, said
from genesys_emulator.queries.aggregates import Query, query
from genesys_emulator.simulation.restatements import Told
from genesys_emulator.simulation.source import Centre
from genesys_emulator.state.jobs import Jobs, Kind, Task
from genesys_emulator.wire import endpoints
from genesys_emulator.wire.endpoints import Endpoint


def handlers(centre: Centre, jobs: Jobs, told: Told) -> Mapping[Endpoint, Handler]:
    """What each operation answers, once a request is let in."""

    def answer(asked: Query, now: int, order: Random) -> dict[str, Any]:
        books = centre.books(asked.start, min(asked.end, now), _possible(asked))
        return aggregates.answer(asked, books, told(now), order)

    async def at_once(request: Request) -> Response:
        asked = query(await json_of(request))
        return said(answer(asked, jobs.now(), Random(await request.body())))

    def read(body: Any) -> Task:
        rest, size = job_routes.page_size_of(body)
        asked, order = query(rest), msgspec.json.encode(rest)

        def find(until: int) -> Iterator[dict[str, Any]]:
            return iter(answer(asked, until, Random(order))["results"])

        return Task(find, size)

    kind = Kind(endpoints.AGGREGATES_JOBS, "results", read)
    return {endpoints.AGGREGATES: at_once, **job_routes.handlers(kind, jobs)}


def _possible(asked: Query) -> Callable[[str], bool]:
    """Whether the filter leaves room for an agent, or for the customers they spoke to."""
    of_nobody = asked.filter.verdict({"userId": ()}.get)
    return lambda user_id: (
        of_nobody is not False or asked.filter.verdict({"userId": (user_id,)}.get) is not False
    )
