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

NOTABLE = 1.0
"""Seconds of a wait that is told of."""
MOST_PAGES = 10_000
"""Pages of a list, of which no organisation has a million rows."""

T = TypeVar("T")
Query = Mapping[str, str | Sequence[str]]


class Client:
    """A connection to one organisation; `async with`, then `call` and `pages`.

    *paused* is told of each wait for the rate limit, in seconds.
    """

    def __init__(
        self, settings: Settings, paused: Callable[[float], None] = lambda seconds: None
    ) -> None:
        self._settings = settings
        self._http = transport.connect(settings.patience, local=settings.hosts.on_this_machine)
        self._login = ClientCredentials(self._http, settings)
        self._slots = _Slots()
        self._held_until = self._next = 0.0
        self._paused = paused
        self.patience = settings.patience
        self.server_time: datetime | None = None
        """When the last answer was sent, by Genesys' clock, as far as it has said."""
        self.left: int | None = None
        """How many requests the minute still allows, as far as an answer has said."""

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
        query: Query | None = None,
        body: object = None,
        final: Callable[[Exception], bool] = lambda error: False,
    ) -> T:
        """One answer, tried for as long as the settings' patience lasts, or until an error is
        *final*.

        Raises ApiError, AuthError, Unreachable or UnexpectedAnswer.
        """
        patience = self._settings.patience
        address = self._address(endpoint, query)
        async for attempt in stamina.retry_context(
            on=lambda error: (
                not final(error) and retry_policy.retry(error, ceiling=patience.ceiling)
            ),
            attempts=patience.attempts,
            timeout=None,  # else a minute of Retry-After would be the last
            wait_initial=patience.first_wait,
            wait_max=patience.longest_wait,
            wait_jitter=patience.first_wait,
        ):
            with attempt:
                async with self._slots.one():
                    response = await self._send(endpoint, address, body)
                    answer: T = self._read(endpoint, response)
        return answer

    async def pages(
        self, endpoint: Endpoint[payloads.Page[payloads.Named]], query: Query | None = None
    ) -> AsyncIterator[payloads.Named]:
        """The rows of a list, every page of it. Raises what `call` raises.

        Pages are asked for by number: following the address in an answer
        would send the token wherever that points.
        """
        size, number = PAGE_SIZE, 1
        read: set[str] = set()
        for _ in range(MOST_PAGES):
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
            f"{endpoint.name}: more than {MOST_PAGES:,} pages, which no organisation has; nothing "
            "was used - try again later"
        )

    def _address(self, endpoint: Endpoint[Any], query: Query | None) -> httpx2.URL:
        """Raises UnexpectedAnswer for one that cannot be: a part of it is from an answer."""
        try:
            return httpx2.URL(self._settings.hosts.api + endpoint.path, params=query)
        except httpx2.InvalidURL as error:
            raise UnexpectedAnswer(
                f"{endpoint.name}: an id that was answered before cannot be part of an address; "
                "try again, and if it stays, please report this as a bug"
            ) from error

    async def _send(
        self, endpoint: Endpoint[Any], address: httpx2.URL, body: object
    ) -> httpx2.Response:
        token = await self._login.token()
        response = await self._exchange(endpoint, address, body, token)
        if response.status_code == httpx2.codes.UNAUTHORIZED:
            token = await self._login.another(token)
            response = await self._exchange(endpoint, address, body, token)
        return response

    async def _exchange(
        self, endpoint: Endpoint[Any], address: httpx2.URL, body: object, token: str
    ) -> httpx2.Response:
        request = self._http.build_request(
            endpoint.method,
            address,
            content=None if body is None else msgspec.json.encode(body),
            headers={"Authorization": f"Bearer {token}"}
            | ({} if body is None else {"Content-Type": "application/json"}),
        )
        await self._turn()
        response = await transport.exchange(self._http, request, self._settings.patience)
        self.left = retry_policy.left(response.headers)
        self.server_time = retry_policy.server_time(response.headers) or self.server_time
        self._hold(retry_policy.pause(response.headers, ceiling=self.patience.ceiling))
        return response

    def _read(self, endpoint: Endpoint[T], response: httpx2.Response) -> T:
        try:
            answer: T = transport.read(endpoint.name, response, endpoint.answer)
        except ApiError as error:
            wait = retry_policy.retry(error, ceiling=self.patience.ceiling)
            if not isinstance(wait, bool):  # who has to wait for one has to with all
                self._hold(wait)
            raise
        return answer

    async def _turn(self) -> None:
        loop = asyncio.get_running_loop()
        if allowed := self._settings.max_requests_per_minute:
            start = max(self._next, loop.time())
            self._next = start + 60 / allowed
            await asyncio.sleep(start - loop.time())
        while (wait := self._held_until - loop.time()) > 0:  # noqa: ASYNC110  (it may be put off)
            await asyncio.sleep(wait)

    def _hold(self, seconds: float) -> None:
        until = asyncio.get_running_loop().time() + seconds
        if seconds >= NOTABLE and until > self._held_until + NOTABLE:
            self._paused(seconds)
        self._held_until = max(self._held_until, until)


@dataclass(slots=True)
class _Slots:
    """As many requests at once as the other side keeps up with."""

    _most: float = retry_policy.IN_FLIGHT
    _taken: int = 0
    _given_back: asyncio.Condition = field(default_factory=asyncio.Condition)

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        async with self._given_back:
            await self._given_back.wait_for(lambda: self._taken < int(self._most))
            self._taken += 1
        error: HalfhourError | None = None
        try:
            yield
        except HalfhourError as failure:
            error = failure
            raise
        finally:
            self._taken -= 1
            self._most = retry_policy.in_flight(self._most, error)
            async with self._given_back:
                self._given_back.notify_all()
