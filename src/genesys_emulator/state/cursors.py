"""Results that are read page by page: each page continues where the one before it ended."""

from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Iterator
from itertools import islice
from typing import Any, Generic, TypeVar

T = TypeVar("T")

KEPT = 8


class ResultCursor(Generic[T]):
    """A reader of the results of *begin*, which are the same each time.

    Only the last page stays in memory.
    """

    def __init__(self, begin: Callable[[], Iterator[T]]) -> None:
        self._begin = begin
        self._start = 0
        self._page: list[T] = []
        self._rest = begin()

    def read_rows(self, start: int, stop: int) -> tuple[list[T], bool]:
        """Return rows [*start*, *stop*), counted from 0, and whether more follow."""
        if start < self._start:
            self._start, self._page, self._rest = 0, [], self._begin()
        skipped = start - self._start
        deque(islice(self._rest, max(0, skipped - len(self._page))), maxlen=0)
        del self._page[:skipped]
        self._start = start
        size = stop - start
        self._page += islice(self._rest, max(0, size + 1 - len(self._page)))
        return self._page[:size], len(self._page) > size


class CursorCache:
    """A cache of the `KEPT` most recently used values, by key."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()

    def get_value(self, key: Hashable) -> Any:
        """Return the value kept under *key*; None if there is none any more."""
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def keep_value(self, key: Hashable, value: T) -> T:
        self._kept[key] = value
        self._kept.move_to_end(key)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return value

    def forget_value(self, key: Hashable) -> None:
        self._kept.pop(key, None)

    def clear(self) -> None:
        self._kept.clear()


class AnswerCache(Generic[T]):
    """A cache of the most recently used answers that together take at most *largest* bytes."""

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._size = 0
        self._kept: OrderedDict[Hashable, tuple[T, int]] = OrderedDict()

    def get_value(self, key: Hashable) -> T | None:
        """Return the value kept under *key*; None if there is none any more."""
        if key not in self._kept:
            return None
        self._kept.move_to_end(key)
        return self._kept[key][0]

    def keep_value(self, key: Hashable, value: T, size: int) -> None:
        """Keep a *value* of this *size* in bytes, in place of those used longest ago."""
        self._kept[key] = (value, size)
        self._size += size
        while self._size > self._largest:
            self._size -= self._kept.popitem(last=False)[1][1]
