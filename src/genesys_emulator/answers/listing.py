"""Lists as the API pages them: their parameters, envelopes and addresses."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from genesys_emulator.wire.errors import ApiError

T = TypeVar("T")
Parameters = Sequence[tuple[str, str]]
Page = dict[str, Any]

PAGE_SIZE, MOST_PER_PAGE, MOST_PAGES = 25, 500, 1_000_000


def page_of(
    path: str,
    parameters: Parameters,
    found: Sequence[T],
    shown: Callable[[T], Any],
    most: int = MOST_PER_PAGE,
    most_pages: int = MOST_PAGES,
    usual: int = PAGE_SIZE,
) -> Page:
    """A page, by number, in the usual envelope. Raises ApiError, as all here does."""
    size = number_of(parameters, "pageSize", usual, most)
    number = number_of(parameters, "pageNumber", 1, most_pages)
    pages = max(-(-len(found) // size), 1)
    last_page = min(pages, most_pages)

    def uri(page: int) -> str:
        return _uri(path, parameters, pageSize=size, pageNumber=page)

    near = {"nextUri": uri(number + 1)} if number < last_page else {}
    if number > 1:
        near["previousUri"] = uri(number - 1)
    return {
        "entities": [shown(each) for each in found[(number - 1) * size : number * size]],
        "pageSize": size,
        "pageNumber": number,
        "total": len(found),
        "firstUri": uri(1),
        "selfUri": uri(number),
        **near,
        "lastUri": uri(last_page),
        "pageCount": pages,
    }


def cursor_page_of(
    path: str,
    parameters: Parameters,
    found: Sequence[T],
    shown: Callable[[T], Page],
    most: int = MOST_PER_PAGE,
) -> Page:
    """A page by cursor: ``after`` or ``before`` an entity. It does not say how many there are."""
    size = number_of(parameters, "pageSize", PAGE_SIZE, most)
    entities = [shown(each) for each in found]
    places = {each["id"]: at for at, each in enumerate(entities)}
    after, before = (last(parameters, name, "") for name in ("after", "before"))
    for name, cursor in (("after", after), ("before", before)):
        if cursor and cursor not in places:
            raise invalid(cursor, name, "cursors of an answer")
    end = places[before] if before else len(entities)
    start = max(0, end - size) if before else places[after] + 1 if after else 0
    stop = min(start + size, end)
    without = [each for each in parameters if each[0] not in ("after", "before")]
    near = {}
    if stop < len(entities):
        near["nextUri"] = _uri(path, without, pageSize=size, after=entities[stop - 1]["id"])
    if start > 0:
        near["previousUri"] = _uri(path, without, pageSize=size, before=entities[start]["id"])
    return {"entities": entities[start:stop], "selfUri": _uri(path, parameters), **near}


def number_of(parameters: Parameters, name: str, usual: int, most: int) -> int:
    """A parameter that is a number from 1 to *most*."""
    text = last(parameters, name, str(usual))
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= most):
        raise invalid(text, name, f"1 to {most}")
    return int(text)


def one_of(parameters: Parameters, name: str, known: Collection[str], usual: str) -> str:
    """A parameter that is one of the words *known*."""
    text = last(parameters, name, usual)
    if text not in known:
        raise invalid(text, name, ", ".join(known))
    return text


def flag_of(parameters: Parameters, name: str) -> bool | None:
    """A parameter that is a boolean, if it is there."""
    flags = {"": None, "true": True, "false": False}
    text = last(parameters, name, "")
    if text.casefold() not in flags:
        raise invalid(text, name, "true, false")
    return flags[text.casefold()]


def some_of(parameters: Parameters, name: str, known: Collection[str]) -> set[str]:
    """An array parameter of words that are *known*."""
    found = array_of(parameters, name)
    for word in sorted(found - set(known)):
        raise invalid(word, name, ", ".join(known))
    return found


def array_of(parameters: Parameters, name: str) -> set[str]:
    """An array parameter: some clients repeat it, others join its values with commas."""
    return {one for key, value in parameters if key == name for one in value.split(",") if one}


def last(parameters: Iterable[tuple[str, str]], name: str, usual: str) -> str:
    return dict(parameters).get(name, usual)


def like(name: str, pattern: str) -> bool:
    """Whether *name* is as *pattern* has it, with ``*`` before or after it; case is nothing."""
    name, pattern = name.casefold(), pattern.casefold()
    wanted = pattern.strip("*")
    match pattern.startswith("*"), pattern.endswith("*"):
        case True, True:
            return wanted in name
        case True, False:
            return name.endswith(wanted)
        case False, True:
            return name.startswith(wanted)
        case _:
            return name == wanted


def invalid(value: str, parameter: str, allowed: str) -> ApiError:
    message = f"Value [{value}] is not valid for parameter [{parameter}]. "
    return ApiError(400, "invalid.query.param.value", f"{message}Allowable values are: {allowed}")


def _uri(path: str, parameters: Parameters, **own: object) -> str:
    rest = [(name, value) for name, value in parameters if name not in own]
    query = urlencode([*own.items(), *rest])
    return f"{path}?{query}" if query else path
