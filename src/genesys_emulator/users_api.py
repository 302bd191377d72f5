"""The routes of the status of users: aggregates and details, at once."""

from collections.abc import Callable, Mapping
from random import Random

from starlette.requests import Request
from starlette.responses import Response

from genesys_emulator import details, endpoints, users
from genesys_emulator.bodies import json_of, said
from genesys_emulator.centre import Centre
from genesys_emulator.details_api import Handler
from genesys_emulator.endpoints import Endpoint
from genesys_emulator.filters import Clause
from genesys_emulator.users_validation import user_details_query, users_query


def handlers(centre: Centre, now: Callable[[], int]) -> Mapping[Endpoint, Handler]:
    """What each operation answers, once a request is let in."""
    organization = centre.organization

    async def aggregates(request: Request) -> Response:
        asked = users_query(await json_of(request))
        shown = _shown(centre, asked.filter, asked.start, asked.end)
        order = Random(await request.body())
        results = users.aggregates(asked, organization, shown, now(), order)
        return said(
            {"systemToOrganizationMappings": users.mappings(organization), "results": results}
        )

    async def records(request: Request) -> Response:
        asked = user_details_query(await json_of(request))
        shown = _shown(centre, asked.filter, asked.start, asked.end)
        found = users.details(asked, organization, shown, now())
        page = details.page(found, asked.page_size, asked.page_number)
        return said({"totalHits": len(found), **({"userDetails": page} if page else {})})

    return {endpoints.USER_AGGREGATES: aggregates, endpoints.USER_DETAILS: records}


def _shown(centre: Centre, filter_: Clause, start: int, end: int) -> users.Of:
    return (
        (agent, centre.shown(agent, start, end))
        for agent in centre.organization.agents
        if filter_.verdict({"userId": (agent.id,)}.get)
    )
