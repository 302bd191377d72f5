"""Agents, queues, divisions and the organisation as the API lists them."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any
from urllib.parse import urlencode

from genesys_emulator.org import Agent, Named, Org, Queue
from genesys_emulator.refusal import Refusal

Params = Sequence[tuple[str, str]]
MAXIMUM_PAGE_SIZE = 500
_STATES = ("active", "inactive", "deleted", "any")


def users(org: Org, path: str, params: Params) -> dict[str, Any]:
    """`state` is active unless it is given, also where `id`s are."""
    state = _last(params, "state", "active")
    if state not in _STATES:
        raise Refusal(
            400,
            f"Value [{state}] is not valid for parameter [state]. "
            f"Allowable values are: {', '.join(_STATES)}",
            "invalid.query.param.value",
        )
    ids = _list(params, "id")
    found = [
        agent
        for agent in org.agents
        if agent.name and state in ("any", agent.state) and (not ids or agent.id in ids)
    ]
    return _page(path, params, found, user)


def queues(org: Org, path: str, params: Params) -> dict[str, Any]:
    """By `name` (with ``*`` before or after), `id` and `divisionId`."""
    ids, divisions = _list(params, "id"), _list(params, "divisionId")
    named = _last(params, "name", "*").casefold()
    found = [
        each
        for each in org.queues
        if (not ids or each.id in ids)
        and (not divisions or each.division.id in divisions)
        and _like(each.name.casefold(), named)
    ]
    return _page(path, params, found, queue)


def divisions(org: Org, path: str, params: Params) -> dict[str, Any]:
    ids = _list(params, "id")
    found = [each for each in org.divisions if not ids or each.id in ids]
    return _page(path, params, found, division)


def user(agent: Agent) -> dict[str, Any]:
    address = f"agent{agent.number}@example.com"
    return {
        "id": agent.id,
        "name": agent.name,
        "division": _division_of(agent.division),
        "email": address,
        "state": agent.state,
        "username": address,
        "version": 1,
        "acdAutoAnswer": False,
        "selfUri": f"/api/v2/users/{agent.id}",
    }


def queue(each: Queue) -> dict[str, Any]:
    return {
        "id": each.id,
        "name": each.name,
        "division": _division_of(each.division),
        "selfUri": f"/api/v2/routing/queues/{each.id}",
    }


def division(each: Named) -> dict[str, Any]:
    return {**_division_of(each), "description": f"{each.name} division"}


def organization(org: Org) -> dict[str, Any]:
    return {
        "id": org.id,
        "name": org.name,
        "defaultLanguage": "en-US",
        "defaultCountryCode": "GB",
        "thirdPartyOrgName": "emulated",
        "domain": "emulated",
        "version": 1,
        "state": "active",
        "features": {"purecloud": True},
        "selfUri": "/api/v2/organizations/me",
    }


def _division_of(each: Named) -> dict[str, Any]:
    uri = f"/api/v2/authorization/divisions/{each.id}"
    return {"id": each.id, "name": each.name, "selfUri": uri}


def _page(
    path: str, params: Params, found: Sequence[Any], shown: Callable[[Any], dict[str, Any]]
) -> dict[str, Any]:
    size = _number(params, "pageSize", 25, MAXIMUM_PAGE_SIZE)
    number = _number(params, "pageNumber", 1, 10**6)
    pages = max(-(-len(found) // size), 1)

    def uri(page: int) -> str:
        kept = [(name, value) for name, value in params if name not in ("pageSize", "pageNumber")]
        return f"{path}?{urlencode([('pageSize', size), ('pageNumber', page), *kept])}"

    links = {"firstUri": uri(1), "selfUri": uri(number), "lastUri": uri(pages)}
    if number < pages:
        links["nextUri"] = uri(number + 1)
    if number > 1:
        links["previousUri"] = uri(number - 1)
    return {
        "entities": [shown(each) for each in found[(number - 1) * size : number * size]],
        "pageSize": size,
        "pageNumber": number,
        "total": len(found),
        **links,
        "pageCount": pages,
    }


def _number(params: Params, name: str, usual: int, most: int) -> int:
    text = _last(params, name, str(usual))
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise Refusal(400, f"{name} [{text}] must be a number from 1 to {most}.")
    return int(text)


def _list(params: Params, name: str) -> set[str]:
    """An array parameter, which clients repeat or join with commas."""
    return {each for key, value in params if key == name for each in value.split(",") if each}


def _last(params: Iterable[tuple[str, str]], name: str, usual: str) -> str:
    return dict(params).get(name, usual)


def _like(name: str, pattern: str) -> bool:
    wanted = pattern.strip("*")
    if pattern.startswith("*"):
        return wanted in name if pattern.endswith("*") else name.endswith(wanted)
    return name.startswith(wanted) if pattern.endswith("*") else name == wanted
