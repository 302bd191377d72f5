"""Look at each part in turn: the settings, the way to Genesys, what it allows, and the store."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import httpx2

from halfhour.checking import judgements, permissions
from halfhour.checking.findings import Finding, State, fails, next_step, note, skipped, works
from halfhour.checking.permissions import Permission
from halfhour.clock import utc_now
from halfhour.errors import ApiError, AuthError, ConfigError, HalfhourError, StoreBusy, StoreError
from halfhour.genesys import endpoints, payloads, regions, requests, transport
from halfhour.genesys.client import Client
from halfhour.genesys.connection import Settings
from halfhour.genesys.network.certificates import describe_trust, load_trusted_certificates
from halfhour.genesys.network.failures import connection_failure
from halfhour.genesys.network.probes import read_issuer
from halfhour.genesys.network.proxies import Proxy, find_proxy
from halfhour.genesys.regions import Hosts
from halfhour.genesys.retry_policy import RetryPolicy
from halfhour.model.coverage import DAY
from halfhour.model.intervals import HALF_HOUR, Interval, floor_to_width
from halfhour.model.vocabulary import Source
from halfhour.settings import SETTINGS_BY_NAME
from halfhour.settings.settings_file import read_settings_file
from halfhour.store.locking import find_running_sync
from halfhour.store.store import Store
from halfhour.syncing.planner import SyncRequest, due_days
from halfhour.syncing.progress import format_count
from halfhour.syncing.runner import CLOCK_TOLERANCE, UNIDENTIFIED_STATUSES

MAX_ATTEMPTS = 2
"""The most attempts of a request: a check soon says what does not work."""
MAX_LISTED_AGENTS = 1_000
"""The most agents whose divisions are compared; a longer list takes too many requests."""
REGION_SECONDS = 5.0
"""Seconds that the login of another region has to answer."""
_SEPARATE_DOMAINS = ("use2.us-gov-pure.cloud", "edee1.eusc-pure.cloud")
"""Regions that the law keeps apart from the others: no secret is sent from or to them."""
_NOBODY = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """The subject of a check: settings, hosts and a store, each returned by a function.

    The functions raise the errors of `halfhour.settings`. *settings_file* is None for the usual
    places, *organization* the name of its table or empty.
    """

    load_settings: Callable[[], Settings]
    find_hosts: Callable[[], Hosts]
    find_store: Callable[[], Store]
    settings_file: Path | None = None
    organization: str = ""
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)


@dataclass(slots=True)
class Check:
    """The parts of a check. A part may use what the parts have learnt that it needs."""

    request: CheckRequest
    findings: list[Finding] = field(default_factory=list)
    _settings: Settings = field(init=False, repr=False)
    _hosts: Hosts = field(init=False)
    _proxy: Proxy | None = None
    _client: Client = field(init=False)
    _owner: payloads.Organization | None = None
    _is_stored: bool = False
    _due_count: int = 0

    @property
    def next_step(self) -> str:
        """The one next thing to do."""
        return next_step(self.findings, is_stored=self._is_stored, due_count=self._due_count)

    async def run(self) -> AsyncIterator[Finding]:
        """Yield the findings, one a part, in order. A part that needs a failed one is skipped."""
        async with AsyncExitStack() as stack:
            for topic, needs, check in self._parts(stack):
                missing = next((name for name in needs if not self._works(name)), None)
                try:
                    finding = skipped(topic, missing) if missing else await check()
                except HalfhourError as error:
                    finding = fails(topic, error)
                self.findings.append(finding)
                yield finding

    def _parts(
        self, stack: AsyncExitStack
    ) -> Iterator[tuple[str, tuple[str, ...], Callable[[], Awaitable[Finding]]]]:
        """Yield each topic, the topics that it needs, and its check."""
        yield "settings", (), self._check_settings
        # Without credentials, which is another error, the way to Genesys can still be tried.
        is_misread = any(isinstance(finding.error, ConfigError) for finding in self.findings)
        needs_settings = ("settings",) if is_misread else ()
        yield "region", needs_settings, self._check_region
        yield "proxy", ("region",), self._check_proxy
        yield "certificate", ("proxy",), self._check_certificate
        yield "token", ("settings", "certificate"), partial(self._check_token, stack)
        yield "organisation", ("token",), self._check_organization
        for permission in permissions.PERMISSIONS:
            yield permission.name, ("token",), partial(self._check_permission, permission)
        yield "divisions", ("token", permissions.POSTED.name), self._check_divisions
        yield "clock", ("token",), self._check_clock
        yield "rate limit", ("token",), self._check_rate_limit
        yield "details", ("token", permissions.DETAILS.name), self._check_availability
        yield "store", needs_settings, self._check_store

    def _works(self, topic: str) -> bool:
        return any(
            finding.topic == topic and finding.state in (State.OK, State.NOTE)
            for finding in self.findings
        )

    async def _check_settings(self) -> Finding:
        self._settings = self.request.load_settings()
        origins = [*_describe_file(self.request), *_describe_environment(self.request.environ)]
        return works("settings", "; ".join(origins) or "from options alone")

    async def _check_region(self) -> Finding:
        self._hosts = self.request.find_hosts()
        urls = {urlsplit(url).hostname or "": url for url in (self._hosts.login, self._hosts.api)}
        names = " and ".join(urls)
        try:
            self._proxy = find_proxy(self._hosts.api, self.request.environ)
        except ConfigError:  # the next part says so
            return works("region", names)
        if self._proxy:
            return works("region", f"{names}, which the proxy looks up")
        for name, url in urls.items():
            try:
                await asyncio.get_running_loop().getaddrinfo(name, None)
            except socket.gaierror as error:
                raise connection_failure(error, url, None) from error
        return works("region", names)

    async def _check_proxy(self) -> Finding:
        proxy = find_proxy(self._hosts.api, self.request.environ)
        return works("proxy", f"{proxy.address} ({proxy.variable})" if proxy else "none")

    async def _check_certificate(self) -> Finding:
        policy = self._policy
        for url in dict.fromkeys((self._hosts.login, self._hosts.api)):
            async with transport.create_http_client(policy, url) as http:
                await transport.send_request(http, http.build_request("HEAD", f"{url}/"), policy)
        if self._hosts.api.startswith("http:"):
            return works("certificate", "none, because the region is written with http://")
        try:
            context = load_trusted_certificates(self.request.environ)
            issuer = await read_issuer(self._hosts.api, self._proxy, context)
        except httpx2.HTTPError:  # the connection has worked a moment ago
            issuer = ""
        trust = describe_trust(self.request.environ)
        return works(
            "certificate", f"issued by {issuer or 'an unnamed issuer'}, trusted by {trust}"
        )

    async def _check_token(self, stack: AsyncExitStack) -> Finding:
        settings = replace(self._settings, retry_policy=self._policy)
        self._client = await stack.enter_async_context(Client(settings))
        try:
            await self._client.log_in()
        except AuthError as error:
            return await _explain_refusal(settings, error)
        return works("token", f"issued to the client {settings.client_id}")

    async def _check_organization(self) -> Finding:
        try:
            self._owner = await self._client.call(endpoints.ORGANIZATION)
        except ApiError as error:
            if error.status not in UNIDENTIFIED_STATUSES:
                raise
            return note("organisation", f"unknown, so no store can be known as its own: {error}")
        return works("organisation", f"{self._owner.name or 'without a name'} ({self._owner.id})")

    async def _check_permission(self, permission: Permission) -> Finding:
        """Send the cheapest request that needs *permission*."""
        client, hour = self._client, _last_interval(2 * HALF_HOUR)
        posted, status = requests.PostedQuery(hour, HALF_HOUR).request_body(), [_NOBODY]
        send: Mapping[Permission, Callable[[], Awaitable[object]]] = {
            permissions.POSTED: lambda: client.call(endpoints.CONVERSATION_AGGREGATES, body=posted),
            permissions.QUEUES: lambda: client.call(
                endpoints.QUEUE_LIST, query={"pageSize": "1", "pageNumber": "1"}
            ),
            permissions.STATUS: lambda: client.call(
                endpoints.USER_AGGREGATES, body=requests.status_query(hour, HALF_HOUR, status)
            ),
            permissions.DETAILS: lambda: client.call(endpoints.DETAIL_AVAILABILITY),
            permissions.CAPACITY: lambda: client.call(
                endpoints.CAPACITY_AGGREGATES, body=requests.capacity_query(hour, HALF_HOUR)
            ),
        }
        try:
            await send[permission]()
        except ApiError as error:
            return judgements.judge_refusal(permission, error)
        return works(permission.name, "granted")

    async def _check_divisions(self) -> Finding:
        agents: list[payloads.DirectoryEntity] = []
        async for agent in self._client.list_entities(endpoints.AGENT_LIST):
            agents.append(agent)
            if len(agents) == MAX_LISTED_AGENTS:
                break
        answer = await self._client.call(
            endpoints.CONVERSATION_AGGREGATES,
            body=requests.active_agents_query(_last_interval(DAY)),
        )
        active = {(result.group or {}).get("userId") or "" for result in answer.results or ()}
        is_complete = len(agents) < MAX_LISTED_AGENTS
        return judgements.judge_divisions(agents, active, is_complete=is_complete)

    async def _check_clock(self) -> Finding:
        with suppress(ApiError):  # a refusal tells the time, too
            await self._client.call(endpoints.ORGANIZATION)
        if self._client.server_time is None:
            return note("clock", "Genesys did not say what time it is")
        return judgements.judge_clock(utc_now() - self._client.server_time, CLOCK_TOLERANCE)

    async def _check_rate_limit(self) -> Finding:
        return judgements.judge_rate_limit(
            self._client.requests_allowed, self._settings.max_requests_per_minute
        )

    async def _check_availability(self) -> Finding:
        answer = await self._client.call(endpoints.DETAIL_AVAILABILITY)
        return works(
            "details",
            f"conversation details jobs have data until {answer.data_availability_date}; later "
            "conversations are read by a query",
        )

    async def _check_store(self) -> Finding:
        """Look at the store as it stands, without waiting for whoever writes to it."""
        store = replace(self.request.find_store(), busy_timeout=0)
        running_sync = find_running_sync(store)
        try:
            if not store.exists:
                _require_writable_folder(store.path)
                return note("store", running_sync or f"{store.path} does not exist yet")
            message = self._describe_store(store)
        except StoreBusy as error:
            message, running_sync = str(error), running_sync or "in use"
        self._is_stored = True
        if read_only := _read_only_part(store.path.resolve()):
            self._due_count = 0  # a sync would fail
            return note(
                "store",
                f"{message}; {read_only} cannot be written, so reports work and a sync does not",
                f"let this user write {read_only}, or name another ⟨store⟩",
            )
        return (
            note("store", f"{message}; {running_sync}") if running_sync else works("store", message)
        )

    def _describe_store(self, store: Store) -> str:
        """Return what *store* holds. Raises ConfigError if it is of another organisation."""
        with store.open_snapshot() as snapshot:
            stored = snapshot.stored_settings()
            windows = [snapshot.settled_windows(source) for source in Source]
            due = due_days(snapshot, SyncRequest(sources=self._permitted_sources), utc_now())
        self._due_count = len({day.day.start for days in due.values() for day in days})
        held_count = len({window.window.start for of_source in windows for window in of_source})
        owner_id = stored.get("organization_id")
        owner_name = stored.get("organization_name") or owner_id or "no organisation yet"
        if self._owner and owner_id not in (None, self._owner.id):
            raise ConfigError(
                f"{store.path} holds figures of the organisation {owner_name} ({owner_id}), and "
                f"this client belongs to {self._owner.name or self._owner.id}; name another "
                "⟨store⟩, or use a client of that organisation"
            )
        megabytes = store.path.stat().st_size / 2**20
        return (
            f"{store.path}, version {stored['version']}, of {owner_name}: "
            f"{format_count(held_count, 'day')} held, {self._due_count} due, {megabytes:.1f} MB"
        )

    @property
    def _permitted_sources(self) -> list[Source] | None:
        """The sources that the client may read; None if that is not known."""
        return [source for source in Source if self._works(source.required_permission)] or None

    @property
    def _policy(self) -> RetryPolicy:
        policy = self._settings.retry_policy if self._works("settings") else RetryPolicy()
        return replace(policy, attempts=min(policy.attempts, MAX_ATTEMPTS))


def _require_writable_folder(path: Path) -> None:
    """Raise StoreError if no store can be made at *path*."""
    if not path.parent.is_dir():
        reason = "there is no such folder"
    elif not os.access(path.parent, os.W_OK):
        reason = "the folder cannot be written"
    else:
        return
    raise StoreError(f"{path}: no store can be made, because {reason}; name another ⟨store⟩")


def _read_only_part(path: Path) -> Path | None:
    """Return the part of the store at *path* that a sync cannot write, if there is one.

    A sync makes files beside a store.
    """
    return next((part for part in (path, path.parent) if not os.access(part, os.W_OK)), None)


def _last_interval(width: timedelta) -> Interval:
    end = floor_to_width(utc_now(), HALF_HOUR)
    return Interval(end - width, end)


def _describe_file(request: CheckRequest) -> Iterator[str]:
    """Yield the settings file that is used and its settings, if there is one."""
    content = read_settings_file(request.settings_file, request.environ)
    if content.path:
        table = f"[org.{request.organization}]" if request.organization else ""
        names = ", ".join(filter(None, [table, *content.settings]))
        yield f"{content.path} ({names or 'no setting'})"


def _describe_environment(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the variables of the environment that are settings, if there are any."""
    variables = [
        variable
        for setting in SETTINGS_BY_NAME.values()
        for variable in setting.environment_variables
        if environ.get(variable)
    ]
    if variables:
        yield f"{', '.join(variables)} in the environment"


