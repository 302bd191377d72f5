"""The routes of the real API that are emulated."""

from collections.abc import Callable

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Scope

from genesys_emulator.http import aggregates, capacity, details, directory, users
from genesys_emulator.http.connection import Answer
from genesys_emulator.http.json_io import Handler, said
from genesys_emulator.simulation.restatements import Told
from genesys_emulator.simulation.source import Centre
from genesys_emulator.state.cursors import Scrolls
from genesys_emulator.state.jobs import Jobs
from genesys_emulator.state.tokens import Tokens
from genesys_emulator.wire import endpoints, errors
from genesys_emulator.wire.endpoints import Endpoint
from genesys_emulator.wire.errors import RefusalError


def api(
    centre: Centre,
    tokens: Tokens,
    jobs: Jobs,
    scrolls: Scrolls,
    told: Told,
    *,
    withheld: frozenset[str],
    monotonic: Callable[[], float],
) -> Starlette:
    """What is answered once a request is let in, permissions included."""

    async def token(request: Request) -> Response:
        authorization, query = request.headers.get("authorization", ""), request.url.query
        status, content = tokens.grant(authorization, query, await request.body(), monotonic())
        return said(content, status)

    handlers: dict[Endpoint, Handler] = {
        endpoints.TOKEN: token,
        **aggregates.handlers(centre, jobs, told),
        **details.handlers(centre, jobs, scrolls, told),
        **users.handlers(centre, jobs),
        **capacity.handlers(centre, jobs),
        **directory.handlers(centre.organization, tokens),
    }
    return Starlette(
        routes=[
            Route(
                endpoint.path,
                _permitted(endpoint, handlers[endpoint], withheld),
                methods=[endpoint.method],
            )
            for endpoint in endpoints.by_precedence(handlers)
        ],
        exception_handlers={RefusalError: _refusal, HTTPException: _no_route},
    )


def refused(refusal: RefusalError, scope: Scope) -> Answer:
    """The answer that a refusal is; one of the token endpoint has a form of its own."""
    content: object = refusal.body(scope["state"]["correlation_id"])
    if scope["path"] == endpoints.TOKEN.path and refusal.status in (400, 401):
        words = "authentication failed"
        content = {"error": "invalid_client", "description": words, "error_description": words}
    headers = {"content-type": "application/json"}
    return Answer(refusal.status, headers, msgspec.json.encode(content))


def _permitted(endpoint: Endpoint, handler: Handler, withheld: frozenset[str]) -> Handler:
    missing = withheld.intersection(endpoint.permissions)
    allowed = not missing if endpoint.all_of_them else missing != set(endpoint.permissions)

    async def guarded(request: Request) -> Response:
        if endpoint.permissions and not allowed:
            raise errors.missing_permissions(endpoint.permissions, all_of_them=endpoint.all_of_them)
        return await handler(request)

    return guarded


async def _refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusalError)
    answer = refused(error, request.scope)
    return Response(answer.body, answer.status, answer.headers)


async def _no_route(request: Request, error: Exception) -> Response:
    """Starlette's own: there is no such path, or not with this method."""
    assert isinstance(error, HTTPException)
    refusal = errors.unknown_path() if error.status_code == 404 else errors.standard(405)
    response = await _refusal(request, refusal)
    response.headers.update(error.headers or {})
    return response
