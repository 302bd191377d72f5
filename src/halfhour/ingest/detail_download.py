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
    DETAIL_JOB_DELETION,
    DETAIL_JOB_STATUS,
    DETAIL_JOB_SUBMISSION,
    DETAIL_RESULTS,
    DETAILS_QUERY,
    PAGE_SIZE,
)
from halfhour.genesys.transport import refuse_unusable_data
from halfhour.ingest.detail_records import DataIssue
from halfhour.ingest.segments import DetailTables, tabulate_records
from halfhour.model.arrow_columns import string_column
from halfhour.model.intervals import Interval, to_utc
from halfhour.model.tables import EMITTED_SCHEMA, SEGMENTS_SCHEMA

CONVERSATION_START_MARGIN = timedelta(days=1)
"""The time before a day in which conversations may have begun that the query still asks for."""
JOB_PAGE_SIZE = 500
"""Conversations on a page of a job's results; no maximum is documented."""
JOB_GONE_STATUSES = (400, 404)
"""The statuses with which the results of a job answer if it has failed or expired meanwhile."""
JOB_DELETION_TIMEOUT = 1.0
"""Seconds that deleting a job may take where something has gone wrong."""
MAX_JOB_POLLS = 60
"""The number of times that a job's state is requested before it is given up."""
MAX_JOB_SUBMISSIONS = 3
"""The number of times that a job is submitted if it fails, is cancelled or expires."""
MAX_QUERY_CONVERSATIONS = 100_000
"""Conversations that a query gives: past it Genesys refuses to page on."""
MAX_JOB_PAGES = 20_000
"""Pages of a job's results: no organisation has ten million conversations a day."""

PageHandler = Callable[[payloads.DetailsPage], Collection[str]]
"""Keeps a page, and returns the ids of its conversations, as far as they can be told."""

PART_FIELD = pa.field("part", pa.int32(), nullable=False)
SPOOL_SCHEMAS = {
    "segments": SEGMENTS_SCHEMA.append(PART_FIELD),
    "emitted": EMITTED_SCHEMA.append(PART_FIELD),
    "parts": pa.schema([SEGMENTS_SCHEMA.field("conversation_id"), PART_FIELD]),
}
"""The columns of each spool file, by its name."""


@dataclass(slots=True)
class DetailSpool:
    """Tables of details as Parquet files in *folder*: segments and emitted values, in numbered
    parts.

    The files grow part by part, so memory does not grow with their number. ``parts.parquet`` beside
    them has the parts of each conversation, also of one without a row in the other files.
    """

    folder: Path
    data_issues: list[DataIssue] = field(default_factory=list)
    _part_number: int = 0
    _writers: dict[str, pq.ParquetWriter] = field(default_factory=dict)

    @property
    def parquet_paths(self) -> dict[str, Path]:
        return {name: self.folder / f"{name}.parquet" for name in ("segments", "emitted")}

    def __enter__(self) -> "DetailSpool":
        for name, schema in SPOOL_SCHEMAS.items():
            self._writers[name] = pq.ParquetWriter(self.folder / f"{name}.parquet", schema)
        return self

    def __exit__(self, *_: object) -> None:
        for writer in self._writers.values():
            writer.close()

    def append_part(self, tables: DetailTables) -> None:
        """Append a part. If a conversation is in several parts, the last one counts."""
        self.data_issues += tables.data_issues
        ids = pa.table({"conversation_id": string_column(tables.conversation_ids)})
        for name, table in (
            ("segments", tables.segments),
            ("emitted", tables.emitted),
            ("parts", ids),
        ):
            part = pa.repeat(pa.scalar(self._part_number, PART_FIELD.type), table.num_rows)
            self._writers[name].write_table(
                table.append_column(PART_FIELD, part).cast(SPOOL_SCHEMAS[name])
            )
        self._part_number += 1


async def fetch_availability(client: Client) -> datetime:
    """Return the time until which jobs have data. Raises what `Client.call` raises."""
    answer = await client.call(DETAIL_AVAILABILITY)
    return _parse_availability(answer.data_availability_date)


async def download_details(
    client: Client, window: Interval, lake: datetime, files: DetailSpool
) -> None:
    """Add the details of *window* to *files*; jobs have data until *lake*, a query has the rest.

    Raises UnexpectedAnswer, and what `Client.call` raises.
    """

    def handle_page(page: payloads.DetailsPage) -> Collection[str]:
        with refuse_unusable_data(DETAILS_QUERY.name):
            tables = tabulate_records(page.conversations or (), window, held_until)
            files.append_part(tables)
        return tables.conversation_ids

    if lake > window.start:
        held_until = min(lake, window.end)
        await _download_by_job(client, Interval(window.start, held_until), handle_page)
    if lake < window.end:
        held_until = window.end
        await _download_by_query(
            client, Interval(window.start - CONVERSATION_START_MARGIN, window.end), handle_page
        )


