"""Every format says the same, whatever there is to say."""

import csv
import io
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
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

from halfhour.cli.output import format_for_path
from halfhour.model.data_dictionary import COLUMN_MEANINGS, column_title, label_table
from halfhour.model.measures import AGENT_MEASURES
from halfhour.model.vocabulary import Basis, By, Format
from halfhour.render import csv_json
from halfhour.render.formats import write_tables
from halfhour.render.table import SECONDARY_COLUMNS, render_text_tables
from tests.golden.test_text import HARD, NIGHT, answer, written

NAMES = ["=1+1", "'=1+1", "''@x", "-7", "\t", "x=y", "'plain", "＝1", 'a "b", c\nd', "نور 🎧", ""]


def from_csv(data: bytes) -> list[dict[str, Any]]:
    rows = csv.DictReader(io.StringIO(data.decode(), newline=""))
    return [{name: unguarded(cell) or None for name, cell in row.items()} for row in rows]


def unguarded(cell: str) -> str:
    """Remove one apostrophe before a formula, as the README tells a reader of CSV."""
    return re.sub(r"^'('*[=+\-@\t\r\n＝＋－＠])", r"\1", cell)


def from_ndjson(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in data.splitlines()]


def from_parquet(data: bytes) -> list[dict[str, Any]]:
    return list(pq.read_table(pa.BufferReader(data)).to_pylist())


def from_xlsx(data: bytes, index: int = 0) -> list[dict[str, Any]]:
    sheet = openpyxl.load_workbook(io.BytesIO(data)).worksheets[index]
    columns = {column_title(name): name for name in COLUMN_MEANINGS}
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


def plain_value(value: object) -> object:
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


def read_back(form: Format, data: bytes) -> list[dict[str, object]]:
    return [
        {name: plain_value(value) for name, value in row.items()} for row in READERS[form](data)
    ]


@pytest.mark.parametrize("by", By)
@pytest.mark.parametrize("basis", Basis)
@pytest.mark.parametrize(
    ("rows", "sort"),
    [(HARD, ""), (HARD, "acw_time_sec"), (HARD[:0], "")],
    ids=["hard", "sorted", "none"],
)
def test_all_formats_agree_cell_for_cell(by, basis, rows, sort):
    table = answer(by, rows, basis, sort)

    rows_by_form = {form: read_back(form, written(table, form)) for form in READERS}

    assert all(rows == rows_by_form[Format.PARQUET] for rows in rows_by_form.values())
    assert len(rows_by_form[Format.PARQUET]) == table.num_rows


def from_text(data: str) -> list[dict[str, str]]:
    """The cells between the gutters, which are two columns that are blank in all lines."""
    lines = [
        [part for character in line for part in (character, *[""] * (cell_len(character) - 1))]
        for line in data.splitlines()
    ]
    width = max(map(len, lines))
    full = [[*line, *" " * (width - len(line))] for line in lines]
    used = "".join(" " if set(cells) == {" "} else "x" for cells in zip(*full, strict=True))
    places = [match.span() for match in re.finditer(r"x( ?x)*", used)]
    head, *rows = (["".join(line[start:end]).strip() for start, end in places] for line in full)
    return [dict(zip(head, row, strict=True)) for row in rows]


def harmless(name: str) -> str:
    return "".join(character if character.isprintable() else " " for character in name).strip()


@pytest.mark.parametrize("by", By)
@pytest.mark.parametrize("basis", Basis)
def test_a_table_has_the_cells_of_csv_and_a_mark_for_one_of_its_columns(by, basis):
    table = answer(by, HARD, basis)
    rows = from_csv(written(table, Format.CSV))
    whole = render_text_tables([table], seconds=True, ids=True)
    lines = whole.splitlines()[: table.num_rows + 1]
    table_rows = from_text("\n".join(lines))
    notes = whole.splitlines()[len(lines) :]

    assert len(table_rows) == len(rows) == table.num_rows
    assert any(note[0] == "!" for note in notes) == ("exceeds_interval" in table.column_names)
    assert "handle_time_sec" in table_rows[0]
    for cells, row in zip(table_rows, rows, strict=True):
        exceeding_mark = "! " if row.get("exceeds_interval") == "true" else ""
        row["handle_time_sec"] = f"{exceeding_mark}{row['handle_time_sec'] or ''}"
        ratios = {name for name in row if name.endswith("_ratio")}
        for name in ratios:
            row[name.removesuffix("_ratio")] = f"{float(row.pop(name)):.1%}" if row[name] else None
        for name, cell in cells.items():
            assert cell == harmless(row[name] or "")
    columns = {name.removesuffix("_ratio") for name in table.column_names}
    secondary = {name.removesuffix("_ratio") for name in SECONDARY_COLUMNS}
    left_out = columns - set(table_rows[0]) - secondary - {"provisional"}
    assert {row[name] for row in rows for name in left_out} <= {None, "0", "0.000"}


