"""The preview of how much of agents' capacity is used, whose meaning nobody has documented.

So what it says is a guess: the part of an interval, in per cent, in which the
routing status was INTERACTING or COMMUNICATING, as one observation. The other
two metrics are known and never have anything.
"""

from collections.abc import Mapping
from datetime import UTC
from random import Random
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from genesys_emulator.answers import users
from genesys_emulator.http.json_io import Handler, json_of, said
from genesys_emulator.queries.aggregates import granularity_of, interval_of, zone_of
from genesys_emulator.queries.filter_parsing import CAPACITY, read
from genesys_emulator.queries.users import AGGREGATES, UsersQuery
from genesys_emulator.simulation.source import Centre
from genesys_emulator.state.jobs import Jobs
from genesys_emulator.wire import endpoints, errors
from genesys_emulator.wire.endpoints import Endpoint
from genesys_emulator.wire.json_objects import an_object, words
from genesys_emulator.wire.timestamps import instant

USED = "oAgentUtilizationPercentage"
METRICS = ("oAgentAvailableUtilization", "oAgentMaxUtilization", USED)
AT_WORK = ("INTERACTING", "COMMUNICATING")


def handlers(centre: Centre, jobs: Jobs) -> Mapping[Endpoint, Handler]:
    """What the operation answers, once a request is let in."""

    async def aggregates(request: Request) -> Response:
        metrics, asked = _read(await json_of(request))
        wanted = [
            each for each in centre.watched if asked.filter.verdict({"userId": (each.id,)}.get)
        ]
        of = ((agent, centre.shown(agent, asked.start, asked.end)) for agent in wanted)
        order = Random(await request.body())
        found = users.aggregates(asked, centre.organization, of, jobs.now(), order)
        used = [_used(each) for each in found] if USED in metrics else []
        return said({"results": [each for each in used if each["data"]]})

    return {endpoints.CAPACITY: aggregates}


def _read(body: object) -> tuple[tuple[str, ...], UsersQuery]:
    """What *body* asks for. Raises RefusalError."""
    owner = "AgentUtilizationAggregationQuery"
    given = an_object(body, AGGREGATES, owner)
    for name in ("interval", "metrics"):
        if not given.get(name):
            raise errors.required(name, owner)
    metrics = words(given["metrics"], METRICS, "AgentUtilizationMetric")
    by = words(given.get("groupBy", ()), CAPACITY.known, CAPACITY.dimension)
    if "mediaType" in by:
        raise errors.not_emulated("Grouping by [mediaType]")
    for name in ("views", "alternateTimeDimension"):
        if given.get(name):
            raise errors.not_emulated(f"The property [{name}]")
    zone = zone_of(given.get("timeZone"))
    start, end = interval_of(given["interval"], zone or UTC)
    width = granularity_of(given.get("granularity"))
    wanted = read(given.get("filter"), CAPACITY)
    return metrics, UsersQuery(start, end, ("tAgentRoutingStatus",), width, zone, bool(by), wanted)


def _used(group: Mapping[str, Any]) -> dict[str, Any]:
    data = []
    for bucket in group["data"]:
        start, end = (instant(text, UTC) for text in bucket["interval"].split("/"))
        lasted = sum(
            each["stats"]["sum"] for each in bucket["metrics"] if each["qualifier"] in AT_WORK
        )
        if lasted:
            stats = {"count": 1, "sum": 100 * lasted / (end - start)}
            data.append({**bucket, "metrics": [{"metric": USED, "stats": stats}]})
    return {**group, "data": data}
