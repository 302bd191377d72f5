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

from halfhour.clock import now
from halfhour.errors import ConfigError, HalfhourError, StoreError
from halfhour.model.intervals import HALF_HOUR
from halfhour.render import csv_json
from halfhour.store.store import Store
from halfhour.web import day as heatmap
from halfhour.web import details_panel, prometheus
from halfhour.web.auth import Doorkeeper, Guard, asked
from halfhour.web.background_sync import Live
from halfhour.web.cache import Kept
from halfhour.web.view_state import View, view

YEARS = range(2010, 2100)
"""In which there may be half-hours."""
LARGEST_FORM = 4096
"""Bytes that a log-in may have."""
LAST = {"Connection": "close"}
"""So that the rest of a request is not read to its end."""
PAGES = Path(str(files("halfhour.web"))) / "static"
Answer = Callable[[Request], Awaitable[Response]]


@dataclass(slots=True)
class _Dashboard:
    store: Store
    zone: str
    live: Live
    doorkeeper: Doorkeeper | None
    requests: int = 0
    kept: Kept = field(default_factory=Kept)

    def answering(self, find: Callable[[View, Request], Any]) -> Answer:
        """A route that answers with what *find* finds, or with why it finds nothing."""

        async def answer(request: Request) -> Response:
            self.requests += 1
            moment = now()
            wanted = view(request.query_params, moment, self.zone)
            written, minute = await asyncio.to_thread(self._written), moment.timestamp() // 60
            key = (find.__name__, str(request.query_params), written, minute)
            try:
                packed = await self.kept.get(key, lambda: _packed(find(wanted, request)))
            except HalfhourError as error:
                return JSONResponse({"error": _said(error)}, _status(error))
            if "gzip" not in request.headers.get("accept-encoding", ""):
                return Response(gzip.decompress(packed), media_type="application/json")
            headers = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
            return Response(packed, media_type="application/json", headers=headers)

        return answer

    def _written(self) -> tuple[tuple[int, int], ...]:
        """What changes when the store does."""
        found = []
        for path in (self.store.path, Path(f"{self.store.path}.wal")):
            with suppress(OSError):
                stat = path.stat()
                found.append((stat.st_mtime_ns, stat.st_size))
        return tuple(found)

    def day(self, wanted: View, _: Request) -> Any:
        return heatmap.day(self.store, wanted, now())

    def agent(self, wanted: View, _: Request) -> Any:
        return details_panel.agent(self.store, wanted, now())

    def cell(self, wanted: View, request: Request) -> Any:
        text = request.query_params.get("cell", "")
        with suppress(ValueError):
            start = datetime.fromisoformat(text)
            if start.tzinfo and start.minute % 15 == start.second == 0 and start.year in YEARS:
                return details_panel.cell(self.store, wanted, start, now())
        raise ConfigError(f"cell {text!r} is no start of a half-hour; choose one in the table")

    async def state(self, _: Request) -> Response:
        """What the page asks again and again; with the half-hour, "today" turns over too."""
        live, written = self.live, await asyncio.to_thread(self._written)
        return JSONResponse(
            {
                "version": str((written, now().timestamp() // HALF_HOUR.total_seconds())),
                "sync": {"state": live.state, "done": live.done, "of": live.of, "said": live.said},
                "guarded": self.doorkeeper is not None,
            }
        )

    async def csv(self, request: Request) -> Response:
        wanted, file = view(request.query_params, now(), self.zone), BytesIO()
        try:
            table = await asyncio.to_thread(heatmap.table, self.store, wanted, now())
        except HalfhourError as error:
            return PlainTextResponse(f"{_said(error)}\n", _status(error))
        csv_json.csv_file([table], file)
        disposition = f'attachment; filename="halfhour-{wanted.day}.csv"'
        return Response(
            file.getvalue(), media_type="text/csv", headers={"Content-Disposition": disposition}
        )

    async def metrics(self, _: Request) -> Response:
        told = await asyncio.to_thread(prometheus.text, self.store, self.live, self.requests)
        return PlainTextResponse(told)

    async def login(self, request: Request) -> Response:
        keeper = self.doorkeeper
        if keeper is None:
            return _in(request)
        began = time.monotonic()
        if request.method != "POST":
            known = await asyncio.to_thread(keeper.knows, request, began)
            return _in(request) if known else _form("")
        try:
            password = await _password(request)
        except ClientDisconnect:
            return Response(status_code=400)
        except HTTPException as refusal:
            return _form(refusal.detail, refusal.status_code, refusal.headers)
        if not keeper.may_try(request, began):
            return _form("Too many tries. Wait a minute.", 429)
        session = await asyncio.to_thread(keeper.let_in, request, password, began)
        if session is None:
            return _form("That is not the password.", 403)
        response = _in(request)
        # Lax, so that a link in a mail leads in. No path: the browser takes the folder of the
        # page, whatever a proxy has put before it.
        response.set_cookie(
            keeper.cookie(request),
            session,
            path=None,
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
        return response

    async def logout(self, request: Request) -> Response:
        if self.doorkeeper:
            self.doorkeeper.forget(request)
        return RedirectResponse("login", status_code=303)


def app(
    store: Store,
    *,
    zone: str = "UTC",
    live: Live | None = None,
    doorkeeper: Doorkeeper | None = None,
    hosts: Sequence[str] = ("127.0.0.1", "localhost", "[::1]"),
) -> Starlette:
    """The dashboard of *store*, for requests to *hosts*; *zone* is for addresses that name none."""
    board = _Dashboard(store, zone, live or Live(), doorkeeper)
    dashboard = Starlette(
        routes=[
            Route("/", _page),
            Route("/login", board.login, methods=["GET", "POST"]),
            Route("/logout", board.logout, methods=["POST"]),
            Route("/healthz", _healthy),
            Route("/metrics", board.metrics),
            Route("/csv", board.csv),
            Route("/api/state", board.state),
            Route("/api/day", board.answering(board.day)),
            Route("/api/cell", board.answering(board.cell)),
            Route("/api/agent", board.answering(board.agent)),
            Mount("/static", StaticFiles(directory=PAGES)),
        ],
        middleware=[
            Middleware(Guard, doorkeeper),
            Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False),
        ],
    )
    dashboard.router.redirect_slashes = False  # it would lead out of the folder that a proxy shows
    return dashboard


async def _page(_: Request) -> Response:
    return HTMLResponse((PAGES / "index.html").read_text(encoding="utf-8"))


async def _healthy(_: Request) -> Response:
    return PlainTextResponse("halfhour\n")


def _packed(content: Any) -> bytes:
    return gzip.compress(msgspec.json.encode(content), compresslevel=1)


def _said(error: HalfhourError) -> str:
    """In the words of an address, which has no options."""
    return str(error)


def _status(error: HalfhourError) -> int:
    """Whether it is what was asked that is wrong, or what is to answer."""
    return 503 if isinstance(error, StoreError) else 400


def _in(request: Request) -> Response:
    """To the view that was asked for."""
    return RedirectResponse(f"./{asked(request)}", status_code=303)


async def _password(request: Request) -> str:
    """The password in the form that is sent. Raises HTTPException for what is no such form, before
    more of it is read than a form has.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise HTTPException(415, "Send the form of this page.", LAST)
    too_large = HTTPException(413, "That is too long for a password.", LAST)
    if int(request.headers.get("content-length", 0)) > LARGEST_FORM:
        raise too_large
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_FORM:
            raise too_large
    return dict(parse_qsl(body.decode(errors="replace"))).get("password", "")


def _form(said: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    form = (PAGES / "login.html").read_text(encoding="utf-8")
    return HTMLResponse(form.replace("{said}", said), status, headers)
