"""Reports as files, through the command line."""

import csv
import io
import json
import re
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from halfhour.cli.output import Output, open_output
from halfhour.errors import ConfigError
from halfhour.model.coverage import DAY
from halfhour.model.intervals import Interval
from halfhour.model.tables import POSTED_SCHEMA
from halfhour.model.vocabulary import Format, Source
from halfhour.store.store import Store
from tests.store.test_store import AS_ROOT, may_mount

START = datetime(2026, 3, 2, tzinfo=UTC)
RANGE = ("--from", "2026-02-27", "--to", "2026-03-03")
INTERVAL = "2026-02-27T00:00:00.000Z/2026-03-03T00:00:00.000Z"


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_files_written_day_by_day_agree_on_every_row(cloud, halfhour, tmp_path, zone):
    """Formats with one table get a part per day from the store, the others one part in all."""
    command = ("report", *RANGE, "--zone", zone, "--store", "s.duckdb")
    for name in ("r.parquet", "r.ndjson", "r.json", "r.csv", "r.xlsx"):
        ran = halfhour(*command, "--output", name)
        assert ran.code == 0, ran.err
        message = ran.err.splitlines()[0]
        assert message.startswith("halfhour: ")

    table = pq.read_table(tmp_path / "r.parquet")
    facts = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    lines = [json.loads(line) for line in (tmp_path / "r.ndjson").read_text().splitlines()]
    with (tmp_path / "r.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    book: Any = openpyxl.load_workbook(tmp_path / "r.xlsx")
    sheet, agents = book["Intervals"], book["Agents"]

    assert facts["halfhour.zone"] == zone
    assert facts["halfhour.source"] == "conversation aggregates, user aggregates"
    assert table.num_rows == len(lines) == len(rows) == len(list(sheet.rows)) - 1 > 500
    assert json.loads((tmp_path / "r.json").read_text()) == lines
    starts = table["interval_start"].to_pylist()
    assert starts == sorted(starts)
    handled = table["handle_time_sec"].to_pylist()
    assert [float(row["handle_time_sec"]) for row in rows] == handled
    assert [line["handle_time_sec"] for line in lines] == handled
    total = sum(row[3].value.total_seconds() for row in agents.iter_rows(min_row=2))
    assert total == pytest.approx(sum(handled))


def test_a_slow_reader_of_a_report_keeps_no_writer_waiting(tmp_path):
    store = Store(tmp_path / "s.duckdb", busy_timeout=10)
    store.ensure_created({"granularity": "1800", "reread": "86400"})
    agents = [f"agent {number:05}" for number in range(5_000)]
    rows = [{"interval_start": START, "agent_id": agent, "handle_ms": 7} for agent in agents]
    tables = {"posted": pa.Table.from_pylist(rows, schema=POSTED_SCHEMA)}
    day = Interval(START, START + DAY)
    store.settle(Source.POSTED, day, tables, day.end)
    command = [sys.executable, "-m", "halfhour", "report", "--from", "2026-03-02"]
    command += ["--to", "2026-03-03", "--store", str(store.path), "--offline", "--format", "csv"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as report:
        assert report.stdout is not None
        header = report.stdout.readline()
        store.settle(Source.POSTED, day, {"posted": tables["posted"][:1]}, day.end)
        lines = report.stdout.readlines()

    assert header.startswith("interval_start,")
    assert len(lines) == len(agents)  # far more than a pipe takes, so the report was waiting


POSTED, STATUS, DETAILS = (source.resource_name for source in Source)


@pytest.mark.parametrize(
    ("words", "sources"),
    [
        ((), [POSTED]),
        (("--with-capacity",), [POSTED, "agent utilization aggregates"]),
        (("--store", "posted.duckdb"), [POSTED, STATUS]),
        (("--store", "posted.duckdb", "--queue", "Billing"), [POSTED]),
        (("--store", "all.duckdb"), [POSTED, STATUS, DETAILS]),
        (("--store", "all.duckdb", "--basis", "worked"), [STATUS, DETAILS]),
        (("--store", "all.duckdb", "--basis", "both"), [POSTED, STATUS, DETAILS]),
        (("--basis", "worked"), [STATUS, DETAILS]),
    ],
    ids=" ".join,
)
def test_every_source_that_a_column_comes_from_is_named_and_no_other(
    halfhour, tmp_path, synced_day, words, sources
):
    day = ("--from", "2026-03-02", "--to", "2026-03-03")
    if "all.duckdb" in words:
        (tmp_path / "all.duckdb").write_bytes(synced_day)
    for name in ("r.html", "r.svg", "r.xlsx", "r.parquet"):
        ran = halfhour("report", *day, *words, "--output", name)
        assert ran.code == 0, ran.err

    named = ", ".join(sources)
    assert f"<dt>Source</dt><dd>{named}</dd>" in (tmp_path / "r.html").read_text()
    assert f">Source: {named}</text>" in (tmp_path / "r.svg").read_text()
    explanations = openpyxl.load_workbook(tmp_path / "r.xlsx")["What it means"].values
    assert ("Source", named) in [row[:2] for row in explanations]
    assert pq.read_schema(tmp_path / "r.parquet").metadata[b"halfhour.source"] == named.encode()


def test_the_whole_range_of_a_report_is_in_the_parquet_metadata(cloud, halfhour, tmp_path):
    halfhour("report", *RANGE, "--store", "s.duckdb", "--output", "r.parquet")
    assert (
        pq.read_schema(tmp_path / "r.parquet").metadata[b"halfhour.interval"] == INTERVAL.encode()
    )


@pytest.mark.parametrize("ending", ["", ".wal", ".lock"])
@pytest.mark.parametrize("name", ["s.duckdb", "other.duckdb", "link"])
def test_output_over_a_store_or_a_file_of_a_store_is_refused(tmp_path, name, ending):
    """A database loses the data that only its log has if the log is overwritten."""
    for store in ("s.duckdb", "other.duckdb"):
        Store(tmp_path / store).ensure_created({"granularity": "1800"})
        for suffix in (".wal", ".lock"):
            (tmp_path / f"{store}{suffix}").touch()
    for suffix in ("", ".wal", ".lock"):
        (tmp_path / f"link{suffix}").symlink_to(f"other.duckdb{suffix}")
    path = tmp_path / f"{name}{ending}"
    before = path.read_bytes()
    output = Output(form=Format.CSV, path=path)

    with (
        pytest.raises(ConfigError, match=re.escape(f"output {path}: ")),
        open_output(output, Store(tmp_path / "s.duckdb")),
    ):
        pass

    assert path.read_bytes() == before


@pytest.mark.parametrize("ending", ["", ".wal", ".lock"])
def test_output_to_a_path_of_a_store_not_yet_made_is_refused(cloud, halfhour, tmp_path, ending):
    ran = halfhour(
        "report", *RANGE, "--store", "s.duckdb", "--output", f"s.duckdb{ending}", "--format", "csv"
    )

    assert ran.code == 2
    assert f"--output s.duckdb{ending}: this file belongs to the store" in ran.err
    assert not list(tmp_path.iterdir())


EVERY_FORMAT = f"""
import sys
from pathlib import Path

from halfhour import errors
from halfhour.cli import report
from halfhour.cli.options import RowOptions
from halfhour.cli.output import Output
from halfhour.model.coverage import DAY
from halfhour.model.intervals import Interval
from halfhour.model.tables import POSTED_SCHEMA
from halfhour.model.vocabulary import Format, Source
from halfhour.service import Access
from halfhour.store.store import Store

disk, store = Path(sys.argv[1]), Store(Path("halfhour.duckdb"))
access = Access(load_settings=lambda: None, store=store, offline=True)
question = RowOptions(from_={RANGE[1]!r}, to={RANGE[3]!r}).to_question()
for form in Format:
    path = disk / f"r.{{form}}"
    path.write_text("old")
    output = Output(form=form, path=path, layout="generic" if form is Format.WFM else "")
    try:
        report.write_report(question, access, output)
    except errors.WriteError as error:
        assert "no file was changed" in str(error)
        print(form, path.read_text(), len(list(disk.iterdir())))
    path.unlink()
"""


def test_a_full_disk_leaves_the_old_file_in_place(cloud, halfhour, tmp_path):
    """Every format is tried; each needs more than the page of memory that is left."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if not may_mount(disk):
        pytest.skip("this system lets nobody mount a disk of their own")
    halfhour("sync", *RANGE, "--source", "posted")
    (tmp_path / "every.py").write_text(EVERY_FORMAT)
    report = shlex.join([sys.executable, "every.py", str(disk)])
    command = f"mount -t tmpfs -o size=8k tmpfs {disk} && {report}"
    done = subprocess.run(
        [*AS_ROOT, "sh", "-c", command], cwd=tmp_path, check=True, capture_output=True, text=True
    )

    assert done.stdout.splitlines() == [f"{form} old 1" for form in Format]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--output", "r.parket"), "did you mean '.parquet'?"),
        (("--output", "r.xls"), "did you mean '.xlsx'?"),
        (("--format", "exel"), f"choose one of {', '.join(Format)}; did you mean 'excel'? See"),
        (("--format", "cvs"), f"choose one of {', '.join(Format)}; did you mean 'csv'? See"),
    ],
)
def test_a_form_that_there_is_not_is_answered_with_the_nearest(halfhour, words, message):
    ran = halfhour("report", *RANGE, *words)

    assert ran.code == 2
    assert message in ran.err


def test_a_parquet_report_is_written_to_a_pipe(cloud, halfhour, tmp_path):
    command = [sys.executable, "-m", "halfhour", "report", *RANGE, "--format", "parquet"]
    done = subprocess.run(
        command, cwd=tmp_path, env=halfhour.environment, check=True, capture_output=True
    )
    assert pq.read_table(io.BytesIO(done.stdout)).num_rows > 500
