"""Download the conversation details of a window, page by page, into spool files.

A job reads the time that the data lake holds; a query reads the time after it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta

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
from halfhour.ingest.detail_spool import DetailSpool
from halfhour.ingest.raw_details import conversation_ids
from halfhour.model.intervals import Interval, to_utc

CONVERSATION_START_MARGIN = timedelta(days=1)
"""The time before a day from which the query asks for conversations that may still go on."""
JOB_PAGE_SIZE = 500
"""The number of conversations on a page of a job's results. No maximum is documented."""
JOB_GONE_STATUSES = (400, 404)
"""The HTTP statuses of the results of a job that has failed or expired in the meantime."""
JOB_DELETION_TIMEOUT = 1.0
"""The seconds that the deletion of a job may take after an error."""
MAX_JOB_POLLS = 60
"""The number of times that halfhour asks for the state of a job before it gives up."""
MAX_JOB_SUBMISSIONS = 3
"""The number of times that halfhour submits a job if it fails, is cancelled or expires."""
MAX_QUERY_CONVERSATIONS = 100_000
"""The most conversations of a query. Genesys refuses the pages after them."""
MAX_JOB_PAGES = 20_000
"""The most pages of a job's results. No organisation has ten million conversations a day."""

PageHandler = Callable[[payloads.DetailsPage], Awaitable[Collection[str | None]]]
"""Stores a page, and returns the ids of its conversations that can be read."""


async def fetch_availability(client: Client) -> datetime:
    """Return the time until which jobs have data. Raises the errors of `Client.call`."""
    answer = await client.call(DETAIL_AVAILABILITY)
    return _parse_availability(answer.data_availability_date)


async def download_details(
    client: Client, window: Interval, lake_end: datetime, spool: DetailSpool
) -> None:
    """Append the details of *window* to *spool*: until *lake_end* from a job, then from a query.

    Raises UnexpectedAnswer, and the errors of `Client.call`.
    """

    async def handle_page(page: payloads.DetailsPage) -> Collection[str | None]:
        records = page.conversations or ()
        # Other windows go on meanwhile: Arrow reads JSON without Python's lock.
        await asyncio.to_thread(spool.append_records, records, data_end)
        return conversation_ids(records)

    if lake_end > window.start:
        data_end = min(lake_end, window.end)
        await _download_by_job(client, Interval(window.start, data_end), handle_page)
    if lake_end < window.end:
        data_end = window.end
        await _download_by_query(
            client, Interval(window.start - CONVERSATION_START_MARGIN, window.end), handle_page
        )


async def _download_by_job(client: Client, interval: Interval, handle_page: PageHandler) -> None:
    """Read every page of a job over *interval*; submit the job again if it fails or expires."""
    for submission in range(1, MAX_JOB_SUBMISSIONS + 1):
        async with _submitted_job(client, interval) as job_id:
            try:
                job = await _poll_until_finished(client, job_id)
                if job.state == "FULFILLED":
                    return await _download_job_results(client, job_id, interval, handle_page)
            except ApiError as error:
                if error.status not in JOB_GONE_STATUSES or submission == MAX_JOB_SUBMISSIONS:
                    raise
    raise UnexpectedAnswer(
        f"conversation details job: it became {job.state} "
        f"({job.error_message or 'no reason given'}), {MAX_JOB_SUBMISSIONS} times; "
        "try again later"
    )


@asynccontextmanager
async def _submitted_job(client: Client, interval: Interval) -> AsyncIterator[str]:
    """Submit a job, yield its id, and delete the job in the end, also after an error."""
    job = await client.call(DETAIL_JOB_SUBMISSION, body=requests.details_query(interval))
    deletion_timeout = None
    try:
        yield job.job_id
    except BaseException:  # also an interrupt
        deletion_timeout = JOB_DELETION_TIMEOUT
        raise
    finally:
        with suppress(HalfhourError, TimeoutError):  # A job that is not deleted expires.
            async with asyncio.timeout(deletion_timeout):
                await client.call(DETAIL_JOB_DELETION.for_job(job.job_id))


async def _poll_until_finished(client: Client, job_id: str) -> payloads.JobStatus:
    wait = client.retry_policy.first_wait / 4
    for _ in range(MAX_JOB_POLLS):
        job = await client.call(DETAIL_JOB_STATUS.for_job(job_id))
        if job.state not in ("QUEUED", "PENDING"):
            return job
        await asyncio.sleep(wait)
        wait = min(2 * wait, client.retry_policy.longest_wait)
    raise UnexpectedAnswer(
        f"conversation details job: it is still {job.state} after {MAX_JOB_POLLS} requests for its "
        "state; "
        "try again later"
    )


