"""What was found for a question, on its way to a report."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from halfhour.tables import BUSY, CAPACITY, NAMES, POSTED, STATUS
from halfhour.windows import Held


@dataclass(frozen=True, slots=True)
class Found:
    """*agents* and *queues* are `tables.NAMES`, *posted*, *worked* and *legs* `tables.POSTED`, the
    others what they are called.

    *legs* is what the calls that callbacks led to have posted under voice. *days*
    tell how sure the days are that the figures come from, *detailed* which days
    conversation details are held of.
    """

    agents: pa.Table = field(default_factory=NAMES.empty_table)
    posted: pa.Table = field(default_factory=POSTED.empty_table)
    legs: pa.Table = field(default_factory=POSTED.empty_table)
    worked: pa.Table = field(default_factory=POSTED.empty_table)
    busy: pa.Table = field(default_factory=BUSY.empty_table)
    status: pa.Table = field(default_factory=STATUS.empty_table)
    capacity: pa.Table = field(default_factory=CAPACITY.empty_table)
    queues: pa.Table = field(default_factory=NAMES.empty_table)
    offered: pa.Table | None = None
    days: Sequence[Held] = ()
    detailed: Sequence[Held] = ()

    @property
    def counts_callbacks_twice(self) -> bool:
        """Whether *posted* has callbacks of days without details, so that *legs* lacks theirs."""
        callbacks = self.posted.filter(pc.equal(self.posted["media_type"], "callback"))
        days = {each.day for each in self.days} - {each.day for each in self.detailed}
        return any(
            day.start <= start < day.end
            for start in pc.unique(callbacks["interval_start"]).to_pylist()
            for day in days
        )
