"""Named questions about Arrow tables, answered as Arrow tables.

The questions stand in `sql/`. The columns' names carry their unit: `_sec`
seconds (exact milliseconds, but for means), `_count`, `_ratio`.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from importlib.resources import files

import duckdb
import pyarrow as pa

from halfhour.columns import ABSENT, figures, texts
from halfhour.intervals import epoch_ms
from halfhour.measures import AGENT_MEASURES, Measure
from halfhour.plan import Question
from halfhour.tables import MOMENT
from halfhour.vocabulary import By
from halfhour.windows import Held, State

_DECIMALS = {"s": 3, "ratio": 4}


def report(
    question: Question, *, posted: pa.Table, agents: pa.Table, days: Sequence[Held]
) -> pa.Table:
    """What was posted, by interval and agent or by agent, sorted so.

    *posted* is a `tables.POSTED`, *agents* a `tables.NAMES`; an agent without
    a name there shows as the id. What is of *days* that are not settled yet
    is provisional. Intervals are in *question*'s zone.
    """
    sql = (files("halfhour") / "sql" / f"by_{question.by}.sql").read_text(encoding="utf-8")
    measures = ",\n    ".join(_divided(measure) for measure in AGENT_MEASURES)
    if question.by is By.AGENT:
        sql = sql.replace("{measures}", measures)
    answer = _ask(
        sql,
        {"origin": question.interval.start},
        posted=posted,
        agents=agents,
        young=_starts(each.day.start for each in days if each.state is not State.SETTLED),
    )
    return answer.cast(_schema(answer.schema, question)).replace_schema_metadata(
        {"halfhour.basis": "posted", "halfhour.interval": str(question.interval)}
    )


def coverage(days: Sequence[Held]) -> pa.Table:
    """What a store has of each of *days*: `window_start`, `window_end`, `state`, `held_until`,
    `read_at` (moments in UTC, null where nothing is held) and `row_count`.
    """
    settled = [each.settled for each in days]
    return pa.table(
        {
            "window_start": _moments(each.day.start for each in days),
            "window_end": _moments(each.day.end for each in days),
            "state": texts([each.state.value for each in days]),
            "held_until": _moments(each.window.end if each else None for each in settled),
            "read_at": _moments(each.read_at if each else None for each in settled),
            "row_count": figures(
                array("q", [each.rows if each else ABSENT for each in settled]), pa.int64()
            ),
        }
    )


def _starts(moments: Iterable[datetime]) -> pa.Table:
    return pa.table({"window_start": _moments(moments)})


def _moments(moments: Iterable[datetime | None]) -> pa.Array:
    return figures(array("q", [epoch_ms(each) if each else ABSENT for each in moments]), MOMENT)


def _ask(sql: str, values: Mapping[str, object], **tables: pa.Table) -> pa.Table:
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        for name, table in tables.items():
            connection.register(name, table)
        return connection.sql(sql, params=values).to_arrow_table()


def _divided(measure: Measure) -> str:
    scale = " / 1000.0" if measure.unit == "s" else ""
    quotient = f"{measure.over}{scale} / nullif({measure.per}, 0)"
    return f"round({quotient}, {_DECIMALS[measure.unit]}) as {measure.name}"


def _schema(schema: pa.Schema, question: Question) -> pa.Schema:
    """The types that users get: moments to the millisecond in their zone, counts as int64."""
    moment = pa.timestamp("ms", tz=str(question.zone))
    return pa.schema(
        [
            field.with_type(
                moment
                if pa.types.is_timestamp(field.type)
                else pa.int64()
                if field.name.endswith("_count")
                else field.type
            )
            for field in schema
        ]
    )
