"""Fetch the data of a report from Genesys, without a store."""

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
"""Called with the number of windows that are fetched, and of all windows."""


async def fetch_report_data(
    settings: Settings,
    question: Question,
    now: datetime,
    progress: ProgressCallback = lambda done, of: None,
) -> ReportData:
    """Fetch the figures that Genesys has posted for *question* by *now*, and the names.

    Raises ConfigError for a name that no queue or agent has, and the errors of `Client.call`.
    """
    async with Client(settings) as client:
        posted_queries = requests.posted_queries(
            question.interval,
            question.granularity,
            queues=await _look_up_ids(client, QUEUE_LIST, "queues", question.queues),
            agents=await _look_up_ids(client, AGENT_LIST, "agents", question.agents),
        )
        posted = await _fetch_all_posted(client, posted_queries, progress)
        agents = await queries.fetch_agents(client, pc.unique(posted["agent_id"]).to_pylist())
        agent_ids = filters.agents_in_places(question, aggregates.agent_places_table(agents))
        posted = filters.filter_by_agents(posted, agent_ids)
        by_queue = question.by in (By.QUEUE, By.QUEUE_INTERVAL)
        queues = [queue async for queue in client.list_entities(QUEUE_LIST)] if by_queue else []
        return ReportData(
            aggregates.names_table(agents),
            filters.filter_by_media(posted, question.media),
            queues=aggregates.names_table(queues),
            days_by_source={Source.POSTED: _days_read_now(question, now)},
        )


def _days_read_now(question: Question, now: datetime) -> list[DayCoverage]:
    """Return the coverage of the days of *question* if all of them were read at *now*."""
    calendar = Calendar(now, question.granularity)
    missing_days = calendar.coverage_of_days(question.interval, [])
    settled = [SettledWindow(missing.day, now, 0) for missing in missing_days]
    return calendar.coverage_of_days(question.interval, settled)


async def _fetch_all_posted(
    client: Client, posted_queries: Sequence[PostedQuery], progress: ProgressCallback
) -> pa.Table:
    fetched_count = 0

    async def fetch_and_count(query: PostedQuery) -> pa.Table:
        nonlocal fetched_count
        table = await queries.fetch_posted(client, query)
        fetched_count += 1
        progress(fetched_count, len(posted_queries))
        return table

    tables = await queries.gather_results(fetch_and_count(query) for query in posted_queries)
    return pa.concat_tables([POSTED_SCHEMA.empty_table(), *tables])


async def add_capacity(settings: Settings, question: Question, data: ReportData) -> ReportData:
    """Return *data* with the capacity used.

    The metric is a preview, which Genesys may change or withdraw at any time. If it cannot be
    fetched, a warning is logged and *data* returned unchanged. Raises AuthError.
    """
    width = question.granularity

    async def fetch_window(window: Interval) -> pa.Table:
        answer = await queries.call_aggregates(
            client, CAPACITY_AGGREGATES, requests.capacity_query(window, width)
        )
        with refuse_unusable_data(CAPACITY_AGGREGATES.name):
            return aggregates.capacity_table(answer, window, width)

    async with Client(settings) as client:
        try:
            tables = await queries.gather_results(
                map(fetch_window, question.interval.split_into_windows(requests.QUERY_WINDOW))
            )
        except (ApiError, UnexpectedAnswer, Unreachable) as error:
            log.warning("the capacity used is left out: %s", error)
            return data
    return replace(data, capacity=pa.concat_tables(tables))


async def add_offered(settings: Settings, question: Question, data: ReportData) -> ReportData:
    """Return *data* with the numbers of interactions that queues were offered.

    Raises the errors of `Client.call`.
    """
    async with Client(settings) as client:
        queues = await _look_up_ids(client, QUEUE_LIST, "queues", question.queues)

        async def fetch_window(window: Interval) -> pa.Table:
            body = requests.offered_query(window, question.granularity, queues)
            answer = await queries.call_aggregates(client, CONVERSATION_AGGREGATES, body)
            with refuse_unusable_data(CONVERSATION_AGGREGATES.name):
                return aggregates.offered_table(answer, window, question.granularity)

        tables = await queries.gather_results(
            map(fetch_window, question.interval.split_into_windows(requests.QUERY_WINDOW))
        )
    return replace(data, offered=filters.filter_by_media(pa.concat_tables(tables), question.media))


async def _look_up_ids(
    client: Client,
    endpoint: Endpoint[payloads.ListPage[payloads.DirectoryEntity]],
    parameter: str,
    names_or_ids: Sequence[str],
) -> list[str]:
    """Return the ids for *names_or_ids*; a name that several people share means all of them."""
    if all(is_uuid(text) for text in names_or_ids):
        return list(names_or_ids)
    query = {"state": "any"} if endpoint is AGENT_LIST else None
    entities = [(entity.id, entity.name) async for entity in client.list_entities(endpoint, query)]
    scope = f"{endpoint.name} that this client may see"
    return resolve_ids(parameter, names_or_ids, entities, scope)
