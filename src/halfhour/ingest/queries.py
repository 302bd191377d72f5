"""From a question to Arrow tables: plan -> client -> shaping."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from halfhour.errors import ApiError, UnexpectedAnswer, Unreachable
from halfhour.genesys import payloads, requests
from halfhour.genesys.client import Client
from halfhour.genesys.endpoints import AGENTS, AGGREGATES, CAPACITY, QUEUES, STATUSES, Endpoint
from halfhour.genesys.requests import PostedQuery, Question
from halfhour.genesys.transport import refuse_odd_data
from halfhour.ingest import aggregates
from halfhour.model.coverage import Calendar, Held, Settled
from halfhour.model.intervals import Interval
from halfhour.model.tables import POSTED, STATUS
from halfhour.model.vocabulary import By, Source, is_id
from halfhour.reports import filters
from halfhour.reports.data import Found
from halfhour.settings import Settings

T = TypeVar("T")

log = logging.getLogger("halfhour")

LONGEST_ID = 200
"""Characters of an id whose name is asked for; Genesys Cloud writes ids as UUIDs, which have 36."""

Progress = Callable[[int, int], None]
"""Told how many of how many windows are there."""


async def fetch(
    settings: Settings,
    question: Question,
    now: datetime,
    progress: Progress = lambda done, of: None,
) -> Found:
    """All that was posted for *question* by *now*, and the names of its agents.

    Raises ConfigError for a name that no queue or agent has, and what
    `Client.call` raises.
    """
    async with Client(settings) as client:
        queries = requests.posted(
            question.interval,
            question.granularity,
            queues=await _ids(client, QUEUES, "--queue", question.queues),
            agents=await _ids(client, AGENTS, "--agent", question.agents),
        )
        found = await _all_posted(client, queries, progress)
        people = await named(client, pc.unique(found["agent_id"]).to_pylist())
        ids = filters.within(question, aggregates.places(people))
        found = filters.of_media(filters.of_agents(found, ids), question.media)
        by_queue = question.by in (By.QUEUE, By.QUEUE_INTERVAL)
        known = [each async for each in client.pages(QUEUES)] if by_queue else []
        return Found(
            aggregates.names(people),
            found,
            queues=aggregates.names(known),
            days={Source.POSTED: _read_now(question, now)},
        )


def _read_now(question: Question, now: datetime) -> list[Held]:
    """The days of *question*, read at *now*."""
    calendar = Calendar(now, question.granularity)
    days = [each.day for each in calendar.held(question.interval, [])]
    return calendar.held(question.interval, [Settled(day, now, 0) for day in days])


async def _all_posted(
    client: Client, queries: Sequence[PostedQuery], progress: Progress
) -> pa.Table:
    done = 0

    async def one(query: PostedQuery) -> pa.Table:
        nonlocal done
        table = await posted(client, query)
        done += 1
        progress(done, len(queries))
        return table

    tables = await together(one(query) for query in queries)
    return pa.concat_tables([POSTED.empty_table(), *tables])


async def posted(client: Client, query: PostedQuery, *, again: bool = True) -> pa.Table:
    """`tables.POSTED` of *query*, which is divided where it is too much for one answer.

    One that takes too long is asked *again* as often as patience has it, but its parts are
    divided at once. Raises what `Client.call` raises.
    """

    def final(error: Exception) -> bool:
        return not again and isinstance(error, ApiError) and bool(requests.divided(query, error))

    try:
        answer = await client.call(AGGREGATES, body=query.body(), final=final)
    except ApiError as error:
        parts = requests.divided(query, error)
        if not parts:
            raise
        log.warning("%s: too much for one answer; asking in two parts", query.window)
        tables = [await posted(client, part, again=False) for part in parts]
        with refuse_odd_data(AGGREGATES.name):
            return aggregates.added(tables) if query.within_one else pa.concat_tables(tables)
    with refuse_odd_data(AGGREGATES.name):
        return aggregates.posted(answer, query.window, query.granularity)


async def status(
    client: Client, window: Interval, granularity: timedelta, agents: Sequence[str]
) -> pa.Table:
    """`tables.STATUS` of *agents* in *window*. Raises what `Client.call` raises."""

    async def some(ids: Sequence[str]) -> pa.Table:
        answer = await client.call(STATUSES, body=requests.status(window, granularity, ids))
        with refuse_odd_data(STATUSES.name):
            return aggregates.status(answer, window, granularity)

    tables = await together(some(ids) for ids in requests.chunks(agents, requests.AGENTS_A_REQUEST))
    return pa.concat_tables([STATUS.empty_table(), *tables])


async def with_capacity(settings: Settings, question: Question, found: Found) -> Found:
    """*found*, with the capacity used if it can be had.

    It is a preview, which Genesys may change or take away at any time, so a
    failure is only told. Raises AuthError.
    """
    width = question.granularity

    async def one(window: Interval) -> pa.Table:
        answer = await client.call(CAPACITY, body=requests.capacity(window, width))
        with refuse_odd_data(CAPACITY.name):
            return aggregates.capacity(answer, window, width)

    async with Client(settings) as client:
        try:
            tables = await together(map(one, question.interval.windows(requests.WINDOW)))
        except (ApiError, UnexpectedAnswer, Unreachable) as error:
            log.warning("the capacity used is left out: %s", error)
            return found
    return replace(found, capacity=pa.concat_tables(tables))


async def with_offered(settings: Settings, question: Question, found: Found) -> Found:
    """*found*, with how many interactions queues were offered. Raises what `Client.call` raises."""
    async with Client(settings) as client:
        queues = await _ids(client, QUEUES, "--queue", question.queues)

        async def one(window: Interval) -> pa.Table:
            body = requests.offered(window, question.granularity, queues)
            answer = await client.call(AGGREGATES, body=body)
            with refuse_odd_data(AGGREGATES.name):
                return aggregates.offered(answer, window, question.granularity)

        tables = await together(map(one, question.interval.windows(requests.WINDOW)))
    return replace(found, offered=filters.of_media(pa.concat_tables(tables), question.media))


async def _ids(
    client: Client,
    endpoint: Endpoint[payloads.Page[payloads.Named]],
    option: str,
    wanted: Sequence[str],
) -> list[str]:
    """The ids for names or ids; a name that several people have stands for all of them."""
    if all(is_id(text) for text in wanted):
        return list(wanted)
    query = {"state": "any"} if endpoint is AGENTS else None
    known = [(row.id, row.name) async for row in client.pages(endpoint, query)]
    where = f"{endpoint.name} that this client may see"
    return requests.identified(option, wanted, known, where)


async def named(client: Client, agents: Sequence[str]) -> list[payloads.Named]:
    """Those of *agents* that the directory knows. Raises what `Client.call` raises."""

    async def some(ids: Sequence[str]) -> list[payloads.Named]:
        return [
            row async for row in client.pages(AGENTS, {"id": ids, "state": "any", "expand": "team"})
        ]

    # One that no address can hold would keep all others from being named.
    askable = [agent for agent in agents if len(agent) <= LONGEST_ID]
    rows = await together(some(ids) for ids in requests.chunks(askable, requests.AGENTS_A_REQUEST))
    return [row for page in rows for row in page]


async def together(steps: Iterable[Coroutine[None, None, T]]) -> list[T]:
    """What the steps return, in their order; the first failure ends the others."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(step) for step in steps]
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]
