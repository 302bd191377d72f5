"""Call endpoints: the only module that retries, reads all pages and keeps to the rate limit."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import httpx2
import msgspec
import stamina

from halfhour.errors import ApiError, HalfhourError, UnexpectedAnswer
from halfhour.genesys import payloads, retry_policy, transport
from halfhour.genesys.auth import ClientCredentials
from halfhour.genesys.connection import Settings
from halfhour.genesys.endpoints import PAGE_SIZE, Endpoint

if TYPE_CHECKING:
    from datetime import datetime

MIN_REPORTED_WAIT = 1.0
"""The shortest wait, in seconds, that is reported."""
MAX_LIST_PAGES = 10_000
"""The most pages of a list. No organisation has a million agents or queues."""

T = TypeVar("T")
QueryParameters = Mapping[str, str | Sequence[str]]


class Client:
    """A connection to one organisation, opened by `async with`.

    *on_wait* is called with the seconds of each wait for the rate limit. The constructor raises
    ConfigError if the environment names a proxy or certificates that cannot be used.
    """

    def __init__(
        self, settings: Settings, on_wait: Callable[[float], None] = lambda seconds: None
    ) -> None:
        self._settings = settings
        self._http = transport.create_http_client(settings.retry_policy, settings.hosts.api)
        self._credentials = ClientCredentials(self._http, settings)
        self._slots = _ConcurrencyLimit()
        self._blocked_until = self._next_start = 0.0
        self._has_connected = False
        self._on_wait = on_wait
        self.retry_policy = settings.retry_policy
        self.server_time: datetime | None = None
        """The time of the last answer by Genesys' clock; None before the first answer."""
        self.requests_left: int | None = None
        """The number of requests that this minute still allows; None while it is unknown."""
        self.requests_allowed: int | None = None
        """The number of requests that each minute allows; None while it is unknown."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.aclose()

    async def log_in(self) -> None:
        """Get a token, in one attempt. Raises the errors of `ClientCredentials.valid_token`."""
        await self._credentials.valid_token()

    async def call(
        self,
        endpoint: Endpoint[T],
        *,
        query: QueryParameters | None = None,
        body: object = None,
        is_final_error: Callable[[Exception], bool] = lambda error: False,
    ) -> T:
        """Return the answer of *endpoint*, with retries by the retry policy of the settings.

        An error is not retried if *is_final_error* returns True for it.
        Raises ApiError, AuthError, Unreachable or UnexpectedAnswer.
        """
        policy = self.retry_policy
        url = self._request_url(endpoint, query)
        failed_attempts = count(1)
        async for attempt in stamina.retry_context(
            on=lambda error: (
                not is_final_error(error)
                and retry_policy.retry_decision(
                    error,
                    ceiling=policy.max_retry_after,
                    attempt=next(failed_attempts),
                    connected_before=self._has_connected,
                )
            ),
            attempts=policy.attempts,
            timeout=None,  # stamina's default would allow no second Retry-After of a minute
            wait_initial=policy.first_wait,
            wait_max=policy.longest_wait,
            wait_jitter=policy.first_wait,
        ):
            with attempt:
                async with self._slots.acquire_slot():
                    response = await self._send_authorized(endpoint, url, body)
                    answer: T = self._decode_and_pace(endpoint, response)
        return answer

    async def list_entities(
        self,
        endpoint: Endpoint[payloads.ListPage[payloads.DirectoryEntity]],
        query: QueryParameters | None = None,
    ) -> AsyncIterator[payloads.DirectoryEntity]:
        """Yield the entities of every page of a list. Raises the errors of `call`.

        Pages are requested by number: the URL of the next page in an answer could lead to another
        host, which would receive the token.
        """
        size, number = PAGE_SIZE, 1
        read_ids: set[str] = set()
        for _ in range(MAX_LIST_PAGES):
            page_query = {**(query or {}), "pageSize": str(size), "pageNumber": str(number)}
            page = await self.call(endpoint, query=page_query)
            entities = page.entities or ()
            for entity in entities:
                yield entity
            if page.next_uri is None:
                return
            if read_ids.issuperset(entity.id for entity in entities):
                raise UnexpectedAnswer(
                    f"{endpoint.name}: page {number} has nothing new but announces another page; "
                    "entries may be missing, so nothing was used - try again"
                )
            read_ids.update(entity.id for entity in entities)
            size, number = page.page_size or size, (page.page_number or number) + 1
        raise UnexpectedAnswer(
            f"{endpoint.name}: the list has more than {MAX_LIST_PAGES:,} pages, which no "
            "organisation has; "
            "nothing was used - try again later"
        )

    def _request_url(self, endpoint: Endpoint[Any], query: QueryParameters | None) -> httpx2.URL:
        """Return the URL of a request. Raises UnexpectedAnswer if an id makes it invalid."""
        try:
            return httpx2.URL(self._settings.hosts.api + endpoint.path, params=query)
        except httpx2.InvalidURL as error:
            raise UnexpectedAnswer(
                f"{endpoint.name}: an id from an earlier answer cannot be part of a URL; try "
                "again, and if this stays, please report it as a bug"
            ) from error

    async def _send_authorized(
        self, endpoint: Endpoint[Any], url: httpx2.URL, body: object
    ) -> httpx2.Response:
        token = await self._credentials.valid_token()
        response = await self._send_with_token(endpoint, url, body, token)
        if response.status_code == httpx2.codes.UNAUTHORIZED:
            token = await self._credentials.replace_token(token)
            response = await self._send_with_token(endpoint, url, body, token)
        return response

    async def _send_with_token(
        self, endpoint: Endpoint[Any], url: httpx2.URL, body: object, token: str
    ) -> httpx2.Response:
        request = self._http.build_request(
            endpoint.method,
            url,
            content=None if body is None else msgspec.json.encode(body),
            headers={"Authorization": f"Bearer {token}"}
            | ({} if body is None else {"Content-Type": "application/json"}),
        )
        await self._wait_for_turn()
        response = await transport.send_request(self._http, request, self._settings.retry_policy)
        self._has_connected = True
        self.requests_left = retry_policy.remaining_requests(response.headers)
        self.requests_allowed = retry_policy.allowed_requests(response.headers)
        self.server_time = retry_policy.parse_server_time(response.headers) or self.server_time
        self._block_requests(
            retry_policy.rate_limit_pause(
                response.headers, ceiling=self.retry_policy.max_retry_after
            )
        )
        return response

    def _decode_and_pace(self, endpoint: Endpoint[T], response: httpx2.Response) -> T:
        try:
            answer: T = transport.decode_answer(endpoint.name, response, endpoint.decode)
        except ApiError as error:
            wait = retry_policy.retry_decision(error, ceiling=self.retry_policy.max_retry_after)
            if not isinstance(wait, bool):  # Retry-After holds for all requests, not for one
                self._block_requests(wait)
            raise
        return answer

    async def _wait_for_turn(self) -> None:
        loop = asyncio.get_running_loop()
        if max_per_minute := self._settings.max_requests_per_minute:
            start = max(self._next_start, loop.time())
            self._next_start = start + 60 / max_per_minute
            await asyncio.sleep(start - loop.time())
        while (wait := self._blocked_until - loop.time()) > 0:  # noqa: ASYNC110  (the end may move)
            await asyncio.sleep(wait)

    def _block_requests(self, seconds: float) -> None:
        blocked_until = asyncio.get_running_loop().time() + seconds
        if seconds >= MIN_REPORTED_WAIT and blocked_until > self._blocked_until + MIN_REPORTED_WAIT:
            self._on_wait(seconds)
        self._blocked_until = max(self._blocked_until, blocked_until)


@dataclass(slots=True)
class _ConcurrencyLimit:
    """A limit on concurrent requests, which adapts to the load that Genesys can take."""

    _limit: float = retry_policy.MAX_CONCURRENT_REQUESTS
    _slots_in_use: int = 0
    _slot_freed: asyncio.Condition = field(default_factory=asyncio.Condition)

    @asynccontextmanager
    async def acquire_slot(self) -> AsyncIterator[None]:
        async with self._slot_freed:
            await self._slot_freed.wait_for(lambda: self._slots_in_use < int(self._limit))
            self._slots_in_use += 1
        error: HalfhourError | None = None
        try:
            yield
        except HalfhourError as failure:
            error = failure
            raise
        finally:
            self._slots_in_use -= 1
            self._limit = retry_policy.next_concurrency(self._limit, error)
            async with self._slot_freed:
                self._slot_freed.notify_all()
