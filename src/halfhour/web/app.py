"""The routes of the dashboard. Each answers from the store, as it is at that moment."""

import asyncio
import gzip
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
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
from halfhour.web import day as heatmap
from halfhour.web import details_panel, prometheus
from halfhour.web.auth import PasswordAuth, SecurityMiddleware, query_suffix
from halfhour.web.background_sync import BackgroundSync
from halfhour.web.cache import AnswerCache
from halfhour.web.view_state import DayView, parse_view

PLAUSIBLE_YEARS = range(2010, 2100)
"""In which there may be half-hours."""
MAX_FORM_BYTES = 4096
"""Bytes that a log-in may have."""
CLOSE_CONNECTION = {"Connection": "close"}
"""So that the rest of a request is not read to its end."""
STATIC_DIRECTORY = Path(str(files("halfhour.web"))) / "static"
RouteHandler = Callable[[Request], Awaitable[Response]]


@dataclass(slots=True)
class _Dashboard:
    store: Store
    zone: str
    background_sync: BackgroundSync
    password_auth: PasswordAuth | None
    request_count: int = 0
    answer_cache: AnswerCache = field(default_factory=AnswerCache)

    def cached_json_route(self, find: Callable[[DayView, Request], Any]) -> RouteHandler:
        """A route that answers with what *find* finds, or with why it finds nothing."""

        async def answer(request: Request) -> Response:
            self.request_count += 1
            moment = utc_now()
            wanted = parse_view(request.query_params, moment, self.zone)
            written, minute = (
                await asyncio.to_thread(self._store_file_version),
                moment.timestamp() // 60,
            )
            key = (find.__name__, str(request.query_params), written, minute)
            try:
                packed = await self.answer_cache.get_or_compute(
                    key, lambda: _gzipped_json(find(wanted, request))
                )
            except HalfhourError as error:
                return JSONResponse({"error": _error_message(error)}, _error_status(error))
            if "gzip" not in request.headers.get("accept-encoding", ""):
                return Response(gzip.decompress(packed), media_type="application/json")
            headers = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
            return Response(packed, media_type="application/json", headers=headers)

        return answer

    def _store_file_version(self) -> tuple[tuple[int, int], ...]:
        """What changes when the store does."""
        found = []
        for path in (self.store.path, Path(f"{self.store.path}.wal")):
            with suppress(OSError):
                stat = path.stat()
                found.append((stat.st_mtime_ns, stat.st_size))
        return tuple(found)

    def find_day(self, wanted: DayView, _: Request) -> Any:
        return heatmap.day_heat_map(self.store, wanted, utc_now())

    def find_agent(self, wanted: DayView, _: Request) -> Any:
        return details_panel.agent_history(self.store, wanted, utc_now())

    def find_cell(self, wanted: DayView, request: Request) -> Any:
        text = request.query_params.get("cell", "")
        with suppress(ValueError):
            start = datetime.fromisoformat(text)
            if (
                start.tzinfo
                and start.minute % 15 == start.second == 0
                and start.year in PLAUSIBLE_YEARS
            ):
                return details_panel.cell_details(self.store, wanted, start, utc_now())
        raise ConfigError(f"cell {text!r} is no start of a half-hour; choose one in the table")

    async def serve_state(self, _: Request) -> Response:
        """What the page asks again and again; with the half-hour, "today" turns over too."""
        live, written = self.background_sync, await asyncio.to_thread(self._store_file_version)
        return JSONResponse(
            {
                "version": str((written, utc_now().timestamp() // HALF_HOUR.total_seconds())),
                "sync": {
                    "state": live.state,
                    "done": live.done,
                    "of": live.of,
                    "said": live.last_error,
                },
                "guarded": self.password_auth is not None,
            }
        )

    async def serve_csv(self, request: Request) -> Response:
        wanted, file = parse_view(request.query_params, utc_now(), self.zone), BytesIO()
        try:
            table = await asyncio.to_thread(heatmap.filtered_report, self.store, wanted, utc_now())
        except HalfhourError as error:
            return PlainTextResponse(f"{_error_message(error)}\n", _error_status(error))
        csv_json.write_csv([table], file)
        disposition = f'attachment; filename="halfhour-{wanted.day}.csv"'
        return Response(
            file.getvalue(), media_type="text/csv", headers={"Content-Disposition": disposition}
        )

    async def serve_metrics(self, _: Request) -> Response:
        told = await asyncio.to_thread(
            prometheus.prometheus_text, self.store, self.background_sync, self.request_count
        )
        return PlainTextResponse(told)

    async def handle_login(self, request: Request) -> Response:
        keeper = self.password_auth
        if keeper is None:
            return _redirect_to_view(request)
        began = time.monotonic()
        if request.method != "POST":
            known = await asyncio.to_thread(keeper.is_authenticated, request, began)
            return _redirect_to_view(request) if known else _login_page("")
        try:
            password = await _read_login_form(request)
        except ClientDisconnect:
            return Response(status_code=400)
        except HTTPException as refusal:
            return _login_page(refusal.detail, refusal.status_code, refusal.headers)
        if not keeper.admit_attempt(request, began):
            return _login_page("Too many tries. Wait a minute.", 429)
        session = await asyncio.to_thread(keeper.open_session, request, password, began)
        if session is None:
            return _login_page("That is not the password.", 403)
        response = _redirect_to_view(request)
        # Lax, so that a link in a mail leads in. No path: the browser takes the folder of the
        # page, whatever a proxy has put before it.
        response.set_cookie(
            keeper.cookie_name(request),
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


def create_app(
    store: Store,
    *,
    zone: str = "UTC",
    live: BackgroundSync | None = None,
    doorkeeper: PasswordAuth | None = None,
    hosts: Sequence[str] = ("127.0.0.1", "localhost", "[::1]"),
) -> Starlette:
    """The dashboard of *store*, for requests to *hosts*; *zone* is for addresses that name none."""
    board = _Dashboard(store, zone, live or BackgroundSync(), doorkeeper)
    dashboard = Starlette(
        routes=[
            Route("/", _serve_index),
            Route("/login", board.handle_login, methods=["GET", "POST"]),
            Route("/logout", board.handle_logout, methods=["POST"]),
            Route("/healthz", _serve_health),
            Route("/metrics", board.serve_metrics),
            Route("/csv", board.serve_csv),
            Route("/api/state", board.serve_state),
            Route("/api/day", board.cached_json_route(board.find_day)),
            Route("/api/cell", board.cached_json_route(board.find_cell)),
            Route("/api/agent", board.cached_json_route(board.find_agent)),
            Mount("/static", StaticFiles(directory=STATIC_DIRECTORY)),
        ],
        middleware=[
            Middleware(SecurityMiddleware, doorkeeper),
            Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False),
        ],
    )
    dashboard.router.redirect_slashes = False  # it would lead out of the folder that a proxy shows
    return dashboard


async def _serve_index(_: Request) -> Response:
    return HTMLResponse((STATIC_DIRECTORY / "index.html").read_text(encoding="utf-8"))


async def _serve_health(_: Request) -> Response:
    return PlainTextResponse("halfhour\n")


def _gzipped_json(content: Any) -> bytes:
    return gzip.compress(msgspec.json.encode(content), compresslevel=1)


def _error_message(error: HalfhourError) -> str:
    """In the words of an address, which has no options."""
    return str(error)


def _error_status(error: HalfhourError) -> int:
    """Whether it is what was asked that is wrong, or what is to answer."""
    return 503 if isinstance(error, StoreError) else 400


def _redirect_to_view(request: Request) -> Response:
    """To the view that was asked for."""
    return RedirectResponse(f"./{query_suffix(request)}", status_code=303)


async def _read_login_form(request: Request) -> str:
    """The password in the form that is sent. Raises HTTPException for what is no such form, before
    more of it is read than a form has.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise HTTPException(415, "Send the form of this page.", CLOSE_CONNECTION)
    too_large = HTTPException(413, "That is too long for a password.", CLOSE_CONNECTION)
    if int(request.headers.get("content-length", 0)) > MAX_FORM_BYTES:
        raise too_large
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_FORM_BYTES:
            raise too_large
    return dict(parse_qsl(body.decode(errors="replace"))).get("password", "")


def _login_page(said: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    form = (STATIC_DIRECTORY / "login.html").read_text(encoding="utf-8")
    return HTMLResponse(form.replace("{said}", said), status, headers)
