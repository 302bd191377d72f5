"""Pages that go on where the last one ended, whatever page is asked for."""

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from genesys_emulator.state.cursors import KEPT, CursorCache, ResultCursor


class Numbers:
    """The numbers below *count*; it tells how often they were begun, and how many were read."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.begun = self.read = 0

    def __call__(self) -> Iterator[int]:
        self.begun += 1
        for number in range(self.count):
            self.read += 1
            yield number


@given(
    count=st.integers(0, 30),
    asked=st.lists(st.tuples(st.integers(0, 40), st.integers(1, 12)), max_size=12),
)
def test_any_page_in_any_order_is_the_slice_that_it_stands_for(count, asked):
    cursor = ResultCursor(Numbers(count))

    for start, size in asked:
        stop = start + size
        assert cursor.read_rows(start, stop) == (list(range(count))[start:stop], stop < count)


def test_pages_in_order_read_everything_once_and_the_last_may_come_again():
    numbers = Numbers(100)
    cursor = ResultCursor(numbers)

    for start in range(0, 100, 10):
        assert cursor.read_rows(start, start + 10) == cursor.read_rows(start, start + 10)

    assert (numbers.begun, numbers.read) == (1, 100)


def test_only_one_page_and_one_row_more_are_read():
    numbers = Numbers(100)
    ResultCursor(numbers).read_rows(0, 10)

    assert numbers.read == 11


def test_an_earlier_page_reads_the_results_from_the_start_again():
    numbers = Numbers(100)
    cursor = ResultCursor(numbers)
    cursor.read_rows(50, 60)

    assert cursor.read_rows(0, 10)[0] == list(range(10))
    assert numbers.begun == 2


def test_the_least_recently_used_value_is_forgotten():
    cursors = CursorCache()
    for key in range(KEPT):
        cursors.keep_value(key, str(key))
    cursors.get_value(0)
    cursors.keep_value("one more", "1")

    assert cursors.get_value(0) == "0"
    assert cursors.get_value(1) is None
