"""Reads the conversation details of a window, page by page, into files.

From a job what the data lake holds, from the query what it does not hold yet.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from halfhour.errors import ApiError, HalfhourError, UnexpectedAnswer
from halfhour.genesys import payloads, requests
from halfhour.genesys.client import Client
from halfhour.genesys.endpoints import (
    DETAIL_AVAILABILITY,
    DETAIL_JOB,
    DETAIL_JOB_END,
    DETAIL_JOBS,
    DETAIL_RESULTS,
    DETAILS,
    PAGE_SIZE,
)
from halfhour.genesys.transport import refuse_odd_data
from halfhour.ingest.detail_records import Oddity
from halfhour.ingest.segments import Read, read
from halfhour.model.arrow_columns import texts
from halfhour.model.intervals import Interval, utc
from halfhour.model.tables import EMITTED, SEGMENTS

LOOK_BACK = timedelta(days=1)
"""How much earlier a conversation may have begun that the query is asked for."""
JOB_PAGE = 500
"""Conversations on a page of a job's results; no maximum is documented."""
GONE = (400, 404)
"""What the results of a job answer that has failed or expired since it was fulfilled."""
PARTING = 1.0
"""Seconds that deleting a job may take where something has gone wrong."""
LOOKS = 60
"""How often a job is looked at before it is given up."""
JOBS = 3
"""How often a job is submitted that fails, is cancelled or expires."""
MOST = 100_000
"""Conversations that a query gives: past it Genesys refuses to page on."""
MOST_JOB_PAGES = 20_000
"""Pages of a job's results: no organisation has ten million conversations a day."""

Take = Callable[[payloads.Details], Collection[str]]
"""Keeps a page, and returns the ids of its conversations, as far as they can be told."""

PART = pa.field("part", pa.int32(), nullable=False)
WRITTEN = {
    "segments": SEGMENTS.append(PART),
    "emitted": EMITTED.append(PART),
    "parts": pa.schema([SEGMENTS.field("conversation_id"), PART]),
}
"""By the name of a file, its columns."""


@dataclass(slots=True)
class Files:
    """`tables.SEGMENTS` and `tables.EMITTED` as Parquet files in *folder*, each with a *part*.

    They grow part by part, so memory does not grow with their number. Beside
    them ``parts.parquet`` has the parts of each conversation, also of one that
    they say nothing of.
    """

    folder: Path
    oddities: list[Oddity] = field(default_factory=list)
    _part: int = 0
    _writers: dict[str, pq.ParquetWriter] = field(default_factory=dict)

    @property
    def tables(self) -> dict[str, Path]:
        return {name: self.folder / f"{name}.parquet" for name in ("segments", "emitted")}

    def __enter__(self) -> "Files":
        for name, schema in WRITTEN.items():
            self._writers[name] = pq.ParquetWriter(self.folder / f"{name}.parquet", schema)
        return self

    def __exit__(self, *_: object) -> None:
        for writer in self._writers.values():
            writer.close()

    def add(self, found: Read) -> None:
        """One part more. Of a conversation that is in several parts, the last is right."""
        self.oddities += found.oddities
        ids = pa.table({"conversation_id": texts(found.conversations)})
        for name, table in (
            ("segments", found.segments),
            ("emitted", found.emitted),
            ("parts", ids),
        ):
            part = pa.repeat(pa.scalar(self._part, PART.type), table.num_rows)
            self._writers[name].write_table(table.append_column(PART, part).cast(WRITTEN[name]))
        self._part += 1


async def available(client: Client) -> datetime:
    """Until when jobs have data. Raises what `Client.call` raises."""
    answer = await client.call(DETAIL_AVAILABILITY)
    return _moment(answer.data_availability_date)


async def gather(client: Client, window: Interval, lake: datetime, files: Files) -> None:
    """Add to *files* what details say of *window*, where jobs have data until *lake*.

    Raises UnexpectedAnswer, and what `Client.call` raises.
    """

    def take(page: payloads.Details) -> Collection[str]:
        with refuse_odd_data(DETAILS.name):
            found = read(page.conversations or (), window, held_until)
            files.add(found)
        return found.conversations

    if lake > window.start:
        held_until = min(lake, window.end)
        await _job(client, Interval(window.start, held_until), take)
    if lake < window.end:
        held_until = window.end
        await _query(client, Interval(window.start - LOOK_BACK, window.end), take)


async def _job(client: Client, interval: Interval, take: Take) -> None:
    """Every page of a job over *interval*; one that ends badly is submitted again."""
    for again in range(JOBS, 0, -1):
        async with _submitted(client, interval) as job:
            try:
                ended = await _finished(client, job)
                if ended.state == "FULFILLED":
                    return await _results(client, job, interval, take)
            except ApiError as error:
                if error.status not in GONE or again == 1:
                    raise
    raise UnexpectedAnswer(
        f"conversation details job: it became {ended.state} "
        f"({ended.error_message or 'no reason given'}), {JOBS} times; try again later"
    )


@asynccontextmanager
async def _submitted(client: Client, interval: Interval) -> AsyncIterator[str]:
    """The id of a new job, which is deleted in the end, whatever that is."""
    job = (await client.call(DETAIL_JOBS, body=requests.details(interval))).job_id
    patience = None
    try:
        yield job
    except BaseException:  # an interrupt, too
        patience = PARTING
        raise
    finally:
        with suppress(HalfhourError, TimeoutError):  # it would expire by itself
            async with asyncio.timeout(patience):
                await client.call(DETAIL_JOB_END.at(job))


