"""Jobs: submitted once, polled until they are done, read page by page."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import msgspec

from genesys_emulator.state.cursors import CursorCache, ResultCursor
from genesys_emulator.wire import errors
from genesys_emulator.wire.endpoints import JobEndpoints
from genesys_emulator.wire.timestamps import DAY, HOUR, SECOND, format_timestamp

LAG = 6 * HOUR
"""Delay of the data of details jobs, in ms: later activity is missing without notice."""
BEGUN = ("QUEUED", "PENDING")
DONE, EXPIRED, FAILED, CANCELLED = "FULFILLED", "EXPIRED", "FAILED", "CANCELLED"
SUCCESS = (DONE,)
RUN_TIME = 9 * SECOND
PAGE_SIZE, MOST_PER_PAGE = 1_000, 10_000

Row = dict[str, Any] | msgspec.Raw


@dataclass(frozen=True, slots=True)
class Task:
    """The work of a job. *find* gives its results as of a moment in ms, always the same.

    Without *page_size* the reader of the results chooses the size of a page.
    """

    find: Callable[[int], Iterator[Row]]
    page_size: int | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of query that can be a job. *parse_task* parses its body, or raises ApiError.

    *rows* is the field of a page that has its results, *extra_fields* are in
    every page beside it. The data is *lag* ms behind.
    """

    endpoints: JobEndpoints
    rows: str
    parse_task: Callable[[Any], Task]
    lag: int = 0
    extra_fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Job:
    """A job; its results are as of *until*.

    Each look at it shows the next of its *states*, and in the end always the last.
    """

    kind: Kind
    task: Task
    submitted: int
    until: int
    states: tuple[str, ...]
    looks: int = 0

    @property
    def last_state(self) -> str:
        """The state that the last look showed."""
        return self.states[max(0, min(self.looks, len(self.states)) - 1)]

    def next_status(self) -> dict[str, Any]:
        """Look at the job once more, and return its status."""
        self.looks += 1
        status = {
            "state": self.last_state,
            "submissionDate": format_timestamp(self.submitted),
            "expirationDate": format_timestamp(self.submitted + DAY),
        }
        if self.last_state in (DONE, EXPIRED):
            status["completionDate"] = format_timestamp(self.submitted + RUN_TIME)
        if self.last_state == FAILED:
            status["errorMessage"] = "The query could not be completed."
        return status

    def end_as(self, state: str) -> None:
        """Have every look from now on show this *state*."""
        self.states = (state,)


@dataclass(slots=True)
class Jobs:
    """The jobs of one organization, of all kinds; *now* in ms."""

    now: Callable[[], int]
    _cursors: CursorCache
    _jobs: dict[str, Job] = field(default_factory=dict)

    def available_until(self, kind: Kind) -> int:
        """Return until when jobs of this *kind* have data, in ms."""
        return self.now() - kind.lag

    def submit_task(self, kind: Kind, task: Task, ends: tuple[str, ...] = SUCCESS) -> str:
        """Submit a job and return its id; *ends* are its final states, one after the other."""
        job_id = str(uuid4())
        states = (*BEGUN, *ends)
        self._jobs[job_id] = Job(kind, task, self.now(), self.available_until(kind), states)
        return job_id

    def find_job(self, kind: Kind, job_id: str) -> Job:
        """Return the job with this id. Raises ApiError if there is none, or it has expired."""
        job = self._jobs.get(job_id)
        if job is None or job.kind is not kind or self.now() >= job.submitted + DAY:
            raise errors.standard_error(404)
        return job

    def open_results(self, job_id: str, job: Job) -> ResultCursor[Row]:
        """Open the results of a job. Raises ApiError if it is not done."""
        if job.last_state == EXPIRED:
            raise errors.standard_error(404)
        if job.last_state != DONE:
            raise errors.bad_request("The job is not fulfilled.")
        cursor: ResultCursor[Row] | None = self._cursors.get_value(job_id)
        return cursor or self._cursors.keep_value(
            job_id, ResultCursor(lambda: job.task.find(job.until))
        )

    def delete_job(self, job_id: str) -> None:
        del self._jobs[job_id]
        self._cursors.forget_value(job_id)

    def clear(self) -> None:
        self._jobs.clear()