@pytest.mark.parametrize("form", [Format.JSON, Format.PARQUET, Format.XLSX, Format.NDJSON])
def test_a_name_that_looks_like_a_formula_is_a_name(form):
    table = pa.table({"agent_name": NAMES})

    names = [row["agent_name"] or "" for row in READERS[form](written(table, form))]

    assert names == NAMES


def test_a_csv_name_that_looks_like_a_formula_has_an_apostrophe_in_front():
    table = pa.table({"agent_name": NAMES, "n": NAMES})

    rows = list(csv.reader(io.StringIO(written(table, Format.CSV).decode(), newline="")))[1:]

    cells = [row[0] for row in rows]
    assert cells[:6] == ["'=1+1", "''=1+1", "'''@x", "'-7", "'\t", "x=y"]
    assert not [cell for cell in cells if cell[:1] in set("=+-@\t\r\n＝＋－＠")]
    assert [unguarded(cell) for cell in cells] == NAMES


@given(st.lists(st.text(st.characters(codec="utf-8")) | st.sampled_from(NAMES)))
def test_csv_and_json_give_back_every_name_unchanged(names):
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
def test_a_table_in_batches_is_written_without_a_seam(form):
    count = 2 * csv_json.BATCH_ROWS + 1
    table = pa.table({"id": [str(n) for n in range(count)], "n_count": range(count)})
    chunked = pa.concat_tables([table.slice(0, 5), table.slice(5)])
    file = io.BytesIO()
    parts = [table.slice(0, 0), table.slice(0, 5), table.slice(5, 0), table.slice(5)]
    write_tables({"Report": parts}, form, file)

    assert [row["n_count"] for row in read_back(form, written(table, form))] == list(range(count))
    assert written(chunked, form) == written(table, form) == file.getvalue()


def test_parquet_says_what_it_holds_and_what_its_columns_mean():
    data = written(label_table(answer(By.INTERVAL), zone="Europe/London"), Format.PARQUET)

    schema = pq.read_schema(pa.BufferReader(data))

    metadata = {key.decode(): value.decode() for key, value in schema.metadata.items()}
    assert metadata["halfhour.basis"] == "posted"
    assert metadata["halfhour.interval"] == "2026-10-25T00:00:00.000Z/2026-10-25T02:00:00.000Z"
    assert metadata["halfhour.zone"] == "Europe/London"
    assert json.loads(metadata["halfhour.columns"])["hold_time_sec"]["metric"] == "tHeldComplete"
    assert schema.field("handle_time_sec").metadata[b"unit"] == b"seconds"
    assert schema.field("interval_start").type == pa.timestamp("ms", tz="Europe/London")


def workbook(tables: Mapping[str, pa.Table], **facts: str) -> bytes:
    file = io.BytesIO()
    parts = {name: [label_table(table, **facts)] for name, table in tables.items()}
    write_tables(parts, Format.XLSX, file)
    return file.getvalue()


def test_a_workbook_has_a_sheet_for_each_table_and_one_of_explanations():
    tables = {"Intervals": answer(By.INTERVAL), "Agents": answer(By.AGENT)}
    missing = "2026-10-25T01:30:00.000Z/2026-10-25T02:00:00.000Z"
    data = workbook(tables, zone="Europe/London", made_at="2026-10-25T03:00:00Z", missing=missing)

    book = openpyxl.load_workbook(io.BytesIO(data))
    sheet, meaning = book["Intervals"], book["What it means"]

    assert book.sheetnames == ["Intervals", "Agents", "What it means"]
    assert sheet.freeze_panes == "E2"
    last = get_column_letter(len(tables["Intervals"].column_names))
    assert sheet.auto_filter.ref == f"A1:{last}{HARD.num_rows + 1}"
    assert {str(area.sqref) for area in sheet.conditional_formatting} >= {"E2:E8", f"A2:{last}8"}
    rows = [[cell.value for cell in row] for row in meaning.iter_rows()]
    facts = {row[0]: row[1] for row in rows}
    assert facts["Time zone"] == "Europe/London"
    assert facts["As of"] == "25 October 2026 03:00"
    assert facts["Not held"] == "25 October 2026 01:30 to 25 October 2026 02:00"
    assert str(book.properties.title).startswith("Intervals, Agents, 25 October 2026 01:00 to ")
    assert book.properties.creator == "halfhour"
    units = {row[1]: row[2] for row in rows}
    assert (units["handle_time_sec"], units["hold_share_ratio"]) == ("h:mm:ss", "per cent")
    assert "seconds" not in units.values()
    meanings = {row[1]: row[4] for row in rows}
    for table in tables.values():
        assert all(meanings[name] for name in table.column_names)