async def _explain_refusal(settings: Settings, error: AuthError) -> Finding:
    """Tell a wrong secret, a wrong region and a wrong grant type apart."""
    if error.code == "unauthorized_client":
        fix = "make an OAuth client with the grant type Client Credentials, and use that one"
        return fails("token", error, fix)
    domain = settings.hosts.api.removeprefix("https://api.")
    if domain not in regions.DOMAINS_BY_REGION.values() or domain in _SEPARATE_DOMAINS:
        return fails("token", error, "check client_id, client_secret and region")
    if home := await _find_home_region(settings, domain):
        reason = AuthError(f"this client belongs to the region {home}, and not to {domain}")
        return fails("token", reason, f"set GENESYS_REGION, or region, to {home}")
    fix = "check client_id and client_secret: no other region takes this client either"
    return fails("token", error, fix)


async def _find_home_region(settings: Settings, domain: str) -> str:
    """Return the region other than that of *domain* that takes the client; empty if none does."""
    patience = replace(
        settings.retry_policy, connect_timeout=REGION_SECONDS, silence_timeout=REGION_SECONDS
    )

    async def takes_client(region: str) -> bool:
        hosts = regions.hosts_of_region(region)
        try:
            async with Client(replace(settings, hosts=hosts, retry_policy=patience)) as client:
                await client.log_in()
        except HalfhourError:
            return False
        return True

    others = [
        region
        for region, of_region in regions.DOMAINS_BY_REGION.items()
        if of_region not in (domain, *_SEPARATE_DOMAINS)
    ]
    answers = await asyncio.gather(*map(takes_client, others))
    return next((region for region, is_home in zip(others, answers, strict=True) if is_home), "")
