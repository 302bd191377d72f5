"""OAuth clients and their tokens, and how many requests a token has left."""

import secrets
from base64 import b64decode
from dataclasses import dataclass, field
from urllib.parse import parse_qs

MINUTE = 60.0


@dataclass(slots=True)
class _Token:
    good_until: float
    minute_ends: float = 0.0
    count: int = 0


@dataclass(frozen=True, slots=True)
class Usage:
    """What the ``inin-ratelimit-*`` headers say; *reset* in seconds."""

    count: int
    allowed: int
    reset: int


@dataclass(slots=True)
class Tokens:
    """The tokens of one client. Times are seconds of a clock that only runs forward."""

    client_id: str
    client_secret: str = field(repr=False)
    lifetime: int = 86399
    requests_per_minute: int = 300
    _tokens: dict[str, _Token] = field(default_factory=dict, repr=False)

    def grant(self, authorization: str, body: bytes, now: float) -> tuple[int, dict[str, object]]:
        """Status and body of the answer to ``POST /oauth/token``."""
        if parse_qs(body.decode(errors="replace")).get("grant_type") != ["client_credentials"]:
            return 400, _refused("unsupported_grant_type", "grant_type must be client_credentials")
        client_id, secret = _basic(authorization)
        if client_id != self.client_id:
            return 401, _refused("invalid_client", "client not found")
        if not secrets.compare_digest(secret.encode(), self.client_secret.encode()):
            return 401, _refused("invalid_client", "authentication failed")
        token = secrets.token_urlsafe(64)
        self._tokens[token] = _Token(now + self.lifetime)
        return 200, {"access_token": token, "token_type": "bearer", "expires_in": self.lifetime}

    def use(self, token: str, now: float) -> Usage | None:
        """Count one request of *token*; None if it is unknown or has expired."""
        known = self._tokens.get(token)
        if known is None or now >= known.good_until:
            return None
        if now >= known.minute_ends:
            known.minute_ends, known.count = now + MINUTE, 0
        known.count += 1
        reset = int(known.minute_ends - now) + 1
        return Usage(known.count, self.requests_per_minute, reset)

    def revoke(self, token: str) -> None:
        self._tokens.pop(token, None)

    def forget(self) -> None:
        self._tokens.clear()


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
