"""An unusable answer fails its window with a message, and the other windows are settled."""

from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from halfhour.cli import sync
from halfhour.errors import Incomplete, UnexpectedAnswer
from halfhour.model.coverage import DAY, KeptAges
from halfhour.model.intervals import Interval
from halfhour.model.vocabulary import Source
from halfhour.store.store import Store
from halfhour.syncing.planner import SyncRequest
from tests.processes import Cloud, emulator
from tests.spoiling import Answer, Asked, Spoil, at, spoiled
from tests.sync_runs import query_file, sync_store

NOW = datetime(2026, 3, 3, 7, tzinfo=UTC)
MIDNIGHT = NOW.replace(hour=0)
RANGE = Interval(MIDNIGHT - 2 * DAY, MIDNIGHT)
ODD_DAY = Interval(MIDNIGHT - 2 * DAY, MIDNIGHT - DAY)
OF_ODD_DAY = f'"interval":"{str(ODD_DAY).partition("/")[0]}'
"""A text that only the requests of that day contain."""
POSTED = "conversations/aggregates/query"
STATUS = "users/aggregates/query"
JOBS = "conversations/details/jobs"
DEEP = b"[" * 100_000 + b"]" * 100_000
NUMBERS = count(1)
CASES: dict[str, tuple[Source, Spoil]] = {}


@pytest.fixture(scope="module")
def own_cloud() -> Iterator[Cloud]:
    yield from emulator(
        "--now", "2026-03-03T07:00:00Z", "--agents", "8", "--requests-per-minute", "100000"
    )


@pytest.fixture
def cloud(own_cloud: Cloud) -> Cloud:
    own_cloud.reset()
    return own_cloud


def bucket_of(**changes: Any) -> Callable[[Any], None]:
    """Return a function that changes the first bucket of aggregates."""
    return lambda answer: answer["results"][0]["data"][0].update(changes)


def bucket_metrics(metric: str, **stats: float) -> dict[str, Any]:
    return {"metrics": [{"metric": metric, "qualifier": "IDLE", "stats": stats}]}


def without_agent(answer: dict[str, Any]) -> None:
    del answer["results"][0]["group"]["userId"]


def same_page_with_new_cursor(page: dict[str, Any]) -> None:
    """Give every page the same conversation and a new cursor."""
    cursor = b64encode(str(next(NUMBERS)).encode()).decode()
    page.update(conversations=[{"conversationId": "a"}], cursor=cursor)


def change_odd_day(path: str, change: Callable[[Any], object]) -> Spoil:
    return at(path, lambda honest: honest.changed(change), OF_ODD_DAY)


def change_odd_job(ending: str, answer: Answer | Callable[[Any], object]) -> Spoil:
    """Return a `Spoil` for the job of the odd day, under paths with this *ending*."""
    jobs: list[str] = []

    def spoil(request: Asked) -> Answer | None:
        if request.path.endswith(JOBS) and OF_ODD_DAY.encode() in request.body:
            jobs.append(request.honest.json["jobId"])
        if request.method != "GET" or not any(request.path.endswith(job + ending) for job in jobs):
            return None
        return answer if isinstance(answer, Answer) else request.honest.changed(answer)

    return spoil


for source, path, metric in (
    (Source.POSTED, POSTED, "tHandle"),
    (Source.STATUS, STATUS, "tAgentRoutingStatus"),
):
    early, late = "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"
    CASES |= {
        f"{source}: a sum past all numbers": (
            source, change_odd_day(path, bucket_of(**bucket_metrics(metric, sum=1e300, count=1)))
        ),
        f"{source}: year 1": (source, change_odd_day(path, bucket_of(interval=f"{early}/{early}"))),
        f"{source}: year 9999": (
            source,
            change_odd_day(path, bucket_of(interval=f"{late}/{late}")),
        ),
    }  # fmt: skip
for source, path in ((Source.POSTED, POSTED), (Source.STATUS, STATUS), (Source.DETAILS, JOBS)):
    CASES |= {
        f"{source}: no content": (source, at(path, Answer(status=204), OF_ODD_DAY)),
        f"{source}: nested too deeply": (
            source, at(path, Answer(b'{"results": %s, "jobId": %s}' % (DEEP, DEEP)), OF_ODD_DAY)
        ),
    }  # fmt: skip
