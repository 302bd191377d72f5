"""Resolve the names of agents and queues to ids."""

from collections.abc import Iterable, Sequence

from halfhour.errors import ConfigError, suggest_name
from halfhour.model.vocabulary import is_uuid


def resolve_ids(
    parameter: str,
    names_or_ids: Sequence[str],
    entities: Iterable[tuple[str, str | None]],
    entity_kind: str,
) -> list[str]:
    """Return the ids of *names_or_ids*, with *entities* as pairs of id and name.

    A name of several entities stands for all of them. Raises ConfigError for an unknown name; the
    message calls the entities *entity_kind*.
    """
    ids_by_name: dict[str, list[str]] = {}
    names = []
    for entity_id, name in entities:
        names.append(name or entity_id)
        ids_by_name.setdefault(names[-1].casefold(), []).append(entity_id)
    for text in names_or_ids:
        if not is_uuid(text) and text.casefold() not in ids_by_name:
            raise ConfigError(
                f"⟨{parameter}⟩ {text!r}: none of the {len(names)} {entity_kind} has that name"
                f"{suggest_name(text, names)}"
            )
    return [
        entity_id
        for text in names_or_ids
        for entity_id in ([text] if is_uuid(text) else ids_by_name[text.casefold()])
    ]
