"""An OAuth client, its tokens, and the rate limit of each token."""

import secrets
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from urllib.parse import parse_qs

WINDOW = 60.0
"""Length in seconds of the window in which requests are counted, from the first of them."""

CLIENT_CREDENTIALS = "client-credentials"

Grant = tuple[int, dict[str, object]]
"""Status and body of an answer."""


@dataclass(slots=True)
class _Token:
    expires: float
    window_ends: float = 0.0
    count: int = 0


@dataclass(frozen=True, slots=True)
class Usage:
    """The use of a token in its window; *reset* in whole seconds."""

    count: int
    allowed: int
    reset: int

    @property
    def is_exceeded(self) -> bool:
        return self.count > self.allowed

    @property
    def ratelimit_headers(self) -> Mapping[str, str]:
        return {
            "inin-ratelimit-count": str(self.count),
            "inin-ratelimit-allowed": str(self.allowed),
            "inin-ratelimit-reset": str(self.reset),
        }


@dataclass(slots=True)
class Tokens:
    """The tokens of one client; every *now* is in seconds of a monotonic clock.

    A client is made for one *grant_type*, and gets no token for another.
    """

    client_id: str
    client_secret: str = field(repr=False)
    lifetime: int = 86_399
    requests_per_minute: int = 300
    grant_type: str = CLIENT_CREDENTIALS
    _tokens: dict[str, _Token] = field(default_factory=dict, repr=False)

    def grant_token(self, authorization: str, query: str, body: bytes, now: float) -> Grant:
        """Answer ``POST /oauth/token``; the grant type is in *query* or *body*.

        An error here has another form than `ErrorBody`.
        """
        wanted = set(parse_qs(f"{query}&{body.decode('latin-1')}").get("grant_type", []))
        client_id, secret = _basic_credentials(authorization)
        if client_id != self.client_id:
            return 401, _oauth_error("invalid_client", "client not found")
        if not secrets.compare_digest(secret.encode(), self.client_secret.encode()):
            return 401, _oauth_error("invalid_client", "authentication failed")
        if wanted != {"client_credentials"}:
            return 400, _oauth_error("unsupported_grant_type", "unsupported grant type")
        if self.grant_type != CLIENT_CREDENTIALS:
            words = "client is not authorized to use the client_credential grant type"
            return 400, _oauth_error("unauthorized_client", words)
        token = secrets.token_urlsafe(64)
        self._tokens[token] = _Token(now + self.lifetime)
        return 200, {"access_token": token, "token_type": "bearer", "expires_in": self.lifetime}

    def count_request(self, token: str, now: float) -> Usage | None:
        """Count a request with *token*; return None if the token is unknown or has expired."""
        state = self._tokens.get(token)
        if state is None or now >= state.expires:
            return None
        if now >= state.window_ends:
            state.window_ends, state.count = now + WINDOW, 0
        state.count += 1
        return Usage(state.count, self.requests_per_minute, max(1, ceil(state.window_ends - now)))

    def revoke_token(self, token: str) -> None:
        self._tokens.pop(token, None)

    def clear(self) -> None:
        self._tokens.clear()


def bearer_token(authorization: str) -> str:
    """Return the token in an ``Authorization`` header, or an empty text."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _basic_credentials(authorization: str) -> tuple[str, str]:
    scheme, _, encoded = authorization.partition(" ")
    try:
        decoded = b64decode(encoded, validate=True).decode() if scheme.lower() == "basic" else ""
    except ValueError:
        decoded = ""
    client_id, _, secret = decoded.partition(":")
    return client_id, secret


def _oauth_error(error: str, description: str) -> dict[str, object]:
    return {"error": error, "description": description, "error_description": description}
