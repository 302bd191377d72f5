"""Find the agents in the divisions and teams of a question."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from halfhour.errors import ConfigError, suggest_name
from halfhour.model.names import name_sort_key
from halfhour.model.question import Question


def agents_in_places(question: Question, places: pa.Table) -> list[str] | None:
    """Return the ids of the agents in the divisions and teams of *question*; None if it names none.

    *places* is `tables.AGENT_PLACES_SCHEMA`. Raises ConfigError for a name that no agent has.
    """
    requested_names = {"division": question.divisions, "team": question.teams}
    if not any(requested_names.values()):
        return None
    for column, names in requested_names.items():
        if names:
            canonical_names = pa.array(_canonical_names(column, names, places), pa.string())
            places = places.filter(pc.is_in(places[column], canonical_names))
    return list(places["agent_id"].to_pylist())


def _canonical_names(kind: str, names: Sequence[str], places: pa.Table) -> list[str]:
    """Return *names* in Genesys' spelling; case does not matter."""
    place_names = pc.unique(places[kind]).drop_null().to_pylist()
    by_folded_name = {name.casefold(): name for name in place_names}
    for name in names:
        if name.casefold() not in by_folded_name:
            raise ConfigError(
                f"⟨{kind}s⟩ {name!r}: no agent of this report is in it; the {kind}s of the agents "
                f"are {', '.join(sorted(place_names, key=name_sort_key)) or 'unknown'}"
                f"{suggest_name(name, place_names)}"
            )
    return [by_folded_name[name.casefold()] for name in names]
