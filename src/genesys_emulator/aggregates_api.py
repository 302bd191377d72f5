"""The routes of conversation aggregates: the query that answers at once, and jobs."""

from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from genesys_emulator import answers, endpoints, jobs_api
from genesys_emulator.bodies import Handler, json_of, said
from genesys_emulator.centre import Centre
from genesys_emulator.corrections import Told
from genesys_emulator.endpoints import Endpoint
from genesys_emulator.jobs import Jobs, Kind, Task
from genesys_emulator.validation import Query, query


def handlers(centre: Centre, jobs: Jobs, told: Told) -> Mapping[Endpoint, Handler]:
    """What each operation answers, once a request is let in."""

    def answer(asked: Query, now: int, order: Random) -> dict[str, Any]:
        books = centre.books(asked.start, min(asked.end, now), _possible(asked))
        return answers.answer(asked, books, told(now), order)

    async def at_once(request: Request) -> Response:
        asked = query(await json_of(request))
        return said(answer(asked, jobs.now(), Random(await request.body())))

    def read(body: Any) -> Task:
        rest, size = jobs_api.page_size_of(body)
        asked, order = query(rest), msgspec.json.encode(rest)

        def find(until: int) -> Iterator[dict[str, Any]]:
            return iter(answer(asked, until, Random(order))["results"])

        return Task(find, size)

    kind = Kind(endpoints.AGGREGATES_JOBS, "results", read)
    return {endpoints.AGGREGATES: at_once, **jobs_api.handlers(kind, jobs)}


def _possible(asked: Query) -> Callable[[str], bool]:
    """Whether the filter leaves room for an agent, or for the customers they spoke to."""
    of_nobody = asked.filter.verdict({"userId": ()}.get)
    return lambda user_id: (
        of_nobody is not False or asked.filter.verdict({"userId": (user_id,)}.get) is not False
    )
