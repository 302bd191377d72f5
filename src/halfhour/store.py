"""What is held: windows of tables. Nothing but a settled window ever gets in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple

import pyarrow as pa

from halfhour.database import WAIT, Connection, Database, sql
from halfhour.intervals import MILLISECOND, Interval, epoch_ms, floored, moment
from halfhour.tables import BUSY, NAMES, POSTED, RECONCILED, REVISIONS, STATUS
from halfhour.vocabulary import Source
from halfhour.windows import DAY, Settled

Kind = Literal["agent", "queue"]

HOLDS: Mapping[Source, Mapping[str, str]] = {
    Source.POSTED: {"posted": "interval_start"},
    Source.STATUS: {"status": "interval_start"},
    Source.DETAILS: {"segments": "window_start", "emitted": "emitted_at"},
}
"""The tables of each source, and the column that says which window a row is of."""


class Change(NamedTuple):
    """What settling did: *rows* are held, *changed* figures are not as they were."""

    rows: int
    changed: int


@dataclass(frozen=True)
class Store:
    """The store in the file at *path*; it need not exist before something is settled."""

    path: Path
    wait: float = WAIT

    @cached_property
    def _database(self) -> Database:
        return Database(self.path, self.wait)

    @property
    def exists(self) -> bool:
        """Whether anything can have been settled."""
        return self._database.version > 0

    def create(self, settings: Mapping[str, str]) -> None:
        """Make sure that there is a store; a new one gets these *settings*.

        Raises StoreError, as all that follows does.
        """
        self._database.migrate(settings)

    def upgrade(self) -> None:
        """Bring a store that an older halfhour made up to date. Does nothing if there is none."""
        if self.exists:
            self.create({})

    def settings(self) -> dict[str, str]:
        """What the store was made with."""
        with self._database.reading() as connection:
            return dict(connection.execute("select name, value from settings").fetchall())

    def settled(self, source: Source) -> list[Settled]:
        """The windows of *source* that are held, oldest first."""
        # As whole milliseconds: as moments they would need a library for time zones.
        with self._database.reading() as connection:
            rows = connection.execute(
                "select epoch_ms(window_start), epoch_ms(window_end), epoch_ms(read_at), row_count "
                "from settled where source = ? order by all",
                [source],
            ).fetchall()
        return [
            Settled(Interval(moment(start), moment(end)), moment(read_at), count)
            for start, end, read_at, count in rows
        ]

    def settle(
        self,
        source: Source,
        window: Interval,
        tables: Mapping[str, pa.Table | Path],
        read_at: datetime,
    ) -> "Change":
        """Hold *tables*, those that `HOLDS` names, and nothing else of the day of *window*.

        A table may be a Parquet file: then it has a column *part* besides, of
        a conversation only the rows of its last part count, and other days do not. What is changed
        of posted figures that were held before is noted.
        """
        changed = count = 0
        day = {"start": window.start, "end": window.start + DAY}
        with self._database.transaction() as connection:
            for name, found in tables.items():
                column = HOLDS[source][name]
                if isinstance(found, Path):
                    rows, more = sql("last_parts"), {**day, "path": str(found)}
                    rows = rows.replace("{column}", column)
                else:
                    rows, more = "select * from incoming", {}
                    connection.register("incoming", found)
                if source is Source.POSTED:
                    changed = _revised(connection, window, read_at)
                connection.execute(
                    f"delete from {name} where {column} >= $start and {column} < $end",  # noqa: S608
                    day,
                )
                ((inserted,),) = connection.execute(
                    f"insert into {name} by name {rows}",
                    more,
                ).fetchall()
                count += inserted
            connection.execute(
                "delete from settled where source = ? and window_start = ?", [source, window.start]
            )
            connection.execute(
                "insert into settled values (?, ?, ?, ?, ?)",
                [source, window.start, window.end, read_at, count],
            )
        return Change(count, changed)

    def name(self, kind: Kind, names: Mapping[str, str | None], read_at: datetime) -> None:
        """Hold these *names* by id, as of *read_at*."""
        incoming = pa.table({"id": list(names), "name": pa.array(names.values(), pa.string())})
        with self._database.transaction() as connection:
            connection.register("incoming", incoming)
            connection.execute(
                "delete from names where kind = ? and id in (select id from incoming)", [kind]
            )
            connection.execute(
                "insert into names select ?, id, name, ? from incoming", [kind, read_at]
            )

    def unnamed(self, kind: Kind, before: datetime) -> list[str]:
        """Ids in what is held whose name was not asked for since *before*."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "select id from named where kind = $kind and id not in "
                "(select id from names where kind = $kind and read_at >= $before) order by id",
                {"kind": kind, "before": before},
            ).fetchall()
        return [row[0] for row in rows]

    def agents(self, interval: Interval) -> list[str]:
        """Ids of those who are held to have done something in *interval*."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "select agent_id from posted where interval_start between $start and $end union "
                "select agent_id from segments where window_start between $start and $end "
                "order by agent_id",
                {"start": interval.start, "end": interval.end},
            ).fetchall()
        return [row[0] for row in rows]

    def posted(self, interval: Interval) -> pa.Table:
        """`tables.POSTED` of *interval*, as far as it is held."""
        return self._table(
            "select * from posted where interval_start >= $start and interval_start < $end",
            start=interval.start,
            end=interval.end,
        ).cast(POSTED)

    def status(self, interval: Interval) -> pa.Table:
        """`tables.STATUS` of *interval*, as far as it is held."""
        return self._table(
            "select * from status where interval_start >= $start and interval_start < $end",
            start=interval.start,
            end=interval.end,
        ).cast(STATUS)

    def worked(self, interval: Interval, width: timedelta) -> pa.Table:
        """`tables.POSTED` of *interval*, on the worked basis and in intervals of *width*.

        It has no counts: those are of what was completed.
        """
        return _moments(self._table(sql("worked"), **_cut(interval, width))).cast(POSTED)

    def busy(self, interval: Interval, width: timedelta) -> pa.Table:
        """`tables.BUSY` of *interval*, in intervals of *width*."""
        return _moments(self._table(sql("busy"), **_cut(interval, width))).cast(BUSY)

    def rebuilt(self, interval: Interval, width: timedelta) -> pa.Table:
        """`tables.POSTED` of *interval* as conversation details have it."""
        return self._rebuilt(interval, width, only_legs=False)

    def legs(self, interval: Interval, width: timedelta) -> pa.Table:
        """Of what is `rebuilt` that which calls have posted that callbacks led to."""
        return self._rebuilt(interval, width, only_legs=True)

    def _rebuilt(self, interval: Interval, width: timedelta, *, only_legs: bool) -> pa.Table:
        return _moments(
            self._table(
                sql("rebuilt"),
                only_legs=only_legs,
                start=interval.start,
                end=interval.end,
                width=width // MILLISECOND,
            )
        ).cast(POSTED)

    def reconciled(
        self,
        interval: Interval,
        width: timedelta,
        held: Sequence[Interval],
        young: Sequence[Interval],
    ) -> pa.Table:
        """Handle time three ways by agent and day of *interval*: `tables.RECONCILED`.

        Details are *held* of those days; of the *young* ones more may come.
        """
        return self._table(
            sql("reconciled"),
            first=floored(interval.start, DAY),
            last=interval.end,
            width=width // MILLISECOND,
            held=[_day_number(each) for each in held],
            young=[_day_number(each) for each in young],
        ).cast(RECONCILED)

    def names(self, kind: Kind) -> pa.Table:
        """`tables.NAMES` of agents or queues."""
        return self._table(
            "select id, name from names where kind = $kind and name is not null order by id",
            kind=kind,
        ).cast(NAMES)

    def revisions(self, interval: Interval | None = None) -> pa.Table:
        """What was changed by reading it again, in *interval* or ever: `tables.REVISIONS`."""
        within = interval or Interval(moment(0), moment(2**47))
        return (
            self._table(
                "select revisions.*, names.name as agent_name from revisions "
                "left join names on names.kind = 'agent' and names.id = agent_id "
                "where interval_start >= $start and interval_start < $end "
                "order by read_at, interval_start, agent_id, queue_id, media_type, column_name",
                start=within.start,
                end=within.end,
            )
            .select(REVISIONS.names)
            .cast(REVISIONS)
        )

    def keep(self, since: datetime) -> int:
        """Let go of the windows that end by *since*, whole; how many days."""
        with self._database.transaction() as connection:
            gone = connection.execute(
                "delete from settled where window_end <= ? returning epoch_ms(window_end)", [since]
            ).fetchall()
            if gone:
                end = moment(max(row[0] for row in gone))
                for tables in (*HOLDS.values(), {"revisions": "interval_start"}):
                    for name, column in tables.items():
                        connection.execute(f"delete from {name} where {column} < ?", [end])  # noqa: S608
        return len({row[0] for row in gone})

    def _table(self, query: str, **values: object) -> pa.Table:
        with self._database.reading() as connection:
            return connection.sql(query, params=values).to_arrow_table()


def _day_number(day: Interval) -> int:
    return epoch_ms(day.start) // (DAY // MILLISECOND)


def _cut(interval: Interval, width: timedelta) -> dict[str, object]:
    """What the SQL that cuts segments takes: which windows, and which intervals of them."""
    return {
        "first": floored(interval.start, DAY),
        "last": interval.end,
        "start_ms": epoch_ms(interval.start),
        "end_ms": epoch_ms(interval.end),
        "width": width // MILLISECOND,
    }


def _moments(table: pa.Table) -> pa.Table:
    """Whole milliseconds as moments, which SQL that is to be portable has no one word for."""
    return table.set_column(
        0, POSTED.field("interval_start"), table["interval_ms"].cast(POSTED[0].type)
    )


def _revised(connection: Connection, window: Interval, read_at: datetime) -> int:
    """Note what `incoming` changes of posted figures that are held; how many."""
    held = connection.execute(
        "select epoch_ms(window_end) from settled where source = 'posted' and window_start = ?",
        [window.start],
    ).fetchall()
    changed = 0
    for (end,) in held:
        values = {"window_start": window.start, "known_end": moment(end), "read_at": read_at}
        ((count,),) = connection.execute(sql("revise"), values).fetchall()
        changed += count
    return changed
