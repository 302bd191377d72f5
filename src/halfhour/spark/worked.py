"""Turn files of conversation details into worked time in Parquet files with Spark."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from io import BytesIO
from pathlib import Path

import msgspec
import pyarrow.parquet as pq

from halfhour.errors import ConfigError
from halfhour.ingest.detail_files import read_pages_of_stream
from halfhour.model.intervals import Interval
from halfhour.model.vocabulary import Source
from halfhour.spark.derivation import DataFrame, SparkDerivation
from halfhour.spark.file_systems import Draft, FileSystems, Output, escape_glob, refuse_passwords
from halfhour.spark.raw_rows import (
    FILES,
    RAW_ROW_SCHEMA,
    RECORD_BITS,
    UNREADABLE,
    DetailFile,
    row_reader,
)
from halfhour.spark.session import Session, explain_spark_errors, open_session
from halfhour.store.worked_tables import WORKED_TABLES
from halfhour.syncing.detail_scan import DetailScan, FileScan, UnreadableRecord
from halfhour.syncing.output_folder import QuarantineWriter
from halfhour.syncing.progress import Event, EventCallback, EventKind
from halfhour.syncing.worked_files import WorkedOutcome, WorkedRequest, plan_days

_IS_FILE = f"raw_table = '{FILES}'"
_IS_UNREADABLE = f"raw_table = '{UNREADABLE}'"
_SPARK_TYPES = {"int64": "bigint", "string": "string", "bool": "boolean", "binary": "binary"}


def write_with_spark(
    inputs: Sequence[str],
    request: WorkedRequest,
    master: str,
    clock: Callable[[], datetime],
    on_event: EventCallback,
) -> WorkedOutcome:
    """Replace the days (UTC) of *request* with what the conversations in *inputs* say.

    The rows are those of `write_worked_files`, and so are the places of the files. Inputs and
    output are where the file systems of the cluster reach. An application of Spark is started at
    *master* if none runs. Raises ConfigError before a day is replaced, Unreachable or WriteError.
    """
    refuse_passwords([*inputs, request.output])
    with open_session(master) as session, explain_spark_errors(request.output):
        file_systems = FileSystems(session)
        output = file_systems.open_output(request.output, request.organization, inputs)
        files = file_systems.find_files(inputs)
        with output.open_draft() as draft:
            derivation = SparkDerivation(session, draft.location)
            scan = _scan_files(derivation, files, clock(), draft, output, on_event)
            outcome = plan_days(scan, request, on_event)
            output.refuse_other_files(WORKED_TABLES, [day.start for day in outcome.days])
            derivation.create_raw_tables([scan.valid_until[file.name] for file in files.values()])
            derivation.derive_details(scan.records_interval(request.interval))
            derivation.derive_work(outcome.days, request.width)
            for issue in derivation.data_issues(outcome.days):
                outcome.add_issue(issue)
            row_counts = derivation.row_counts()
            for day in outcome.days:
                counts = {name: days.get(day.start, 0) for name, days in row_counts.items()}
                outcome.add_day(on_event, day, sum(counts.values()))
                old_count = output.count_rows("segments", day.start)
                outcome.compare_segments(day, old_count, counts["segments"])
            _replace_days(outcome.days, file_systems, output, draft, on_event)
    outcome.emit_data_issues(on_event)
    return outcome


def _scan_files(
    derivation: SparkDerivation,
    files: Mapping[str, DetailFile],
    now: datetime,
    draft: Draft,
    output: Output,
    on_event: EventCallback,
) -> DetailScan:
    """Read *files* into the table of their rows, and replace their quarantine."""
    rows = _read_rows(derivation.session, files, now)
    rows = derivation.write_table("rows", rows, by="raw_table")
    names = [file.name for file in files.values()]
    facts = {row.record >> RECORD_BITS: row for row in rows.where(_IS_FILE).collect()}
    scans = []
    for number, name in enumerate(names):
        if number not in facts:  # Spark leaves out empty files, which are cut off.
            list(read_pages_of_stream(name, BytesIO()))
        if facts[number].reason is not None:
            raise ConfigError(facts[number].reason)
        scan = msgspec.json.decode(bytes(facts[number].content), type=FileScan)
        scans.append(replace(scan, path=name))
    for done, scan in enumerate(scans, 1):
        on_event(Event(EventKind.READ, rows=scan.record_count, done=done, of=len(scans)))
    quarantine = QuarantineWriter(draft.folder)
    first_unreadable = None
    for record in _unreadable_records(rows, names):
        first_unreadable = first_unreadable or record
        quarantine.append_record(record)
    quarantine.close()
    output.replace_quarantine(quarantine, names)
    return DetailScan.of_files(scans, first_unreadable)


def _read_rows(session: Session, files: Mapping[str, DetailFile], now: datetime) -> DataFrame:
    schema = ", ".join(f"{field.name} {_SPARK_TYPES[str(field.type)]}" for field in RAW_ROW_SCHEMA)
    contents = session.read.format("binaryFile").load([escape_glob(path) for path in files])
    return contents.select("path", "content").mapInArrow(row_reader(files, now), schema)


def _unreadable_records(rows: DataFrame, names: Sequence[str]) -> Iterator[UnreadableRecord]:
    for row in rows.where(_IS_UNREADABLE).sort("record").toLocalIterator():
        file_number, position = row.record >> RECORD_BITS, row.record % (1 << RECORD_BITS)
        yield UnreadableRecord(
            names[file_number], position + 1, row.conversation_id, row.reason, bytes(row.content)
        )


def _replace_days(
    days: Sequence[Interval],
    file_systems: FileSystems,
    output: Output,
    draft: Draft,
    on_event: EventCallback,
) -> None:
    for done, day in enumerate(days, 1):
        for table in WORKED_TABLES:
            part = _find_part(file_systems, f"{draft.location}/{table}", day)
            output.replace_day(part or _empty_part(draft.folder, table), table, day.start)
        on_event(Event(EventKind.SETTLED, Source.DETAILS, day, done=done, of=len(days)))


def _find_part(file_systems: FileSystems, table_location: str, day: Interval) -> str | None:
    """Return the file that Spark wrote for *day*; None if there are no rows."""
    folder = f"{table_location}/day={day.start.date()}"
    if file_systems.status(folder) is None:
        return None
    (part,) = [
        status.getPath().toString()
        for status in file_systems.list_folder(folder)
        if not status.getPath().getName().startswith((".", "_"))
    ]
    return str(part)


def _empty_part(folder: Path, table: str) -> str:
    path = folder / f"empty-{table}.parquet"
    pq.write_table(WORKED_TABLES[table].empty_table(), path, compression="zstd")
    return str(path)
