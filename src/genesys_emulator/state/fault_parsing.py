"""Parsing of faults, from JSON or from an option, with a correction for every mistake."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from genesys_emulator.state.faults import KINDS, Fault
from genesys_emulator.wire.endpoints import NAMES
from genesys_emulator.wire.errors import STANDARD, near_miss

COMMON = ("kind", "endpoint", "calls", "share", "seed")
OF_DATA = ("kind", "share")
FIELDS = frozenset(COMMON).union(*(kind.fields for kind in KINDS.values()))
TEXTS = ("kind", "endpoint", "retry_after")
STATUSES = frozenset(STANDARD) - {405}


class FaultError(ValueError):
    """An impossible fault; the message is one sentence with a correction."""


def parse_document(document: object, position: int) -> list[Fault]:
    """Parse the faults of a JSON document; the first has this *position* among all.

    Raises FaultError.
    """
    if not isinstance(document, dict) or not isinstance(document.get("faults"), list):
        raise FaultError('write {"faults": [{"kind": "status", "status": 503}]}')
    return [
        _make_fault(fault, f"faults[{at}]", position + at)
        for at, fault in enumerate(document["faults"])
    ]


def parse_option(text: str, position: int) -> Fault:
    """Parse a fault from *text*: ``kind=status,calls=1+3``, or an object in JSON.

    Raises FaultError.
    """
    if not text.startswith("{"):
        return _make_fault(_parse_pairs(text), repr(text), position)
    try:
        return _make_fault(msgspec.json.decode(text), repr(text), position)
    except msgspec.DecodeError as error:
        raise FaultError(f"{text!r} is not JSON: {error}") from None


def _parse_pairs(text: str) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for pair in text.split(","):
        name, equals, value = pair.partition("=")
        if not equals:
            raise FaultError(
                f"{text!r}: write name=value, as in kind=status,status=503,endpoint=users,calls=1+3"
            )
        given[name] = _parse_value(name, value)
    return given


def _parse_value(name: str, text: str) -> Any:
    if name == "calls":
        return [_parse_number(number) for number in text.split("+")]
    return text if name in TEXTS else _parse_number(text)


def _parse_number(text: str) -> Any:
    """Parse a number; return *text* itself if it is none, for the checks to refuse."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _make_fault(given: Any, where: str, position: int) -> Fault:
    """Make the fault that *given* describes; *where* begins the message of an error."""
    if not isinstance(given, dict):
        raise FaultError(f'{where}: write an object, such as {{"kind": "reset"}}')
    for name in given:
        _require_known(name, FIELDS, f"{where}: field")
    _require_known(given.get("kind"), KINDS, f"{where}: kind")
    kind = KINDS[given["kind"]]
    for name in given:
        _require_known(
            name,
            (*(OF_DATA if kind.of_data else COMMON), *kind.fields),
            f"{where}: field for {given['kind']!r}",
        )
    _require_known(
        given.get("endpoint", "any"), ("any", *(kind.endpoints or NAMES)), f"{where}: endpoint"
    )
    for name, check, wanted in CHECKS:
        if name in given and not check(given[name]):
            raise FaultError(f"{where}: {name}: {given[name]!r} is not {wanted}")
    if "status" in given:
        _require_known(given["status"], STATUSES, f"{where}: status")
    if "calls" in given and "share" in given:
        raise FaultError(f"{where}: write calls or share, not both")
    if "seed" in given and "share" not in given:
        raise FaultError(f"{where}: seed: it picks a share; write that too")
    calls = frozenset(given.get("calls") or ())
    return Fault(**{"seed": position, **given, "calls": calls})


def _is_count(value: object, least: int) -> bool:
    return type(value) is int and value >= least


def _is_number(value: Any, most: float) -> bool:
    return type(value) in (int, float) and 0 <= value <= most


CHECKS: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
    (
        "calls",
        lambda value: isinstance(value, list) and all(_is_count(number, 1) for number in value),
        "a list of call numbers from 1, such as [1, 3]",
    ),
    ("share", lambda value: _is_number(value, 1), "a number from 0 to 1"),
    ("seed", lambda value: type(value) is int, "a whole number"),
    ("status", lambda value: type(value) is int, "a whole number"),
    (
        "retry_after",
        lambda value: isinstance(value, str) and value.isascii() and value.isprintable(),
        'text, such as "2" or an HTTP date',
    ),
    ("seconds", lambda value: _is_number(value, 86_400), "a number of seconds"),
    ("hours", lambda value: _is_number(value, 10_000), "a number of hours"),
    ("max_buckets", lambda value: _is_count(value, 0), "a whole number, 0 or more"),
    ("total", lambda value: type(value) is int, "a whole number"),
)


def _require_known(value: object, choices: Iterable[object], where: str) -> None:
    if value in list(choices):
        return
    words = [str(word) for word in choices]
    hint = near_miss(str(value), words) or f"; known are {', '.join(sorted(words))}"
    raise FaultError(f"{where}: unknown {value!r}{hint}")
