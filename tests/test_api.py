"""The Python functions, as a notebook or another program uses them."""

import asyncio
import csv
import io
import logging
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import halfhour
from halfhour.errors import AuthError, ConfigError, Incomplete
from halfhour.genesys import regions
from halfhour.model.intervals import HALF_HOUR, QUARTER_HOUR, floor_to_width

DAY: dict[str, Any] = {"start": "2026-03-02", "end": "2026-03-03"}
TWO_DAYS: dict[str, Any] = {"start": "2026-03-01", "end": "2026-03-03"}
PUBLIC_NAMES = [
    "ApiError", "AuthError", "ConfigError", "Event", "HalfhourError", "Incomplete", "Outcome",
    "Settings", "StoreBusy", "StoreError", "UnexpectedAnswer", "Unreachable", "WriteError",
    "__version__", "dlt_source", "errors", "load_settings", "report", "sync",
]  # fmt: skip


def test_a_report_in_python_has_the_rows_of_the_command_line(cloud, request):
    printed = request.getfixturevalue("halfhour")(
        "report", "--from", "2026-03-02", "--to", "2026-03-03", "--format", "csv"
    )
    table = halfhour.report(**DAY, settings=cloud.settings)

    assert table.column_names == next(csv.reader(io.StringIO(printed.out)))
    assert table["handle_time_sec"].to_pylist() == [
        float(row["handle_time_sec"]) for row in csv.DictReader(io.StringIO(printed.out))
    ]
    assert table.schema.field("interval_start").type == pa.timestamp("ms", tz="UTC")
    assert table.schema.metadata[b"halfhour.basis"] == b"posted"


def test_edges_may_be_datetimes_and_the_columns_have_the_zone(cloud):
    start, end = datetime(2026, 3, 2, 9, tzinfo=UTC), datetime(2026, 3, 2, 12, tzinfo=UTC)

    table = halfhour.report(start=start, end=end, zone="Asia/Kolkata", settings=cloud.settings)

    assert table.schema.field("interval_start").type == pa.timestamp("ms", tz="Asia/Kolkata")
    assert start <= min(table["interval_start"].to_pylist())
    assert max(table["interval_end"].to_pylist()) <= end


def test_the_zone_of_the_settings_counts_where_none_is_given(cloud, monkeypatch):
    monkeypatch.setenv("HALFHOUR_ZONE", "Europe/Berlin")
    table = halfhour.report(**DAY, settings=cloud.settings)
    given = halfhour.report(**DAY, zone="Asia/Tokyo", settings=cloud.settings)

    zones = [str(report.schema.field("interval_start").type.tz) for report in (table, given)]
    assert zones == ["Europe/Berlin", "Asia/Tokyo"]


def test_a_report_works_inside_a_running_loop_as_in_a_notebook(cloud):
    async def cell() -> pa.Table:
        return halfhour.report(**DAY, by="agent", settings=cloud.settings)

    table = asyncio.run(cell())
    assert table.equals(halfhour.report(**DAY, by="agent", settings=cloud.settings))
    assert table.num_rows


def test_pandas_and_polars_take_the_table(cloud):
    table = halfhour.report(**DAY, settings=cloud.settings)

    frame = table.to_pandas()
    assert isinstance(frame, pd.DataFrame)
    assert str(frame["interval_start"].dt.tz) == "UTC"
    assert pl.from_arrow(table).shape == frame.shape


def test_queues_and_agents_are_chosen_by_name(cloud):
    everything = halfhour.report(**DAY, settings=cloud.settings)
    billing = halfhour.report(**DAY, queues=["Billing"], settings=cloud.settings)

    assert 0 < billing.num_rows < everything.num_rows


