"""`--pseudonyms` through the command line: no name and no id gets out."""

import re
from pathlib import Path
from zipfile import ZipFile

import pyarrow.parquet as pq
import pytest

DAY = ("--from", "2026-03-02", "--to", "2026-03-03")
KEY = "a key that nobody guesses"
STORE = ("--store", "s.duckdb")


@pytest.fixture(autouse=True)
def stored_day(tmp_path, synced_day):
    """Put the store of `STORE` into the folder, with all data of `DAY`."""
    (tmp_path / "s.duckdb").write_bytes(synced_day)


@pytest.mark.parametrize("form", ["csv", "json", "table", "heatmap", "html", "svg", "wfm"])
def test_a_report_with_pseudonyms_has_no_name_and_no_id(cloud, halfhour, form):
    posted_rows = cloud.truth("posted", "2026-03-02T00:00:00Z/2026-03-03T00:00:00Z").to_pylist()
    ids = {row["agent_id"] for row in posted_rows} | {row["queue_id"] for row in posted_rows} - {
        None
    }
    words = ["report", *DAY, *STORE, "--format", form]
    words += ["--layout", "generic"] if form == "wfm" else []
    plain = halfhour(*words)
    ran = halfhour(*words, "--pseudonyms", HALFHOUR_PSEUDONYM_KEY=KEY)

    assert ran.code == 0, ran.err
    assert not [identity for identity in ids if identity in ran.out]
    assert "Björn" in plain.out
    assert "Björn" not in ran.out
    assert re.search(r"Agent [0-9a-f]{8}", ran.out)
    assert KEY not in ran.out + ran.err


@pytest.mark.parametrize("form", ["parquet", "xlsx", "png"])
def test_a_binary_report_with_pseudonyms_has_no_name_and_no_id(cloud, halfhour, tmp_path, form):
    """A picture has no text to search, so it is only compared with the plain one."""
    for name, options in (("plain", []), ("r", ["--pseudonyms"])):
        ran = halfhour(
            "report",
            *DAY,
            *STORE,
            "--output",
            f"{name}.{form}",
            *options,
            HALFHOUR_PSEUDONYM_KEY=KEY,
        )
        assert ran.code == 0, ran.err
    plain, pseudonymized = (text_of_file(tmp_path / f"{name}.{form}") for name in ("plain", "r"))

    posted_rows = cloud.truth("posted", "2026-03-02T00:00:00Z/2026-03-03T00:00:00Z").to_pylist()
    ids = {row["agent_id"] for row in posted_rows}
    assert pseudonymized != plain
    if form != "png":
        assert ids <= {*re.findall(r"[0-9a-f-]{36}", plain)}
        assert not ids & {*re.findall(r"[0-9a-f-]{36}", pseudonymized)}
        assert "Björn" in plain
        assert "Björn" not in pseudonymized
        assert KEY not in pseudonymized


def text_of_file(path: Path) -> str:
    """Return the content of a file as text, metadata included."""
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        return f"{table.to_pylist()} {table.schema.to_string(truncate_metadata=False)}"
    if path.suffix == ".xlsx":
        with ZipFile(path) as book:
            return "".join(book.read(name).decode() for name in book.namelist())
    return path.read_bytes().hex()


@pytest.mark.parametrize(
    ("key", "message"),
    [({}, "there is no key"), ({"HALFHOUR_PSEUDONYM_KEY": "short"}, "too short")],
)
def test_pseudonyms_without_a_good_key_are_refused(halfhour, key, message):
    ran = halfhour("report", *DAY, "--pseudonyms", **key)

    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err


def test_reconcile_with_pseudonyms_has_no_name(cloud, halfhour):
    plain = halfhour("reconcile", *STORE, "--format", "csv")
    ran = halfhour(
        "reconcile", *STORE, "--format", "csv", "--pseudonyms", HALFHOUR_PSEUDONYM_KEY=KEY
    )

    assert ran.code == 0, ran.err
    assert "Björn" in plain.out
    assert "Björn" not in ran.out
    assert plain.out.count("\n") == ran.out.count("\n")
