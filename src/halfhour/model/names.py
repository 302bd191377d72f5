"""Resolve the names of agents and queues to ids."""

from collections.abc import Iterable, Sequence

from halfhour.errors import ConfigError, suggest_name
from halfhour.model.vocabulary import is_uuid, name_sort_key

_MAX_SUGGESTED = 3


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
    list_hint = f"; 'halfhour {parameter}' lists them"
    for text in names_or_ids:
        if not is_uuid(text) and text.casefold() not in ids_by_name:
            raise ConfigError(
                f"⟨{parameter}⟩ {text!r}: none of the {len(names)} {entity_kind} has that name"
                f"{_suggest_entity(text, names) or list_hint}"
            )
    return [
        entity_id
        for text in names_or_ids
        for entity_id in ([text] if is_uuid(text) else ids_by_name[text.casefold()])
    ]


def _suggest_entity(text: str, names: Sequence[str]) -> str:
    """Return a hint at the first of *names* that contain *text*, or at the nearest, if any.

    Accents do not count in a name that contains the text.
    """
    key = name_sort_key(text)
    containing = sorted(
        {name for name in names if key and key in name_sort_key(name)}, key=name_sort_key
    )
    choice = " or ".join(map(repr, containing[:_MAX_SUGGESTED]))
    return f"; did you mean {choice}?" if choice else suggest_name(text, names)
