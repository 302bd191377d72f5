"""Handlers of jobs: submit, status, results and delete, the same for every kind of query."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from genesys_emulator.answers.listing import number_parameter
from genesys_emulator.http.json_io import Handler, json_response, read_json
from genesys_emulator.http.page_faults import row_range
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
from genesys_emulator.wire.timestamps import format_timestamp

FINAL_STATES = {
    "job_fails": (FAILED,),
    "job_cancelled": (CANCELLED,),
    "job_expires": (DONE, EXPIRED),
}
"""Final states of a job whose submission meets a fault, one after the other, by its kind.

A job that exists already takes the last of them at once.
"""


class JobHandlers:
    """Answer requests for jobs of one *kind*, once they are let in."""

    def __init__(self, kind: Kind, jobs: Jobs) -> None:
        self._kind = kind
        self._jobs = jobs

    @property
    def by_endpoint(self) -> Mapping[Endpoint, Handler]:
        operations = self._kind.endpoints
        return {
            operations.submit: self.submit_job,
            operations.status: self.show_status,
            operations.results: self.show_results,
            operations.delete: self.delete_job,
        }

    async def submit_job(self, request: Request) -> Response:
        task = self._kind.parse_task(await read_json(request))
        job_id = self._jobs.submit_task(self._kind, task, _final_states(request))
        return json_response({"jobId": job_id}, 202)

    async def show_status(self, request: Request) -> Response:
        _, job = self._find_job(request)
        return json_response(job.next_status())

    async def delete_job(self, request: Request) -> Response:
        job_id, _ = self._find_job(request)
        self._jobs.delete_job(job_id)
        return Response(status_code=204)

    async def show_results(self, request: Request) -> Response:
        job_id, job = self._find_job(request)
        cursor = self._jobs.open_results(job_id, job)
        size = job.task.page_size or _page_size(request)
        start, stop = row_range(_first_row(request), size, request.state.fault)
        rows, more = cursor.read_rows(start, stop)
        rest = {"dataAvailabilityDate": format_timestamp(job.until)} if self._kind.lag else {}
        if more:
            rest["cursor"] = urlsafe_b64encode(str(stop).encode()).decode()
        return json_response({**self._kind.extra_fields, self._kind.rows: rows, **rest})

    async def show_availability(self, _: Request) -> Response:
        """Answer until when jobs of this kind have data."""
        return json_response(
            {"dataAvailabilityDate": format_timestamp(self._jobs.available_until(self._kind))}
        )

    def _find_job(self, request: Request) -> tuple[str, Job]:
        job_id = request.path_params["id"]
        job = self._jobs.find_job(self._kind, job_id)
        if (states := _final_states(request)) != SUCCESS:
            job.end_as(states[-1])
        return job_id, job


def split_page_size(body: Any) -> tuple[Any, int]:
    """Return the *body* of a job without its ``pageSize``, and the page size.

    Raises ApiError.
    """
    if not isinstance(body, dict) or body.get("pageSize") is None:
        return body, PAGE_SIZE
    size = body["pageSize"]
    if type(size) is not int or not 1 <= size <= MOST_PER_PAGE:
        raise errors.bad_request(f"pageSize must be 1 to {MOST_PER_PAGE}.")
    return {name: value for name, value in body.items() if name != "pageSize"}, size


def _final_states(request: Request) -> tuple[str, ...]:
    """Return the final states of the job of *request*, with regard to its fault."""
    fault = request.state.fault
    return FINAL_STATES.get(fault.kind, SUCCESS) if fault else SUCCESS


def _page_size(request: Request) -> int:
    parameters = request.query_params.multi_items()
    return number_parameter(parameters, "pageSize", PAGE_SIZE, MOST_PER_PAGE)


def _first_row(request: Request) -> int:
    """Return the number of the first row that the cursor of *request* asks for, from 0."""
    cursor = request.query_params.get("cursor")
    if cursor is None:
        return 0
    try:
        decoded = urlsafe_b64decode(cursor).decode("ascii")
    except ValueError:
        decoded = ""
    if not (decoded.isdecimal() and len(decoded) < 10):
        raise errors.bad_request("The cursor is not one of this job.")
    return int(decoded)
