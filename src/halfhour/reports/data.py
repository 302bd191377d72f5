"""What was found for a question, on its way to a report."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from halfhour.model.coverage import Held, Settled
from halfhour.model.tables import BUSY, CAPACITY, NAMES, POSTED, STATUS
from halfhour.model.vocabulary import Source


@dataclass(frozen=True, slots=True)
class Found:
    """*agents* and *queues* are `tables.NAMES`; *posted*, *worked* and *callback_voice* are
    `tables.POSTED`; the others are what they are called.

    *callback_voice* is the time that callbacks and the calls they led to have in common. *days*
    tell what there is of each day, by source.
    """

    agents: pa.Table = field(default_factory=NAMES.empty_table)
    posted: pa.Table = field(default_factory=POSTED.empty_table)
    callback_voice: pa.Table = field(default_factory=POSTED.empty_table)
    worked: pa.Table = field(default_factory=POSTED.empty_table)
    busy: pa.Table = field(default_factory=BUSY.empty_table)
    status: pa.Table = field(default_factory=STATUS.empty_table)
    capacity: pa.Table = field(default_factory=CAPACITY.empty_table)
    queues: pa.Table = field(default_factory=NAMES.empty_table)
    offered: pa.Table | None = None
    days: Mapping[Source, Sequence[Held]] = field(default_factory=dict)

    def held(self, sources: Iterable[Source]) -> list[Held]:
        """The days of *sources*, one source after the other."""
        return [each for source in sources for each in self.days.get(source, ())]

    def settled(self, source: Source) -> list[Settled]:
        """What is held of *source*."""
        return [each.settled for each in self.held([source]) if each.settled]

    @property
    def lacks_callback_voice(self) -> bool:
        """Tell whether *posted* has callbacks of days without details.

        Then *callback_voice* does not say how much of them counts twice.
        """
        callbacks = self.posted.filter(pc.equal(self.posted["media_type"], "callback"))
        detailed = {each.day for each in self.held([Source.DETAILS]) if each.settled}
        days = {each.day for each in self.held([Source.POSTED])} - detailed
        return any(
            day.start <= start < day.end
            for start in pc.unique(callbacks["interval_start"]).to_pylist()
            for day in days
        )
