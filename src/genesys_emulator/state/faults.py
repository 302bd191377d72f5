"""Faults on demand: what goes wrong, at which endpoint, at which call."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from random import Random

from genesys_emulator.simulation.restatements import Corrections, Snapshot
from genesys_emulator.wire.endpoints import COUNTED, OF_JOBS, PAGED
from genesys_emulator.wire.timestamps import HOUR


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault, with *fields* of its own; *endpoints*, if any, are the only possible ones.

    A kind *of_data* meets no request: it changes the values of a share of all
    conversations.
    """

    fields: tuple[str, ...] = ()
    endpoints: frozenset[str] = frozenset()
    of_data: bool = False


KINDS: Mapping[str, Kind] = {
    "status": Kind(("status", "retry_after")),
    "reset": Kind(),
    "hang": Kind(("seconds",)),
    "slow": Kind(("seconds",)),
    "truncate": Kind(),
    "cut": Kind(),
    "html": Kind(),
    "wrong_type": Kind(),
    "too_large": Kind(("max_buckets",)),
    "expired_token": Kind(),
    "short_page": Kind(endpoints=PAGED),
    "duplicate": Kind(endpoints=PAGED),
    "wrong_total": Kind(("total",), endpoints=COUNTED),
    "job_fails": Kind(endpoints=OF_JOBS),
    "job_cancelled": Kind(endpoints=OF_JOBS),
    "job_expires": Kind(endpoints=OF_JOBS),
    "late": Kind(("hours",), of_data=True),
    "restatement": Kind(of_data=True),
}


@dataclass(slots=True)
class Fault:
    """A fault. *calls* are requests to *endpoint*, counted from 1 since it was added; none is all.

    It may meet a *share* of all requests instead, which *seed* picks.
    """

    kind: str
    endpoint: str = "any"
    calls: frozenset[int] = frozenset()
    share: float = 1.0
    seed: int = 0
    status: int = 503
    retry_after: str | None = None
    seconds: float = 30.0
    max_buckets: int = 0
    total: int | None = None
    hours: float = 6.0
    seen: int = field(default=0, compare=False)

    def applies_to(self, endpoint: str) -> bool:
        """Return whether it meets a request to *endpoint*, and count the request if it may."""
        kind = KINDS[self.kind]
        where = kind.endpoints if self.endpoint == "any" else {self.endpoint}
        if kind.of_data or (where and endpoint not in where):
            return False
        self.seen += 1
        if self.calls:
            return self.seen in self.calls
        return Random(f"{self.seed}/{self.seen}").random() < self.share


@dataclass(slots=True)
class Faults:
    """The faults in force, at the start the *initial* ones.

    Of several that meet a request the first one applies.
    """

    initial: tuple[Fault, ...] = ()
    active: list[Fault] = field(init=False)

    def __post_init__(self) -> None:
        self.clear()

    def next_fault(self, endpoint: str) -> Fault | None:
        """Return the fault that meets a request to *endpoint*, if there is one."""
        met = [fault for fault in self.active if fault.applies_to(endpoint)]
        return met[0] if met else None

    def snapshot_at(self, now: int) -> Snapshot:
        """Return the snapshot at *now*, with the faults of the data that are in force."""
        last = {fault.kind: fault for fault in self.active if KINDS[fault.kind].of_data}
        late, restated = last.get("late"), last.get("restatement")
        return Snapshot(
            now,
            Corrections(
                late.share if late else 0,
                int(late.hours * HOUR) if late else 0,
                restated.share if restated else 0,
            ),
        )

    def clear(self) -> None:
        """Go back to the initial faults, and count requests from 1 again."""
        self.active = [replace(fault, seen=0) for fault in self.initial]
