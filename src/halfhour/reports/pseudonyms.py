"""Replace names and ids by pseudonyms, which only the holder of a key can compute."""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc

from halfhour.model.tables import NAMES_SCHEMA
from halfhour.reports.data import ReportData
from halfhour.store.report_views import REPORT_SCHEMAS

_ID_SEPARATORS = {"agent_id": ",", "queue_id": ",", "unexplained_conversations": " "}
"""Columns of ids, with the separator of several ids in one value."""


@dataclass(frozen=True, slots=True)
class Pseudonymizer:
    """Pseudonyms of one *key*: an id always gets the same one, and another one with another key."""

    key: str

    def __repr__(self) -> str:
        return "Pseudonymizer(…)"

    def pseudonymize_id(self, text: str) -> str:
        """Return the pseudonym of an id, which has the form of an id itself."""
        digest = hmac.digest(self.key.encode(), text.encode(), hashlib.sha256)
        return str(UUID(bytes=digest[:16]))

    def pseudonymize_report_data(self, data: ReportData) -> None:
        """Put pseudonyms into the tables of *data*, so that reports are sorted by them."""
        tables = {name: data.table(name) for name in REPORT_SCHEMAS}
        agents, queues = tables.pop("agents"), tables.pop("queues")
        agent_ids = _collect_ids(tables, agents, "agent_id")
        queue_ids = _collect_ids(tables, queues, "queue_id")
        names = self._pseudonymous_names("Agent", agent_ids)
        # The states of agents would help to tell who is who.
        no_states = pa.nulls(names.num_rows, pa.string())
        data.replace_table("agents", names.append_column("state", no_states))
        data.replace_table("queues", self._pseudonymous_names("Queue", queue_ids))
        for name, table in tables.items():
            data.replace_table(name, self.pseudonymize_table(table))

    def pseudonymize_table(self, table: pa.Table) -> pa.Table:
        """Return *table* with pseudonyms for ids, lists of ids and agents' names."""
        for column, separator in _ID_SEPARATORS.items():
            if column in table.column_names:
                table = _map_column(table, column, self._id_list_replacer(separator))
        if "agent_name" in table.column_names:
            position = table.column_names.index("agent_name")
            new_ids = table["agent_id"].to_pylist()
            names = [_pseudonymous_name("Agent", new_id) for new_id in new_ids]
            table = table.set_column(
                position, table.schema.field(position), pa.array(names, pa.string())
            )
        return table

    def _pseudonymous_names(self, kind: str, ids: set[str]) -> pa.Table:
        new_ids = sorted(map(self.pseudonymize_id, ids))
        names = [_pseudonymous_name(kind, new_id) for new_id in new_ids]
        return pa.Table.from_arrays(
            [pa.array(new_ids, pa.string()), pa.array(names, pa.string())], schema=NAMES_SCHEMA
        )

    def _id_list_replacer(self, separator: str) -> Callable[[str], str]:
        return lambda text: separator.join(
            self.pseudonymize_id(item) for item in text.split(separator) if item
        )


def _collect_ids(tables: Mapping[str, pa.Table], names: pa.Table, column: str) -> set[str]:
    """Return the ids in *names* and in that *column* of all *tables*."""
    id_lists = [
        id_list
        for table in tables.values()
        if column in table.column_names
        for id_list in pc.unique(table[column]).drop_null().to_pylist()
    ]
    return {*names["id"].to_pylist(), *",".join(id_lists).split(",")} - {""}


def _pseudonymous_name(kind: str, new_id: str) -> str:
    return f"{kind} {new_id[:8]}"


def _map_column(table: pa.Table, column: str, replace_text: Callable[[str], str]) -> pa.Table:
    position = table.column_names.index(column)
    encoded = table[column].combine_chunks().dictionary_encode()
    new_texts = pa.array(
        [replace_text(text) for text in encoded.dictionary.to_pylist()], pa.string()
    )
    return table.set_column(position, table.schema.field(position), new_texts.take(encoded.indices))
