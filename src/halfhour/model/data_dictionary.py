"""The data dictionary: the unit, the meaning and the title of each column, for every format."""

import json
from collections.abc import Mapping

import pyarrow as pa

from halfhour.model.measures import AGENT_MEASURES, FIGURES
from halfhour.model.vocabulary import Basis, Source

WORK_DESCRIPTIONS = {
    Basis.POSTED: "half-hours of handle time",
    Basis.WORKED: "agents at work",
    Basis.BOTH: "half-hours of handle time",
}
"""A name for the quotient of a half-hour's sum and its length, by basis.

Posted time may belong to earlier work, so only worked time counts agents at work.
"""

UNITS_BY_SUFFIX = {
    "_sec": "seconds",
    "_ms": "milliseconds",
    "_count": "count",
    "_ratio": "ratio, 1 is all of it",
    "_percent": "per cent",
    "_start": "moment",
    "_end": "moment",
    "_at": "moment",
    "_until": "moment",
}
"""Units by the ending of a column's name."""

_DISPLAYED_UNITS_BY_SUFFIX = {**UNITS_BY_SUFFIX, "_sec": "h:mm:ss", "_ratio": "per cent"}
"""Units of the cells that people read, where durations and shares are written as such."""

_OPERAND_COLUMNS = {
    **{figure.sum_column: figure.name for figure in FIGURES},
    "available_ms": "(interacting_time_sec + communicating_time_sec + idle_time_sec)",
}
"""The columns of reports that hold the operands of a measure, by the sum that `sql/` divides."""


EXCEEDING_CAUSES = (
    "work that began earlier, at the same time as other work, or a callback posted twice"
)
"""The reasons for which more handle time is posted in an interval than it is long."""
COLUMN_MEANINGS = {
    "org": "the organisation, by its name in the settings file",
    "interval_start": "start of the interval, which belongs to it",
    "interval_end": "end of the interval, which no longer belongs to it",
    "total": "all agents together",
    "agent_count": "agents who had a part in it",
    "queue_name": "the queue's name, or the id; several where one session had several",
    "agent_id": "the agent's id in Genesys Cloud",
    "agent_name": "the agent's name, or the id where no name is known",
    "exceeds_interval": "whether more handle time was posted than the interval is long: "
    f"{EXCEEDING_CAUSES}",
    "provisional": "whether Genesys may still correct it",
    "basis": "posted: whole, where it was completed, as in the Genesys UI; worked: where the "
    "work was, cut at the edges of intervals; both: posted, but for the columns that say worked "
    "and busy",
    "interval_count": "intervals in which handle time, after-call work or hold was posted, or on "
    "the worked basis was worked",
    "source": "what was read",
    "window_start": "start of the day that is held or missing",
    "window_end": "its end, not included",
    "state": "of a day: settled, provisional (to be read again), unfinished, incomplete (something "
    "could not be read) or missing; of an agent: active, inactive or deleted",
    "held_until": "up to when it is held",
    "read_at": "when it was read",
    "row_count": "rows held of it",
    "left_out_count": "conversations, segments and values that were there and could not be read",
    "offered_count": "interactions that the queue was offered; asked for live, and empty if not",
    "queue_id": "the queue's id in Genesys Cloud; empty for work of no queue",
    "media_type": "voice, callback, chat, email or message",
    "column_name": "the figure that changed, as the store calls it",
    "old_value": "what it was; empty where there was none",
    "new_value": "what it is; empty where there is none any more",
    "day": "the day, in the report's zone",
    "posted_ms": "handle time as conversation aggregates have it",
    "rebuilt_ms": "handle time as conversation details have posted it",
    "worked_ms": "handle time as it lies in the day, cut at midnight",
    "differing_interval_count": "intervals in which posted and rebuilt differ",
    "late_data_ms": "posted less rebuilt, of what one of the readings could not know yet",
    "callback_under_voice_ms": "worked as voice on calls that callbacks led to",
    "overlapping_segments_ms": "time that segments of one session have in common: posted with "
    "each of them, worked once",
    "crosses_midnight_ms": "posted on another day than it was worked",
    "still_open_ms": "worked on, and not posted yet",
    "unanswered_acw_ms": "after-call work of offers that were not answered",
    "contacting_only_ms": "contacting in sessions without other work, of which nothing was posted",
    "unexplained_ms": "what none of these explains",
    "unexplained_conversations": "ids of the conversations it lies in",
    **{figure.name: figure.meaning for figure in FIGURES},
    **{
        figure.name: f"{figure.meaning} (empty where queues or media types are chosen)"
        for figure in FIGURES
        if figure.source is Source.STATUS
    },
    **{
        measure.name: f"sum of {_OPERAND_COLUMNS[measure.numerator]} / "
        f"sum of {_OPERAND_COLUMNS.get(measure.denominator, measure.denominator)} "
        f"({measure.source})"
        for measure in AGENT_MEASURES
    },
}
"""The meaning of each column in plain words."""

_METRICS_BY_COLUMN = {
    figure.name: figure.posted_metric for figure in FIGURES if figure.posted_metric
}
_ABBREVIATIONS = {"acw": "ACW", "aht": "AHT", "id": "ID"}


def column_unit(column: str) -> str:
    """The unit of a *column*; empty for text and for yes or no."""
    return _unit_by_suffix(column, UNITS_BY_SUFFIX)


def displayed_unit(column: str) -> str:
    """The unit of a *column* as a workbook or a page shows it; empty if it has none."""
    return _unit_by_suffix(column, _DISPLAYED_UNITS_BY_SUFFIX)


def _unit_by_suffix(column: str, units: Mapping[str, str]) -> str:
    return next((unit for ending, unit in units.items() if column.endswith(ending)), "")


def genesys_metric(column: str) -> str:
    """The Genesys metric that *column* sums up; empty if it is not one."""
    return _METRICS_BY_COLUMN.get(column, "")


def column_head(column: str) -> str:
    """The name of *column* without a unit that the cells of a table show: ``aht`` for aht_sec."""
    return column.removesuffix("_sec").removesuffix("_ratio")


def column_title(column: str) -> str:
    """The title of *column* for people, without the unit, which the cells show."""
    words = column_head(column).split("_")
    first, *others = (_ABBREVIATIONS.get(word, word) for word in words)
    return " ".join([first[:1].upper() + first[1:], *others])


def label_table(table: pa.Table, **facts: str) -> pa.Table:
    """Return *table* with *facts* and the meaning of its columns as metadata.

    The schema gets each fact under ``halfhour.`` and its name, and under `halfhour.columns` the
    metadata of the columns as JSON, for readers that know no metadata of columns. A column gets
    its `unit`, `meaning` and `metric`, as far as it has them.
    """
    columns = {name: _column_metadata(name) for name in table.column_names}
    metadata = {
        **(table.schema.metadata or {}),
        **{f"halfhour.{name}": fact for name, fact in facts.items()},
        "halfhour.columns": json.dumps(columns),
    }
    fields = [field.with_metadata(columns[field.name] or None) for field in table.schema]
    return table.cast(
        pa.schema(fields, {_decode_text(key): _decode_text(metadata[key]) for key in metadata})
    )


def _column_metadata(name: str) -> dict[str, str]:
    metadata = {
        "unit": column_unit(name),
        "meaning": COLUMN_MEANINGS.get(name, ""),
        "metric": genesys_metric(name),
    }
    return {key: value for key, value in metadata.items() if value}


def _decode_text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
