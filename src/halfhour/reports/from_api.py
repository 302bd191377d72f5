"""Fetch the data of a report from Genesys, without a store."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from halfhour.errors import ApiError, UnexpectedAnswer, Unreachable
from halfhour.genesys import requests
from halfhour.genesys.client import Client
from halfhour.genesys.connection import Settings
from halfhour.genesys.endpoints import (
    AGENT_LIST,
    CAPACITY_AGGREGATES,
    CONVERSATION_AGGREGATES,
    QUEUE_LIST,
)
from halfhour.genesys.payloads import DirectoryEntity
from halfhour.genesys.requests import PostedQuery
from halfhour.genesys.transport import refuse_unusable_data
from halfhour.ingest import aggregates, queries
from halfhour.model.coverage import DAY
from halfhour.model.intervals import EPOCH, Interval, floor_to_width
from halfhour.model.names import resolve_ids
from halfhour.model.question import Question
from halfhour.model.tables import CAPACITY_SCHEMA, POSTED_SCHEMA
from halfhour.model.vocabulary import By, Source, is_uuid
from halfhour.store.store import EntityKind, Store

log = logging.getLogger("halfhour")

_FORBIDDEN = 403

ProgressCallback = Callable[[int, int], None]
"""Called with the number of windows that are fetched, and of all windows."""


async def fetch_into_store(
    settings: Settings,
    store: Store,
    question: Question,
    now: datetime,
    progress: ProgressCallback = lambda done, of: None,
) -> None:
    """Settle in *store* the figures that Genesys has posted for *question* by *now*, and names.

    Only the rows that *question* asks for are fetched, so the store is good for this question
    alone. Raises ConfigError for a name that no queue or agent has, and the errors of
    `Client.call`.
    """
    async with Client(settings) as client:
        posted_queries = requests.posted_queries(
            question.interval,
            question.granularity,
            queues=await _look_up_ids(client, "queue", question.queues, store),
            agents=await _look_up_ids(client, "agent", question.agents, store),
        )
        posted = await _fetch_all_posted(client, posted_queries, progress)
        agents, queues = [], []
        with _ids_in_place_of("agents", is_needed=bool(question.divisions or question.teams)):
            agents = await queries.fetch_agents(client, pc.unique(posted["agent_id"]).to_pylist())
        if question.by in (By.QUEUE, By.QUEUE_INTERVAL):
            with _ids_in_place_of("queues"):
                queues = await _list_directory(client, "queue")
    first_day = floor_to_width(question.interval.start, DAY)
    for day in Interval(first_day, question.interval.end).split_into_windows(DAY):
        store.settle(Source.POSTED, replace(day, end=day.start + DAY), {"posted": posted}, now)
    store.store_names("agent", aggregates.directory_table([], agents), now)
    store.store_names("queue", aggregates.directory_table([], queues), now)


@contextmanager
def _ids_in_place_of(names: str, *, is_needed: bool = False) -> Iterator[None]:
    """Log a warning if the client may not read *names*, unless rows are chosen by them."""
    try:
        yield
    except ApiError as error:
        if error.status != _FORBIDDEN or is_needed:
            raise
        log.warning("names of %s are missing, so the report shows ids: %s", names, error)


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


async def fetch_capacity(settings: Settings, question: Question) -> pa.Table:
    """Return the capacity used in the interval of *question*: `tables.CAPACITY_SCHEMA`.

    The metric is a preview, which Genesys may change or withdraw at any time. If it cannot be
    fetched, a warning is logged and the table is empty. Raises AuthError.
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
            return CAPACITY_SCHEMA.empty_table()
    return pa.concat_tables(tables)


async def fetch_offered(settings: Settings, question: Question) -> pa.Table:
    """Return the numbers of interactions that queues were offered: `tables.OFFERED_SCHEMA`.

    Raises ConfigError for a name that no queue has, and the errors of `Client.call`.
    """
    async with Client(settings) as client:
        queues = await _look_up_ids(client, "queue", question.queues)

        async def fetch_window(window: Interval) -> pa.Table:
            body = requests.offered_query(window, question.granularity, queues)
            answer = await queries.call_aggregates(client, CONVERSATION_AGGREGATES, body)
            with refuse_unusable_data(CONVERSATION_AGGREGATES.name):
                return aggregates.offered_table(answer, window, question.granularity)

        tables = await queries.gather_results(
            map(fetch_window, question.interval.split_into_windows(requests.QUERY_WINDOW))
        )
    offered = pa.concat_tables(tables)
    if not question.media:
        return offered
    return offered.filter(pc.is_in(offered["media_type"], pa.array(question.media, pa.string())))


async def fetch_directory(settings: Settings, kind: EntityKind) -> pa.Table:
    """Return all agents or queues that the client may see: `tables.DIRECTORY_SCHEMA`.

    Raises the errors of `Client.call`.
    """
    async with Client(settings) as client:
        return aggregates.directory_table([], await _list_directory(client, kind))


async def _list_directory(client: Client, kind: EntityKind) -> list[DirectoryEntity]:
    if kind == "queue":
        return [queue async for queue in client.list_entities(QUEUE_LIST)]
    query = {"state": "any", "expand": "team"}
    return [agent async for agent in client.list_entities(AGENT_LIST, query)]


async def _look_up_ids(
    client: Client, kind: EntityKind, names_or_ids: Sequence[str], store: Store | None = None
) -> list[str]:
    """Return the ids for *names_or_ids*; a name that several people share means all of them.

    The names that were fetched for that are stored in *store*, if there is one.
    """
    if all(is_uuid(text) for text in names_or_ids):
        return list(names_or_ids)
    entities = await _list_directory(client, kind)
    if store:
        store.store_names(kind, aggregates.directory_table([], entities), EPOCH)
    names = [(entity.id, entity.name) for entity in entities]
    scope = f"{kind}s that this client may see"
    return resolve_ids(f"{kind}s", names_or_ids, names, scope)
