"""The command line, ``python -m genesys_emulator``: options, turned into a server."""

import os
import sys
import time
from dataclasses import replace
from datetime import timedelta
from errno import EADDRINUSE, errorcode
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID, uuid4

from cyclopts import App, CycloptsError, Parameter

from genesys_emulator.http import server
from genesys_emulator.http.app import Emulator
from genesys_emulator.simulation.captured import CapturedError, load_captured
from genesys_emulator.simulation.day_cache import DayCache, cache_folder
from genesys_emulator.simulation.organization import make_organization
from genesys_emulator.simulation.source import Centre, SimulatedCentre
from genesys_emulator.state.clock import Clock
from genesys_emulator.state.fault_parsing import FaultError, parse_option
from genesys_emulator.state.faults import Fault
from genesys_emulator.state.tokens import Tokens
from genesys_emulator.wire.endpoints import PERMISSIONS
from genesys_emulator.wire.errors import near_miss
from genesys_emulator.wire.timestamps import EPOCH, parse_timestamp, utc_date

FAILED, USAGE = 1, 2
SECRET = "emulator-secret"  # noqa: S105  (it protects nothing)
MOST_AGENTS, MOST_DAYS, MOST_PORTS = 10_000, 20_000, 65_535
MOST_SECONDS, MOST_REQUESTS = 172_800, 1_000_000

GrantType = Literal["client-credentials", "code", "password", "saml2-bearer", "token"]
"""The grant type that an OAuth client is made for."""

app = App(
    name="genesys_emulator",
    help="An emulator of Genesys Cloud. Prints its base URL once it listens.",
    help_format="plaintext",
    version_flags=[],
    suppress_keyboard_interrupt=False,
)


class StartError(Exception):
    """A server that cannot start; the message is one sentence, *code* the exit code."""

    def __init__(self, message: str, code: int = USAGE) -> None:
        super().__init__(message)
        self.code = code


