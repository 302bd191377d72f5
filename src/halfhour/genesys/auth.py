"""Log in with client credentials: all requests share a token, which is renewed before it ends."""

import asyncio
import re
from base64 import b64encode
from functools import partial

import httpx2
import msgspec

from halfhour.errors import AuthError, UnexpectedAnswer
from halfhour.genesys import endpoints, payloads, transport
from halfhour.genesys.connection import Settings
from halfhour.redaction import register_secret

_EXPIRY_MARGIN = 60.0
"""The seconds before the end of a token at which it is renewed."""
_TOKEN_PATTERN = re.compile(r"[!-~]{1,16384}")
"""Visible ASCII, which a header can carry. RFC 6750 allows a part of it."""
_MAX_LIFETIME = 10 * 366 * 86400
"""The longest plausible lifetime in seconds. A token of Genesys Cloud is valid for 450 days at
most.
"""


class ClientCredentials:
    """The token of an OAuth client, in memory only. Concurrent callers share one login."""

    def __init__(self, http: httpx2.AsyncClient, settings: Settings) -> None:
        self._http = http
        self._settings = settings
        self._lock = asyncio.Lock()
        self._token = ""
        self._valid_until = 0.0

    async def valid_token(self) -> str:
        """Return a token that stays valid for a while.

        Raises AuthError if Genesys refuses the client, and the errors of `transport.send_request`
        and `transport.decode_answer`.
        """
        async with self._lock:
            if not self._token or _loop_time() >= self._valid_until:
                await self._log_in()
            return self._token

    async def replace_token(self, refused_token: str) -> str:
        """Return another token than *refused_token*; log in unless another caller already did."""
        async with self._lock:
            if self._token == refused_token:
                await self._log_in()
            return self._token

    async def _log_in(self) -> None:
        started_at = _loop_time()
        settings = self._settings
        credentials = f"{settings.client_id}:{settings.client_secret}"
        request = self._http.build_request(
            "POST",
            settings.hosts.login + endpoints.LOGIN_PATH,
            data={"grant_type": "client_credentials"},
            headers={"Authorization": f"Basic {b64encode(credentials.encode()).decode()}"},
        )
        place = transport.host_and_port(request)
        response = await transport.send_request(
            self._http, request, settings.retry_policy, transport.MAX_SMALL_ANSWER_BYTES
        )
        if refusal := _login_refusal(response):
            raise AuthError(
                f"{place} refused client id {settings.client_id!r} "
                f"({': '.join(filter(None, (refusal.error, refusal.description)))}); "
                f"{_ADVICE_BY_ERROR.get(refusal.error, _DEFAULT_ADVICE)}",
                code=refusal.error,
            )
        decode_token = partial(msgspec.json.decode, type=payloads.TokenAnswer)
        answer = transport.decode_answer("login", response, decode_token)
        if (
            not _TOKEN_PATTERN.fullmatch(answer.access_token)
            or not 0 < answer.expires_in <= _MAX_LIFETIME
        ):
            raise UnexpectedAnswer(
                f"{place}: the answer to the login has no usable token: the token is "
                "empty, very long or not plain text, or its lifetime is impossible; check that "
                "GENESYS_REGION names Genesys Cloud, and that no proxy answers in its place"
            )
        register_secret(answer.access_token, passing=True)
        self._token = answer.access_token
        self._valid_until = started_at + max(
            answer.expires_in - _EXPIRY_MARGIN, answer.expires_in / 2
        )


_DEFAULT_ADVICE = (
    "check GENESYS_CLIENT_ID and GENESYS_CLIENT_SECRET, and GENESYS_REGION: in the wrong region, "
    "the right secret is refused in the same way"
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
