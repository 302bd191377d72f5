"""What was found for a question, on its way to a report."""

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
    """*agents* and *queues* are `tables.NAMES`; *posted*, *worked* and *callback_voice* are
    `tables.POSTED`; the others are what they are called.

    *callback_voice* is the time that callbacks and the calls they led to have in common. *days*
    tell what there is of each day, by source.
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
        """The days of *sources*, one source after the other."""
        return [each for source in sources for each in self.days_by_source.get(source, ())]

    def settled_days(self, source: Source) -> list[SettledWindow]:
        """What is held of *source*."""
        return [each.settled for each in self.days_of_sources([source]) if each.settled]

    @property
    def lacks_callback_voice(self) -> bool:
        """Tell whether *posted* has callbacks of days without details.

        Then *callback_voice* does not say how much of them counts twice.
        """
        callbacks = self.posted.filter(pc.equal(self.posted["media_type"], "callback"))
        detailed = {each.day for each in self.days_of_sources([Source.DETAILS]) if each.settled}
        days = {each.day for each in self.days_of_sources([Source.POSTED])} - detailed
        return any(
            day.start <= start < day.end
            for start in pc.unique(callbacks["interval_start"]).to_pylist()
            for day in days
        )
