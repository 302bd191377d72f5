"""The Python functions for organisations of a settings file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest

import halfhour
from halfhour.errors import AuthError, ConfigError, Incomplete
from tests.processes import NOW, Cloud, emulator

DAY: dict[str, Any] = {"start": "2026-03-02", "end": "2026-03-03"}


@pytest.fixture(scope="module")
def other_cloud() -> Iterator[Cloud]:
    yield from emulator("--now", NOW, "--agents", "5", "--seed", "9")


@pytest.fixture
def folder(
    cloud: Cloud, other_cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The current folder, with settings of two organisations, and of a third without a client."""
    tables = "".join(
        f'[org.{name}]\nclient_id = "{entry.client_id}"\nregion = "{entry.url}"\n'
        f'client_secret = "{entry.client_secret}"\n'
        for name, entry in (("acme", cloud), ("globex", other_cloud))
    )
    (tmp_path / "halfhour.toml").write_text(f"{tables}[org.empty]\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GENESYS_CLIENT_ID", "stray")
    monkeypatch.setenv("GENESYS_CLIENT_SECRET", "secret of a stray client")
    return tmp_path


def test_a_report_of_several_is_those_of_each_with_their_name(folder):
    apart = {name: halfhour.report(**DAY, org=name) for name in ("acme", "globex")}
    together = halfhour.report(**DAY, org=["acme", "globex"])

    assert together.column_names == ["org", *apart["acme"].column_names]
    for name, table in apart.items():
        rows = together.filter(pc.equal(together["org"], name)).drop_columns("org")
        assert rows.equals(table)
        assert table.num_rows
    top = halfhour.report(**DAY, org=["acme", "globex"], by="agent", sort="handle_time_sec", top=3)
    seconds = halfhour.report(**DAY, org=["acme", "globex"], by="agent")["handle_time_sec"]
    assert top["handle_time_sec"].to_pylist() == sorted(seconds.to_pylist(), reverse=True)[:3]


def test_a_sync_fills_the_store_of_the_organisation_and_its_report_reads_it(folder, other_cloud):
    halfhour.sync(**DAY, org="globex")
    assert sorted(path.name for path in folder.glob("*.duckdb")) == ["globex.duckdb"]
    other_cloud.reset()
    table = halfhour.report(**DAY, org="globex", offline=True)

    assert table.equals(halfhour.report(**DAY, store="globex.duckdb", offline=True))
    assert table.num_rows
    assert other_cloud.requests() == []


def test_what_several_lack_is_told_by_name_with_the_rows_that_are_there(folder):
    for name in ("acme", "globex"):
        halfhour.sync(**DAY, org=name)
    with pytest.raises(Incomplete) as caught:
        halfhour.report(start="2026-03-01", end="2026-03-03", org=["acme", "globex"], offline=True)

    assert str(caught.value).count("posted 2026-03-01") == 2
    reason = "globex: not all of it is held; 'halfhour sync' with start 2026-03-01 fetches"
    assert reason in str(caught.value)
    assert {*caught.value.table["org"].to_pylist()} == {"acme", "globex"}


def test_a_choice_that_cannot_be_is_refused_in_a_sentence(folder, cloud):
    with pytest.raises(
        ConfigError, match=r"org acm: .*only acme, globex, empty; did you mean 'acm"
    ):
        halfhour.report(**DAY, org="acm")
    with pytest.raises(ConfigError, match="org and settings both choose"):
        halfhour.report(**DAY, org="acme", settings=cloud.settings)
    with pytest.raises(ConfigError, match="store: each organisation has a store"):
        halfhour.report(**DAY, org="all", store="x.duckdb")
    with pytest.raises(ConfigError, match="org all: a sync in Python is of one organisation"):
        halfhour.sync(org="all")
    with pytest.raises(AuthError, match=r"\[org.empty\] has no client_id"):
        halfhour.sync(org="empty")
