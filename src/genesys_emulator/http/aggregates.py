"""Handlers of conversation aggregates: the query that answers at once, and jobs."""

from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from genesys_emulator.answers import aggregates
from genesys_emulator.http.jobs import JobHandlers, split_page_size
from genesys_emulator.http.json_io import Handler, json_response, read_json
from genesys_emulator.queries.aggregates import AggregateQuery, parse_query
from genesys_emulator.simulation.restatements import SnapshotAt
from genesys_emulator.simulation.source import Centre
from genesys_emulator.state.cursors import AnswerCache
from genesys_emulator.state.jobs import Jobs, Kind, Task
from genesys_emulator.wire import endpoints
from genesys_emulator.wire.endpoints import Endpoint

LARGEST_ANSWERS = 20_000_000
"""Most bytes of answers that are kept for when the same is asked again."""


class AggregateHandlers:
    """Answer requests for conversation aggregates, once they are let in."""

    def __init__(self, centre: Centre, jobs: Jobs, snapshot_at: SnapshotAt) -> None:
        self._centre = centre
        self._jobs = jobs
        self._snapshot_at = snapshot_at
        self._answers: AnswerCache[list[msgspec.Raw]] = AnswerCache(LARGEST_ANSWERS)
        self._kind = Kind(endpoints.AGGREGATES_JOBS, "results", self._read_task)

    @property
    def by_endpoint(self) -> Mapping[Endpoint, Handler]:
        return {
            endpoints.AGGREGATES: self.answer_query,
            **JobHandlers(self._kind, self._jobs).by_endpoint,
        }

    async def answer_query(self, request: Request) -> Response:
        query = parse_query(await read_json(request))
        results = self._aggregate_values(query, self._jobs.now(), await request.body())
        return json_response({"results": results})

    def _read_task(self, body: Any) -> Task:
        rest, page_size = split_page_size(body)
        query, order = parse_query(rest), msgspec.json.encode(rest)

        def find_results(until: int) -> Iterator[msgspec.Raw]:
            return iter(self._aggregate_values(query, until, order))

        return Task(find_results, page_size)

    def _aggregate_values(self, query: AggregateQuery, now: int, order: bytes) -> list[msgspec.Raw]:
        """Return the results as of *now*, which *order* puts into an order."""
        snapshot = self._snapshot_at(now)
        key = (query, order, snapshot)
        results = self._answers.get_value(key)
        if results is None:
            values = self._centre.posted_values(
                query.start, min(query.end, now), _agent_check(query)
            )
            results = aggregates.aggregate_results(query, values, snapshot, Random(order))
            self._answers.keep_value(key, results, sum(map(len, results)))
        return results


def _agent_check(query: AggregateQuery) -> Callable[[str], bool]:
    """Return a check that is False for agents of whom the filter lets nothing pass.

    The customers they spoke to have no agent, so a filter that passes values
    without an agent passes something of every agent.
    """
    without_agent = query.filter.holds_for({"userId": ()}.get)
    return lambda user_id: (
        without_agent is not False
        or query.filter.holds_for({"userId": (user_id,)}.get) is not False
    )
