"""Run aggregate and directory queries, and return their answers as Arrow tables."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeVar

import pyarrow as pa

from halfhour.errors import ApiError
from halfhour.genesys import payloads, requests
from halfhour.genesys.client import Client
from halfhour.genesys.endpoints import (
    AGENT_LIST,
    CONVERSATION_AGGREGATES,
    USER_AGGREGATES,
    Endpoint,
)
from halfhour.genesys.requests import PostedQuery
from halfhour.genesys.transport import refuse_unusable_data
from halfhour.ingest import aggregates
from halfhour.ingest.raw_aggregates import RawAggregates, read_aggregates
from halfhour.model.intervals import Interval
from halfhour.model.tables import STATUS_SCHEMA

T = TypeVar("T")

log = logging.getLogger("halfhour")

MAX_ID_LENGTH = 200
"""The most characters of an id whose name is requested. An id of Genesys Cloud is a UUID of 36."""


async def call_aggregates(
    client: Client,
    endpoint: Endpoint[Any],
    body: Mapping[str, Any],
    is_final_error: Callable[[Exception], bool] = lambda error: False,
) -> RawAggregates:
    """Return the answer of an aggregates *endpoint*. Raises the errors of `Client.call`."""
    return await client.call(
        endpoint.decoded_by(read_aggregates), body=body, is_final_error=is_final_error
    )


async def fetch_posted(client: Client, query: PostedQuery, *, is_part: bool = False) -> pa.Table:
    """Return `tables.POSTED_SCHEMA` of *query*, divided if its answer would be too large.

    A query that takes too long is retried as the retry policy allows before it is divided; one
    that *is_part* of another is divided at once. Raises the errors of `Client.call`.
    """

    def is_final_error(error: Exception) -> bool:
        return (
            is_part and isinstance(error, ApiError) and bool(requests.smaller_queries(query, error))
        )

    try:
        answer = await call_aggregates(
            client, CONVERSATION_AGGREGATES, query.request_body(), is_final_error
        )
    except ApiError as error:
        parts = requests.smaller_queries(query, error)
        if not parts:
            raise
        log.warning("%s: the answer would be too large; halfhour asks in two parts", query.window)
        tables = [await fetch_posted(client, part, is_part=True) for part in parts]
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
    """Return `tables.STATUS_SCHEMA` of *agents* in *window*. Raises the errors of `Client.call`."""

    async def fetch_chunk(ids: Sequence[str]) -> pa.Table:
        answer = await call_aggregates(
            client, USER_AGGREGATES, requests.status_query(window, granularity, ids)
        )
        with refuse_unusable_data(USER_AGGREGATES.name):
            return aggregates.status_table(answer, window, granularity)

    tables = await gather_results(
        fetch_chunk(ids) for ids in requests.unique_chunks(agents, requests.MAX_AGENTS_PER_REQUEST)
    )
    return pa.concat_tables([STATUS_SCHEMA.empty_table(), *tables])


async def fetch_agents(client: Client, agents: Sequence[str]) -> list[payloads.DirectoryEntity]:
    """Return the directory's entries of *agents*; unknown ids are omitted.

    Raises the errors of `Client.call`.
    """

    async def fetch_chunk(ids: Sequence[str]) -> list[payloads.DirectoryEntity]:
        return [
            agent
            async for agent in client.list_entities(
                AGENT_LIST, {"id": ids, "state": "any", "expand": "team"}
            )
        ]

    # An id that is too long for a URL would make the request fail for all other ids.
    usable_ids = [agent for agent in agents if len(agent) <= MAX_ID_LENGTH]
    chunks = await gather_results(
        fetch_chunk(ids)
        for ids in requests.unique_chunks(usable_ids, requests.MAX_AGENTS_PER_REQUEST)
    )
    return [agent for chunk in chunks for agent in chunk]


async def gather_results(coroutines: Iterable[Coroutine[None, None, T]]) -> list[T]:
    """Run *coroutines* concurrently and return their results in order; a failure cancels all."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(coroutine) for coroutine in coroutines]
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]
