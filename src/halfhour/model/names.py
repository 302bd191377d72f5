"""Names of agents and queues, and the ids they stand for."""

from collections.abc import Iterable, Sequence

from halfhour.errors import ConfigError, suggest_name
from halfhour.model.vocabulary import is_uuid


def resolve_ids(
    parameter: str, wanted: Sequence[str], entities: Iterable[tuple[str, str | None]], where: str
) -> list[str]:
    """The ids for names or ids, by those that are *entities*, as pairs of id and name.

    A name that several have stands for all of them. Raises ConfigError for
    one that nobody has; *where* is where it was looked for.
    """
    ids: dict[str, list[str]] = {}
    names = []
    for entity_id, name in entities:
        names.append(name or entity_id)
        ids.setdefault(names[-1].casefold(), []).append(entity_id)
    for text in wanted:
        if not is_uuid(text) and text.casefold() not in ids:
            raise ConfigError(
                f"⟨{parameter}⟩ {text!r}: none of the {len(names)} {where} has that name"
                f"{suggest_name(text, names)}"
            )
    return [
        entity_id
        for text in wanted
        for entity_id in ([text] if is_uuid(text) else ids[text.casefold()])
    ]
