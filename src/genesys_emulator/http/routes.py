"""The routes of the real API that are emulated, with their permissions and their errors."""

from collections.abc import Callable

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Scope

from genesys_emulator.http.aggregates import AggregateHandlers
from genesys_emulator.http.capacity import CapacityHandlers
from genesys_emulator.http.connection import Answer
from genesys_emulator.http.details import DetailsHandlers
from genesys_emulator.http.directory import DirectoryHandlers
from genesys_emulator.http.json_io import Handler, json_response
from genesys_emulator.http.users import UserHandlers
from genesys_emulator.simulation.restatements import SnapshotAt
from genesys_emulator.simulation.source import Centre
from genesys_emulator.state.cursors import CursorCache
from genesys_emulator.state.jobs import Jobs
from genesys_emulator.state.tokens import Tokens
from genesys_emulator.wire import endpoints, errors
from genesys_emulator.wire.endpoints import Endpoint
from genesys_emulator.wire.errors import ApiError


def make_api(
    centre: Centre,
    tokens: Tokens,
    jobs: Jobs,
    cursors: CursorCache,
    snapshot_at: SnapshotAt,
    *,
    withheld: frozenset[str],
    monotonic: Callable[[], float],
) -> Starlette:
    """Return the application behind the login: every endpoint, each with its permissions."""

    async def grant_token(request: Request) -> Response:
        authorization, query = request.headers.get("authorization", ""), request.url.query
        status, content = tokens.grant_token(
            authorization, query, await request.body(), monotonic()
        )
        return json_response(content, status)

    handlers: dict[Endpoint, Handler] = {
        endpoints.TOKEN: grant_token,
        **AggregateHandlers(centre, jobs, snapshot_at).by_endpoint,
        **DetailsHandlers(centre, jobs, cursors, snapshot_at).by_endpoint,
        **UserHandlers(centre, jobs).by_endpoint,
        **CapacityHandlers(centre, jobs).by_endpoint,
        **DirectoryHandlers(centre.organization, tokens).by_endpoint,
    }
    return Starlette(
        routes=[
            Route(
                endpoint.path,
                _require_permissions(endpoint, handlers[endpoint], withheld),
                methods=[endpoint.method],
            )
            for endpoint in endpoints.sort_by_precedence(handlers)
        ],
        exception_handlers={ApiError: _answer_error, HTTPException: _answer_no_route},
    )


def error_answer(error: ApiError, scope: Scope) -> Answer:
    """Return *error* as an answer; errors of the token endpoint have a form of their own."""
    content: object = error.error_body(scope["state"]["correlation_id"])
    if scope["path"] == endpoints.TOKEN.path and error.status in (400, 401):
        words = "authentication failed"
        content = {"error": "invalid_client", "description": words, "error_description": words}
    headers = {"content-type": "application/json"}
    return Answer(error.status, headers, msgspec.json.encode(content))


def _require_permissions(endpoint: Endpoint, handler: Handler, withheld: frozenset[str]) -> Handler:
    """Return *handler*, or one that refuses if *withheld* has permissions that it needs."""
    missing = withheld.intersection(endpoint.permissions)
    allowed = not missing if endpoint.all_of_them else missing != set(endpoint.permissions)
    if allowed or not endpoint.permissions:
        return handler

    async def refuse_request(_: Request) -> Response:
        raise errors.missing_permissions(endpoint.permissions, all_of_them=endpoint.all_of_them)

    return refuse_request


async def _answer_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    answer = error_answer(error, request.scope)
    return Response(answer.body, answer.status, answer.headers)


async def _answer_no_route(request: Request, error: Exception) -> Response:
    """Answer a request for which Starlette has no such path, or no such method."""
    assert isinstance(error, HTTPException)
    own = errors.unknown_path() if error.status_code == 404 else errors.standard_error(405)
    response = await _answer_error(request, own)
    response.headers.update(error.headers or {})
    return response
