"""JSON objects and their words, checked as strictly as the real API may check them."""

from collections.abc import Collection, Mapping
from typing import Any

from genesys_emulator.wire import errors


def parse_object(value: object, fields: Mapping[str, type], owner: str) -> dict[str, Any]:
    """Return *value* as an object with only these *fields*; fields that are null are left out."""
    if not isinstance(value, dict):
        raise errors.bad_request(f"{owner} must be an object.")
    for name, content in value.items():
        if name not in fields:
            raise errors.invalid_property(name, owner)
        if content is not None and type(content) is not fields[name]:
            raise errors.bad_request(f"{name} must be of type {fields[name].__name__}.")
    return {name: content for name, content in value.items() if content is not None}


def parse_words(
    given: Collection[object], choices: Collection[str], field_type: str
) -> tuple[str, ...]:
    """Return the words of *given* without repeats. Raises ApiError if one is not in *choices*."""
    for word in given:
        if not isinstance(word, str) or word not in choices:
            raise errors.invalid_value(word, field_type, choices)
    return tuple(dict.fromkeys(str(word) for word in given))
