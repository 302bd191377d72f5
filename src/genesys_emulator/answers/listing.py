"""Pages of lists: their parameters, envelopes and addresses."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from genesys_emulator.wire.errors import ApiError

T = TypeVar("T")
Parameters = Sequence[tuple[str, str]]
Page = dict[str, Any]

PAGE_SIZE, MOST_PER_PAGE, MOST_PAGES = 25, 500, 1_000_000


def numbered_page(
    path: str,
    parameters: Parameters,
    items: Sequence[T],
    show_item: Callable[[T], Any],
    most: int = MOST_PER_PAGE,
    most_pages: int = MOST_PAGES,
    usual: int = PAGE_SIZE,
) -> Page:
    """Return a page by number in the usual envelope. Raises ApiError, as all functions here do."""
    size = number_parameter(parameters, "pageSize", usual, most)
    number = number_parameter(parameters, "pageNumber", 1, most_pages)
    pages = max(-(-len(items) // size), 1)
    last_page = min(pages, most_pages)

    def page_uri(page: int) -> str:
        return _page_uri(path, parameters, pageSize=size, pageNumber=page)

    near = {"nextUri": page_uri(number + 1)} if number < last_page else {}
    if number > 1:
        near["previousUri"] = page_uri(number - 1)
    return {
        "entities": [show_item(item) for item in items[(number - 1) * size : number * size]],
        "pageSize": size,
        "pageNumber": number,
        "total": len(items),
        "firstUri": page_uri(1),
        "selfUri": page_uri(number),
        **near,
        "lastUri": page_uri(last_page),
        "pageCount": pages,
    }


def cursor_page(
    path: str,
    parameters: Parameters,
    items: Sequence[T],
    show_item: Callable[[T], Page],
    most: int = MOST_PER_PAGE,
) -> Page:
    """Return a page by cursor, ``after`` or ``before`` an entity, without a total."""
    size = number_parameter(parameters, "pageSize", PAGE_SIZE, most)
    entities = [show_item(item) for item in items]
    places = {entity["id"]: at for at, entity in enumerate(entities)}
    after, before = (last_value(parameters, name, "") for name in ("after", "before"))
    for name, cursor in (("after", after), ("before", before)):
        if cursor and cursor not in places:
            raise invalid_parameter(cursor, name, "cursors of an answer")
    end = places[before] if before else len(entities)
    start = max(0, end - size) if before else places[after] + 1 if after else 0
    stop = min(start + size, end)
    without = [(name, value) for name, value in parameters if name not in ("after", "before")]
    near = {}
    if stop < len(entities):
        near["nextUri"] = _page_uri(path, without, pageSize=size, after=entities[stop - 1]["id"])
    if start > 0:
        near["previousUri"] = _page_uri(path, without, pageSize=size, before=entities[start]["id"])
    return {"entities": entities[start:stop], "selfUri": _page_uri(path, parameters), **near}


def number_parameter(parameters: Parameters, name: str, usual: int, most: int) -> int:
    """Return a parameter that is a number from 1 to *most*."""
    text = last_value(parameters, name, str(usual))
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= most):
        raise invalid_parameter(text, name, f"1 to {most}")
    return int(text)


def word_parameter(parameters: Parameters, name: str, choices: Collection[str], usual: str) -> str:
    """Return a parameter that is one of *choices*."""
    text = last_value(parameters, name, usual)
    if text not in choices:
        raise invalid_parameter(text, name, ", ".join(choices))
    return text


def flag_parameter(parameters: Parameters, name: str) -> bool | None:
    """Return a parameter that is a boolean, or None if it is absent."""
    flags = {"": None, "true": True, "false": False}
    text = last_value(parameters, name, "")
    if text.casefold() not in flags:
        raise invalid_parameter(text, name, "true, false")
    return flags[text.casefold()]


def words_parameter(parameters: Parameters, name: str, choices: Collection[str]) -> set[str]:
    """Return an array parameter, all words of which are in *choices*."""
    words = array_parameter(parameters, name)
    for word in sorted(words - set(choices)):
        raise invalid_parameter(word, name, ", ".join(choices))
    return words


def array_parameter(parameters: Parameters, name: str) -> set[str]:
    """Return an array parameter; clients may repeat it, or join its values with commas."""
    return {one for key, value in parameters if key == name for one in value.split(",") if one}


def last_value(parameters: Iterable[tuple[str, str]], name: str, usual: str) -> str:
    return dict(parameters).get(name, usual)


def matches_pattern(name: str, pattern: str) -> bool:
    """Return whether *name* matches *pattern*, with ``*`` at either end; case is ignored."""
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


def invalid_parameter(value: str, parameter: str, allowed: str) -> ApiError:
    message = f"Value [{value}] is not valid for parameter [{parameter}]. "
    return ApiError(400, "invalid.query.param.value", f"{message}Allowable values are: {allowed}")


def _page_uri(path: str, parameters: Parameters, **own: object) -> str:
    rest = [(name, value) for name, value in parameters if name not in own]
    query = urlencode([*own.items(), *rest])
    return f"{path}?{query}" if query else path
