"""The data from which a report is made: tables in a database, and the coverage of each day."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from halfhour.model.coverage import DayCoverage, SettledWindow
from halfhour.model.intervals import from_epoch_ms
from halfhour.model.vocabulary import Source
from halfhour.store.database import Connection
from halfhour.store.report_views import REPORT_SCHEMAS, connect_to_empty_tables


@dataclass(frozen=True, slots=True)
class ReportData:
    """The tables of `REPORT_SCHEMAS` for one question, in an open *connection*.

    *days_by_source* has the coverage of each day. *has_offered* tells whether the numbers of
    offered interactions were fetched.
    """

    connection: Connection
    days_by_source: Mapping[Source, Sequence[DayCoverage]] = field(default_factory=dict)
    has_offered: bool = False

    @classmethod
    def without_rows(cls) -> "ReportData":
        """Return data without any rows, as of a store that has nothing for a question."""
        return cls(connect_to_empty_tables())

    def query(self, sql: str, values: Mapping[str, object] | None = None) -> pa.Table:
        """Return the answer of *sql* over the tables, with *values* for its parameters."""
        return self.connection.sql(sql, params=dict(values or {})).to_arrow_table()

    def table(self, name: str) -> pa.Table:
        """Return the rows of a table of `REPORT_SCHEMAS`."""
        return (
            self.query(f"from {name}").select(REPORT_SCHEMAS[name].names).cast(REPORT_SCHEMAS[name])
        )

    def replace_table(self, name: str, table: pa.Table) -> None:
        """Put *table* in the place of a table of `REPORT_SCHEMAS`."""
        self.connection.register(f"replaced_{name}", table)
        self.connection.execute(f"create or replace temp view {name} as from replaced_{name}")

    def days_of_sources(self, sources: Iterable[Source]) -> list[DayCoverage]:
        """Return the days of *sources*, one source after the other."""
        return [day for source in sources for day in self.days_by_source.get(source, ())]

    def settled_days(self, source: Source) -> list[SettledWindow]:
        """Return the stored windows of *source*."""
        return [day.settled for day in self.days_of_sources([source]) if day.settled]

    @property
    def lacks_callback_voice(self) -> bool:
        """Return whether the posted figures have callbacks of days without details.

        For those `callback_voice` lacks the time that counts twice.
        """
        callback_starts = self.query(
            "select distinct epoch_ms(interval_start) as ms from figures "
            "where media_type = 'callback'"
        )["ms"]
        detail_days = {day.day for day in self.days_of_sources([Source.DETAILS]) if day.settled}
        other_days = {day.day for day in self.days_of_sources([Source.POSTED])} - detail_days
        return any(
            day.start <= start < day.end
            for start in map(from_epoch_ms, callback_starts.to_pylist())
            for day in other_days
        )
