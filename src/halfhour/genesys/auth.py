"""Client credentials: one token, shared by all, renewed before it runs out."""

import asyncio
import re
from base64 import b64encode

import httpx2

from halfhour.errors import AuthError, UnexpectedAnswer
from halfhour.genesys import endpoints, payloads, transport
from halfhour.genesys.connection import Settings
from halfhour.redaction import register_secret

_EXPIRY_MARGIN = 60.0
"""Seconds before its end at which a token is no longer used."""
_TOKEN_PATTERN = re.compile(r"[!-~]{1,16384}")
"""Visible ASCII, of which RFC 6750 allows fewer: all that a header can carry."""
_MAX_LIFETIME = 10 * 366 * 86400
"""Seconds; Genesys Cloud lets a token be good for 450 days at most."""


class ClientCredentials:
    """The token of one OAuth client, in memory only.

    Callers that come at once share one request for a token.
    """

    def __init__(self, http: httpx2.AsyncClient, settings: Settings) -> None:
        self._http = http
        self._settings = settings
        self._lock = asyncio.Lock()
        self._token = ""
        self._valid_until = 0.0

    async def valid_token(self) -> str:
        """Return a token that stays valid for some time.

        Raises AuthError if the client is refused, and what `transport.send_request` and
        `transport.decode_answer` raise.
        """
        async with self._lock:
            if not self._token or _loop_time() >= self._valid_until:
                await self._log_in()
            return self._token

    async def replace_token(self, refused: str) -> str:
        """Return a token in place of the *refused* one, new unless it was replaced already."""
        async with self._lock:
            if self._token == refused:
                await self._log_in()
            return self._token

    async def _log_in(self) -> None:
        asked_at = _loop_time()
        settings = self._settings
        credentials = f"{settings.client_id}:{settings.client_secret}"
        request = self._http.build_request(
            "POST",
            settings.hosts.login + endpoints.LOGIN_PATH,
            data={"grant_type": "client_credentials"},
            headers={"Authorization": f"Basic {b64encode(credentials.encode()).decode()}"},
        )
        response = await transport.send_request(
            self._http, request, settings.retry_policy, transport.MAX_SMALL_ANSWER_BYTES
        )
        if refusal := _login_refusal(response):
            raise AuthError(
                f"{request.url.host} refused client id {settings.client_id!r} "
                f"({': '.join(filter(None, (refusal.error, refusal.description)))}): "
                f"{_ADVICE_BY_ERROR.get(refusal.error, _DEFAULT_ADVICE)}"
            )
        answer = transport.decode_answer("login", response, payloads.TokenAnswer)
        if (
            not _TOKEN_PATTERN.fullmatch(answer.access_token)
            or not 0 < answer.expires_in <= _MAX_LIFETIME
        ):
            raise UnexpectedAnswer(
                f"{request.url.host}: the answer to the login has no token that can be used: it "
                "is empty, very long or not plain text, or it is not said for how long it is "
                "good; is that host Genesys Cloud, or is a proxy answering in its place?"
            )
        register_secret(answer.access_token, passing=True)
        self._token = answer.access_token
        self._valid_until = asked_at + max(
            answer.expires_in - _EXPIRY_MARGIN, answer.expires_in / 2
        )


_DEFAULT_ADVICE = (
    "check GENESYS_CLIENT_ID and GENESYS_CLIENT_SECRET, and GENESYS_REGION: the right secret in "
    "the wrong region is refused in the same way"
)
_ADVICE_BY_ERROR = {
    "unauthorized_client": "id, secret and region are right, but this OAuth client has another "
    "grant type; halfhour needs one with the grant type Client Credentials (Genesys Cloud: "
    "Admin, Integrations, OAuth)"
}


def _login_refusal(response: httpx2.Response) -> payloads.LoginRefusal | None:
    if response.is_success or response.status_code not in {400, 401, 403}:
        return None
    return transport.decode_refusal(response, payloads.LoginRefusal)


def _loop_time() -> float:
    return asyncio.get_running_loop().time()
