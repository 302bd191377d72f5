"""The preview of how much of agents' capacity is used; Genesys does not document its meaning.

The numbers here are a guess: the percentage of an interval in which the
routing status was INTERACTING or COMMUNICATING, as one observation. The other
two metrics are accepted and have no values.
"""

from collections.abc import Mapping
from datetime import UTC
from random import Random
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from genesys_emulator.answers import users
from genesys_emulator.http.json_io import Handler, json_response, read_json
from genesys_emulator.queries.aggregates import (
    COMMON_FIELDS,
    granularity_of,
    interval_of,
    zone_of,
)
from genesys_emulator.queries.filter_parsing import CAPACITY, parse_filter
from genesys_emulator.queries.users import UsersQuery
from genesys_emulator.simulation.source import Centre
from genesys_emulator.state.jobs import Jobs
from genesys_emulator.wire import endpoints, errors
from genesys_emulator.wire.endpoints import Endpoint
from genesys_emulator.wire.json_objects import parse_object, parse_words
from genesys_emulator.wire.timestamps import parse_timestamp

USED = "oAgentUtilizationPercentage"
METRICS = ("oAgentAvailableUtilization", "oAgentMaxUtilization", USED)
AT_WORK = ("INTERACTING", "COMMUNICATING")


class CapacityHandlers:
    """Answer requests for the use of capacity, once they are let in."""

    def __init__(self, centre: Centre, jobs: Jobs) -> None:
        self._centre = centre
        self._jobs = jobs

    @property
    def by_endpoint(self) -> Mapping[Endpoint, Handler]:
        return {endpoints.CAPACITY: self.answer_query}

    async def answer_query(self, request: Request) -> Response:
        metrics, query = _parse_query(await read_json(request))
        shown = (
            (agent, self._centre.status_changes(agent, query.start, query.end))
            for agent in self._centre.watched_agents
            if query.filter.holds_for({"userId": (agent.id,)}.get)
        )
        order = Random(await request.body())
        groups = users.status_aggregates(
            query, self._centre.organization, shown, self._jobs.now(), order
        )
        used = [_used_capacity(group) for group in groups] if USED in metrics else []
        return json_response({"results": [group for group in used if group["data"]]})


def _parse_query(body: object) -> tuple[tuple[str, ...], UsersQuery]:
    """Return the metrics that *body* names, and the query for routing status behind them.

    Raises ApiError.
    """
    owner = "AgentUtilizationAggregationQuery"
    given = parse_object(body, COMMON_FIELDS, owner)
    for name in ("interval", "metrics"):
        if not given.get(name):
            raise errors.missing_property(name, owner)
    metrics = parse_words(given["metrics"], METRICS, "AgentUtilizationMetric")
    by = parse_words(given.get("groupBy", ()), CAPACITY.dimensions, CAPACITY.dimension)
    if "mediaType" in by:
        raise errors.not_emulated("Grouping by [mediaType]")
    for name in ("views", "alternateTimeDimension"):
        if given.get(name):
            raise errors.not_emulated(f"The property [{name}]")
    zone = zone_of(given.get("timeZone"))
    start, end = interval_of(given["interval"], zone or UTC)
    width = granularity_of(given.get("granularity"))
    wanted = parse_filter(given.get("filter"), CAPACITY)
    return metrics, UsersQuery(start, end, ("tAgentRoutingStatus",), width, zone, bool(by), wanted)


def _used_capacity(group: Mapping[str, Any]) -> dict[str, Any]:
    """Replace the routing status of *group* by the percentage that was work."""
    data = []
    for bucket in group["data"]:
        start, end = (parse_timestamp(text, UTC) for text in bucket["interval"].split("/"))
        worked_ms = sum(
            entry["stats"]["sum"] for entry in bucket["metrics"] if entry["qualifier"] in AT_WORK
        )
        if worked_ms:
            stats = {"count": 1, "sum": 100 * worked_ms / (end - start)}
            data.append({**bucket, "metrics": [{"metric": USED, "stats": stats}]})
    return {**group, "data": data}
