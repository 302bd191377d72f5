"""Names and ids replaced by stable ones that only the holder of a key can make again."""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc

from halfhour.model.arrow_columns import string_column
from halfhour.model.tables import NAMES_SCHEMA
from halfhour.reports.data import ReportData

_REPORT_TABLES = ("posted", "callback_voice", "worked", "busy", "status", "capacity", "offered")
_ID_SEPARATORS = {"agent_id": ",", "queue_id": ",", "unexplained_conversations": " "}
"""Columns of ids, and what stands between several."""


@dataclass(frozen=True, slots=True)
class Pseudonymizer:
    """Those of one *key*: the same id always has the same one, and with another key another."""

    key: str

    def __repr__(self) -> str:
        return "Pseudonymizer(…)"

    def pseudonymize_id(self, text: str) -> str:
        """In place of an id, in the shape of one."""
        digest = hmac.digest(self.key.encode(), text.encode(), hashlib.sha256)
        return str(UUID(bytes=digest[:16]))

    def pseudonymize_report_data(self, found: ReportData) -> ReportData:
        """*found*, with nobody's name or id in it; reports of it are sorted by the new names."""
        tables = {at: getattr(found, at) for at in _REPORT_TABLES if getattr(found, at) is not None}
        return replace(
            found,
            agents=self._pseudonymous_names(
                "Agent", _collect_ids(tables, found.agents, "agent_id")
            ),
            queues=self._pseudonymous_names(
                "Queue", _collect_ids(tables, found.queues, "queue_id")
            ),
            **{at: self.pseudonymize_table(table) for at, table in tables.items()},
        )

    def pseudonymize_table(self, table: pa.Table) -> pa.Table:
        """*table*, whose ids, lists of ids and names of agents are replaced."""
        for column, separator in _ID_SEPARATORS.items():
            if column in table.column_names:
                table = _map_column(table, column, self._id_list_replacer(separator))
        if "agent_name" in table.column_names:
            at = table.column_names.index("agent_name")
            names = [_pseudonymous_name("Agent", each) for each in table["agent_id"].to_pylist()]
            table = table.set_column(at, table.schema.field(at), string_column(names))
        return table

    def _pseudonymous_names(self, kind: str, ids: set[str]) -> pa.Table:
        new = sorted(map(self.pseudonymize_id, ids))
        return pa.Table.from_arrays(
            [string_column(new), string_column([_pseudonymous_name(kind, each) for each in new])],
            schema=NAMES_SCHEMA,
        )

    def _id_list_replacer(self, by: str) -> Callable[[str], str]:
        return lambda text: by.join(self.pseudonymize_id(each) for each in text.split(by) if each)


def _collect_ids(tables: Mapping[str, pa.Table], names: pa.Table, column: str) -> set[str]:
    """Those of agents or queues in *names* and anywhere in *tables*."""
    listed = [
        each
        for table in tables.values()
        if column in table.column_names
        for each in pc.unique(table[column]).drop_null().to_pylist()
    ]
    return {*names["id"].to_pylist(), *",".join(listed).split(",")} - {""}


def _pseudonymous_name(kind: str, new_id: str) -> str:
    return f"{kind} {new_id[:8]}"


def _map_column(table: pa.Table, column: str, replaced: Callable[[str], str]) -> pa.Table:
    at = table.column_names.index(column)
    places = table[column].combine_chunks().dictionary_encode()
    new = string_column([replaced(each) for each in places.dictionary.to_pylist()])
    return table.set_column(at, table.schema.field(at), new.take(places.indices))
