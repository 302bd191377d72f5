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
from halfhour.genesys.endpoints import AGENTS, AGGREGATES, CAPACITY, QUEUES, Endpoint
from halfhour.genesys.requests import PostedQuery
from halfhour.genesys.transport import refuse_odd_data
from halfhour.ingest import aggregates, queries
from halfhour.model.coverage import Calendar, Held, Settled
from halfhour.model.intervals import Interval
from halfhour.model.names import identified
from halfhour.model.question import Question
from halfhour.model.tables import POSTED
from halfhour.model.vocabulary import By, Source, is_id
from halfhour.reports import filters
from halfhour.reports.data import Found

log = logging.getLogger("halfhour")

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
        posted_queries = requests.posted(
            question.interval,
            question.granularity,
            queues=await _ids(client, QUEUES, "queues", question.queues),
            agents=await _ids(client, AGENTS, "agents", question.agents),
        )
        found = await _all_posted(client, posted_queries, progress)
        people = await queries.named(client, pc.unique(found["agent_id"]).to_pylist())
        ids = filters.agents_in_places(question, aggregates.places(people))
        found = filters.filter_by_media(filters.filter_by_agents(found, ids), question.media)
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
    client: Client, posted_queries: Sequence[PostedQuery], progress: Progress
) -> pa.Table:
    done = 0

    async def one(query: PostedQuery) -> pa.Table:
        nonlocal done
        table = await queries.posted(client, query)
        done += 1
        progress(done, len(posted_queries))
        return table

    tables = await queries.together(one(query) for query in posted_queries)
    return pa.concat_tables([POSTED.empty_table(), *tables])


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
            tables = await queries.together(map(one, question.interval.windows(requests.WINDOW)))
        except (ApiError, UnexpectedAnswer, Unreachable) as error:
            log.warning("the capacity used is left out: %s", error)
            return found
    return replace(found, capacity=pa.concat_tables(tables))


async def with_offered(settings: Settings, question: Question, found: Found) -> Found:
    """*found*, with how many interactions queues were offered. Raises what `Client.call` raises."""
    async with Client(settings) as client:
        queues = await _ids(client, QUEUES, "queues", question.queues)

        async def one(window: Interval) -> pa.Table:
            body = requests.offered(window, question.granularity, queues)
            answer = await client.call(AGGREGATES, body=body)
            with refuse_odd_data(AGGREGATES.name):
                return aggregates.offered(answer, window, question.granularity)

        tables = await queries.together(map(one, question.interval.windows(requests.WINDOW)))
    return replace(found, offered=filters.filter_by_media(pa.concat_tables(tables), question.media))


async def _ids(
    client: Client,
    endpoint: Endpoint[payloads.Page[payloads.Named]],
    parameter: str,
    wanted: Sequence[str],
) -> list[str]:
    """The ids for names or ids; a name that several people have stands for all of them."""
    if all(is_id(text) for text in wanted):
        return list(wanted)
    query = {"state": "any"} if endpoint is AGENTS else None
    known = [(row.id, row.name) async for row in client.pages(endpoint, query)]
    where = f"{endpoint.name} that this client may see"
    return identified(parameter, wanted, known, where)
