"""Run aggregate and directory queries and return Arrow tables."""

import asyncio
import logging
from collections.abc import Coroutine, Iterable, Sequence
from datetime import timedelta
from typing import TypeVar

import pyarrow as pa

from halfhour.errors import ApiError
from halfhour.genesys import payloads, requests
from halfhour.genesys.client import Client
from halfhour.genesys.endpoints import AGENT_LIST, CONVERSATION_AGGREGATES, USER_AGGREGATES
from halfhour.genesys.requests import PostedQuery
from halfhour.genesys.transport import refuse_unusable_data
from halfhour.ingest import aggregates
from halfhour.model.intervals import Interval
from halfhour.model.tables import STATUS_SCHEMA

T = TypeVar("T")

log = logging.getLogger("halfhour")

MAX_ID_LENGTH = 200
"""Characters of an id whose name is asked for; Genesys Cloud writes ids as UUIDs, which have 36."""


async def fetch_posted(client: Client, query: PostedQuery, *, again: bool = True) -> pa.Table:
    """Return `tables.POSTED_SCHEMA` of *query*, divided if it is too large for one answer.

    One that takes too long is asked *again* as often as patience has it, but its parts are
    divided at once. Raises what `Client.call` raises.
    """

    def final(error: Exception) -> bool:
        return (
            not again
            and isinstance(error, ApiError)
            and bool(requests.smaller_queries(query, error))
        )

    try:
        answer = await client.call(CONVERSATION_AGGREGATES, body=query.request_body(), final=final)
    except ApiError as error:
        parts = requests.smaller_queries(query, error)
        if not parts:
            raise
        log.warning("%s: too much for one answer; asking in two parts", query.window)
        tables = [await fetch_posted(client, part, again=False) for part in parts]
        with refuse_unusable_data(CONVERSATION_AGGREGATES.name):
            return (
                aggregates.sum_partial_tables(tables)
                if query.fits_one_interval
                else pa.concat_tables(tables)
            )
    with refuse_unusable_data(CONVERSATION_AGGREGATES.name):
        return aggregates.posted_table(answer, query.window, query.granularity)


async def fetch_status(
    client: Client, window: Interval, granularity: timedelta, agents: Sequence[str]
) -> pa.Table:
    """Return `tables.STATUS_SCHEMA` of *agents* in *window*. Raises what `Client.call` raises."""

    async def some(ids: Sequence[str]) -> pa.Table:
        answer = await client.call(
            USER_AGGREGATES, body=requests.status_query(window, granularity, ids)
        )
        with refuse_unusable_data(USER_AGGREGATES.name):
            return aggregates.status_table(answer, window, granularity)

    tables = await gather_results(
        some(ids) for ids in requests.unique_chunks(agents, requests.MAX_AGENTS_PER_REQUEST)
    )
    return pa.concat_tables([STATUS_SCHEMA.empty_table(), *tables])


async def fetch_agents(client: Client, agents: Sequence[str]) -> list[payloads.DirectoryEntity]:
    """Return the directory's entries of *agents*; unknown ids are omitted.

    Raises what `Client.call` raises.
    """

    async def some(ids: Sequence[str]) -> list[payloads.DirectoryEntity]:
        return [
            row
            async for row in client.list_entities(
                AGENT_LIST, {"id": ids, "state": "any", "expand": "team"}
            )
        ]

    # One that no address can hold would keep all others from being named.
    askable = [agent for agent in agents if len(agent) <= MAX_ID_LENGTH]
    rows = await gather_results(
        some(ids) for ids in requests.unique_chunks(askable, requests.MAX_AGENTS_PER_REQUEST)
    )
    return [row for page in rows for row in page]


async def gather_results(steps: Iterable[Coroutine[None, None, T]]) -> list[T]:
    """Run *steps* concurrently and return their results in order; the first failure ends all."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(step) for step in steps]
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]