async def _finished(client: Client, job_id: str) -> payloads.JobStatus:
    wait = client.patience.first_wait / 4
    for _ in range(LOOKS):
        state = await client.call(DETAIL_JOB.at(job_id))
        if state.state not in ("QUEUED", "PENDING"):
            return state
        await asyncio.sleep(wait)
        wait = min(2 * wait, client.patience.longest_wait)
    raise UnexpectedAnswer(
        f"conversation details job: still {state.state} after {LOOKS} looks; try again later"
    )


async def _results(client: Client, job_id: str, interval: Interval, take: Take) -> None:
    asked = {"pageSize": str(JOB_PAGE)}
    cursors: set[int] = set()
    earlier: set[int] = set()
    for number in range(1, MOST_JOB_PAGES + 1):
        page = await client.call(DETAIL_RESULTS.at(job_id), query=asked)
        if page.data_availability_date and _moment(page.data_availability_date) < interval.end:
            raise UnexpectedAnswer(
                "conversation details job: it saw less than was announced to be there, up to "
                f"{page.data_availability_date}; nothing was used - try again later"
            )
        _check_new("conversation details job", take(page), earlier)
        if page.cursor is None:
            return
        if not page.conversations or not page.cursor or hash(page.cursor) in cursors:
            wrong = "it is empty" if not page.conversations else "its cursor leads nowhere new"
            raise UnexpectedAnswer(
                f"conversation details job: page {number} announces another, but {wrong}; "
                "nothing was used - try again"
            )
        cursors.add(hash(page.cursor))
        asked["cursor"] = page.cursor
    raise UnexpectedAnswer(
        f"conversation details job: more than {MOST_JOB_PAGES:,} pages for {interval}; "
        "nothing was used - try again later"
    )


async def _query(client: Client, interval: Interval, take: Take) -> None:
    """Every page of the query over *interval*, up to one that is empty: the total is a guess."""
    query, short = requests.details(interval), False
    read_ids: set[str] = set()
    earlier: set[int] = set()
    for number in range(1, MOST // PAGE_SIZE + 1):
        page = await _whole_page(client, query, number)
        if page.total_hits and page.total_hits > MOST:
            raise _too_many(f"{page.total_hits:,}", interval)
        if not page.conversations:
            return
        ids = take(page)
        _check_new("conversation details", ids, earlier)
        if short and not (ids and read_ids.issuperset(ids)):
            raise _lacking(number - 1)
        read_ids.update(ids)
        short = len(page.conversations) < PAGE_SIZE
    raise _too_many(f"{MOST:,} or more", interval)


async def _whole_page(client: Client, query: dict[str, object], number: int) -> payloads.Details:
    """A page with as many conversations as there are to be.

    Pages go by number alone, so a short one would lose the rest of it. Genesys
    calls the total approximate, so it is taken from the latest answer: a last
    page may be short where that has shrunk. Where it stays short of the total
    all the same, what is missing cannot be told from what never was there, and
    no figures are better than figures that may lack some.

    A total that is missing, or lower than what has come, says nothing of a
    short page: it is asked for again as often as patience has it, and then is
    the last, or `_query` finds that it is not.
    """
    longest = payloads.Details()
    for _ in range(client.patience.attempts):
        page = await client.call(DETAILS, body=requests.paged(query, number))
        count = len(page.conversations or ())
        due = (page.total_hits or 0) - (number - 1) * PAGE_SIZE
        if count >= PAGE_SIZE or count == max(due, 0):
            return page
        longest = max(longest, page, key=lambda answer: len(answer.conversations or ()))
    if len(longest.conversations or ()) < due:
        raise _lacking(number)
    return longest


def _check_new(operation: str, ids: Collection[str], earlier: set[int]) -> None:
    """Raises UnexpectedAnswer if a page of those *earlier* had these conversations, or there would
    be no end. A number is remembered of each page, not its ids: a job may have millions.
    """
    page = hash(frozenset(ids))
    if ids and page in earlier:
        raise UnexpectedAnswer(
            f"{operation}: a page has the same conversations as one before it, so others would be "
            "missing; nothing was used - try again"
        )
    earlier.add(page)


def _lacking(number: int) -> UnexpectedAnswer:
    return UnexpectedAnswer(
        f"conversation details: page {number} has fewer conversations than a page is to have, "
        "so some would be missing; nothing was used - try again"
    )


def _too_many(count: str, interval: Interval) -> UnexpectedAnswer:
    return UnexpectedAnswer(
        f"conversation details: {count} conversations in {interval}, but Genesys lets a query page "
        f"through no more than {MOST:,}; jobs will have them when this time has reached the data "
        "lake, so run it again tomorrow"
    )


def _moment(text: str) -> datetime:
    try:
        return utc(datetime.fromisoformat(text))
    except (ValueError, OverflowError) as error:  # in the years 1 and 9999 a zone leads out of them
        raise UnexpectedAnswer(
            f"conversation details: {text[:40]!r}, until when there is data, is not a valid time"
        ) from error
