"""Posted figures from the values of conversation details, to compare with aggregates."""

from datetime import timedelta

import pyarrow as pa

from halfhour.model.intervals import MILLISECOND, Interval
from halfhour.model.tables import POSTED_METRICS, POSTED_SCHEMA, MetricColumn
from halfhour.store.store import Store
from tests.sync_runs import query_file


def posted_from_details(store: Store, interval: Interval, width: timedelta) -> pa.Table:
    """Return the posted figures of *interval* that the values of conversation details add up to."""
    columns = ", ".join(map(_sum_of_values, POSTED_METRICS))
    return query_file(
        store,
        "select make_timestamptz(epoch_ms(emitted_at) // $width * $width * 1000) "
        f"as interval_start, agent_id, queue_id, media_type, {columns} from emitted "
        "where emitted_at >= $start and emitted_at < $end group by all",
        start=interval.start,
        end=interval.end,
        width=width // MILLISECOND,
    ).cast(POSTED_SCHEMA)


def _sum_of_values(column: MetricColumn) -> str:
    of_metric = f"filter (metric = '{column.metric}')"
    if column.stat == "count" and not column.metric.startswith("n"):
        return f"nullif(count(*) {of_metric}, 0) as {column.name}"
    return f"sum(value) {of_metric}::bigint as {column.name}"
