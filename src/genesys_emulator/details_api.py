"""The routes of conversation details: the query that answers at once, and jobs."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response

from genesys_emulator import details, endpoints, refusals
from genesys_emulator.bodies import json_of, said
from genesys_emulator.centre import Centre
from genesys_emulator.details_validation import details_job, details_query
from genesys_emulator.directory import number_of
from genesys_emulator.endpoints import Endpoint
from genesys_emulator.instants import DAY, written
from genesys_emulator.jobs import MOST_PER_PAGE, PAGE_SIZE, Jobs

Handler = Callable[[Request], Awaitable[Response]]


def handlers(centre: Centre, jobs: Jobs) -> Mapping[Endpoint, Handler]:
    """What each operation answers, once a request is let in."""

    async def query(request: Request) -> Response:
        asked, now = details_query(await json_of(request)), jobs.now()
        # The whole of every day that it touches, in UTC.
        days = centre.details(asked.start // DAY * DAY, -(-asked.end // DAY) * DAY)
        found = details.started(asked, days, now)
        page = details.page(found, asked.page_size, asked.page_number)
        shown = {"conversations": [each.record(now) for each in page]} if page else {}
        return said({"totalHits": len(found), **shown})

    async def submit(request: Request) -> Response:
        return said({"jobId": jobs.submit(details_job(await json_of(request)))}, 202)

    async def status(request: Request) -> Response:
        return said(jobs.one(request.path_params["id"]).status())

    async def delete(request: Request) -> Response:
        jobs.delete(request.path_params["id"])
        return Response(status_code=204)

    async def availability(_: Request) -> Response:
        return said({"dataAvailabilityDate": written(jobs.available())})

    async def results(request: Request) -> Response:
        job = jobs.results(request.path_params["id"])
        parameters = request.query_params.multi_items()
        size = number_of(parameters, "pageSize", PAGE_SIZE, MOST_PER_PAGE)
        skipped = _skipped(request)
        until = job.available
        everything = centre.details(job.query.start, job.query.end)
        found = details.active(job.query, everything, until)
        rest = {"dataAvailabilityDate": written(until)}
        if len(found) > skipped + size:
            rest["cursor"] = urlsafe_b64encode(str(skipped + size).encode()).decode()
        page = found[skipped : skipped + size]
        return said({"conversations": [each.record(until) for each in page], **rest})

    return {
        endpoints.DETAILS: query,
        endpoints.AVAILABILITY: availability,
        endpoints.SUBMIT: submit,
        endpoints.STATUS: status,
        endpoints.RESULTS: results,
        endpoints.DELETE: delete,
    }


def _skipped(request: Request) -> int:
    """How many conversations the pages before this one had, which is what a cursor says."""
    cursor = request.query_params.get("cursor")
    if cursor is None:
        return 0
    try:
        return int(urlsafe_b64decode(cursor))
    except ValueError:
        raise refusals.malformed("The cursor is not one of this job.") from None
