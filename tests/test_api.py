"""The Python door."""

import asyncio
import csv
import io
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import halfhour
from halfhour.errors import AuthError, ConfigError
from halfhour.model.intervals import HALF_HOUR, QUARTER_HOUR, floor_to_width

DAY: dict[str, Any] = {"start": "2026-03-02", "end": "2026-03-03"}


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


def test_moments_may_be_datetimes_and_the_zone_is_that_of_the_columns(cloud):
    start, end = datetime(2026, 3, 2, 9, tzinfo=UTC), datetime(2026, 3, 2, 12, tzinfo=UTC)

    table = halfhour.report(start=start, end=end, zone="Asia/Kolkata", settings=cloud.settings)

    assert table.schema.field("interval_start").type == pa.timestamp("ms", tz="Asia/Kolkata")
    assert start <= min(table["interval_start"].to_pylist())
    assert max(table["interval_end"].to_pylist()) <= end


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
