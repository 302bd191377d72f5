"""Derive the tables of worked time with Spark, by the rules of `model/sql`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from halfhour.model.coverage import DAY
from halfhour.model.dialects import spark_rule
from halfhour.model.intervals import MILLISECOND, Interval, epoch_ms, from_epoch_ms
from halfhour.model.rules import DETAIL_STEPS
from halfhour.model.tables import RAW_SCHEMAS
from halfhour.spark.raw_rows import RECORD_BITS
from halfhour.spark.session import Session
from halfhour.store.derived_details import DataIssue, as_data_issue, issues_on_other_days
from halfhour.store.worked_tables import WORKED_TABLES

DataFrame = Any
"""A `pyspark.sql.DataFrame`, whose package is an extra."""

_TIME_COLUMNS = {
    "segments": "window_start",
    "emitted": "emitted_at",
    "worked": "interval_start",
    "busy": "interval_start",
}
"""The columns that tell the day of a row."""
_DAY_SEGMENTS = """
select
    agent_id, queue_id, media_type, segment_type, open, start_ms, end_ms,
    unix_millis(window_start) as day_start_ms
from segments
where not voice_of_callback
"""


@dataclass(frozen=True, slots=True)
class SparkDerivation:
    """The steps from raw tables to `WORKED_TABLES`, each a folder of Parquet files in *location*.

    A step reads the files of those before it: the plan of a query stays small, and no step is done
    twice.
    """

    session: Session
    location: str

    def write_table(self, name: str, table: DataFrame, *, by: str | None = None) -> DataFrame:
        """Write *table*, in a folder for each value of the column *by*, and return what is there.

        Queries know it by its *name*.
        """
        writer = table.write.option("compression", "zstd")
        if by:
            writer = writer.partitionBy(by)
        writer.parquet(f"{self.location}/{name}")
        # A table without rows may have no file that tells its schema.
        written = self.session.read.schema(table.schema).parquet(f"{self.location}/{name}")
        written.createOrReplaceTempView(name)
        return written

    def create_raw_tables(self, valid_until: Sequence[datetime]) -> None:
        """Make the raw tables known to queries, which are in the table `rows`.

        *valid_until* has the time up to which the records of each file are valid, in order.
        """
        rows = self.session.table("rows")
        files = [(number, epoch_ms(moment)) for number, moment in enumerate(valid_until)]
        self.session.createDataFrame(
            files, "file_number bigint, as_of_ms bigint"
        ).createOrReplaceTempView("file_times")
        for name, schema in RAW_SCHEMAS.items():
            table = rows.where(f"raw_table = '{name}'").select(schema.names)
            if "as_of_ms" in schema.names:
                table.createOrReplaceTempView("read_conversations")
                columns = [column for column in schema.names if column != "as_of_ms"]
                table = self.session.sql(
                    f"select {', '.join(columns)}, file_times.as_of_ms from read_conversations "  # noqa: S608
                    f"join file_times on file_number = record >> {RECORD_BITS}"
                )
            table.createOrReplaceTempView(name)

    def derive_details(self, records_interval: Interval) -> None:
        """Write segments and posted values of the days (UTC) of *records_interval*."""
        days = [epoch_ms(day.start) for day in records_interval.split_into_windows(DAY)]
        self.session.createDataFrame(
            [(day,) for day in days], "start_ms bigint"
        ).createOrReplaceTempView("days")
        for step in (*DETAIL_STEPS, "record_spans"):
            self.write_table(step, self.session.sql(spark_rule(step)))
        bounds = {
            "start_ms": epoch_ms(records_interval.start),
            "end_ms": epoch_ms(records_interval.end),
        }
        self._write_days("segments", self.session.sql(spark_rule("segments_by_day")))
        self._write_days("emitted", self.session.sql(spark_rule("emitted", **bounds)))

    def derive_work(self, days: Sequence[Interval], width: timedelta) -> None:
        """Write worked and busy time of *days* (UTC), in order, by intervals of *width*.

        Queries know `segments` already.
        """
        self.session.sql(_DAY_SEGMENTS).createOrReplaceTempView("day_segments")
        values = {
            "start_ms": epoch_ms(days[0].start),
            "end_ms": epoch_ms(days[-1].end),
            "width": width // MILLISECOND,
        }
        for name in ("worked", "busy"):
            work = self.session.sql(spark_rule(name, **values))
            self._write_days(
                name, work.selectExpr("timestamp_millis(interval_ms) as interval_start", "*")
            )

    def _write_days(self, name: str, table: DataFrame) -> None:
        """Write *table* with one file for each day (UTC), in the order of its columns."""
        from pyspark.sql import functions as sql

        columns = WORKED_TABLES[name].names
        rows = table.select(*columns, sql.to_date(_TIME_COLUMNS[name]).alias("day"))
        order = [sql.col(column).asc_nulls_last() for column in ("day", *columns)]
        self.write_table(name, rows.repartition("day").sortWithinPartitions(*order), by="day")

    def row_counts(self) -> Mapping[str, Mapping[datetime, int]]:
        """Return the number of rows by table and day (UTC); days without rows are left out."""
        counts: dict[str, dict[datetime, int]] = {name: {} for name in WORKED_TABLES}
        for name in WORKED_TABLES:
            rows = self.session.table(name).groupBy("day").count()
            for day, count in rows.selectExpr("unix_millis(timestamp(day))", "count").collect():
                counts[name][from_epoch_ms(day)] = count
        return counts

    def data_issues(self, days: Sequence[Interval]) -> Iterator[DataIssue]:
        """Yield what is wrong with the details, and who has segments on other days than *days*."""
        outside = self.session.table("segments").where(
            f"unix_millis(window_start) not in ({', '.join(str(epoch_ms(d.start)) for d in days)})"
        )
        other_days = outside.selectExpr("unix_millis(window_start)").distinct().collect()
        ids = outside.select("conversation_id").distinct().sort("conversation_id")
        yield from issues_on_other_days(
            [from_epoch_ms(day_ms) for (day_ms,) in other_days],
            (row[0] for row in ids.toLocalIterator()),
        )
        issues = self.session.sql(spark_rule("detail_issues"))
        for row in issues.toLocalIterator():
            yield as_data_issue(*row)
