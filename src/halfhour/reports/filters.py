"""Which rows a question is about."""

from collections.abc import Collection, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from halfhour.errors import ConfigError, suggest_name
from halfhour.model.arrow_columns import boolean_column, string_column
from halfhour.model.question import Question


def agents_in_places(question: Question, places: pa.Table) -> list[str] | None:
    """Ids of the agents in the divisions and teams of *question*, by their *places*
    (`tables.PLACES`); None if it names neither.

    Raises ConfigError for a name that is none of theirs.
    """
    wanted = {"division": question.divisions, "team": question.teams}
    if not any(wanted.values()):
        return None
    for column, names in wanted.items():
        if names:
            places = places.filter(
                pc.is_in(places[column], string_column(_canonical_names(column, names, places)))
            )
    return list(places["agent_id"].to_pylist())


def _canonical_names(kind: str, wanted: Sequence[str], places: pa.Table) -> list[str]:
    """*wanted* as Genesys writes them, whose case does not matter."""
    known = {each.casefold(): each for each in pc.unique(places[kind]).drop_null().to_pylist()}
    for text in wanted:
        if text.casefold() not in known:
            raise ConfigError(
                f"⟨{kind}s⟩ {text!r}: none of these agents is in it; "
                f"theirs are {', '.join(sorted(known.values())) or 'not known'}"
                f"{suggest_name(text, known.values())}"
            )
    return [known[text.casefold()] for text in wanted]


def filter_by_agents(table: pa.Table, ids: Collection[str] | None) -> pa.Table:
    """Its rows of agents with these *ids*; None means all."""
    return table if ids is None else table.filter(pc.is_in(table["agent_id"], string_column(ids)))


def filter_by_queues(table: pa.Table, ids: Collection[str] | None) -> pa.Table:
    """Its rows of queues with these *ids*, of which a row may list several; None means all."""
    if ids is None or "queue_id" not in table.column_names:
        return table
    return table.filter(
        boolean_column(
            not set(ids).isdisjoint((each or "").split(","))
            for each in table["queue_id"].to_pylist()
        )
    )


def filter_by_media(table: pa.Table, media: Collection[str]) -> pa.Table:
    """Its rows of these media types; none means all."""
    if not media or "media_type" not in table.column_names:
        return table
    return table.filter(pc.is_in(table["media_type"], string_column(media)))