@app.default
def serve_emulator(
    *,
    host: Annotated[str, Parameter(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, Parameter(help="Port; 0 picks a free one.")] = 0,
    seed: Annotated[int, Parameter(help="Seed of the contact centre.")] = 1,
    agents: Annotated[int, Parameter(help="Number of agents.")] = 12,
    days: Annotated[int, Parameter(help="Days of history before now.")] = 7,
    now: Annotated[
        str | None, Parameter(help="Stop the clock, such as 2026-03-03T00:00:00Z.")
    ] = None,
    client_id: Annotated[
        str, Parameter(allow_leading_hyphen=True, help="OAuth client id.")
    ] = "emulator",
    client_secret: Annotated[
        str, Parameter(allow_leading_hyphen=True, show_default=False, help="OAuth client secret.")
    ] = SECRET,
    grant_type: Annotated[
        GrantType,
        Parameter(
            show_choices=False,
            show_default=False,
            help="client-credentials; all others get no token.",
        ),
    ] = "client-credentials",
    organization_id: Annotated[
        str | None, Parameter(help="UUID of the organization; else from the seed.")
    ] = None,
    conversations: Annotated[
        Path | None, Parameter(help="Serve this file of records, simulate nothing.")
    ] = None,
    requests_per_minute: Annotated[int, Parameter(help="Rate limit of a token.")] = 300,
    token_lifetime: Annotated[int, Parameter(help="Lifetime of tokens in seconds.")] = 86_399,
    no_cache: Annotated[
        bool, Parameter(negative=(), show_default=False, help="Keep no simulated days on disk.")
    ] = False,
    retry_after: Annotated[
        Literal["always", "never"],
        Parameter(show_choices=False, help="Retry-After: always or never."),
    ] = "always",
    fault: Annotated[
        tuple[str, ...],
        Parameter(
            negative=(), show_default=False, help="Fault, as kind=status,calls=1+3; repeatable."
        ),
    ] = (),
    without_permission: Annotated[
        tuple[str, ...],
        Parameter(negative=(), show_default=False, help="Permission to withhold; repeatable."),
    ] = (),
) -> int:
    """Serve until a signal arrives; return the exit code."""
    _check_range(1, MOST_AGENTS, agents=agents)
    _check_range(1, MOST_DAYS, days=days)
    _check_range(1, MOST_SECONDS, token_lifetime=token_lifetime)
    _check_range(0, MOST_REQUESTS, requests_per_minute=requests_per_minute)
    _check_range(0, MOST_PORTS, port=port)
    clock = _parse_clock(now)
    opened = max(utc_date(clock()) - timedelta(days=days), EPOCH.date())
    centre, served = (
        (_load_conversations(conversations), f"the conversations of {conversations}")
        if conversations
        else (
            SimulatedCentre(
                make_organization(seed, agents),
                opened,
                None if no_cache else DayCache(cache_folder(), server.print_message),
            ),
            f"{agents} agents since {opened}",
        )
    )
    if organization_id is not None:
        centre.organization = replace(centre.organization, id=_parse_uuid(organization_id))
    emulator = Emulator(
        centre,
        Tokens(client_id, client_secret, token_lifetime, requests_per_minute, grant_type),
        now=clock,
        withheld=_parse_permissions(without_permission),
        faults=_parse_faults(fault),
        retry_after=retry_after == "always",
    )
    secret = f" and secret {SECRET!r}" if client_secret == SECRET else ""
    return _run_on_port(emulator, host, port, f"{served}, for client id {client_id!r}{secret}")


def main() -> None:
    """Run the command line and exit."""
    try:
        code = app(exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        server.print_message(f"{str(error).rstrip('.')}; see python -m genesys_emulator --help")
        sys.exit(USAGE)
    except StartError as error:
        server.print_message(str(error))
        sys.exit(error.code)
    except KeyboardInterrupt:
        sys.exit(server.INTERRUPTED)
    sys.exit(code)


def _run_on_port(emulator: Emulator, host: str, port: int, served: str) -> int:
    try:
        sock = server.open_socket(host, port)
    except OSError as error:
        why = os.strerror(error.errno or 0) if error.errno in errorcode else "no such address"
        hint = "; --port 0 picks a free one" if error.errno == EADDRINUSE else ""
        raise StartError(f"port {port} of {host}: {why}{hint}", FAILED) from None
    with sock:
        server.print_message(served)
        return server.run_server(emulator, sock)


def _check_range(least: int, most: int, **options: int) -> None:
    for name, value in options.items():
        if not least <= value <= most:
            option = name.replace("_", "-")
            raise StartError(f"--{option} {value}: write a number from {least} to {most}")


def _parse_clock(now: str | None) -> Clock:
    try:
        stopped = None if now is None else parse_timestamp(now, None)
    except ValueError:
        raise StartError(
            f"--now {now!r}: write a time with its zone, such as 2026-03-03T00:00:00Z"
        ) from None
    return Clock(lambda: time.time_ns() // 1_000_000, stopped)


def _parse_uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise StartError(
            f"--organization-id {text!r}: write a UUID, such as {uuid4()}; or leave it out"
        ) from None


def _parse_permissions(names: tuple[str, ...]) -> frozenset[str]:
    for name in names:
        if name not in PERMISSIONS:
            hint = near_miss(name, PERMISSIONS) or f"; known are {', '.join(sorted(PERMISSIONS))}"
            raise StartError(f"--without-permission {name!r}: unknown{hint}")
    return frozenset(names)


def _parse_faults(texts: tuple[str, ...]) -> list[Fault]:
    try:
        return [parse_option(text, at) for at, text in enumerate(texts)]
    except FaultError as error:
        raise StartError(f"--fault {error}") from None


def _load_conversations(path: Path) -> Centre:
    try:
        return load_captured(path.read_bytes())
    except OSError as error:
        raise StartError(f"--conversations {path}: cannot be read ({error.strerror})") from None
    except CapturedError as error:
        raise StartError(f"--conversations {path}: {error}; correct it or leave it out") from None


if __name__ == "__main__":
    main()
