"""From a question to Arrow tables: plan -> client -> shaping."""

import asyncio
import logging
from collections.abc import Coroutine, Iterable, Sequence
from datetime import timedelta
from typing import TypeVar

import pyarrow as pa

from halfhour.errors import ApiError
from halfhour.genesys import payloads, requests
from halfhour.genesys.client import Client
from halfhour.genesys.endpoints import AGENTS, AGGREGATES, STATUSES
from halfhour.genesys.requests import PostedQuery
from halfhour.genesys.transport import refuse_odd_data
from halfhour.ingest import aggregates
from halfhour.model.intervals import Interval
from halfhour.model.tables import STATUS

T = TypeVar("T")

log = logging.getLogger("halfhour")

LONGEST_ID = 200
"""Characters of an id whose name is asked for; Genesys Cloud writes ids as UUIDs, which have 36."""


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
