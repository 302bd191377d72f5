"""Jobs: asked for once, looked at until they are done, read page by page."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from genesys_emulator.state.cursors import Scroll, Scrolls
from genesys_emulator.wire import errors
from genesys_emulator.wire.endpoints import JobEndpoints
from genesys_emulator.wire.timestamps import DAY, HOUR, SECOND, format_timestamp

LAG = 6 * HOUR
"""How far what jobs of details see is behind: later activity is missing, silently."""
BEGUN = ("QUEUED", "PENDING")
DONE, EXPIRED, FAILED, CANCELLED = "FULFILLED", "EXPIRED", "FAILED", "CANCELLED"
SUCCESS = (DONE,)
RUN_TIME = 9 * SECOND
PAGE_SIZE, MOST_PER_PAGE = 1_000, 10_000

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Task:
    """What a job is to do. *find* gives its results as of a moment in ms, always the same.

    Without *page_size* it is for who reads them to say how many there are on a page.
    """

    find: Callable[[int], Iterator[Row]]
    page_size: int | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """A sort of query that can be a job. *read* makes a task of its body, or raises ApiError.

    *rows* is what a page calls its results, which are *lag* ms behind; *beside*
    them it says this too.
    """

    endpoints: JobEndpoints
    rows: str
    read: Callable[[Any], Task]
    lag: int = 0
    beside: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Job:
    """*until* is the moment as of which it finds its results.

    Each look at it finds the next of its *states*, and in the end always the last.
    """

    kind: Kind
    task: Task
    submitted: int
    until: int
    states: tuple[str, ...]
    looks: int = 0

    @property
    def state(self) -> str:
        """What the last look found."""
        return self.states[max(0, min(self.looks, len(self.states)) - 1)]

    def status(self) -> dict[str, Any]:
        """One more look at it."""
        self.looks += 1
        told = {
            "state": self.state,
            "submissionDate": format_timestamp(self.submitted),
            "expirationDate": format_timestamp(self.submitted + DAY),
        }
        if self.state in (DONE, EXPIRED):
            told["completionDate"] = format_timestamp(self.submitted + RUN_TIME)
        if self.state == FAILED:
            told["errorMessage"] = "The query could not be completed."
        return told

    def end(self, state: str) -> None:
        """From now on every look finds this *state*."""
        self.states = (state,)


@dataclass(slots=True)
class Jobs:
    """Those of one organization, of all kinds; *now* in ms."""

    now: Callable[[], int]
    _scrolls: Scrolls
    _jobs: dict[str, Job] = field(default_factory=dict)

    def available(self, kind: Kind) -> int:
        """Until when jobs of this *kind* have data, in ms."""
        return self.now() - kind.lag

    def submit(self, kind: Kind, task: Task, ends: tuple[str, ...] = SUCCESS) -> str:
        """The id of a new job, which comes to these *ends*, one after the other."""
        job_id = str(uuid4())
        states = (*BEGUN, *ends)
        self._jobs[job_id] = Job(kind, task, self.now(), self.available(kind), states)
        return job_id

    def one(self, kind: Kind, job_id: str) -> Job:
        """The job with this id, if it has not expired. Raises ApiError."""
        job = self._jobs.get(job_id)
        if job is None or job.kind is not kind or self.now() >= job.submitted + DAY:
            raise errors.standard_error(404)
        return job

    def results(self, job_id: str, job: Job) -> Scroll[Row]:
        """Those of a job that is done. Raises ApiError for one that is not."""
        if job.state == EXPIRED:
            raise errors.standard_error(404)
        if job.state != DONE:
            raise errors.bad_request("The job is not fulfilled.")
        scroll: Scroll[Row] | None = self._scrolls.get(job_id)
        return scroll or self._scrolls.keep(job_id, Scroll(lambda: job.task.find(job.until)))

    def delete(self, job_id: str) -> None:
        del self._jobs[job_id]
        self._scrolls.forget(job_id)

    def clear(self) -> None:
        self._jobs.clear()