def test_settings_come_from_the_environment(cloud, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in ("GENESYSCLOUD_OAUTHCLIENT_ID", "GENESYS_CLOUD_CLIENT_ID"):
        monkeypatch.delenv(name, raising=False)
    for name, value in cloud.environment.items():
        monkeypatch.setenv(name, value)
    assert halfhour.report(start="2026-03-02", end="2026-03-03").num_rows

    monkeypatch.delenv("GENESYS_CLIENT_ID")
    with pytest.raises(AuthError, match="no client id"):
        halfhour.report(last="24h")


def test_an_unknown_by_is_answered_with_the_nearest(cloud):
    with pytest.raises(ConfigError, match="did you mean 'agent'"):
        halfhour.report(**DAY, by="agents", settings=cloud.settings)  # type: ignore[arg-type]


def test_quarter_hours_add_up_to_half_hours(cloud, tmp_path):
    words: dict[str, Any] = {**DAY, "store": tmp_path / "quarters.duckdb"}
    halfhour.report(**words, basis="both", granularity="15m", settings=cloud.settings)

    for basis in ("posted", "worked", "both"):
        words |= {"basis": basis, "offline": True}
        quarters = halfhour.report(**words, granularity="15m").to_pylist()
        halves = halfhour.report(**words).to_pylist()

        assert {row["interval_start"].minute for row in quarters} == {0, 15, 30, 45}
        assert {row["interval_end"] - row["interval_start"] for row in quarters} == {QUARTER_HOUR}
        assert {row["basis"] for row in quarters} == {basis}
        for name in ("handle_time_sec", "acw_time_sec", "worked_time_sec", "busy_time_sec"):
            if name in halves[0]:
                sums: Counter[tuple[datetime, str]] = Counter()
                for row in quarters:
                    start = floor_to_width(row["interval_start"], HALF_HOUR)
                    sums[start, row["agent_id"]] += round(1000 * row[name])
                assert sums == {
                    (row["interval_start"], row["agent_id"]): round(1000 * row[name])
                    for row in halves
                }


def test_an_unknown_granularity_is_answered_with_the_nearest(cloud):
    with pytest.raises(ConfigError, match=r"granularity '15'.*did you mean '15m'"):
        halfhour.report(**DAY, granularity="15", settings=cloud.settings)  # type: ignore[arg-type]


def test_no_secret_is_in_a_repr(cloud):
    assert "emulator-secret" not in repr(cloud.settings)


def run_python(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    return done.stdout


def test_dir_shows_exactly_the_public_names_and_all_can_be_imported():
    assert dir(halfhour) == PUBLIC_NAMES
    program = (
        f"import halfhour; print(*dir(halfhour)); from halfhour import {', '.join(PUBLIC_NAMES)}"
    )
    assert run_python(program).split() == PUBLIC_NAMES
    with pytest.raises(AttributeError, match="no attribute 'reports_of'"):
        halfhour.reports_of  # noqa: B018


def test_the_errors_module_is_available_right_after_the_import_of_the_package():
    program = "import halfhour; print(halfhour.errors.Incomplete is halfhour.Incomplete)"
    assert run_python(program) == "True\n"


def test_a_single_text_names_one_queue(cloud):
    one = halfhour.report(**DAY, queues="Billing", settings=cloud.settings)

    assert one.num_rows
    assert one.equals(halfhour.report(**DAY, queues=["Billing"], settings=cloud.settings))


def test_errors_name_parameters_as_python_spells_them(cloud):
    with pytest.raises(ConfigError) as caught:
        halfhour.report(**DAY, top=0, settings=cloud.settings)

    assert str(caught.value) == "top 0: write a number above 0"
    assert caught.value.parameter == "top"


@pytest.fixture
def without_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (
        "GENESYS_CLIENT_ID", "GENESYSCLOUD_OAUTHCLIENT_ID", "GENESYS_CLOUD_CLIENT_ID",
    ):  # fmt: skip
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("without_credentials")
def test_a_complete_store_answers_without_credentials_as_on_the_command_line(
    cloud, request, tmp_path
):
    path = tmp_path / "s.duckdb"
    halfhour.sync(path, **DAY, settings=cloud.settings)
    command_line = request.getfixturevalue("halfhour")
    command_line.environment = {}
    ran = command_line(
        "report", "--from", "2026-03-02", "--to", "2026-03-03", "--store", path.name,
        "--format", "csv",
    )  # fmt: skip
    with pytest.raises(AuthError):
        halfhour.report(**DAY)
    table = halfhour.report(**DAY, store=path)

    assert ran.code == 0, ran.err
    assert table.num_rows
    assert table["handle_time_sec"].to_pylist() == [
        float(row["handle_time_sec"]) for row in csv.DictReader(io.StringIO(ran.out))
    ]


def test_a_store_that_lacks_a_part_answers_with_the_rest_if_genesys_is_unreachable(
    cloud, tmp_path, caplog
):
    path = tmp_path / "s.duckdb"
    halfhour.sync(path, **DAY, settings=cloud.settings)
    settings = replace(
        cloud.impatient(attempts=1), hosts=regions.hosts_of_region("http://127.0.0.1:9")
    )
    with caplog.at_level(logging.WARNING), pytest.raises(Incomplete) as caught:
        halfhour.report(**TWO_DAYS, store=path, settings=settings)

    stored = halfhour.report(**DAY, store=path, offline=True)
    assert stored.num_rows
    assert caught.value.table.to_pylist() == stored.to_pylist()
    assert str(caught.value).splitlines()[1:] == [
        "  posted 2026-03-01T00:00:00.000Z/2026-03-02T00:00:00.000Z"
    ]
    assert "the report shows the stored data" in caplog.text


TYPED_PROGRAM = """
from typing import Any, assert_type

import pyarrow as pa

import halfhour

assert_type(halfhour.report(last="24h", by="agent"), pa.Table)
assert_type(halfhour.sync("s.duckdb"), halfhour.Outcome)
assert_type(halfhour.load_settings(), halfhour.Settings)
halfhour.report(by="agents")
halfhour.report(tops=3)
"""


def test_type_checkers_know_the_types_of_the_public_functions(tmp_path):
    path = tmp_path / "program.py"
    path.write_text(TYPED_PROGRAM)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", tmp_path / "cache", path],
        cwd=Path(__file__).parents[1],
        check=False,
        capture_output=True,
        text=True,
    )
    errors = [line for line in done.stdout.splitlines() if ": error:" in line]

    assert len(errors) == 2, done.stdout
    assert 'Argument "by" to "report" has incompatible type' in errors[0]
    assert 'Unexpected keyword argument "tops" for "report"' in errors[1]
