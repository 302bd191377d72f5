"""Runs the dashboard: where it listens, and whom it lets in."""

import errno
import logging
import os
import secrets
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from getpass import getpass
from ipaddress import ip_address
from pathlib import Path

import uvicorn

from halfhour.errors import ConfigError
from halfhour.genesys.connection import Settings
from halfhour.model import time_ranges
from halfhour.store.store import Store
from halfhour.web.app import create_app
from halfhour.web.auth import PasswordAuth, hash_password
from halfhour.web.background_sync import BackgroundSync

log = logging.getLogger("halfhour")

HASH_PREFIX = b"scrypt$"
LOOPBACK_HOSTS = {4: "127.0.0.1", 6: "[::1]"}
"""This machine in an address, by the version of IP: no browser can be led to all addresses."""
WRITABLE_BY_OTHERS = 0o022
"""To read it is no harm: it holds a hash, and Docker lets everybody read its secrets.

Nor is a file refused, as disks that are mounted from elsewhere may show no other mode.
"""
STORE_WAIT_SECONDS = 5.0
"""Seconds that an answer waits for another process that has the store open.

A sync is done with a day before; and while one waits, others who ask may have to.
"""
PORTS_TO_TRY = 20
"""How many ports after one that is taken are tried, to name one that is free."""


def serve_dashboard(
    load: Callable[[], Settings],
    store: Store,
    *,
    host: str,
    port: int,
    zone: str,
    password_file: Path | None,
    names: Sequence[str],
    proxy: str | None,
    every: timedelta | None,
) -> None:
    """Serve the dashboard of *store* until it is interrupted. Raises ConfigError."""
    time_ranges.parse_zone(zone)
    here = _is_loopback(host)
    if not here and password_file is None:
        raise ConfigError(
            f"⟨host⟩ {host}: whoever can reach that address could read everything; name a "
            "⟨password_file⟩, which 'halfhour password FILE' makes, and put TLS in front "
            "(docs/dashboard.md)"
        )
    for name in names:
        if "*" in name or "/" in name:
            raise ConfigError(f"⟨names⟩ {name}: write a host name, such as halfhour.example.com")
    keeper = PasswordAuth.from_file(password_file) if password_file else None
    live = BackgroundSync(every)
    if every:
        load()  # so that missing credentials are said at once
    with _listening_socket(host, port) as listener:
        shown = _host_in_url(host)
        hosts = {"127.0.0.1", "localhost", "[::1]", shown, *names}
        shown_store = replace(store, busy_timeout=STORE_WAIT_SECONDS)
        dashboard = create_app(shown_store, zone=zone, live=live, doorkeeper=keeper, hosts=[*hosts])
        if every:
            live.start_thread(load, store)
        log.info("http://%s:%d/", shown, listener.getsockname()[1])
        if shown in LOOPBACK_HOSTS.values() and not here:
            log.warning("it listens on all addresses of this machine, not on that one alone")
        if not here:
            log.warning("anybody on the way can read along: put TLS in front (docs/dashboard.md)")
        if (
            password_file
            and os.name == "posix"
            and password_file.stat().st_mode & WRITABLE_BY_OTHERS
        ):
            log.warning(
                "⟨password_file⟩ %s: others on this machine may write to it, and let in whom they "
                "like: chmod go-w %s",
                password_file,
                password_file,
            )
        config = uvicorn.Config(
            dashboard,
            log_level="warning",
            access_log=False,
            lifespan="off",
            proxy_headers=proxy is not None,
            forwarded_allow_ips=proxy,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        try:
            uvicorn.Server(config).run(sockets=[listener])
        finally:
            live.stop_requested.set()


def write_password_file(path: Path) -> None:
    """Ask for a password, or read a line of it, and write its hash to *path*.

    Raises ConfigError.
    """
    if sys.stdin.isatty():
        given = getpass("Password: ")
        if getpass("Again: ") != given:
            raise ConfigError("the two are not the same; nothing was written")
    else:
        given = sys.stdin.readline().rstrip("\n")
    line = f"{hash_password(given, secrets.token_bytes(16))}\n"
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        if path.exists() and not path.read_bytes().startswith(HASH_PREFIX):
            raise ConfigError(f"{path}: something else is there than a password; name another file")
        with open(aside, "x", encoding="ascii", opener=_open_private) as file:
            file.write(line)
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise ConfigError(f"{path}: cannot be written ({error.strerror})") from error


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _host_in_url(host: str) -> str:
    """As it stands in an address that can be followed on this machine."""
    with suppress(ValueError):
        address = ip_address(host)
        if address.is_unspecified:
            return LOOPBACK_HOSTS[address.version]
    return f"[{host}]" if ":" in host else host


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _listening_socket(host: str, port: int) -> socket.socket:
    """A socket there. Raises ConfigError, naming a port that is free if this one is taken."""
    if not 0 <= port < 2**16:
        raise ConfigError(f"⟨port⟩ {port}: a port is a number from 0, for any, to 65535")
    try:
        return _bind_socket(host, port)
    except socket.gaierror as error:
        raise ConfigError(f"⟨host⟩ {host}: there is no such address ({error.strerror})") from error
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise ConfigError(f"⟨host⟩ {host} ⟨port⟩ {port}: {error.strerror}") from error
        raise ConfigError(
            f"⟨port⟩ {port}: another program listens there already{_free_port_hint(host, port)}"
        ) from error


def _bind_socket(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # elsewhere it would share a port that is taken
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


def _free_port_hint(host: str, port: int) -> str:
    for other in range(port + 1, min(port + PORTS_TO_TRY, 2**16)):
        with suppress(OSError):
            _bind_socket(host, other).close()
            return f"; ⟨port⟩ {other} is free"
    return ""
