"""What is to go wrong, where, and at which call."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from genesys_emulator.endpoints import NAMES
from genesys_emulator.refusals import STANDARD, near_miss

KINDS: Mapping[str, tuple[str, ...]] = {
    "status": ("status", "retry_after"),
    "reset": (),
    "hang": ("seconds",),
    "slow": ("seconds",),
    "truncate": (),
    "cut": (),
    "html": (),
    "wrong_type": (),
    "too_large": ("max_buckets",),
    "expired_token": (),
}
"""What each takes besides ``endpoint`` and ``calls``."""

COMMON = ("kind", "endpoint", "calls")
STATUSES = frozenset(STANDARD) - {405}


class FaultError(ValueError):
    """A fault that cannot be: one sentence, with what to write instead."""


@dataclass(slots=True)
class Fault:
    """*calls* counts requests to *endpoint* from 1, since the fault was added; none is all."""

    kind: str
    endpoint: str = "any"
    calls: frozenset[int] = frozenset()
    status: int = 503
    retry_after: str | None = None
    seconds: float = 30.0
    max_buckets: int = 0
    seen: int = field(default=0, compare=False)

    def meets(self, endpoint: str) -> bool:
        """Whether it befalls this request, which counts if it is of the fault's endpoint."""
        if self.endpoint not in ("any", endpoint):
            return False
        self.seen += 1
        return not self.calls or self.seen in self.calls


@dataclass(slots=True)
class Faults:
    """Those in force; of several that meet a request the first one befalls it."""

    active: list[Fault] = field(default_factory=list)

    def add(self, document: object) -> None:
        """Take the faults of a JSON document, all of them or none. Raises FaultError."""
        if not isinstance(document, dict) or not isinstance(document.get("faults"), list):
            raise FaultError('write {"faults": [{"kind": "status", "status": 503}]}')
        self.active += [fault(each, f"faults[{at}]") for at, each in enumerate(document["faults"])]

    def next(self, endpoint: str) -> Fault | None:
        """What befalls this request."""
        met = [fault for fault in self.active if fault.meets(endpoint)]
        return met[0] if met else None

    def clear(self) -> None:
        self.active.clear()


def fault(given: Any, where: str) -> Fault:
    """The fault that *given*, from JSON, describes; *where* it stands is for the message."""
    if not isinstance(given, dict):
        raise FaultError(f'{where}: write an object, such as {{"kind": "reset"}}')
    _known(given.get("kind"), KINDS, f"{where}.kind")
    kind = given["kind"]
    for name in given:
        _known(name, (*COMMON, *KINDS[kind]), f"{where}: field for {kind!r}")
    _known(given.get("endpoint", "any"), ("any", *NAMES), f"{where}.endpoint")
    if kind == "status":
        _known(given.get("status", 503), STATUSES, f"{where}.status")
    for name, check, wanted in CHECKS:
        if name in given and not check(given[name]):
            raise FaultError(f"{where}.{name}: {given[name]!r} is not {wanted}")
    return Fault(**{**given, "calls": frozenset(given.get("calls") or ())})


def _is_count(value: object, least: int) -> bool:
    return type(value) is int and value >= least


CHECKS = (
    (
        "calls",
        lambda value: isinstance(value, list) and all(_is_count(each, 1) for each in value),
        "a list of call numbers from 1, such as [1, 3]",
    ),
    ("status", lambda value: type(value) is int, "a whole number"),
    (
        "retry_after",
        lambda value: isinstance(value, str) and value.isascii() and value.isprintable(),
        'text, such as "2" or an HTTP date',
    ),
    (
        "seconds",
        lambda value: type(value) in (int, float) and 0 <= value <= 86_400,
        "a number of seconds",
    ),
    ("max_buckets", lambda value: _is_count(value, 0), "a whole number, 0 or more"),
)


def _known(value: object, known: Iterable[object], where: str) -> None:
    if value in list(known):
        return
    words = [str(each) for each in known]
    hint = near_miss(str(value), words) or f"; known are {', '.join(sorted(words))}"
    raise FaultError(f"{where}: unknown {value!r}{hint}")
