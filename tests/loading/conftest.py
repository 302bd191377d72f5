"""A PostgreSQL server, tables on disk, and a store to load into them."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest

from halfhour.store.store import Store
from tests.conftest import program
from tests.loading.warehouses import (
    OWNER,
    PASSWORD,
    DeltaFolder,
    IcebergCatalog,
    PostgresqlSchema,
    Warehouse,
)
from tests.processes import free_port


def as_server(*words: str) -> list[str]:
    """PostgreSQL refuses to run as root."""
    return ["runuser", "-u", "postgres", "--", *words] if os.getuid() == 0 else list(words)


@pytest.fixture(scope="session")
def postgresql_port() -> Iterator[int]:
    """The port of a server of which `OWNER` with `PASSWORD` is the superuser."""
    binaries = Path(program("PostgreSQL")).parent
    folder = Path(tempfile.mkdtemp(prefix="halfhour-postgresql-"))
    port = free_port()
    try:
        (folder / "password").write_text(PASSWORD, encoding="utf-8")
        if os.getuid() == 0:
            for path in (folder, folder / "password"):
                shutil.chown(path, "postgres")
        data = str(folder / "data")
        subprocess.run(
            as_server(str(binaries / "initdb"), "-D", data, "-U", OWNER, "--no-sync",
                      "--auth=scram-sha-256", f"--pwfile={folder / 'password'}", "-E", "UTF8"),
            check=True, capture_output=True, cwd=folder,
        )  # fmt: skip
        control = [str(binaries / "pg_ctl"), "-D", data, "-w"]
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        subprocess.run(
            as_server(*control, "-o", options, "-l", str(folder / "log"), "start"),
            check=True, capture_output=True, cwd=folder,
        )  # fmt: skip
        try:
            yield port
        finally:
            subprocess.run(
                as_server(*control, "-m", "immediate", "stop"),
                check=True, capture_output=True, cwd=folder,
            )  # fmt: skip
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgresql(postgresql_port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[PostgresqlSchema]:
    """An empty schema of its own name in the server."""
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    schema = PostgresqlSchema(postgresql_port)
    yield schema
    schema.drop()


@pytest.fixture(params=["postgresql", "delta", "iceberg"])
def warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> Warehouse:
    """An empty warehouse of each kind that needs no account."""
    if request.param == "postgresql":
        schema: PostgresqlSchema = request.getfixturevalue("postgresql")
        return schema
    if request.param == "delta":
        return DeltaFolder(tmp_path / "lake")
    return IcebergCatalog(tmp_path / "lake")


@pytest.fixture(scope="session")
def small_day(synced_day: bytes, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file of a store with the rows that three agents have of 2 March 2026."""
    path = tmp_path_factory.mktemp("small") / "halfhour.duckdb"
    path.write_bytes(synced_day)
    others = "(select agent_id from posted group by agent_id order by agent_id offset 3)"
    with duckdb.connect(str(path)) as connection:
        for table in ("status", "segments", "emitted", "sessions", "posted"):
            connection.execute(f"delete from {table} where agent_id in {others}")
        connection.execute(
            "delete from session_metrics where session_key not in "
            "(select session_key from sessions)"
        )
    return path.read_bytes()


@pytest.fixture
def store(small_day: bytes, tmp_path: Path) -> Store:
    """A store of every source of 2 March 2026, whose organisation is the emulator's."""
    path = tmp_path / "halfhour.duckdb"
    path.write_bytes(small_day)
    return Store(path)


@pytest.fixture
def unused_port() -> int:
    """A port on which nobody listens."""
    return free_port()


def start_load(
    store: Store,
    warehouse: Warehouse,
    *options: str,
    environment: Mapping[str, str] | None = None,
    destination: str = "",
) -> "subprocess.Popen[str]":
    """Start a load as a process that logs JSON on stderr."""
    words = [destination or warehouse.destination, *warehouse.options, *options]
    inherited: dict[str, Any] = {"PATH": os.environ["PATH"], "HOME": str(store.path.parent)}
    return subprocess.Popen(
        [sys.executable, "-m", "halfhour", "load", *words, "--store", str(store.path),
         "--log-format", "json"],
        env={**inherited, **warehouse.environment, **(environment or {})},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=store.path.parent,
    )  # fmt: skip
