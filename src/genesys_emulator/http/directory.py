"""Handlers of the directory: users, queues, teams and the like, the organization, its limits."""

from collections.abc import Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response

from genesys_emulator.answers import directory, entities
from genesys_emulator.answers.listing import Page, Parameters
from genesys_emulator.http.json_io import Handler, json_response
from genesys_emulator.http.page_faults import faulty_page
from genesys_emulator.simulation.organization import Organization
from genesys_emulator.state.tokens import Tokens
from genesys_emulator.wire import endpoints
from genesys_emulator.wire.endpoints import Endpoint

PageOf = Callable[[Organization, str, Parameters], Page]
"""The page of an organization at a path with parameters."""

PAGES: Mapping[Endpoint, PageOf] = {
    endpoints.USERS: directory.list_users,
    endpoints.USER: directory.show_user,
    endpoints.QUEUES: directory.list_queues,
    endpoints.QUEUE: directory.show_queue,
    endpoints.QUEUES_IN_VIEW: directory.list_queue_views,
    endpoints.ALL_QUEUES_IN_VIEW: directory.list_all_queue_views,
    endpoints.MEMBERS: directory.list_members,
    endpoints.DIVISIONS: directory.list_divisions,
    endpoints.DIVISION: directory.show_division,
    endpoints.GROUPS: directory.list_groups,
    endpoints.GROUP: directory.show_group,
    endpoints.GROUP_MEMBERS: directory.list_group_members,
    endpoints.TEAMS: directory.list_teams,
    endpoints.TEAM: directory.show_team,
    endpoints.TEAM_MEMBERS: directory.list_team_members,
    endpoints.PRESENCES: directory.list_presences,
    endpoints.OLD_PRESENCES: directory.list_old_presences,
    endpoints.NAMESPACES: directory.list_namespaces,
}


class DirectoryHandlers:
    """Answer requests for the directory, once they are let in."""

    def __init__(self, organization: Organization, tokens: Tokens) -> None:
        self._organization = organization
        self._tokens = tokens

    @property
    def by_endpoint(self) -> Mapping[Endpoint, Handler]:
        return {
            **{endpoint: self._page_handler(page_of) for endpoint, page_of in PAGES.items()},
            endpoints.ORGANIZATION: self.show_organization,
            endpoints.TOKEN_INFO: self.show_token,
            endpoints.LIMITS: self.show_limits,
            endpoints.USUAL_LIMITS: self.show_usual_limits,
        }

    async def show_organization(self, _: Request) -> Response:
        return json_response(entities.organization_entity(self._organization))

    async def show_token(self, _: Request) -> Response:
        return json_response(entities.token_entity(self._organization, self._tokens.client_id))

    async def show_limits(self, request: Request) -> Response:
        per_minute = self._tokens.requests_per_minute
        return json_response(directory.show_limits(request.path_params["id"], per_minute))

    async def show_usual_limits(self, request: Request) -> Response:
        return json_response(directory.show_limits(request.path_params["id"]))

    def _page_handler(self, page_of: PageOf) -> Handler:
        async def show_page(request: Request) -> Response:
            def page_for(parameters: Parameters) -> Page:
                return page_of(self._organization, request.url.path, parameters)

            parameters = request.query_params.multi_items()
            return json_response(faulty_page(page_for, parameters, request.state.fault))

        return show_page
