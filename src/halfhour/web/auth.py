"""Who may see the page, and what a browser may do with it."""

import asyncio
import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from time import monotonic

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from halfhour.errors import ConfigError

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
SESSION_SECONDS = 12 * 3600.0
"""Seconds that a log-in is good for."""
MIN_PASSWORD_LENGTH = 12
FAILURE_WINDOW_SECONDS = 60.0
MAX_FAILURES_PER_HOST, MAX_FAILURES = 5, 50
"""How many log-ins may fail in so many seconds, from one address and from all."""
PUBLIC_PATHS = ("/login", "/logout", "/healthz", "/static/")
"""What is served to who has not logged in, or no longer is."""
_SCRYPT_N, _SCRYPT_R, _SCRYPT_P = 2**14, 8, 5
"""The cost of a hash: OWASP's least for scrypt with 16 MB (password storage cheat sheet)."""


def hash_password(password: str, salt: bytes) -> str:
    """What is kept of a password. Raises ConfigError for one that is soon guessed."""
    if len(password) < MIN_PASSWORD_LENGTH:
        raise ConfigError(
            f"the password is shorter than {MIN_PASSWORD_LENGTH} characters; take a longer one"
        )
    digest = hashlib.scrypt(password.encode(), salt=salt, n=_SCRYPT_N, r=_SCRYPT_R, p=_SCRYPT_P)
    return "$".join(["scrypt", b64encode(salt).decode(), b64encode(digest).decode()])


@dataclass(slots=True)
class PasswordAuth:
    """Lets in whoever knows a password, of which there is only a hash."""

    _salt: bytes
    _hash: str
    _sessions: dict[str, float] = field(default_factory=dict)
    _failures: deque[tuple[float, str]] = field(default_factory=deque)
    _failures_lock: Lock = field(default_factory=Lock)

    @classmethod
    def from_file(cls, path: Path) -> "PasswordAuth":
        """With the hash in the file at *path*. Raises ConfigError."""
        try:
            text = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"⟨password_file⟩ {path}: cannot be read ({error})") from error
        try:
            kind, salt, _ = text.split("$")
            if kind == "scrypt":
                return cls(b64decode(salt, validate=True), text)
        except ValueError:
            pass
        raise ConfigError(
            f"⟨password_file⟩ {path}: it holds no hash of a password; "
            f"'halfhour password {path}' writes one"
        )

    def admit_attempt(self, who: HTTPConnection, now: float) -> bool:
        """Whether *who* may try a password; not if too many have failed of late.

        It counts as failed until `let_in` has found it right, or many could
        be tried at once.
        """
        with self._failures_lock:
            while self._failures and self._failures[0][0] < now - FAILURE_WINDOW_SECONDS:
                self._failures.popleft()
            from_there = sum(host == _client_host(who) for _, host in self._failures)
            if from_there >= MAX_FAILURES_PER_HOST or len(self._failures) >= MAX_FAILURES:
                return False
            self._failures.append((now, _client_host(who)))
            return True

    def open_session(self, who: HTTPConnection, password: str, now: float) -> str | None:
        """A new session for *who* knows the password, and may try it."""
        if not self._password_matches(password):
            return None
        with self._failures_lock, suppress(ValueError):
            self._failures.remove((now, _client_host(who)))
        self._sessions = {each: end for each, end in self._sessions.items() if end > now}
        session = secrets.token_urlsafe(32)
        self._sessions[session] = now + SESSION_SECONDS
        return session

    def cookie_name(self, who: HTTPConnection) -> str:
        """The name of that by which *who* is known here, and at no other dashboard of the host.

        Browsers send a cookie to every port. No `__Host-`, which goes with no folder of a proxy.
        """
        _, port = who.scope.get("server") or ("", None)
        return f"halfhour-{hashlib.sha256(self._salt + f'{port}'.encode()).hexdigest()[:8]}"

    def end_session(self, who: HTTPConnection) -> None:
        """End the session that *who* comes with."""
        self._sessions.pop(self._session_token(who), None)

    def is_authenticated(self, who: HTTPConnection, now: float) -> bool:
        """Whether *who* comes with a session, or with the password as a bearer token."""
        if self._sessions.get(self._session_token(who), 0.0) > now:
            return True
        kind, _, token = who.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer":
            return False
        token = token.encode("latin-1").decode("utf-8", "replace")  # as headers are read
        known = hashlib.sha256(self._salt + token.encode()).hexdigest()  # scrypt once, not at each
        if self._sessions.get(known, 0.0) > now:
            return True
        if not self.admit_attempt(who, now) or not self.open_session(who, token, now):
            return False
        self._sessions[known] = now + SESSION_SECONDS
        return True

    def _session_token(self, who: HTTPConnection) -> str:
        return who.cookies.get(self.cookie_name(who), "")

    def _password_matches(self, password: str) -> bool:
        try:
            return hmac.compare_digest(hash_password(password, self._salt), self._hash)
        except ConfigError:
            return False


def query_suffix(who: HTTPConnection) -> str:
    """The view that an address asks for, to be shown once whoever comes is let in."""
    return f"?{who.url.query}" if who.url.query else ""


def _client_host(who: HTTPConnection) -> str:
    return who.client.host if who.client else ""


class SecurityMiddleware:
    """Puts `HEADERS` on every answer, and asks *doorkeeper*, if there is one, who comes."""

    def __init__(self, app: ASGIApp, doorkeeper: PasswordAuth | None) -> None:
        self._app = app
        self._password_auth = doorkeeper

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(SECURITY_HEADERS)
            await send(message)

        who = HTTPConnection(scope)
        if "authorization" in who.headers:  # a password takes its time to be hashed
            refusal = await asyncio.to_thread(self._refuse_request, who, scope)
        else:
            refusal = self._refuse_request(who, scope)
        await (refusal or self._app)(scope, receive, guarded)

    def _refuse_request(self, who: HTTPConnection, scope: Scope) -> Response | None:
        origin = who.headers.get("origin")
        elsewhere = origin and origin.partition("://")[2] != who.headers.get("host")
        if scope["method"] == "POST" and elsewhere:
            return JSONResponse({"error": "this form was sent from elsewhere"}, 403)
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        keeper = self._password_auth
        if (
            keeper is None
            or path.startswith(PUBLIC_PATHS)
            or keeper.is_authenticated(who, monotonic())
        ):
            return None
        if path == "/":
            return RedirectResponse(f"login{query_suffix(who)}", status_code=303)
        return JSONResponse({"error": "log in first"}, 401)
