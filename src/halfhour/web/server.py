"""The server of the dashboard: its socket, its options and its password file."""

import errno
import logging
import os
import secrets
import socket
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
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
from halfhour.settings.private_file import write_private_file
from halfhour.syncing.planner import SyncRequest
from halfhour.web.app import create_app
from halfhour.web.auth import PasswordAuth, hash_password
from halfhour.web.background_sync import BackgroundSync, ServedStore

log = logging.getLogger("halfhour")

HASH_PREFIX = b"scrypt$"
LOOPBACK_HOSTS = {4: "127.0.0.1", 6: "[::1]"}
"""The address to open if the server listens on all addresses, by the version of IP."""
WRITABLE_BY_OTHERS = 0o022
"""The mode of a password file that gets a warning.

Others may read the file, as it holds only a hash and Docker lets everybody read its secrets.
A writable file is not refused, because some mounted disks show every file as writable.
"""
STORE_WAIT_SECONDS = 5.0
"""The longest time that an answer waits while another process has the store open.

A sync writes a day in less time, and other requests may have to wait behind this one.
"""
PORTS_TO_TRY = 20
"""The number of ports that are tried to name a free one, after the one that is taken."""


def serve_dashboard(
    served: Mapping[str, ServedStore],
    settings_loaders: Mapping[str, Callable[[], Settings]],
    *,
    host: str,
    port: int,
    password_file: Path | None,
    names: Sequence[str],
    proxy: str | None,
    every: timedelta | None,
    on_listening: Callable[[str], object] = lambda url: None,
) -> None:
    """Serve the dashboard of *served* until the process is interrupted. Raises ConfigError.

    The names are those of organisations; the only one of a dashboard without them is empty.
    *settings_loaders* load the settings of each, for its sync.
    *names* are more host names that requests may have, *proxy* is the address of a proxy whose
    headers are trusted, and *every* is the time between two syncs, None for no sync.
    *on_listening* is called with the address of the dashboard when it can be opened.
    """
    is_loopback = _is_loopback(host)
    if not is_loopback and password_file is None:
        raise ConfigError(
            f"⟨host⟩ {host}: everybody who can reach that address could read everything; name a "
            "⟨password_file⟩, which 'halfhour password FILE' writes, and put TLS in front "
            "(docs/dashboard.md)"
        )
    for name in names:
        if "*" in name or "/" in name:
            raise ConfigError(f"⟨names⟩ {name}: write a host name, such as halfhour.example.com")
    password_auth = PasswordAuth.from_file(password_file) if password_file else None
    served = _prepare_stores(served, settings_loaders, every)
    with _listening_socket(host, port) as listener:
        url_host = _host_in_url(host)
        application = create_app(
            served,
            password_auth=password_auth,
            hosts=[*{"127.0.0.1", "localhost", "[::1]", url_host, *names}],
        )
        for name, entry in served.items() if every else ():
            entry.background_sync.start_thread(
                settings_loaders[name], entry.store, SyncRequest(history=entry.history)
            )
        url = f"http://{url_host}:{listener.getsockname()[1]}/"
        log.info("%s", url)
        if url_host in LOOPBACK_HOSTS.values() and not is_loopback:
            log.warning("the dashboard listens on all addresses of this machine, not only this one")
        if not is_loopback:
            log.warning(
                "the password and the figures cross the network unencrypted: put TLS in front "
                "(docs/dashboard.md)"
            )
        if (
            password_file
            and os.name == "posix"
            and password_file.stat().st_mode & WRITABLE_BY_OTHERS
        ):
            log.warning(
                "⟨password_file⟩ %s: other users of this machine may write to it, and so can set "
                "a password of their own: chmod go-w %s",
                password_file,
                password_file,
            )
        if not every:
            _warn_of_missing_stores(served.values())
        on_listening(url)
        config = uvicorn.Config(
            application,
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
            for entry in served.values():
                entry.background_sync.stop_requested.set()


def _warn_of_missing_stores(served: Iterable[ServedStore]) -> None:
    for entry in served:
        if not entry.store.exists:
            log.warning(
                "%s does not exist yet; run 'halfhour sync', or add ⟨sync⟩ 15m", entry.store.path
            )


def _prepare_stores(
    served: Mapping[str, ServedStore],
    settings_loaders: Mapping[str, Callable[[], Settings]],
    every: timedelta | None,
) -> Mapping[str, ServedStore]:
    """Return *served* with patient stores, and with syncs that are yet to be started.

    A wrong time zone, or missing credentials of a sync, are an error before the server starts.
    """
    for name, entry in served.items():
        time_ranges.parse_zone(entry.zone)
        if every:
            settings_loaders[name]()
    return {
        name: replace(
            entry,
            store=replace(entry.store, busy_timeout=STORE_WAIT_SECONDS),
            background_sync=BackgroundSync(every),
        )
        for name, entry in served.items()
    }


def write_password_file(path: Path) -> None:
    """Ask for a password, or read it from a line of stdin, and write its hash to *path*.

    Raises ConfigError.
    """
    if sys.stdin.isatty():
        password = getpass("Password: ")
        if getpass("Again: ") != password:
            raise ConfigError("the two passwords differ; nothing was written")
    else:
        password = sys.stdin.readline().rstrip("\n")
    line = f"{hash_password(password, secrets.token_bytes(16))}\n"
    try:
        if path.exists() and not path.read_bytes().startswith(HASH_PREFIX):
            raise ConfigError(
                f"{path}: refusing to overwrite it, as this is not a halfhour password file; "
                "name another file"
            )
        write_private_file(path, line)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror})") from error


def _host_in_url(host: str) -> str:
    """Return *host* as in a URL that a browser on this machine can open."""
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
    """Return a socket that listens. Raises ConfigError, which names a free port if it can."""
    if not 0 <= port < 2**16:
        raise ConfigError(f"⟨port⟩ {port}: write a number from 0, for any free port, to 65535")
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
        if os.name == "posix":  # on Windows this option would share a port that is taken
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


def _free_port_hint(host: str, taken_port: int) -> str:
    for port in range(taken_port + 1, min(taken_port + PORTS_TO_TRY, 2**16)):
        with suppress(OSError):
            _bind_socket(host, port).close()
            return f"; ⟨port⟩ {port} is free"
    return ""
