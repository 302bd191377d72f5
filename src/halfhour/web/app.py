"""The routes of the dashboard: each answers from the current state of the store."""

import asyncio
import gzip
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
)
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from halfhour.clock import utc_now
from halfhour.errors import ConfigError, HalfhourError, StoreError
from halfhour.model.intervals import HALF_HOUR
from halfhour.render import csv_json
from halfhour.store.store import Store
from halfhour.web import day, details_panel, prometheus
from halfhour.web.auth import PasswordAuth, SecurityMiddleware, query_suffix
from halfhour.web.background_sync import BackgroundSync, ServedStore
from halfhour.web.cache import AnswerCache
from halfhour.web.view_state import DayView, parse_organization, parse_view

PLAUSIBLE_YEARS = range(2010, 2100)
"""The years in which a half-hour can be requested."""
MAX_FORM_BYTES = 4096
"""The largest log-in form that the dashboard accepts."""
CLOSE_CONNECTION = {"Connection": "close"}
"""The header that spares the server from reading the rest of a request that it refuses."""
STATIC_DIRECTORY = Path(str(files("halfhour.web"))) / "static"
RouteHandler = Callable[[Request], Awaitable[Response]]


@dataclass(slots=True)
class _Dashboard:
    served: Mapping[str, ServedStore]
    password_auth: PasswordAuth | None
    request_count: int = 0
    answer_cache: AnswerCache = field(default_factory=AnswerCache)

    def cached_json_route(self, find_content: Callable[[DayView, Request], Any]) -> RouteHandler:
        """Return a route that answers with the content that *find_content* returns, as JSON.

        Its error becomes the answer. An answer is cached until the store changes or a minute is
        over, as coverage depends on the time.
        """

        async def respond(request: Request) -> Response:
            self.request_count += 1
            now = utc_now()
            view = self.parse_view(request)
            version = await asyncio.to_thread(_store_file_version, self.store_of(view))
            key = (
                find_content.__name__, str(request.query_params), version, now.timestamp() // 60
            )  # fmt: skip
            try:
                compressed = await self.answer_cache.get_or_compute(
                    key, lambda: _gzipped_json(find_content(view, request))
                )
            except HalfhourError as error:
                return JSONResponse({"error": str(error)}, _error_status(error))
            if "gzip" not in request.headers.get("accept-encoding", ""):
                return Response(gzip.decompress(compressed), media_type="application/json")
            headers = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
            return Response(compressed, media_type="application/json", headers=headers)

        return respond

    def parse_view(self, request: Request) -> DayView:
        """Return the view that *request* asks for, of an organisation that is served."""
        parameters = request.query_params
        org, problem = parse_organization(parameters, list(self.served))
        view = parse_view(parameters, utc_now(), self.served[org].zone)
        return replace(view, org=org, problems=(*filter(None, [problem]), *view.problems))

    def store_of(self, view: DayView) -> Store:
        return self.served[view.org].store

    def find_day(self, view: DayView, _: Request) -> Any:
        return {**day.day_heat_map(self.store_of(view), view, utc_now()), "org": view.org}

    def find_agent(self, view: DayView, _: Request) -> Any:
        return details_panel.agent_history(self.store_of(view), view, utc_now())

    def find_cell(self, view: DayView, request: Request) -> Any:
        text = request.query_params.get("cell", "")
        with suppress(ValueError):
            start = datetime.fromisoformat(text)
            if (
                start.tzinfo
                and start.minute % 15 == start.second == 0
                and start.year in PLAUSIBLE_YEARS
            ):
                return details_panel.cell_details(self.store_of(view), view, start, utc_now())
        raise ConfigError(f"cell {text!r} is not the start of a half-hour; choose one in the table")

    async def serve_state(self, request: Request) -> Response:
        """Answer with the state of the sync and a version, which the page polls.

        The version changes with the store, and every half-hour: "today" may be another day then.
        """
        org, _ = parse_organization(request.query_params, list(self.served))
        entry = self.served[org]
        sync, version = (
            entry.background_sync,
            await asyncio.to_thread(_store_file_version, entry.store),
        )
        return JSONResponse(
            {
                "org": org,
                "orgs": [name for name in self.served if name],
                "version": str((org, version, utc_now().timestamp() // HALF_HOUR.total_seconds())),
                "sync": {
                    "state": sync.state,
                    "done": sync.done,
                    "of": sync.of,
                    "said": sync.last_error,
                },
                "guarded": self.password_auth is not None,
            }
        )

    async def serve_csv(self, request: Request) -> Response:
        view, file = self.parse_view(request), BytesIO()
        try:
            table = await asyncio.to_thread(
                day.filtered_report, self.store_of(view), view, utc_now()
            )
        except HalfhourError as error:
            return PlainTextResponse(f"{error}\n", _error_status(error))
        csv_json.write_csv([table], file)
        name = "-".join(filter(None, ["halfhour", view.org, str(view.day)]))
        disposition = f'attachment; filename="{name}.csv"'
        return Response(
            file.getvalue(), media_type="text/csv", headers={"Content-Disposition": disposition}
        )

    async def serve_metrics(self, _: Request) -> Response:
        text = await asyncio.to_thread(prometheus.prometheus_text, self.served, self.request_count)
        return PlainTextResponse(text)

    async def handle_login(self, request: Request) -> Response:
        password_auth = self.password_auth
        if password_auth is None:
            return _redirect_to_view(request)
        now = time.monotonic()
        if request.method != "POST":
            is_logged_in = await asyncio.to_thread(password_auth.is_authenticated, request, now)
            return _redirect_to_view(request) if is_logged_in else _login_page("")
        try:
            password = await _read_login_form(request)
        except ClientDisconnect:
            return Response(status_code=400)
        except HTTPException as refusal:
            return _login_page(refusal.detail, refusal.status_code, refusal.headers)
        if not password_auth.admit_attempt(request, now):
            return _login_page("Too many wrong passwords. Wait a minute, then try again.", 429)
        session = await asyncio.to_thread(password_auth.open_session, request, password, now)
        if session is None:
            return _login_page("The password is wrong.", 403)
        response = _redirect_to_view(request)
        # With "lax", the session also holds for a visitor who follows a link in a mail. Without a
        # path, the browser takes the folder of the page, whatever prefix a proxy has added.
        response.set_cookie(
            password_auth.cookie_name(request),
            session,
            path=None,
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
        return response

    async def handle_logout(self, request: Request) -> Response:
        if self.password_auth:
            self.password_auth.end_session(request)
        return RedirectResponse("login", status_code=303)


def _store_file_version(store: Store) -> tuple[tuple[int, int], ...]:
    """Return the times and sizes of the files of *store*, which differ after every change."""
    versions = []
    for path in (store.path, Path(f"{store.path}.wal")):
        with suppress(OSError):
            status = path.stat()
            versions.append((status.st_mtime_ns, status.st_size))
    return tuple(versions)


def create_app(
    store: Store | Mapping[str, ServedStore],
    *,
    zone: str = "UTC",
    background_sync: BackgroundSync | None = None,
    password_auth: PasswordAuth | None = None,
    hosts: Sequence[str] = ("127.0.0.1", "localhost", "[::1]"),
) -> Starlette:
    """Return the dashboard of *store*, which answers requests for *hosts* only.

    Several stores are those of organisations, by name. For one, *zone* is the time zone for an
    address that names none, and *background_sync* the sync that keeps it fresh. Without
    *password_auth* everybody who can reach the dashboard can read it.
    """
    if isinstance(store, Store):
        store = {"": ServedStore(store, zone, background_sync or BackgroundSync())}
    dashboard = _Dashboard(store, password_auth)
    application = Starlette(
        routes=[
            Route("/", _serve_index),
            Route("/login", dashboard.handle_login, methods=["GET", "POST"]),
            Route("/logout", dashboard.handle_logout, methods=["POST"]),
            Route("/healthz", _serve_health),
            Route("/metrics", dashboard.serve_metrics),
            Route("/csv", dashboard.serve_csv),
            Route("/api/state", dashboard.serve_state),
            Route("/api/day", dashboard.cached_json_route(dashboard.find_day)),
            Route("/api/cell", dashboard.cached_json_route(dashboard.find_cell)),
            Route("/api/agent", dashboard.cached_json_route(dashboard.find_agent)),
            Mount("/static", StaticFiles(directory=STATIC_DIRECTORY)),
        ],
        middleware=[
            Middleware(SecurityMiddleware, password_auth),
            Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False),
        ],
    )
    # Such a redirect would lead out of the folder under which a proxy shows the dashboard.
    application.router.redirect_slashes = False
    return application


async def _serve_index(_: Request) -> Response:
    return HTMLResponse((STATIC_DIRECTORY / "index.html").read_text(encoding="utf-8"))


async def _serve_health(_: Request) -> Response:
    return PlainTextResponse("halfhour\n")


def _gzipped_json(content: Any) -> bytes:
    return gzip.compress(msgspec.json.encode(content), compresslevel=1)


def _error_status(error: HalfhourError) -> int:
    """Return the HTTP status for *error*: 503 if the store is unavailable, else 400."""
    return 503 if isinstance(error, StoreError) else 400


def _redirect_to_view(request: Request) -> Response:
    return RedirectResponse(f"./{query_suffix(request)}", status_code=303)


async def _read_login_form(request: Request) -> str:
    """Return the password in the form of *request*.

    Raises HTTPException for another content type, or as soon as the form is too large.
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/x-www-form-urlencoded":
        raise HTTPException(415, "Send the form on this page.", CLOSE_CONNECTION)
    too_large = HTTPException(413, "The password is too long.", CLOSE_CONNECTION)
    if int(request.headers.get("content-length", 0)) > MAX_FORM_BYTES:
        raise too_large
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            raise too_large
    return dict(parse_qsl(body.decode(errors="replace"))).get("password", "")


def _login_page(
    message: str, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    page = (STATIC_DIRECTORY / "login.html").read_text(encoding="utf-8")
    return HTMLResponse(page.replace("{message}", message), status, headers)
