"""Keep raw details on disk until all of a window is there."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import msgspec
import pyarrow as pa

from halfhour.ingest.raw_details import RawDetails, read_records
from halfhour.model.tables import RAW_SCHEMAS, SPOOL_OPTIONS

RECORDS_READ_TOGETHER = 2_000
"""The number of records that are read together: Arrow takes long to begin."""
SESSIONS_IN_MEMORY = 50_000
"""The number of sessions that go to disk together: a file of small parts is slow to read."""


@dataclass(slots=True)
class DetailSpool:
    """The tables of `tables.RAW_SCHEMAS`: many rows as Arrow files in *folder*, few in memory.

    The files grow part by part, so that memory does not grow with the number of conversations.
    """

    folder: Path
    records_read_together: int = RECORDS_READ_TOGETHER
    sessions_in_memory: int = SESSIONS_IN_MEMORY
    _records: list[msgspec.Raw] = field(default_factory=list)
    _records_as_of: datetime | None = None
    _parts: list[RawDetails] = field(default_factory=list)
    _record_count: int = 0
    _session_count: int = 0
    _written_session_count: int = 0
    _writers: dict[str, pa.RecordBatchFileWriter] = field(default_factory=dict)

    def __enter__(self) -> "DetailSpool":
        return self

    def __exit__(self, error_type: type[BaseException] | None, *_: object) -> None:
        if error_type is None:
            self._read_pending_records()
            if self._writers:
                self._write_parts()
        for writer in self._writers.values():
            writer.close()

    def append_records(self, records: Iterable[msgspec.Raw], as_of: datetime) -> None:
        """Append *records*, which are right at *as_of*; of those of a conversation the last counts.

        The spool reads them once there are enough.
        """
        if self._records_as_of != as_of:
            self._read_pending_records()
        self._records += records
        self._records_as_of = as_of
        if len(self._records) >= self.records_read_together:
            self._read_pending_records()

    def _read_pending_records(self) -> None:
        if not self._records or self._records_as_of is None:
            return
        details = read_records(self._records, self._records_as_of)
        self._parts.append(details.renumbered(self._record_count, self._session_count))
        self._record_count += details.conversations.num_rows
        self._session_count += details.sessions.num_rows
        self._records.clear()
        if self._session_count > self._written_session_count + self.sessions_in_memory:
            self._write_parts()

    def tables(self) -> dict[str, pa.Table | Path]:
        """Return the tables, or their files, once the spool is closed."""
        return {
            name: self._path(name) if self._writers else self._table(name) for name in RAW_SCHEMAS
        }

    def _write_parts(self) -> None:
        for name, schema in RAW_SCHEMAS.items():
            if name not in self._writers:
                self._writers[name] = pa.ipc.new_file(
                    self._path(name), schema, options=SPOOL_OPTIONS
                )
            self._writers[name].write_table(self._table(name))
        self._parts.clear()
        self._written_session_count = self._session_count

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.arrow"

    def _table(self, name: str) -> pa.Table:
        parts: list[pa.Table] = [getattr(part, name) for part in self._parts]
        return pa.concat_tables([RAW_SCHEMAS[name].empty_table(), *parts])
