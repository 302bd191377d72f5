"""The routes of conversation details: the query that answers at once, by id, and jobs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from genesys_emulator import details, endpoints, jobs_api, refusals
from genesys_emulator.bodies import Handler, json_of, said
from genesys_emulator.centre import Centre
from genesys_emulator.details_validation import DetailsQuery, details_job, details_query
from genesys_emulator.endpoints import Endpoint
from genesys_emulator.instants import MINUTE
from genesys_emulator.jobs import LAG, Jobs, Kind, Row, Task
from genesys_emulator.lookup import find
from genesys_emulator.paging import span
from genesys_emulator.records import Detail
from genesys_emulator.scrolls import Scroll, Scrolls

MOST_IDS = 100


@dataclass(frozen=True, slots=True)
class Found:
    """What a query finds, as of *until* in ms."""

    until: int
    total: int
    scroll: Scroll[Detail]

    def good(self, now: int) -> bool:
        """Whether a later page may still be one of it."""
        return 0 <= now - self.until < MINUTE


def handlers(centre: Centre, jobs: Jobs, scrolls: Scrolls) -> Mapping[Endpoint, Handler]:
    """What each operation answers, once a request is let in."""

    def found_by(asked: DetailsQuery) -> Found:
        """Each page but the first goes on with what the ones before it had begun."""
        now, key = jobs.now(), replace(asked, page_size=1, page_number=1)
        known: Found | None = scrolls.get(key)
        if known and (now == known.until or (asked.page_number > 1 and known.good(now))):
            return known
        total = details.how_many_started(key, centre, now)
        scroll = Scroll(lambda: details.started(key, centre, now))
        return scrolls.keep(key, Found(now, total, scroll))

    async def query(request: Request) -> Response:
        asked = details_query(await json_of(request))
        found = found_by(asked)
        before = (asked.page_number - 1) * asked.page_size
        page, _ = found.scroll.rows(*span(before, asked.page_size, request.state.fault))
        shown = {"conversations": [each.record(found.until) for each in page]} if page else {}
        return said({"totalHits": found.total, **shown})

    async def some(request: Request) -> Response:
        listed = ",".join(request.query_params.getlist("id")).split(",")
        ids = [each for each in dict.fromkeys(listed) if each]
        if not 1 <= len(ids) <= MOST_IDS:
            raise refusals.malformed(f"Give 1 to {MOST_IDS} ids.")
        now = jobs.now()
        found = find(centre, ids, now)
        return said({"conversations": [found[each].record(now) for each in ids if each in found]})

    async def one(request: Request) -> Response:
        now, wanted = jobs.now(), request.path_params["id"]
        found = find(centre, [wanted], now)
        if not found:
            raise refusals.standard(404)
        return said(found[wanted].record(now))

    def read(body: Any) -> Task:
        asked = details_job(body)

        def run(until: int) -> Iterator[Row]:
            found = details.active(asked, centre, until)
            return (each.record(until) for each in found)

        return Task(run)

    kind = Kind(endpoints.DETAILS_JOBS, "conversations", read, LAG)
    return {
        endpoints.DETAILS: query,
        endpoints.DETAILS_OF_SOME: some,
        endpoints.DETAILS_OF_ONE: one,
        endpoints.AVAILABILITY: jobs_api.availability(kind, jobs),
        **jobs_api.handlers(kind, jobs),
    }
