"""Runs endpoints: the one place that pages, paces and tries again."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
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
"""Seconds of a wait that is told of."""
MAX_LIST_PAGES = 10_000
"""Pages of a list, of which no organisation has a million rows."""

T = TypeVar("T")
QueryParameters = Mapping[str, str | Sequence[str]]


class Client:
    """A connection to one organisation: `async with`, then `call` and `list_entities`.

    *on_wait* is called with the seconds of each wait for the rate limit.
    """

    def __init__(
        self, settings: Settings, paused: Callable[[float], None] = lambda seconds: None
    ) -> None:
        self._settings = settings
        self._http = transport.create_http_client(
            settings.retry_policy, local=settings.hosts.on_this_machine
        )
        self._credentials = ClientCredentials(self._http, settings)
        self._slots = _ConcurrencyLimit()
        self._blocked_until = self._next_start = 0.0
        self._on_wait = paused
        self.retry_policy = settings.retry_policy
        self.server_time: datetime | None = None
        """The time of the last answer by Genesys' clock; None until an answer has told it."""
        self.requests_left: int | None = None
        """The number of requests that this minute still allows; None until an answer tells it."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.aclose()

    async def call(
        self,
        endpoint: Endpoint[T],
        *,
        query: QueryParameters | None = None,
        body: object = None,
        final: Callable[[Exception], bool] = lambda error: False,
    ) -> T:
        """Send a request and return the answer, with as many attempts as the retry policy allows.

        An error for which *final* returns true is not retried. Raises ApiError, AuthError,
        Unreachable or UnexpectedAnswer.
        """
        patience = self._settings.retry_policy
        address = self._request_url(endpoint, query)
        async for attempt in stamina.retry_context(
            on=lambda error: (
                not final(error)
                and retry_policy.retry_decision(error, ceiling=patience.max_retry_after)
            ),
            attempts=patience.attempts,
            timeout=None,  # else a minute of Retry-After would be the last
            wait_initial=patience.first_wait,
            wait_max=patience.longest_wait,
            wait_jitter=patience.first_wait,
        ):
            with attempt:
                async with self._slots.acquire_slot():
                    response = await self._send_authorized(endpoint, address, body)
                    answer: T = self._decode_and_pace(endpoint, response)
        return answer

    async def list_entities(
        self,
        endpoint: Endpoint[payloads.ListPage[payloads.DirectoryEntity]],
        query: QueryParameters | None = None,
    ) -> AsyncIterator[payloads.DirectoryEntity]:
        """The rows of a list, every page of it. Raises what `call` raises.

        Pages are asked for by number: following the address in an answer
        would send the token wherever that points.
        """
        size, number = PAGE_SIZE, 1
        read: set[str] = set()
        for _ in range(MAX_LIST_PAGES):
            asked = {**(query or {}), "pageSize": str(size), "pageNumber": str(number)}
            page = await self.call(endpoint, query=asked)
            rows = page.entities or ()
            for row in rows:
                yield row
            if page.next_uri is None:
                return
            if read.issuperset(row.id for row in rows):
                raise UnexpectedAnswer(
                    f"{endpoint.name}: page {number} has nothing new, yet another is announced; "
                    "some may be missing, so nothing was used - try again"
                )
            read.update(row.id for row in rows)
            size, number = page.page_size or size, (page.page_number or number) + 1
        raise UnexpectedAnswer(
            f"{endpoint.name}: more than {MAX_LIST_PAGES:,} pages, which no organisation has; "
            "nothing was used - try again later"
        )

    def _request_url(self, endpoint: Endpoint[Any], query: QueryParameters | None) -> httpx2.URL:
        """Raises UnexpectedAnswer for one that cannot be: a part of it is from an answer."""
        try:
            return httpx2.URL(self._settings.hosts.api + endpoint.path, params=query)
        except httpx2.InvalidURL as error:
            raise UnexpectedAnswer(
                f"{endpoint.name}: an id that was answered before cannot be part of an address; "
                "try again, and if it stays, please report this as a bug"
            ) from error

    async def _send_authorized(
        self, endpoint: Endpoint[Any], address: httpx2.URL, body: object
    ) -> httpx2.Response:
        token = await self._credentials.valid_token()
        response = await self._send_with_token(endpoint, address, body, token)
        if response.status_code == httpx2.codes.UNAUTHORIZED:
            token = await self._credentials.replace_token(token)
            response = await self._send_with_token(endpoint, address, body, token)
        return response

    async def _send_with_token(
        self, endpoint: Endpoint[Any], address: httpx2.URL, body: object, token: str
    ) -> httpx2.Response:
        request = self._http.build_request(
            endpoint.method,
            address,
            content=None if body is None else msgspec.json.encode(body),
            headers={"Authorization": f"Bearer {token}"}
            | ({} if body is None else {"Content-Type": "application/json"}),
        )
        await self._wait_for_turn()
        response = await transport.send_request(self._http, request, self._settings.retry_policy)
        self.requests_left = retry_policy.remaining_requests(response.headers)
        self.server_time = retry_policy.parse_server_time(response.headers) or self.server_time
        self._block_requests(
            retry_policy.rate_limit_pause(
                response.headers, ceiling=self.retry_policy.max_retry_after
            )
        )
        return response

    def _decode_and_pace(self, endpoint: Endpoint[T], response: httpx2.Response) -> T:
        try:
            answer: T = transport.decode_answer(endpoint.name, response, endpoint.answer_type)
        except ApiError as error:
            wait = retry_policy.retry_decision(error, ceiling=self.retry_policy.max_retry_after)
            if not isinstance(wait, bool):  # who has to wait for one has to with all
                self._block_requests(wait)
            raise
        return answer

    async def _wait_for_turn(self) -> None:
        loop = asyncio.get_running_loop()
        if allowed := self._settings.max_requests_per_minute:
            start = max(self._next_start, loop.time())
            self._next_start = start + 60 / allowed
            await asyncio.sleep(start - loop.time())
        while (wait := self._blocked_until - loop.time()) > 0:  # noqa: ASYNC110  (it may be put off)
            await asyncio.sleep(wait)

    def _block_requests(self, seconds: float) -> None:
        until = asyncio.get_running_loop().time() + seconds
        if seconds >= MIN_REPORTED_WAIT and until > self._blocked_until + MIN_REPORTED_WAIT:
            self._on_wait(seconds)
        self._blocked_until = max(self._blocked_until, until)


@dataclass(slots=True)
class _ConcurrencyLimit:
    """A limit on concurrent requests, as many as Genesys keeps up with."""

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