async def _download_by_job(client: Client, interval: Interval, take: PageHandler) -> None:
    """Download every page of a job over *interval*; a job that ends badly is submitted again."""
    for again in range(MAX_JOB_SUBMISSIONS, 0, -1):
        async with _submitted_job(client, interval) as job:
            try:
                ended = await _poll_until_finished(client, job)
                if ended.state == "FULFILLED":
                    return await _download_job_results(client, job, interval, take)
            except ApiError as error:
                if error.status not in JOB_GONE_STATUSES or again == 1:
                    raise
    raise UnexpectedAnswer(
        f"conversation details job: it became {ended.state} "
        f"({ended.error_message or 'no reason given'}), {MAX_JOB_SUBMISSIONS} times; "
        "try again later"
    )


@asynccontextmanager
async def _submitted_job(client: Client, interval: Interval) -> AsyncIterator[str]:
    """The id of a new job, which is deleted in the end, whatever that is."""
    job = (await client.call(DETAIL_JOB_SUBMISSION, body=requests.details_query(interval))).job_id
    patience = None
    try:
        yield job
    except BaseException:  # an interrupt, too
        patience = JOB_DELETION_TIMEOUT
        raise
    finally:
        with suppress(HalfhourError, TimeoutError):  # it would expire by itself
            async with asyncio.timeout(patience):
                await client.call(DETAIL_JOB_DELETION.for_job(job))


async def _poll_until_finished(client: Client, job_id: str) -> payloads.JobStatus:
    wait = client.retry_policy.first_wait / 4
    for _ in range(MAX_JOB_POLLS):
        state = await client.call(DETAIL_JOB_STATUS.for_job(job_id))
        if state.state not in ("QUEUED", "PENDING"):
            return state
        await asyncio.sleep(wait)
        wait = min(2 * wait, client.retry_policy.longest_wait)
    raise UnexpectedAnswer(
        f"conversation details job: still {state.state} after {MAX_JOB_POLLS} looks; "
        "try again later"
    )


async def _download_job_results(
    client: Client, job_id: str, interval: Interval, take: PageHandler
) -> None:
    asked = {"pageSize": str(JOB_PAGE_SIZE)}
    cursors: set[int] = set()
    earlier: set[int] = set()
    for number in range(1, MAX_JOB_PAGES + 1):
        page = await client.call(DETAIL_RESULTS.for_job(job_id), query=asked)
        if (
            page.data_availability_date
            and _parse_availability(page.data_availability_date) < interval.end
        ):
            raise UnexpectedAnswer(
                "conversation details job: it saw less than was announced to be there, up to "
                f"{page.data_availability_date}; nothing was used - try again later"
            )
        _refuse_repeated_page("conversation details job", take(page), earlier)
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
        f"conversation details job: more than {MAX_JOB_PAGES:,} pages for {interval}; "
        "nothing was used - try again later"
    )


async def _download_by_query(client: Client, interval: Interval, take: PageHandler) -> None:
    """Download every page of the query over *interval*, up to an empty one: the total is
    approximate.
    """
    query, short = requests.details_query(interval), False
    read_ids: set[str] = set()
    earlier: set[int] = set()
    for number in range(1, MAX_QUERY_CONVERSATIONS // PAGE_SIZE + 1):
        page = await _fetch_full_page(client, query, number)
        if page.total_hits and page.total_hits > MAX_QUERY_CONVERSATIONS:
            raise _too_many_error(f"{page.total_hits:,}", interval)
        if not page.conversations:
            return
        ids = take(page)
        _refuse_repeated_page("conversation details", ids, earlier)
        if short and not (ids and read_ids.issuperset(ids)):
            raise _incomplete_page_error(number - 1)
        read_ids.update(ids)
        short = len(page.conversations) < PAGE_SIZE
    raise _too_many_error(f"{MAX_QUERY_CONVERSATIONS:,} or more", interval)


async def _fetch_full_page(
    client: Client, query: dict[str, object], number: int
) -> payloads.DetailsPage:
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
    longest = payloads.DetailsPage()
    for _ in range(client.retry_policy.attempts):
        page = await client.call(DETAILS_QUERY, body=requests.with_paging(query, number))
        count = len(page.conversations or ())
        due = (page.total_hits or 0) - (number - 1) * PAGE_SIZE
        if count >= PAGE_SIZE or count == max(due, 0):
            return page
        longest = max(longest, page, key=lambda answer: len(answer.conversations or ()))
    if len(longest.conversations or ()) < due:
        raise _incomplete_page_error(number)
    return longest


def _refuse_repeated_page(operation: str, ids: Collection[str], earlier: set[int]) -> None:
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


def _incomplete_page_error(number: int) -> UnexpectedAnswer:
    return UnexpectedAnswer(
        f"conversation details: page {number} has fewer conversations than a page is to have, "
        "so some would be missing; nothing was used - try again"
    )


def _too_many_error(count: str, interval: Interval) -> UnexpectedAnswer:
    return UnexpectedAnswer(
        f"conversation details: {count} conversations in {interval}, but Genesys lets a query page "
        f"through no more than {MAX_QUERY_CONVERSATIONS:,}; jobs will have them when this time "
        "has reached the data lake, so run it again tomorrow"
    )


def _parse_availability(text: str) -> datetime:
    try:
        return to_utc(datetime.fromisoformat(text))
    except (ValueError, OverflowError) as error:  # in the years 1 and 9999 a zone leads out of them
        raise UnexpectedAnswer(
            f"conversation details: {text[:40]!r}, until when there is data, is not a valid time"
        ) from error
