"""The routes of jobs, of whatever kind."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from genesys_emulator.answers.listing import number_of
from genesys_emulator.http.json_io import Handler, json_of, said
from genesys_emulator.http.page_faults import span
from genesys_emulator.state.jobs import (
    CANCELLED,
    DONE,
    EXPIRED,
    FAILED,
    MOST_PER_PAGE,
    PAGE_SIZE,
    SUCCESS,
    Job,
    Jobs,
    Kind,
)
from genesys_emulator.wire import errors
from genesys_emulator.wire.endpoints import Endpoint
from genesys_emulator.wire.timestamps import written

FATES = {
    "job_fails": (FAILED,),
    "job_cancelled": (CANCELLED,),
    "job_expires": (DONE, EXPIRED),
}
"""By kind of fault: the states that a job comes to which is submitted, one after the other; one
that is there already comes to the last of them at once.
"""


def handlers(kind: Kind, jobs: Jobs) -> Mapping[Endpoint, Handler]:
    """What each operation on jobs of this *kind* answers, once a request is let in."""

    def named_by(request: Request) -> tuple[str, Job]:
        job_id = request.path_params["id"]
        job = jobs.one(kind, job_id)
        if (fate := _fate(request)) != SUCCESS:
            job.end(fate[-1])
        return job_id, job

    async def submit(request: Request) -> Response:
        task = kind.read(await json_of(request))
        return said({"jobId": jobs.submit(kind, task, _fate(request))}, 202)

    async def status(request: Request) -> Response:
        _, job = named_by(request)
        return said(job.status())

    async def delete(request: Request) -> Response:
        job_id, _ = named_by(request)
        jobs.delete(job_id)
        return Response(status_code=204)

    async def results(request: Request) -> Response:
        job_id, job = named_by(request)
        scroll = jobs.results(job_id, job)
        size = job.task.page_size or _page_size(request)
        start, stop = span(_start(request), size, request.state.fault)
        rows, more = scroll.rows(start, stop)
        rest = {"dataAvailabilityDate": written(job.until)} if kind.lag else {}
        if more:
            rest["cursor"] = urlsafe_b64encode(str(stop).encode()).decode()
        return said({**kind.beside, kind.rows: rows, **rest})

    operations = kind.endpoints
    return {
        operations.submit: submit,
        operations.status: status,
        operations.results: results,
        operations.delete: delete,
    }


def availability(kind: Kind, jobs: Jobs) -> Handler:
    """Until when jobs of this *kind* have data, as an operation of its own."""

    async def available(_: Request) -> Response:
        return said({"dataAvailabilityDate": written(jobs.available(kind))})

    return available


def page_size_of(body: Any) -> tuple[Any, int]:
    """The *body* of a job without its ``pageSize``, and that. Raises RefusalError."""
    if not isinstance(body, dict) or body.get("pageSize") is None:
        return body, PAGE_SIZE
    size = body["pageSize"]
    if type(size) is not int or not 1 <= size <= MOST_PER_PAGE:
        raise errors.malformed(f"pageSize must be 1 to {MOST_PER_PAGE}.")
    return {name: value for name, value in body.items() if name != "pageSize"}, size


def _fate(request: Request) -> tuple[str, ...]:
    """What the job of this request comes to."""
    fault = request.state.fault
    return FATES.get(fault.kind, SUCCESS) if fault else SUCCESS


def _page_size(request: Request) -> int:
    parameters = request.query_params.multi_items()
    return number_of(parameters, "pageSize", PAGE_SIZE, MOST_PER_PAGE)


def _start(request: Request) -> int:
    """How many results the pages before this one had, which is what a cursor says."""
    cursor = request.query_params.get("cursor")
    if cursor is None:
        return 0
    try:
        decoded = urlsafe_b64decode(cursor).decode("ascii")
    except ValueError:
        decoded = ""
    if not (decoded.isdecimal() and len(decoded) < 10):
        raise errors.malformed("The cursor is not one of this job.")
    return int(decoded)
