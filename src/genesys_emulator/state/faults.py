"""What is to go wrong, where, and at which call."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from random import Random

from genesys_emulator.simulation.restatements import Corrections, Snapshot
from genesys_emulator.wire.endpoints import COUNTED, OF_JOBS, PAGED
from genesys_emulator.wire.timestamps import HOUR


@dataclass(frozen=True, slots=True)
class Kind:
    """*fields* are its own; *endpoints* are the only ones where it has a sense, if it says so.

    One *of_data* befalls no request: it is of what a share of all conversations posts.
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
    """*calls* counts requests to *endpoint* from 1, since the fault was added; none is all.

    Of all of them it may befall a *share* instead, which *seed* picks.
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

    def meets(self, endpoint: str) -> bool:
        """Whether it befalls this request, which counts if it is of the fault's endpoint."""
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
    """Those in force, which at first are the *standing* ones.

    Of several that meet a request the first one befalls it.
    """

    standing: tuple[Fault, ...] = ()
    active: list[Fault] = field(init=False)

    def __post_init__(self) -> None:
        self.clear()

    def next(self, endpoint: str) -> Fault | None:
        """What befalls this request."""
        met = [fault for fault in self.active if fault.meets(endpoint)]
        return met[0] if met else None

    def told(self, now: int) -> Snapshot:
        """What is known at *now*."""
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
        """Have those in force that were so at first, and count anew."""
        self.active = [replace(fault, seen=0) for fault in self.standing]
