"""An OAuth client, the tokens it has been given, and how many requests each has left."""

import secrets
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from urllib.parse import parse_qs

WINDOW = 60.0
"""Seconds over which requests are counted, from the first of them."""

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
    """Where a token stands in its window; *reset* in whole seconds."""

    count: int
    allowed: int
    reset: int

    @property
    def exceeded(self) -> bool:
        return self.count > self.allowed

    @property
    def headers(self) -> Mapping[str, str]:
        return {
            "inin-ratelimit-count": str(self.count),
            "inin-ratelimit-allowed": str(self.allowed),
            "inin-ratelimit-reset": str(self.reset),
        }


@dataclass(slots=True)
class Tokens:
    """The tokens of one client. Every *now* is in seconds, of a clock that only goes forward.

    A client is made for one *grant_type*, and is given no token for another.
    """

    client_id: str
    client_secret: str = field(repr=False)
    lifetime: int = 86_399
    requests_per_minute: int = 300
    grant_type: str = CLIENT_CREDENTIALS
    _tokens: dict[str, _Token] = field(default_factory=dict, repr=False)

    def grant(self, authorization: str, query: str, body: bytes, now: float) -> Grant:
        """Answer ``POST /oauth/token``; the grant type is in *query* or *body*.

        A refusal here is no `ErrorBody`.
        """
        wanted = set(parse_qs(f"{query}&{body.decode('latin-1')}").get("grant_type", []))
        client_id, secret = _basic(authorization)
        if client_id != self.client_id:
            return 401, _refused("invalid_client", "client not found")
        if not secrets.compare_digest(secret.encode(), self.client_secret.encode()):
            return 401, _refused("invalid_client", "authentication failed")
        if wanted != {"client_credentials"}:
            return 400, _refused("unsupported_grant_type", "unsupported grant type")
        if self.grant_type != CLIENT_CREDENTIALS:
            words = "client is not authorized to use the client_credential grant type"
            return 400, _refused("unauthorized_client", words)
        token = secrets.token_urlsafe(64)
        self._tokens[token] = _Token(now + self.lifetime)
        return 200, {"access_token": token, "token_type": "bearer", "expires_in": self.lifetime}

    def use(self, token: str, now: float) -> Usage | None:
        """One more request with *token*; None if nobody has it, or not any more."""
        known = self._tokens.get(token)
        if known is None or now >= known.expires:
            return None
        if now >= known.window_ends:
            known.window_ends, known.count = now + WINDOW, 0
        known.count += 1
        return Usage(known.count, self.requests_per_minute, max(1, ceil(known.window_ends - now)))

    def revoke(self, token: str) -> None:
        self._tokens.pop(token, None)

    def clear(self) -> None:
        self._tokens.clear()


def bearer(authorization: str) -> str:
    """The token in an ``Authorization`` header; nothing where there is none."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _basic(authorization: str) -> tuple[str, str]:
    scheme, _, encoded = authorization.partition(" ")
    try:
        decoded = b64decode(encoded, validate=True).decode() if scheme.lower() == "basic" else ""
    except ValueError:
        decoded = ""
    client_id, _, secret = decoded.partition(":")
    return client_id, secret


def _refused(error: str, description: str) -> dict[str, object]:
    return {"error": error, "description": description, "error_description": description}
