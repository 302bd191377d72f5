"""The routes of who and what there is."""

from collections.abc import Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response

from genesys_emulator.answers import directory, entities
from genesys_emulator.answers.listing import Page, Parameters
from genesys_emulator.http import page_faults
from genesys_emulator.http.json_io import Handler, said
from genesys_emulator.simulation.organization import Organization
from genesys_emulator.state.tokens import Tokens
from genesys_emulator.wire import endpoints
from genesys_emulator.wire.endpoints import Endpoint

Answer = Callable[[Organization, str, Parameters], Page]
"""To a path with parameters."""

ANSWERS: Mapping[Endpoint, Answer] = {
    endpoints.USERS: directory.users,
    endpoints.USER: directory.user,
    endpoints.QUEUES: directory.queues,
    endpoints.QUEUE: directory.queue,
    endpoints.QUEUES_IN_VIEW: directory.queues_in_view,
    endpoints.ALL_QUEUES_IN_VIEW: directory.all_queues_in_view,
    endpoints.MEMBERS: directory.members,
    endpoints.DIVISIONS: directory.divisions,
    endpoints.DIVISION: directory.division,
    endpoints.GROUPS: directory.groups,
    endpoints.GROUP: directory.group,
    endpoints.GROUP_MEMBERS: directory.group_members,
    endpoints.TEAMS: directory.teams,
    endpoints.TEAM: directory.team,
    endpoints.TEAM_MEMBERS: directory.team_members,
    endpoints.PRESENCES: directory.presence_definitions,
    endpoints.OLD_PRESENCES: directory.old_presence_definitions,
    endpoints.NAMESPACES: directory.namespaces,
}


def handlers(organization: Organization, tokens: Tokens) -> Mapping[Endpoint, Handler]:
    """What each operation answers, once a request is let in."""

    def answering(answer: Answer) -> Handler:
        async def answered(request: Request) -> Response:
            def page(parameters: Parameters) -> Page:
                return answer(organization, request.url.path, parameters)

            parameters = request.query_params.multi_items()
            return said(page_faults.listed(page, parameters, request.state.fault))

        return answered

    async def itself(_: Request) -> Response:
        return said(entities.organization_of(organization))

    async def token_info(_: Request) -> Response:
        return said(entities.token_info(organization, tokens.client_id))

    async def limits(request: Request) -> Response:
        return said(directory.limits(request.path_params["id"], tokens.requests_per_minute))

    async def usual_limits(request: Request) -> Response:
        return said(directory.limits(request.path_params["id"]))

    return {
        **{endpoint: answering(answer) for endpoint, answer in ANSWERS.items()},
        endpoints.ORGANIZATION: itself,
        endpoints.TOKEN_INFO: token_info,
        endpoints.LIMITS: limits,
        endpoints.USUAL_LIMITS: usual_limits,
    }