def test_the_explanations_of_a_workbook_have_room_for_all_their_lines():
    data = workbook({"Agents": answer(By.AGENT)}, missing=", ".join([str(NIGHT)] * 60))
    sheet = openpyxl.load_workbook(io.BytesIO(data))["What it means"]
    widths = [sheet.column_dimensions[letter].width for letter in "ABCDE"]
    rows = [[str(cell.value or "") for cell in row] for row in sheet.iter_rows()]
    head = next(number for number, row in enumerate(rows, 1) if row[0] == "Column")

    assert sheet.freeze_panes == f"A{head + 1}"
    assert (sheet.page_setup.orientation, sheet.page_setup.fitToHeight) == ("landscape", 0)
    for number, row in enumerate(rows, 1):
        rooms = widths if number > head else [widths[0], sum(widths[1:])]
        lines = max(len(cell) / room for cell, room in zip(row, rooms, strict=False))
        assert (sheet.row_dimensions[number].height or 15) >= 15 * lines


FORMS = {"_sec": "[h]:mm:ss", "_ratio": "0.0%", "_count": "#,##0"}
STANDS = {pa.bool_(): "center", pa.int64(): "right", pa.float64(): "right"}


@pytest.mark.parametrize("basis", Basis)
def test_every_sheet_of_a_workbook_has_its_table_and_every_column_its_form(basis):
    tables = {by.value: answer(by, HARD, basis) for by in By}
    data = workbook(tables)
    book = openpyxl.load_workbook(io.BytesIO(data))

    for index, (name, table) in enumerate(tables.items()):
        plain_rows = [
            {name: plain_value(value) for name, value in row.items()}
            for row in from_xlsx(data, index)
        ]
        assert plain_rows == read_back(Format.PARQUET, written(table, Format.PARQUET))
        for field, (head, *cells) in zip(table.schema, book[name].iter_cols(), strict=True):
            form = next((form for end, form in FORMS.items() if field.name.endswith(end)), None)
            if not pa.types.is_timestamp(field.type):
                assert {cell.number_format for cell in cells if cell.value is not None} <= {
                    form or "General"
                }
            else:
                assert all(
                    re.fullmatch(r'yyyy-mm-dd hh:mm" (UTC|\+01:00)"', cell.number_format)
                    for cell in cells
                )
            assert head.alignment.horizontal == STANDS.get(field.type, "left")


def test_an_id_is_folded_where_the_name_says_as_much():
    ids = ["1", "2"]
    data = workbook(
        {
            "apart": pa.table({"agent_id": ids, "agent_name": ["Ada", "Bob"]}),
            "alike": pa.table({"agent_id": ids, "agent_name": ["Ada", "Ada"]}),
            "alone": pa.table({"agent_id": ids, "n_count": [1, 2]}),
        }
    )
    book = openpyxl.load_workbook(io.BytesIO(data))

    assert [sheet.column_dimensions["A"].hidden for sheet in book.worksheets[:3]] == [
        True,
        False,
        False,
    ]


def test_measures_are_explained_by_columns_that_exist():
    for measure in AGENT_MEASURES:
        named = re.findall(r"\b\w+_(?:ms|sec|count)\b", COLUMN_MEANINGS[measure.name])
        assert set(named) <= set(COLUMN_MEANINGS)


def test_a_table_that_no_sheet_can_hold_goes_on_in_the_next(monkeypatch):
    monkeypatch.setattr("halfhour.render.xlsx.MAX_SHEET_ROWS", 3)

    file = io.BytesIO(written(answer(By.INTERVAL), Format.XLSX))

    sheets = openpyxl.load_workbook(file).worksheets
    assert [(character.title, character.max_row) for character in sheets[:-1]] == [
        ("Report", 4),
        ("Report 2", 4),
        ("Report 3", 2),
    ]


@pytest.mark.parametrize("by", By)
def test_every_column_of_a_report_means_something(by):
    assert set(answer(by).column_names) <= set(COLUMN_MEANINGS)


@pytest.mark.parametrize("form", Format)
def test_every_file_format_is_chosen_by_its_ending(form):
    if form not in (Format.TABLE, Format.HEATMAP, Format.WFM):
        assert format_for_path(Path(f"day.{form.value}")) is form
    assert format_for_path(Path("day.JSONL")) is Format.NDJSON
    assert format_for_path(None) is format_for_path(Path("day.txt")) is Format.TABLE
