"""Names of agents and queues: their order, and the ids that they stand for."""

import unicodedata
from collections.abc import Iterable, Sequence

from halfhour.errors import ConfigError, suggest_name
from halfhour.model.vocabulary import is_uuid

_MAX_SUGGESTED = 3
_BASE_LETTERS = {
    "æ": "ae", "đ": "d", "ð": "d", "ə": "e", "ħ": "h", "ı": "i", "ł": "l", "ŋ": "n", "ø": "o",
    "œ": "oe", "ß": "ss", "þ": "th", "ŧ": "t", "ς": "σ",
}  # fmt: skip
"""Letters that Unicode does not decompose, in lower case; lower case of Σ depends on its place."""
_TO_BASE_LETTERS = str.maketrans(_BASE_LETTERS)


def name_sort_key(name: str) -> str:
    """Return the key that sorts *name* as people do: case and accents do not count."""
    decomposed = unicodedata.normalize("NFD", name)
    without_accents = "".join(
        character for character in decomposed if unicodedata.category(character) != "Mn"
    )
    return without_accents.lower().translate(_TO_BASE_LETTERS)


def name_sort_expression(column: str) -> str:
    """Return the SQL expression of the `name_sort_key` of *column*."""
    single = {letter: base for letter, base in _BASE_LETTERS.items() if len(base) == 1}
    expression = (
        f"translate(lower(strip_accents({column})), '{''.join(single)}', "
        f"'{''.join(single.values())}')"
    )
    for letter, base in _BASE_LETTERS.items():
        if len(base) > 1:
            expression = f"replace({expression}, '{letter}', '{base}')"
    return expression


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
