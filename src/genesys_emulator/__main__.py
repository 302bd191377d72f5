"""``python -m genesys_emulator``: start the server and say where it listens."""

import signal
import socket
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, NoReturn

import uvicorn
from cyclopts import App, CycloptsError, Parameter

from genesys_emulator import captured
from genesys_emulator.app import PERMISSIONS, Emulator
from genesys_emulator.centre import Captured, Centre, Simulated
from genesys_emulator.refusal import near_miss
from genesys_emulator.tokens import Tokens

app = App(
    name="genesys_emulator",
    help="Run a Genesys Cloud on this machine. Its base URL is printed once it listens.",
    help_format="plaintext",
    version_flags=[],
    suppress_keyboard_interrupt=False,
)
OLDEST = datetime(1970, 1, 3, tzinfo=UTC)


class Announcing(uvicorn.Server):
    """A server that prints *base_url* as soon as it can be asked."""

    base_url = ""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(self.base_url, flush=True)


@app.default
def serve(
    *,
    host: Annotated[str, Parameter(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, Parameter(help="Port to listen on; 0 is any free one.")] = 0,
    seed: Annotated[int, Parameter(help="Which contact centre.")] = 1,
    agents: Annotated[int, Parameter(help="How many agents it has.")] = 12,
    days: Annotated[int, Parameter(help="How many days before now it opened.")] = 7,
    now: Annotated[
        str | None, Parameter(help="Where its clock stands, as 2026-03-02T12:00Z [the real time].")
    ] = None,
    client_id: Annotated[str, Parameter(help="OAuth client to accept.")] = "emulator",
    client_secret: Annotated[str, Parameter(help="Its secret.")] = "emulator-secret",  # noqa: S107
    conversations: Annotated[
        Path | None, Parameter(help="Serve these detail records in place of simulated ones.")
    ] = None,
    requests_per_minute: Annotated[int, Parameter(help="Per token, before 429.")] = 300,
    token_lifetime: Annotated[int, Parameter(help="Seconds.")] = 86399,
    without_permission: Annotated[
        tuple[str, ...], Parameter(negative=(), help="What the client may not; repeatable.")
    ] = (),
) -> None:
    """Start the server."""
    for name, value in {"agents": agents, "days": days, "token-lifetime": token_lifetime}.items():
        if value < 1:
            _stop(f"--{name} {value} must be 1 or more", 2)
    for permission in without_permission:
        if permission not in PERMISSIONS.values():
            hint = near_miss(permission, PERMISSIONS.values())
            _stop(f"--without-permission {permission!r} is not checked here.{hint}", 2)
    clock = _clock(now)
    centre = _centre(conversations, seed, agents, (clock or datetime.now(UTC)), days)
    emulator = Emulator(
        centre,
        Tokens(client_id, client_secret, token_lifetime, requests_per_minute),
        withheld=frozenset(without_permission),
    )
    if clock:
        emulator.now = lambda: clock
    _run(emulator, _listening(host, port))


def main() -> None:
    """Run the command line and exit."""
    try:
        app(exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        _stop(f"{error}; see --help", 2)
    except KeyboardInterrupt:
        sys.exit(130)


def _clock(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        _stop(f"--now {text!r} cannot be read; write 2026-03-02T12:00Z", 2)
    moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    if moment < OLDEST:
        _stop(f"--now {text} is before {OLDEST.date()}", 2)
    return moment


def _centre(path: Path | None, seed: int, agents: int, now: datetime, days: int) -> Centre:
    if path is None:
        opened = max(now - min(timedelta(days=days), now - OLDEST), OLDEST)
        return Simulated(seed, agents, opened.date())
    try:
        return Captured(captured.read(path))
    except captured.Malformed as error:
        _stop(f"--conversations {error}; nothing of it is served", 2)
    except OSError as error:
        _stop(f"--conversations {path}: cannot be read ({error.strerror})", 2)


def _listening(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port))
    except OSError as error:
        _stop(f"{host}:{port}: cannot listen ({error.strerror}); --port 0 takes a free port", 1)
    except OverflowError:
        _stop(f"--port {port} must be a number from 0 to 65535", 2)


def _run(emulator: Emulator, listening: socket.socket) -> None:
    server = Announcing(
        uvicorn.Config(
            emulator,
            lifespan="off",
            log_config=None,
            log_level="critical",
            timeout_graceful_shutdown=0,
            server_header=False,
        )
    )
    host, port = listening.getsockname()[:2]
    server.base_url = f"http://{host}:{port}"
    # uvicorn stops at the signal and then raises it again, for this handler.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print(
        f"genesys_emulator: {emulator.centre.org.name}, {len(emulator.centre.org.agents)} agents, "
        f"for client id {emulator.tokens.client_id!r}",
        file=sys.stderr,
    )
    with listening:
        server.run(sockets=[listening])


def _stop(message: str, code: int) -> NoReturn:
    print(f"genesys_emulator: {message}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
