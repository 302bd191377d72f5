"""Results that are read page by page: each page goes on where the one before it ended."""

from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Iterator
from itertools import islice
from typing import Any, Generic, TypeVar

T = TypeVar("T")

KEPT = 8


class Scroll(Generic[T]):
    """What *begin* finds, which is the same each time. Only the last page stays in memory."""

    def __init__(self, begin: Callable[[], Iterator[T]]) -> None:
        self._begin = begin
        self._start = 0
        self._page: list[T] = []
        self._rest = begin()

    def rows(self, start: int, stop: int) -> tuple[list[T], bool]:
        """Those from *start*, counted from 0, to before *stop*; and whether more follow."""
        if start < self._start:
            self._start, self._page, self._rest = 0, [], self._begin()
        skipped = start - self._start
        deque(islice(self._rest, max(0, skipped - len(self._page))), maxlen=0)
        del self._page[:skipped]
        self._start = start
        size = stop - start
        self._page += islice(self._rest, max(0, size + 1 - len(self._page)))
        return self._page[:size], len(self._page) > size


class Scrolls:
    """The `KEPT` values that were last asked for by their key, and nothing of all others."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()

    def get(self, key: Hashable) -> Any:
        """What was kept last under *key*; None if it is forgotten."""
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def keep(self, key: Hashable, value: T) -> T:
        self._kept[key] = value
        self._kept.move_to_end(key)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return value

    def forget(self, key: Hashable) -> None:
        self._kept.pop(key, None)

    def clear(self) -> None:
        self._kept.clear()
