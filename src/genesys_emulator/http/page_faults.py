"""Rows of a page: the ones that were asked for, unless a fault changes them."""

from collections.abc import Callable

from genesys_emulator.answers.listing import Page, Parameters
from genesys_emulator.state.faults import Fault


def row_range(start: int, size: int, fault: Fault | None) -> tuple[int, int]:
    """Return the first row of a page of *size* rows from *start*, and the one after its last."""
    match fault:
        case Fault(kind="short_page"):
            return start, start + _short_size(size)
        case Fault(kind="duplicate"):
            return max(0, start - 1), start + size
        case _:
            return start, start + size


def total_hits(count: int, fault: Fault | None) -> dict[str, int]:
    """Return the ``totalHits`` of a query with *count* rows; *fault* may give another or none."""
    total = fault.total if fault and fault.kind == "wrong_total" else count
    return {} if total is None else {"totalHits": total}


def faulty_page(
    page_for: Callable[[Parameters], Page], parameters: Parameters, fault: Fault | None
) -> Page:
    """Return the page of a list that *page_for* gives for *parameters*, changed by *fault*."""
    honest = page_for(parameters)
    if fault is None:
        return honest
    number, size = honest["pageNumber"], honest["pageSize"]
    match fault:
        case Fault(kind="short_page"):
            # Ask for the short size instead, so that the next page begins where this one ends.
            short = _short_size(size)
            same_start = (number - 1) * (size // short) + 1
            return page_for(_with_changes(parameters, pageSize=short, pageNumber=same_start))
        case Fault(kind="duplicate") if number > 1:
            before = page_for(_with_changes(parameters, pageNumber=number - 1))["entities"]
            return {**honest, "entities": [*before[-1:], *honest["entities"]]}
        case _:
            return honest


def _short_size(size: int) -> int:
    """Return the largest proper divisor of *size*; 1 for 1."""
    return next((part for part in range(size // 2, 0, -1) if size % part == 0), 1)


def _with_changes(parameters: Parameters, **changes: int) -> Parameters:
    kept = [(name, value) for name, value in parameters if name not in changes]
    return [*kept, *((name, str(value)) for name, value in changes.items())]
