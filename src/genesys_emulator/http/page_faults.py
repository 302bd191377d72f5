"""Which rows a page has, and of how many: as it is right, unless a fault has it otherwise."""

from collections.abc import Callable

from genesys_emulator.answers.listing import Page, Parameters
from genesys_emulator.state.faults import Fault


def span(start: int, size: int, fault: Fault | None) -> tuple[int, int]:
    """The first row of a page, and the one after its last, of *size* rows asked for."""
    match fault:
        case Fault(kind="short_page"):
            return start, start + _shortened(size)
        case Fault(kind="duplicate"):
            return max(0, start - 1), start + size
        case _:
            return start, start + size


def total_of(hits: int, fault: Fault | None) -> dict[str, int]:
    """The ``totalHits`` of a query: how many it found, unless a fault has another or none."""
    told = fault.total if fault and fault.kind == "wrong_total" else hits
    return {} if told is None else {"totalHits": told}


def listed(page: Callable[[Parameters], Page], parameters: Parameters, fault: Fault | None) -> Page:
    """A page of a list, which *page* gives for the parameters of a request."""
    honest = page(parameters)
    if fault is None:
        return honest
    number, size = honest["pageNumber"], honest["pageSize"]
    match fault:
        case Fault(kind="short_page"):
            # As if so many had been asked for: what follows begins where this ends.
            short = _shortened(size)
            same_start = (number - 1) * (size // short) + 1
            return page(_with(parameters, pageSize=short, pageNumber=same_start))
        case Fault(kind="duplicate") if number > 1:
            before = page(_with(parameters, pageNumber=number - 1))["entities"]
            return {**honest, "entities": [*before[-1:], *honest["entities"]]}
        case _:
            return honest


def _shortened(size: int) -> int:
    """The largest part of *size* of which whole pages make it up; 1 has none."""
    return next((part for part in range(size // 2, 0, -1) if size % part == 0), 1)


def _with(parameters: Parameters, **changes: int) -> Parameters:
    kept = [(name, value) for name, value in parameters if name not in changes]
    return [*kept, *((name, str(value)) for name, value in changes.items())]
