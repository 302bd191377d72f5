"""Named questions about Arrow tables, answered as Arrow tables.

The questions stand in `sql/`. The columns' names carry their unit: `_sec`
seconds (exact milliseconds, but for means), `_count`, `_ratio`.
"""

from collections.abc import Mapping
from importlib.resources import files

import duckdb
import pyarrow as pa

from halfhour.measures import AGENT_MEASURES, Measure
from halfhour.plan import Question
from halfhour.vocabulary import By

_DECIMALS = {"s": 3, "ratio": 4}


def report(question: Question, *, posted: pa.Table, agents: pa.Table) -> pa.Table:
    """What was posted, by interval and agent or by agent, sorted so.

    *posted* is a `tables.POSTED`, *agents* a `tables.NAMES`; an agent without
    a name there shows as the id. Intervals are in *question*'s zone.
    """
    sql = (files("halfhour") / "sql" / f"by_{question.by}.sql").read_text(encoding="utf-8")
    measures = ",\n    ".join(_divided(measure) for measure in AGENT_MEASURES)
    if question.by is By.AGENT:
        sql = sql.replace("{measures}", measures)
    answer = _ask(sql, {"origin": question.interval.start}, posted=posted, agents=agents)
    return answer.cast(_schema(answer.schema, question)).replace_schema_metadata(
        {"halfhour.basis": "posted", "halfhour.interval": str(question.interval)}
    )


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
