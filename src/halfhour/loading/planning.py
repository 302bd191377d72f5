"""Plan a load: the parts of a store that a destination lacks, holds otherwise or has too many."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from halfhour.model.intervals import Interval
from halfhour.model.vocabulary import Source

DIRECTORIES = ("agents", "queues")
"""The parts without a window, which are loaded whole."""
PART_SOURCES = (*DIRECTORIES, *Source)
"""The sources of parts, in the order in which those of one day are loaded."""


class PartKey(NamedTuple):
    """A window of a source, by its start; or a directory, which has none."""

    source: str
    window_start: datetime | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a store as it was read at *read_at*: a window of a source, or a directory.

    *has_raw* tells whether it has what Genesys said in details. *rules* change if the rules do by
    which it was derived. *row_count* is the number of rows in all tables of the part; None in a
    plan for a window, whose rows are not counted before they are loaded.
    """

    source: str
    read_at: datetime
    window: Interval | None = None
    has_raw: bool = False
    rules: str = ""
    row_count: int | None = None

    @property
    def key(self) -> PartKey:
        """The key, by which the part is replaced."""
        return PartKey(self.source, self.window.start if self.window else None)

    def equals_loaded(self, loaded: "Part") -> bool:
        """Tell whether the part has not changed since it was *loaded*."""
        state = (self.window, self.read_at, self.has_raw, self.rules)
        return state == (loaded.window, loaded.read_at, loaded.has_raw, loaded.rules) and (
            self.row_count in (None, loaded.row_count)
        )


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """The parts to load, oldest first after the directories, and the keys of parts to delete.

    *unchanged_count* counts the parts that the destination holds as they are, and
    *loaded_windows* the windows that it holds, changed or not.
    """

    to_load: Sequence[Part]
    to_delete: Sequence[PartKey]
    unchanged_count: int
    loaded_windows: int

    @property
    def deletes_most(self) -> bool:
        """Tell whether more than half of the windows in the destination would be deleted."""
        return 2 * len(self.deleted_windows) > self.loaded_windows

    @property
    def deleted_windows(self) -> Sequence[PartKey]:
        """The windows to delete."""
        return [key for key in self.to_delete if key.window_start]

    @property
    def steps(self) -> Sequence[tuple[PartKey, Part | None]]:
        """The keys of the parts that change, in order, each with the part unless it is deleted."""
        return [
            *((part.key, part) for part in self.to_load),
            *((key, None) for key in self.to_delete),
        ]

    @property
    def step_count(self) -> int:
        """The number of parts that change in the destination."""
        return len(self.to_load) + len(self.to_delete)


def plan_load(stored: Iterable[Part], ledger: Iterable[Part]) -> LoadPlan:
    """Return what makes a destination with *ledger* equal to a store with the parts *stored*.

    Parts of sources that only a newer halfhour loads are left alone.
    """
    loaded = {part.key: part for part in ledger if part.source in PART_SOURCES}
    parts = sorted(stored, key=_load_order)
    to_load = [
        part for part in parts if part.key not in loaded or not part.equals_loaded(loaded[part.key])
    ]
    stored_keys = {part.key for part in parts}
    to_delete = sorted((key for key in loaded if key not in stored_keys), key=_key_order)
    return LoadPlan(
        to_load,
        to_delete,
        len(parts) - len(to_load),
        sum(key.window_start is not None for key in loaded),
    )


def _load_order(part: Part) -> tuple[bool, float, int]:
    return _key_order(part.key)


def _key_order(key: PartKey) -> tuple[bool, float, int]:
    start = key.window_start.timestamp() if key.window_start else 0.0
    return key.window_start is not None, start, PART_SOURCES.index(key.source)
