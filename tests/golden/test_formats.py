"""Every format says the same, whatever there is to say."""

import csv
import io
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.utils import get_column_letter
from openpyxl.utils.escape import unescape
from rich.cells import cell_len

from halfhour.meanings import MEANINGS, labelled, title
from halfhour.render import lines
from halfhour.render.formats import write
from halfhour.render.text import SECONDARY, text
from halfhour.vocabulary import Basis, By, Format
from tests.golden.test_text import HARD, answer, written

NAMES = ["=1+1", "'=1+1", "''@x", "-7", "\t", "x=y", "'plain", "＝1", 'a "b", c\nd', "نور 🎧", ""]


def from_csv(data: bytes) -> list[dict[str, Any]]:
    rows = csv.DictReader(io.StringIO(data.decode(), newline=""))
    return [{name: unguarded(cell) or None for name, cell in row.items()} for row in rows]


def unguarded(cell: str) -> str:
    """What docs/how-to/files.md tells a reader of CSV to do."""
    return re.sub(r"^'('*[=+\-@\t\r\n＝＋－＠])", r"\1", cell)


def from_ndjson(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in data.splitlines()]


def from_parquet(data: bytes) -> list[dict[str, Any]]:
    return list(pq.read_table(pa.BufferReader(data)).to_pylist())


def from_xlsx(data: bytes) -> list[dict[str, Any]]:
    sheet = openpyxl.load_workbook(io.BytesIO(data)).worksheets[0]
    columns = {title(name): name for name in MEANINGS}
    head, *rows = sheet.iter_rows()
    names = [columns[str(cell.value)] for cell in head]
    return [
        {name: in_full(name, cell) for name, cell in zip(names, row, strict=True)} for row in rows
    ]


def in_full(name: str, cell: Any) -> object:
    """The cell of a workbook with the zone that its format shows, and a duration as seconds."""
    if isinstance(cell.value, datetime):
        offset = cell.number_format.split('"')[1].strip()
        return cell.value.isoformat() + offset.replace("UTC", "Z")
    if isinstance(cell.value, timedelta):
        return round(cell.value.total_seconds(), 3)
    return unescape(cell.value) if isinstance(cell.value, str) else cell.value


READERS: Mapping[Format, Callable[[bytes], list[dict[str, Any]]]] = {
    Format.CSV: from_csv,
    Format.JSON: json.loads,
    Format.NDJSON: from_ndjson,
    Format.PARQUET: from_parquet,
    Format.XLSX: from_xlsx,
}