async def _download_job_results(
    client: Client, job_id: str, interval: Interval, handle_page: PageHandler
) -> None:
    query = {"pageSize": str(JOB_PAGE_SIZE)}
    cursor_hashes: set[int] = set()
    page_hashes: set[int] = set()
    for number in range(1, MAX_JOB_PAGES + 1):
        page = await client.call(DETAIL_RESULTS.for_job(job_id), query=query)
        if (
            page.data_availability_date
            and _parse_availability(page.data_availability_date) < interval.end
        ):
            raise UnexpectedAnswer(
                f"conversation details job: it has data only until {page.data_availability_date}, "
                "less than Genesys announced before; nothing was used - try again later"
            )
        _refuse_repeated_page("conversation details job", await handle_page(page), page_hashes)
        if page.cursor is None:
            return
        if not page.conversations or not page.cursor or hash(page.cursor) in cursor_hashes:
            problem = "it is empty" if not page.conversations else "its cursor leads nowhere new"
            raise UnexpectedAnswer(
                f"conversation details job: page {number} announces another, but {problem}; "
                "nothing was used - try again"
            )
        cursor_hashes.add(hash(page.cursor))
        query["cursor"] = page.cursor
    raise UnexpectedAnswer(
        f"conversation details job: more than {MAX_JOB_PAGES:,} pages for {interval}; "
        "nothing was used - try again later"
    )


async def _download_by_query(client: Client, interval: Interval, handle_page: PageHandler) -> None:
    """Read every page of the query over *interval*, until a page is empty.

    The total in an answer is approximate, so it does not tell which page is the last.
    """
    query, previous_is_short = requests.details_query(interval), False
    read_ids: set[str | None] = set()
    page_hashes: set[int] = set()
    for number in range(1, MAX_QUERY_CONVERSATIONS // PAGE_SIZE + 1):
        page = await _fetch_full_page(client, query, number)
        if page.total_hits and page.total_hits > MAX_QUERY_CONVERSATIONS:
            raise _too_many_error(f"{page.total_hits:,}", interval)
        if not page.conversations:
            return
        ids = await handle_page(page)
        _refuse_repeated_page("conversation details", ids, page_hashes)
        if previous_is_short and not (ids and read_ids.issuperset(ids)):
            raise _incomplete_page_error(number - 1)
        read_ids.update(ids)
        previous_is_short = len(page.conversations) < PAGE_SIZE
    raise _too_many_error(f"{MAX_QUERY_CONVERSATIONS:,} or more", interval)


async def _fetch_full_page(
    client: Client, query: dict[str, object], number: int
) -> payloads.DetailsPage:
    """Return page *number* with all its conversations; request a short page again.

    Pages are requested by number, so the missing part of a short page would be lost. Genesys calls
    the total approximate, so the total of the latest answer counts: the last page may be short if
    the total has shrunk. A page that stays shorter than the total requires is refused, because
    no figures are better than figures that may lack conversations.

    If the total is missing or too low, it does not tell whether a short page is complete. The page
    is then requested as often as the retry policy allows and taken as the last one;
    `_download_by_query` raises an error if another page follows.
    """
    longest = payloads.DetailsPage()
    for _ in range(client.retry_policy.attempts):
        page = await client.call(DETAILS_QUERY, body=requests.with_paging(query, number))
        count = len(page.conversations or ())
        expected_count = (page.total_hits or 0) - (number - 1) * PAGE_SIZE
        if count >= PAGE_SIZE or count == max(expected_count, 0):
            return page
        longest = max(longest, page, key=lambda answer: len(answer.conversations or ()))
    if len(longest.conversations or ()) < expected_count:
        raise _incomplete_page_error(number)
    return longest


def _refuse_repeated_page(
    operation: str, ids: Collection[str | None], page_hashes: set[int]
) -> None:
    """Raise UnexpectedAnswer if an earlier page had the same conversations; paging would not end.

    *page_hashes* remembers a number per page instead of its ids, because a job may have millions.
    """
    page_hash = hash(frozenset(ids))
    if ids and page_hash in page_hashes:
        raise UnexpectedAnswer(
            f"{operation}: a page has the same conversations as one before it, so others would be "
            "missing; nothing was used - try again"
        )
    page_hashes.add(page_hash)


def _incomplete_page_error(number: int) -> UnexpectedAnswer:
    return UnexpectedAnswer(
        f"conversation details: page {number} has fewer conversations than it should, "
        "so some would be missing; nothing was used - try again"
    )


def _too_many_error(count: str, interval: Interval) -> UnexpectedAnswer:
    return UnexpectedAnswer(
        f"conversation details: there are {count} conversations in {interval}, but a query of "
        f"Genesys gives no more than {MAX_QUERY_CONVERSATIONS:,}; jobs have them as soon as this "
        "time has reached the data lake, so run the command again tomorrow"
    )


def _parse_availability(text: str) -> datetime:
    try:
        return to_utc(datetime.fromisoformat(text))
    except (ValueError, OverflowError) as error:  # An offset can lead out of the years 1 to 9999.
        raise UnexpectedAnswer(
            f"conversation details: {text[:40]!r}, the time until which there is data, is not a "
            "valid time; nothing was used - try again later"
        ) from error
