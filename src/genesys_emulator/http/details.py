"""The routes of conversation details: the query that answers at once, by id, and jobs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from genesys_emulator.answers import details
from genesys_emulator.answers.details_by_id import find
from genesys_emulator.http import jobs as job_routes
from genesys_emulator.http.json_io import Handler, json_of, said
from genesys_emulator.http.page_faults import span, total_of
from genesys_emulator.queries.details import DetailsQuery, details_job, details_query
from genesys_emulator.simulation.detail_records import Detail
from genesys_emulator.simulation.restatements import AsOf, Told
from genesys_emulator.simulation.source import Centre
from genesys_emulator.state.cursors import Scroll, Scrolls
from genesys_emulator.state.jobs import LAG, Jobs, Kind, Row, Task
from genesys_emulator.wire import endpoints, errors
from genesys_emulator.wire.endpoints import Endpoint
from genesys_emulator.wire.timestamps import MINUTE

MOST_IDS = 100


@dataclass(frozen=True, slots=True)
class Found:
    """What a query finds."""

    as_of: AsOf
    total: int
    scroll: Scroll[Detail]

    def good(self, now: int) -> bool:
        """Whether a later page may still be one of it."""
        return 0 <= now - self.as_of.now < MINUTE


def handlers(
    centre: Centre, jobs: Jobs, scrolls: Scrolls, told: Told
) -> Mapping[Endpoint, Handler]:
    """What each operation answers, once a request is let in."""

    def found_by(asked: DetailsQuery) -> Found:
        """Each page but the first goes on with what the ones before it had begun."""
        now, key = jobs.now(), replace(asked, page_size=1, page_number=1)
        known: Found | None = scrolls.get(key)
        if known and (told(now) == known.as_of or (asked.page_number > 1 and known.good(now))):
            return known
        as_of = told(now)
        total = details.how_many_started(key, centre, as_of)
        scroll = Scroll(lambda: details.started(key, centre, as_of))
        return scrolls.keep(key, Found(as_of, total, scroll))

    async def query(request: Request) -> Response:
        asked = details_query(await json_of(request))
        found = found_by(asked)
        before = (asked.page_number - 1) * asked.page_size
        page, _ = found.scroll.rows(*span(before, asked.page_size, request.state.fault))
        shown = {"conversations": [each.record(found.as_of) for each in page]} if page else {}
        return said({**total_of(found.total, request.state.fault), **shown})

    async def some(request: Request) -> Response:
        listed = ",".join(request.query_params.getlist("id")).split(",")
        ids = [each for each in dict.fromkeys(listed) if each]
        if not 1 <= len(ids) <= MOST_IDS:
            raise errors.malformed(f"Give 1 to {MOST_IDS} ids.")
        as_of = told(jobs.now())
        found = find(centre, ids, as_of)
        return said({"conversations": [found[each].record(as_of) for each in ids if each in found]})

    async def one(request: Request) -> Response:
        as_of, wanted = told(jobs.now()), request.path_params["id"]
        found = find(centre, [wanted], as_of)
        if not found:
            raise errors.standard(404)
        return said(found[wanted].record(as_of))

    def read(body: Any) -> Task:
        asked = details_job(body)

        def run(until: int) -> Iterator[Row]:
            as_of = told(until)
            found = details.active(asked, centre, as_of)
            return (each.record(as_of) for each in found)

        return Task(run)

    kind = Kind(endpoints.DETAILS_JOBS, "conversations", read, LAG)
    return {
        endpoints.DETAILS: query,
        endpoints.DETAILS_OF_SOME: some,
        endpoints.DETAILS_OF_ONE: one,
        endpoints.AVAILABILITY: job_routes.availability(kind, jobs),
        **job_routes.handlers(kind, jobs),
    }