def plain(value: object) -> object:
    """A cell as the value that it stands for, so that 60.000 and 60 are the same."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, str) and value.endswith("+00:00"):
        return value.replace("+00:00", "Z")
    if isinstance(value, bool):
        return str(value).lower()
    try:
        return float(str(value))
    except ValueError:
        return value


def read(form: Format, data: bytes) -> list[dict[str, object]]:
    return [{name: plain(value) for name, value in row.items()} for row in READERS[form](data)]


@pytest.mark.parametrize("by", By)
@pytest.mark.parametrize("basis", Basis)
@pytest.mark.parametrize(
    ("rows", "sort"),
    [(HARD, ""), (HARD, "acw_time_sec"), (HARD[:0], "")],
    ids=["hard", "sorted", "none"],
)
def test_all_formats_agree_cell_for_cell(by, basis, rows, sort):
    table = answer(by, rows, basis, sort)

    said = {form: read(form, written(table, form)) for form in READERS}

    assert all(rows == said[Format.PARQUET] for rows in said.values())
    assert len(said[Format.PARQUET]) == table.num_rows


def from_text(data: str) -> list[dict[str, str]]:
    """The cells between the gutters, which are two columns that are blank in all lines."""
    lines = [
        [part for each in line for part in (each, *[""] * (cell_len(each) - 1))]
        for line in data.splitlines()
    ]
    width = max(map(len, lines))
    full = [[*line, *" " * (width - len(line))] for line in lines]
    used = "".join(" " if set(cells) == {" "} else "x" for cells in zip(*full, strict=True))
    places = [each.span() for each in re.finditer(r"x( ?x)*", used)]
    head, *rows = (["".join(line[start:end]).strip() for start, end in places] for line in full)
    return [dict(zip(head, row, strict=True)) for row in rows]


def harmless(name: str) -> str:
    return "".join(each if each.isprintable() else " " for each in name).strip()


@pytest.mark.parametrize("by", By)
@pytest.mark.parametrize("basis", Basis)
def test_a_table_has_the_cells_of_csv_and_marks_for_two_of_its_columns(by, basis):
    table = answer(by, HARD, basis)
    rows = from_csv(written(table, Format.CSV))
    whole, _, notes = text(table, seconds=True).partition("\n!")
    found = from_text(whole.removesuffix("~ provisional\n"))

    assert len(found) == len(rows) == table.num_rows
    assert bool(notes) == ("exceeds_interval" in table.column_names)
    assert "handle_time_sec" in found[0]
    for cells, row in zip(found, rows, strict=True):
        over = "! " if row.get("exceeds_interval") == "true" else ""
        young = "~" if row["provisional"] == "true" else ""
        row["handle_time_sec"] = f"{over}{young}{row['handle_time_sec'] or ''}"
        for name, cell in cells.items():
            assert cell == harmless(row[name] or "")
    left_out = set(table.column_names) - set(found[0]) - SECONDARY - {"provisional"}
    assert {row[name] for row in rows for name in left_out} <= {None, "0", "0.000"}


@pytest.mark.parametrize("form", [Format.JSON, Format.PARQUET, Format.XLSX, Format.NDJSON])
def test_a_name_that_looks_like_a_formula_is_a_name(form):
    table = pa.table({"agent_name": NAMES})

    found = [row["agent_name"] or "" for row in READERS[form](written(table, form))]

    assert found == NAMES


def test_in_csv_a_name_that_looks_like_a_formula_has_an_apostrophe_in_front():
    table = pa.table({"agent_name": NAMES, "n": NAMES})

    rows = list(csv.reader(io.StringIO(written(table, Format.CSV).decode(), newline="")))[1:]

    cells = [row[0] for row in rows]
    assert cells[:6] == ["'=1+1", "''=1+1", "'''@x", "'-7", "'\t", "x=y"]
    assert not [cell for cell in cells if cell[:1] in set("=+-@\t\r\n＝＋－＠")]
    assert [unguarded(cell) for cell in cells] == NAMES


@given(st.lists(st.text(st.characters(codec="utf-8")) | st.sampled_from(NAMES)))
def test_whatever_a_name_holds_csv_and_json_give_it_back(names):
    table = pa.table({"id": names, "agent_name": pa.array(names, pa.string())})

    rows = list(csv.reader(io.StringIO(written(table, Format.CSV).decode(), newline="")))[1:]

    assert [unguarded(name) for _, name in rows] == names
    assert [row["agent_name"] for row in json.loads(written(table, Format.JSON))] == names


@given(st.lists(st.integers(0, 10**9)), st.lists(st.none() | st.integers(-(10**4), 10**4)))
def test_seconds_and_ratios_are_written_to_the_last_digit(seconds, ratios):
    of_seconds = pa.table({"x_sec": pa.array([n / 1000 for n in seconds], pa.float64())})
    of_ratios = pa.table({"y_ratio": pa.array([n and n / 10**4 for n in ratios], pa.float64())})

    assert written(of_seconds, Format.CSV).decode().split()[1:] == [
        f"{n / 1000:.3f}" for n in seconds
    ]
    assert [row["x_sec"] for row in json.loads(written(of_seconds, Format.JSON))] == [
        n / 1000 for n in seconds
    ]
    assert written(of_ratios, Format.CSV).decode().split("\n")[1:-1] == [
        "" if n is None else f"{n / 10**4:.4f}" for n in ratios
    ]


@pytest.mark.parametrize("form", [Format.CSV, Format.JSON, Format.NDJSON])
def test_batches_leave_no_seam(form):
    count = 2 * lines.ROWS + 1
    table = pa.table({"id": [str(n) for n in range(count)], "n_count": range(count)})
    chunked = pa.concat_tables([table.slice(0, 5), table.slice(5)])
    file = io.BytesIO()
    parts = [table.slice(0, 0), table.slice(0, 5), table.slice(5, 0), table.slice(5)]
    write({"Report": parts}, form, file)

    assert [row["n_count"] for row in read(form, written(table, form))] == list(range(count))
    assert written(chunked, form) == written(table, form) == file.getvalue()


def test_parquet_says_what_it_holds_and_what_its_columns_mean():
    data = written(labelled(answer(By.INTERVAL), zone="Europe/London"), Format.PARQUET)

    schema = pq.read_schema(pa.BufferReader(data))

    told = {key.decode(): value.decode() for key, value in schema.metadata.items()}
    assert told["halfhour.basis"] == "posted"
    assert told["halfhour.interval"] == "2026-10-25T00:00:00.000Z/2026-10-25T02:00:00.000Z"
    assert told["halfhour.zone"] == "Europe/London"
    assert json.loads(told["halfhour.columns"])["hold_time_sec"]["metric"] == "tHeldComplete"
    assert schema.field("handle_time_sec").metadata[b"unit"] == b"seconds"
    assert schema.field("interval_start").type == pa.timestamp("ms", tz="Europe/London")


def test_a_workbook_has_a_sheet_for_each_question_and_one_that_says_what_it_means():
    file = io.BytesIO()
    tables = {"Intervals": answer(By.INTERVAL), "Agents": answer(By.AGENT)}
    write(
        {name: [labelled(table, zone="Europe/London")] for name, table in tables.items()},
        Format.XLSX,
        file,
    )

    book = openpyxl.load_workbook(file)
    sheet, meaning = book["Intervals"], book["What it means"]

    assert book.sheetnames == ["Intervals", "Agents", "What it means"]
    assert sheet.freeze_panes == "E2"
    last = get_column_letter(len(tables["Intervals"].column_names))
    assert sheet.auto_filter.ref == f"A1:{last}{HARD.num_rows + 1}"
    assert sheet["E2"].number_format == "[h]:mm:ss"
    assert sheet["A2"].number_format == 'yyyy-mm-dd hh:mm" +01:00"'
    assert sheet["A5"].number_format == 'yyyy-mm-dd hh:mm" UTC"'
    assert {str(area.sqref) for area in sheet.conditional_formatting} == {"E2:E8", f"A2:{last}8"}
    said = {row[1].value: row[4].value for row in meaning.iter_rows()}
    for table in tables.values():
        assert all(said[name] for name in table.column_names)
    assert meaning["B3"].value == "Europe/London"


def test_a_table_that_no_sheet_can_hold_goes_on_in_the_next(monkeypatch):
    monkeypatch.setattr("halfhour.render.xlsx.SHEET_ROWS", 3)

    file = io.BytesIO(written(answer(By.INTERVAL), Format.XLSX))

    sheets = openpyxl.load_workbook(file).worksheets
    assert [(each.title, each.max_row) for each in sheets[:-1]] == [
        ("Report", 4),
        ("Report 2", 4),
        ("Report 3", 2),
    ]


@pytest.mark.parametrize("by", By)
def test_every_column_of_a_report_means_something(by):
    assert set(answer(by).column_names) <= set(MEANINGS)