CASES |= {
    "status: no agent": (Source.STATUS, change_odd_day(STATUS, without_agent)),
    **{
        f"details: {name}": (Source.DETAILS, spoil)
        for name, spoil in {
            "an id of a job that no address can hold": change_odd_day(
                JOBS, lambda job: job.update(jobId="x" * 70_000)
            ),
            "a record nested too deeply": change_odd_job(
                "/results", Answer(b'{"conversations": [%s]}' % DEEP)
            ),
            "a cursor that is empty": change_odd_job(
                "/results", lambda page: page.update(cursor="")
            ),
            "a cursor that repeats": change_odd_job(
                "/results", lambda page: page.update(cursor="MA==")
            ),
            "pages that repeat": change_odd_job("/results", same_page_with_new_cursor),
            "a page without conversations that announces more": change_odd_job(
                "/results", lambda page: page.update(conversations=None, cursor="MTI=")
            ),
            "data until the year 1": change_odd_job(
                "/results", lambda page: page.update(dataAvailabilityDate=early)
            ),
        }.items()
    },
}


@pytest.mark.parametrize("case", CASES)
def test_a_window_with_an_odd_answer_is_named_and_all_others_are_settled(cloud, tmp_path, case):
    source, spoil = CASES[case]
    sources = tuple({Source.POSTED, source})
    store = Store(tmp_path / "s.duckdb")
    with spoiled(cloud, spoil) as hostile:
        settings = hostile.impatient(attempts=1)
        outcome, events = sync_store(settings, store, RANGE, NOW, sources=sources)

    (error,) = (error for window, error in outcome.failed.items() if window == (source, ODD_DAY))
    assert isinstance(error, UnexpectedAnswer)
    assert len(str(error)) < 500
    assert [event.window for event in events if event.kind == "failed"][:1] == [ODD_DAY]
    assert [day.window.start for day in store.settled_windows(source)] == [MIDNIGHT - DAY]
    with pytest.raises(Incomplete, match=str(ODD_DAY)):
        outcome.raise_if_incomplete()
    assert len(cloud.requests("results")) < 10


def test_nulls_in_answers_are_no_error_and_change_nothing(cloud, tmp_path):
    nulls = {
        POSTED: lambda answer: answer["results"].append(
            {"group": {"userId": "x", "mediaType": None}, "data": None}
        ),
        STATUS: lambda answer: answer["results"].append(
            {
                "group": {"userId": "x"},
                "data": [{**answer["results"][0]["data"][0], "metrics": None}],
            }
        ),
    }

    def spoil(request: Asked) -> Answer | None:
        for path, change in nulls.items():
            if request.path.endswith(path):
                return request.honest.changed(change)
        if JOBS in request.path and "state" in (request.honest.body and request.honest.json):
            return request.honest.changed(lambda state: state.update(errorMessage=None))
        return None

    store, right = Store(tmp_path / "s.duckdb"), Store(tmp_path / "right.duckdb")
    with spoiled(cloud, spoil) as server:
        outcome, _ = sync_store(server.impatient(attempts=1), store, RANGE, NOW, sources=None)
    sync_store(cloud.settings, right, RANGE, NOW, sources=None)

    assert outcome.failed == {}
    for table in ("posted", "segments", "status"):
        rows = f"select columns(lambda c: c <> 'read_at') from {table} order by all"
        assert query_file(store, rows).equals(query_file(right, rows))


def test_a_watching_sync_goes_on_after_an_odd_answer(cloud, tmp_path):
    """Give one day an unusable answer in the first turn, and none in the second."""
    odd = change_odd_day(POSTED, bucket_of(**bucket_metrics("tHandle", sum=1e300, count=1)))
    store = Store(tmp_path / "s.duckdb")
    turns: list[int] = []

    def next_request() -> SyncRequest:
        turns.append(len(store.settled_windows(Source.POSTED)) if store.path.exists() else 0)
        if len(turns) == 3:
            raise KeyboardInterrupt
        return SyncRequest(RANGE, (Source.POSTED,))

    def spoil(request: Asked) -> Answer | None:
        return odd(request) if len(turns) == 1 else None

    with spoiled(cloud, spoil) as hostile, pytest.raises(KeyboardInterrupt):
        sync.sync_repeatedly(
            hostile.impatient(attempts=1),
            store,
            next_request,
            KeptAges(),
            timedelta(milliseconds=10),
        )
    assert turns == [0, 1, 2]
