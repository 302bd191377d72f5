"""The log-in with a password, and the security headers of every answer."""

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
"""The duration of a log-in."""
MIN_PASSWORD_LENGTH = 12
FAILURE_WINDOW_SECONDS = 60.0
MAX_FAILURES_PER_HOST, MAX_FAILURES = 5, 50
"""The most log-ins that may fail within the window, from one address and from all."""
PUBLIC_PATHS = ("/login", "/logout", "/healthz", "/static/")
"""The paths that need no log-in."""
_SCRYPT_N, _SCRYPT_R, _SCRYPT_P = 2**14, 8, 5
"""The cost of a hash: OWASP's minimum for scrypt with 16 MB (password storage cheat sheet)."""


def hash_password(password: str, salt: bytes) -> str:
    """Return the line of a password file. Raises ConfigError if *password* is too short."""
    if len(password) < MIN_PASSWORD_LENGTH:
        raise ConfigError(
            f"the password is shorter than {MIN_PASSWORD_LENGTH} characters; choose a longer one"
        )
    digest = hashlib.scrypt(password.encode(), salt=salt, n=_SCRYPT_N, r=_SCRYPT_R, p=_SCRYPT_P)
    return "$".join(["scrypt", b64encode(salt).decode(), b64encode(digest).decode()])


@dataclass(slots=True)
class PasswordAuth:
    """The sessions of visitors who know the password, of which only a hash is kept."""

    _salt: bytes
    _hash: str
    _sessions: dict[str, float] = field(default_factory=dict)
    _failures: deque[tuple[float, str]] = field(default_factory=deque)
    _failures_lock: Lock = field(default_factory=Lock)

    @classmethod
    def from_file(cls, path: Path) -> "PasswordAuth":
        """Read the hash from a file that `halfhour password` wrote. Raises ConfigError."""
        try:
            text = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"⟨password_file⟩ {path}: cannot be read ({error})") from error
        try:
            scheme, salt, _ = text.split("$")
            if scheme == "scrypt":
                return cls(b64decode(salt, validate=True), text)
        except ValueError:
            pass
        raise ConfigError(
            f"⟨password_file⟩ {path}: this is not a halfhour password file; "
            f"'halfhour password {path}' writes one"
        )

    def admit_attempt(self, visitor: HTTPConnection, now: float) -> bool:
        """Tell whether *visitor* may try a password: not after too many failures.

        The attempt counts as a failure until `open_session` succeeds; otherwise a visitor could
        try many passwords at the same time.
        """
        with self._failures_lock:
            while self._failures and self._failures[0][0] < now - FAILURE_WINDOW_SECONDS:
                self._failures.popleft()
            failures_of_host = sum(host == _client_host(visitor) for _, host in self._failures)
            if failures_of_host >= MAX_FAILURES_PER_HOST or len(self._failures) >= MAX_FAILURES:
                return False
            self._failures.append((now, _client_host(visitor)))
            return True

    def open_session(self, visitor: HTTPConnection, password: str, now: float) -> str | None:
        """Return the token of a new session, or None if *password* is wrong.

        *now* is that of the attempt, which `admit_attempt` has admitted.
        """
        if not self._password_matches(password):
            return None
        with self._failures_lock, suppress(ValueError):
            self._failures.remove((now, _client_host(visitor)))
        self._sessions = {token: end for token, end in self._sessions.items() if end > now}
        session = secrets.token_urlsafe(32)
        self._sessions[session] = now + SESSION_SECONDS
        return session

    def cookie_name(self, visitor: HTTPConnection) -> str:
        """Return the name of the session's cookie, which no other dashboard of the host uses.

        Browsers send a cookie to every port of a host. The prefix `__Host-` would forbid the
        folder that a proxy shows the dashboard under.
        """
        _, port = visitor.scope.get("server") or ("", None)
        return f"halfhour-{hashlib.sha256(self._salt + f'{port}'.encode()).hexdigest()[:8]}"

    def end_session(self, visitor: HTTPConnection) -> None:
        """End the session of *visitor*, if there is one."""
        self._sessions.pop(self._session_token(visitor), None)

    def is_authenticated(self, visitor: HTTPConnection, now: float) -> bool:
        """Tell whether *visitor* has a session, or sends the password as a bearer token."""
        if self._sessions.get(self._session_token(visitor), 0.0) > now:
            return True
        scheme, _, password = visitor.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return False
        password = password.encode("latin-1").decode("utf-8", "replace")  # headers are latin-1
        # With this cheap hash as a session, scrypt runs once and not at each request.
        session = hashlib.sha256(self._salt + password.encode()).hexdigest()
        if self._sessions.get(session, 0.0) > now:
            return True
        if not self.admit_attempt(visitor, now) or not self.open_session(visitor, password, now):
            return False
        self._sessions[session] = now + SESSION_SECONDS
        return True

    def _session_token(self, visitor: HTTPConnection) -> str:
        return visitor.cookies.get(self.cookie_name(visitor), "")

    def _password_matches(self, password: str) -> bool:
        try:
            return hmac.compare_digest(hash_password(password, self._salt), self._hash)
        except ConfigError:
            return False


def query_suffix(visitor: HTTPConnection) -> str:
    """Return the query of the requested address, so that the log-in can lead back to its view."""
    return f"?{visitor.url.query}" if visitor.url.query else ""


def _client_host(visitor: HTTPConnection) -> str:
    return visitor.client.host if visitor.client else ""


class SecurityMiddleware:
    """Adds `SECURITY_HEADERS` to every answer, and refuses requests without a log-in.

    Without *password_auth* no request needs a log-in.
    """

    def __init__(self, app: ASGIApp, password_auth: PasswordAuth | None) -> None:
        self._app = app
        self._password_auth = password_auth

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(SECURITY_HEADERS)
            await send(message)

        visitor = HTTPConnection(scope)
        if "authorization" in visitor.headers:  # to hash a password takes long
            refusal = await asyncio.to_thread(self._refuse_request, visitor, scope)
        else:
            refusal = self._refuse_request(visitor, scope)
        await (refusal or self._app)(scope, receive, send_with_headers)

    def _refuse_request(self, visitor: HTTPConnection, scope: Scope) -> Response | None:
        """Return the answer to a request that is not allowed, or None if it is."""
        origin = visitor.headers.get("origin")
        is_cross_origin = origin and origin.partition("://")[2] != visitor.headers.get("host")
        if scope["method"] == "POST" and is_cross_origin:
            return JSONResponse({"error": "another site sent this form; nothing was done"}, 403)
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if (
            self._password_auth is None
            or path.startswith(PUBLIC_PATHS)
            or self._password_auth.is_authenticated(visitor, monotonic())
        ):
            return None
        if path == "/":
            return RedirectResponse(f"login{query_suffix(visitor)}", status_code=303)
        return JSONResponse({"error": "log in first"}, 401)
