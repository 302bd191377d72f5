"""The data from which a report is made, whether a store or the API gave it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from halfhour.model.coverage import DayCoverage, SettledWindow
from halfhour.model.tables import (
    BUSY_SCHEMA,
    CAPACITY_SCHEMA,
    NAMES_SCHEMA,
    POSTED_SCHEMA,
    STATUS_SCHEMA,
)
from halfhour.model.vocabulary import Source


@dataclass(frozen=True, slots=True)
class ReportData:
    """The tables for one question, each with its schema of `model.tables`.

    *worked* and *callback_voice* have `POSTED_SCHEMA`; *callback_voice* is the time that
    callbacks and the calls they led to share. *days_by_source* has the coverage of each day.
    """

    agents: pa.Table = field(default_factory=NAMES_SCHEMA.empty_table)
    posted: pa.Table = field(default_factory=POSTED_SCHEMA.empty_table)
    callback_voice: pa.Table = field(default_factory=POSTED_SCHEMA.empty_table)
    worked: pa.Table = field(default_factory=POSTED_SCHEMA.empty_table)
    busy: pa.Table = field(default_factory=BUSY_SCHEMA.empty_table)
    status: pa.Table = field(default_factory=STATUS_SCHEMA.empty_table)
    capacity: pa.Table = field(default_factory=CAPACITY_SCHEMA.empty_table)
    queues: pa.Table = field(default_factory=NAMES_SCHEMA.empty_table)
    offered: pa.Table | None = None
    days_by_source: Mapping[Source, Sequence[DayCoverage]] = field(default_factory=dict)

    def days_of_sources(self, sources: Iterable[Source]) -> list[DayCoverage]:
        """Return the days of *sources*, one source after the other."""
        return [day for source in sources for day in self.days_by_source.get(source, ())]

    def settled_days(self, source: Source) -> list[SettledWindow]:
        """Return the stored windows of *source*."""
        return [day.settled for day in self.days_of_sources([source]) if day.settled]

    @property
    def lacks_callback_voice(self) -> bool:
        """Return whether *posted* has callbacks of days without details.

        For those *callback_voice* lacks the time that counts twice.
        """
        callbacks = self.posted.filter(pc.equal(self.posted["media_type"], "callback"))
        detail_days = {day.day for day in self.days_of_sources([Source.DETAILS]) if day.settled}
        other_days = {day.day for day in self.days_of_sources([Source.POSTED])} - detail_days
        return any(
            day.start <= start < day.end
            for start in pc.unique(callbacks["interval_start"]).to_pylist()
            for day in other_days
        )
