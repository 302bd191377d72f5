"""From a question to Arrow tables: plan -> client -> shaping."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from halfhour import plan, shaping, wire
from halfhour.client import Client
from halfhour.endpoints import AGENTS, AGGREGATES, QUEUES, Endpoint
from halfhour.errors import ApiError, ConfigError, near_miss
from halfhour.plan import PostedQuery, Question
from halfhour.settings import Settings
from halfhour.tables import POSTED
from halfhour.vocabulary import is_id
from halfhour.when import granularity

T = TypeVar("T")

log = logging.getLogger("halfhour")

Progress = Callable[[int, int], None]
"""Told how many of how many windows are there."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """*posted* is a `tables.POSTED`, *agents* a `tables.NAMES` of those in it."""

    posted: pa.Table
    agents: pa.Table


async def fetch(
    settings: Settings, question: Question, progress: Progress = lambda done, of: None
) -> Fetched:
    """All that was posted for *question*, and the names of its agents.

    Raises ConfigError for a name that no queue or agent has, and what
    `Client.call` raises.
    """
    async with Client(settings) as client:
        queries = plan.posted(
            question.interval,
            granularity(question.interval),
            queues=await _ids(client, QUEUES, "--queue", question.queues),
            agents=await _ids(client, AGENTS, "--agent", question.agents),
        )
        posted = await _all_posted(client, queries, progress)
        agents = pc.unique(posted["agent_id"]).to_pylist()
        return Fetched(posted, shaping.names(await _named(client, agents)))


async def _all_posted(
    client: Client, queries: Sequence[PostedQuery], progress: Progress
) -> pa.Table:
    done = 0

    async def one(query: PostedQuery) -> list[pa.Table]:
        nonlocal done
        tables = await _posted(client, query)
        done += 1
        progress(done, len(queries))
        return tables

    tables = await _together(one(query) for query in queries)
    return pa.concat_tables([POSTED.empty_table(), *(table for some in tables for table in some)])


async def _posted(client: Client, query: PostedQuery) -> list[pa.Table]:
    try:
        answer = await client.call(AGGREGATES, body=query.body())
    except ApiError as error:
        parts = query.halves() if plan.too_much(error) else None
        if not parts:
            raise
        log.warning("%s: too much for one answer; asking in two parts", query.window)
        tables = [table for part in parts for table in await _posted(client, part)]
        return [shaping.added(tables)] if query.within_one else tables
    return [shaping.posted(answer, query.window, query.granularity)]


async def _ids(
    client: Client,
    endpoint: Endpoint[wire.Page[wire.Named]],
    option: str,
    wanted: Sequence[str],
) -> list[str]:
    """The ids for names or ids; a name that several people have stands for all of them."""
    if all(is_id(text) for text in wanted):
        return list(wanted)
    query = {"state": "any"} if endpoint is AGENTS else None
    ids: dict[str, list[str]] = {}
    names = []
    async for row in client.pages(endpoint, query):
        name = row.name or row.id
        names.append(name)
        ids.setdefault(name.casefold(), []).append(row.id)
    for text in wanted:
        if not is_id(text) and text.casefold() not in ids:
            raise ConfigError(
                f"{option} {text!r}: none of the {len(names)} {endpoint.name} that this client "
                f"may see has that name{near_miss(text, names)}"
            )
    return [found for text in wanted for found in ([text] if is_id(text) else ids[text.casefold()])]


async def _named(client: Client, agents: Sequence[str]) -> list[wire.Named]:
    async def some(ids: Sequence[str]) -> list[wire.Named]:
        return [row async for row in client.pages(AGENTS, {"id": ids, "state": "any"})]

    rows = await _together(some(ids) for ids in plan.chunks(agents, plan.AGENTS_A_REQUEST))
    return [row for page in rows for row in page]


async def _together(steps: Iterable[Coroutine[None, None, T]]) -> list[T]:
    """What the steps return, in their order; the first failure ends the others."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(step) for step in steps]
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]
