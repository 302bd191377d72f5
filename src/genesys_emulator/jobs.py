"""Jobs: asked for once, looked at until they are done, read page by page."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from genesys_emulator import refusals
from genesys_emulator.details_validation import DetailsQuery
from genesys_emulator.instants import DAY, HOUR, SECOND, written

LAG = 6 * HOUR
"""How far what jobs see is behind: later activity is missing from their results, silently."""
STATES = ("QUEUED", "PENDING")
"""What the first looks at a job find; after them it is FULFILLED."""
RUN_TIME = 9 * SECOND
PAGE_SIZE, MOST_PER_PAGE = 1_000, 10_000


@dataclass(slots=True)
class Job:
    """*available* is until when there was data when it was submitted, in ms."""

    query: DetailsQuery
    submitted: int
    available: int
    looks: int = 0
    done: bool = False

    def status(self) -> dict[str, Any]:
        """One more look at it."""
        state = STATES[self.looks] if self.looks < len(STATES) else "FULFILLED"
        self.looks += 1
        self.done = state == "FULFILLED"
        times = {
            "submissionDate": written(self.submitted),
            "expirationDate": written(self.submitted + DAY),
        }
        if self.done:
            times["completionDate"] = written(self.submitted + RUN_TIME)
        return {"state": state, **times}


@dataclass(slots=True)
class Jobs:
    """Those of one organization; *now* in ms."""

    now: Callable[[], int]
    _jobs: dict[str, Job] = field(default_factory=dict)

    def available(self) -> int:
        """Until when there is data, in ms."""
        return self.now() - LAG

    def submit(self, query: DetailsQuery) -> str:
        """The id of a new job."""
        job_id = str(uuid4())
        self._jobs[job_id] = Job(query, self.now(), self.available())
        return job_id

    def one(self, job_id: str) -> Job:
        """The job with this id, if it has not expired. Raises RefusalError."""
        job = self._jobs.get(job_id)
        if job is None or self.now() >= job.submitted + DAY:
            raise refusals.standard(404)
        return job

    def results(self, job_id: str) -> Job:
        """A job that is done. Raises RefusalError for one that is not."""
        job = self.one(job_id)
        if not job.done:
            raise refusals.malformed("The job is not fulfilled yet.")
        return job

    def delete(self, job_id: str) -> None:
        """Raises RefusalError if there is no such job."""
        self.one(job_id)
        del self._jobs[job_id]

    def clear(self) -> None:
        self._jobs.clear()
