"""The routes of the status of users: aggregates and details, at once and by jobs."""

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from genesys_emulator.answers import users
from genesys_emulator.http import jobs as job_routes
from genesys_emulator.http.json_io import Handler, json_of, said
from genesys_emulator.http.page_faults import span, total_of
from genesys_emulator.queries.filters import Clause
from genesys_emulator.queries.users import (
    UserDetailsQuery,
    UsersQuery,
    user_details_job,
    user_details_query,
    users_query,
)
from genesys_emulator.simulation.organization import Agent
from genesys_emulator.simulation.source import Centre
from genesys_emulator.state.jobs import LAG, Jobs, Kind, Row, Task
from genesys_emulator.wire import endpoints
from genesys_emulator.wire.endpoints import Endpoint


def handlers(centre: Centre, jobs: Jobs) -> Mapping[Endpoint, Handler]:
    """What each operation answers, once a request is let in."""
    organization = centre.organization
    mappings = {"systemToOrganizationMappings": users.mappings(organization)}

    def wanted(clause: Clause) -> list[Agent]:
        return [each for each in centre.watched if clause.verdict({"userId": (each.id,)}.get)]

    def shown(agents: Sequence[Agent], start: int, end: int) -> users.Of:
        return ((agent, centre.shown(agent, start, end)) for agent in agents)

    def results(asked: UsersQuery, now: int, order: Random) -> list[Row]:
        of = shown(wanted(asked.filter), asked.start, asked.end)
        return users.aggregates(asked, organization, of, now, order)

    async def aggregates(request: Request) -> Response:
        asked = users_query(await json_of(request))
        return said(
            {**mappings, "results": results(asked, jobs.now(), Random(await request.body()))}
        )

    def aggregates_job(body: Any) -> Task:
        rest, size = job_routes.page_size_of(body)
        asked, order = users_query(rest), msgspec.json.encode(rest)
        return Task(lambda until: iter(results(asked, until, Random(order))), size)

    def in_order(asked: UserDetailsQuery) -> list[Agent]:
        return sorted(wanted(asked.filter), key=lambda each: each.id, reverse=asked.descending)

    def records(asked: UserDetailsQuery, agents: Sequence[Agent], now: int) -> Iterator[Row]:
        return users.details(asked, organization, shown(agents, asked.start, asked.end), now)

    async def details(request: Request) -> Response:
        asked = user_details_query(await json_of(request))
        before = (asked.page_number - 1) * asked.page_size
        start, stop = span(before, asked.page_size, request.state.fault)
        found = in_order(asked)
        page = list(records(asked, found[start:stop], jobs.now()))
        total = total_of(len(found), request.state.fault)
        return said({**total, **({"userDetails": page} if page else {})})

    def details_job(body: Any) -> Task:
        asked = user_details_job(body)
        return Task(lambda until: records(asked, in_order(asked), until))

    of_aggregates = Kind(endpoints.USER_AGGREGATES_JOBS, "results", aggregates_job, beside=mappings)
    of_details = Kind(endpoints.USER_DETAILS_JOBS, "userDetails", details_job, LAG)
    return {
        endpoints.USER_AGGREGATES: aggregates,
        endpoints.USER_DETAILS: details,
        endpoints.USER_AVAILABILITY: job_routes.availability(of_details, jobs),
        **job_routes.handlers(of_aggregates, jobs),
        **job_routes.handlers(of_details, jobs),
    }
