"""What a report is made from, asked of Genesys at once."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from halfhour.errors import ApiError, UnexpectedAnswer, Unreachable
from halfhour.genesys import payloads, requests
from halfhour.genesys.client import Client
from halfhour.genesys.connection import Settings
from halfhour.genesys.endpoints import (
    AGENT_LIST,
    CAPACITY_AGGREGATES,
    CONVERSATION_AGGREGATES,
    QUEUE_LIST,
    Endpoint,
)
from halfhour.genesys.requests import PostedQuery
from halfhour.genesys.transport import refuse_unusable_data
from halfhour.ingest import aggregates, queries
from halfhour.model.coverage import Calendar, DayCoverage, SettledWindow
from halfhour.model.intervals import Interval
from halfhour.model.names import resolve_ids
from halfhour.model.question import Question
from halfhour.model.tables import POSTED_SCHEMA
from halfhour.model.vocabulary import By, Source, is_uuid
from halfhour.reports import filters
from halfhour.reports.data import ReportData

log = logging.getLogger("halfhour")

ProgressCallback = Callable[[int, int], None]
"""Told how many of how many windows are there."""


async def fetch_report_data(
    settings: Settings,
    question: Question,
    now: datetime,
    progress: ProgressCallback = lambda done, of: None,
) -> ReportData:
    """All that was posted for *question* by *now*, and the names of its agents.

    Raises ConfigError for a name that no queue or agent has, and what
    `Client.call` raises.
    """
    async with Client(settings) as client:
        posted_queries = requests.posted_queries(
            question.interval,
            question.granularity,
            queues=await _look_up_ids(client, QUEUE_LIST, "queues", question.queues),
            agents=await _look_up_ids(client, AGENT_LIST, "agents", question.agents),
        )
        found = await _fetch_all_posted(client, posted_queries, progress)
        people = await queries.fetch_agents(client, pc.unique(found["agent_id"]).to_pylist())
        ids = filters.agents_in_places(question, aggregates.agent_places_table(people))
        found = filters.filter_by_media(filters.filter_by_agents(found, ids), question.media)
        by_queue = question.by in (By.QUEUE, By.QUEUE_INTERVAL)
        known = [each async for each in client.list_entities(QUEUE_LIST)] if by_queue else []
        return ReportData(
            aggregates.names_table(people),
            found,
            queues=aggregates.names_table(known),
            days_by_source={Source.POSTED: _days_read_now(question, now)},
        )


def _days_read_now(question: Question, now: datetime) -> list[DayCoverage]:
    """The days of *question*, read at *now*."""
    calendar = Calendar(now, question.granularity)
    days = [each.day for each in calendar.coverage_of_days(question.interval, [])]
    return calendar.coverage_of_days(
        question.interval, [SettledWindow(day, now, 0) for day in days]
    )


async def _fetch_all_posted(
    client: Client, posted_queries: Sequence[PostedQuery], progress: ProgressCallback
) -> pa.Table:
    done = 0

    async def one(query: PostedQuery) -> pa.Table:
        nonlocal done
        table = await queries.fetch_posted(client, query)
        done += 1
        progress(done, len(posted_queries))
        return table

    tables = await queries.gather_results(one(query) for query in posted_queries)
    return pa.concat_tables([POSTED_SCHEMA.empty_table(), *tables])


async def add_capacity(settings: Settings, question: Question, found: ReportData) -> ReportData:
    """*found*, with the capacity used if it can be had.

    It is a preview, which Genesys may change or take away at any time, so a
    failure is only told. Raises AuthError.
    """
    width = question.granularity

    async def one(window: Interval) -> pa.Table:
        answer = await client.call(CAPACITY_AGGREGATES, body=requests.capacity_query(window, width))
        with refuse_unusable_data(CAPACITY_AGGREGATES.name):
            return aggregates.capacity_table(answer, window, width)

    async with Client(settings) as client:
        try:
            tables = await queries.gather_results(
                map(one, question.interval.split_into_windows(requests.QUERY_WINDOW))
            )
        except (ApiError, UnexpectedAnswer, Unreachable) as error:
            log.warning("the capacity used is left out: %s", error)
            return found
    return replace(found, capacity=pa.concat_tables(tables))


async def add_offered(settings: Settings, question: Question, found: ReportData) -> ReportData:
    """*found*, with how many interactions queues were offered. Raises what `Client.call` raises."""
    async with Client(settings) as client:
        queues = await _look_up_ids(client, QUEUE_LIST, "queues", question.queues)

        async def one(window: Interval) -> pa.Table:
            body = requests.offered_query(window, question.granularity, queues)
            answer = await client.call(CONVERSATION_AGGREGATES, body=body)
            with refuse_unusable_data(CONVERSATION_AGGREGATES.name):
                return aggregates.offered_table(answer, window, question.granularity)

        tables = await queries.gather_results(
            map(one, question.interval.split_into_windows(requests.QUERY_WINDOW))
        )
    return replace(found, offered=filters.filter_by_media(pa.concat_tables(tables), question.media))


async def _look_up_ids(
    client: Client,
    endpoint: Endpoint[payloads.ListPage[payloads.DirectoryEntity]],
    parameter: str,
    wanted: Sequence[str],
) -> list[str]:
    """The ids for names or ids; a name that several people have stands for all of them."""
    if all(is_uuid(text) for text in wanted):
        return list(wanted)
    query = {"state": "any"} if endpoint is AGENT_LIST else None
    known = [(row.id, row.name) async for row in client.list_entities(endpoint, query)]
    where = f"{endpoint.name} that this client may see"
    return resolve_ids(parameter, wanted, known, where)
