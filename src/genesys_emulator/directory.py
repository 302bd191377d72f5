"""Users, queues, divisions and the organization, as the API lists them."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from genesys_emulator.org import Agent, Division, Organization, Queue
from genesys_emulator.refusals import RefusalError, standard

T = TypeVar("T")
Parameters = Sequence[tuple[str, str]]

STATES = ("active", "inactive", "deleted", "any")
PAGE_SIZE, MOST_PER_PAGE, MOST_PAGES = 25, 500, 1_000_000
MOST_MEMBERS_PER_PAGE = 100


def users(organization: Organization, path: str, parameters: Parameters) -> dict[str, Any]:
    """Only those who are active unless ``state`` says other, even where ids are given."""
    state = _last(parameters, "state", "active")
    if state not in STATES:
        raise _invalid(state, "state", ", ".join(STATES))
    ids = _array(parameters, "id")
    found = [
        agent
        for agent in organization.agents
        if state in ("any", agent.state) and (not ids or agent.id in ids)
    ]
    return _page(path, parameters, found, user)


def queues(organization: Organization, path: str, parameters: Parameters) -> dict[str, Any]:
    """By ``name`` (with ``*`` before or after it, whatever the case), ``id``, ``divisionId``."""
    ids, divisions = _array(parameters, "id"), _array(parameters, "divisionId")
    name = _last(parameters, "name", "*").casefold()
    found = [
        queue
        for queue in organization.queues
        if (not ids or queue.id in ids)
        and (not divisions or (queue.division and queue.division.id in divisions))
        and _like(queue.name.casefold(), name)
    ]
    return _page(path, parameters, found, lambda each: queue_of(organization, each))


def members(organization: Organization, path: str, parameters: Parameters) -> dict[str, Any]:
    """The agents of the queue in *path*; this list does not say how long it is."""
    queue = one_queue(organization, path.split("/")[-2])
    found = [agent for agent in organization.agents if queue in agent.queues]
    page = _page(path, parameters, found, member, most=MOST_MEMBERS_PER_PAGE)
    return {name: page[name] for name in page.keys() - {"total", "pageCount", "lastUri"}}


def divisions(organization: Organization, path: str, parameters: Parameters) -> dict[str, Any]:
    ids, name = _array(parameters, "id"), _last(parameters, "name", "*").casefold()
    found = [
        each
        for each in organization.divisions
        if (not ids or each.id in ids) and _like(each.name.casefold(), name)
    ]
    return _page(path, parameters, found, division)


def one_user(organization: Organization, user_id: str, state: str) -> Agent:
    """Who has this id; a deleted one only if *state* says so. Raises RefusalError."""
    for agent in organization.agents:
        if agent.id == user_id and (agent.state == "deleted") == (state == "deleted"):
            return agent
    raise standard(404)


def one_queue(organization: Organization, queue_id: str) -> Queue:
    """The queue with this id. Raises RefusalError."""
    for queue in organization.queues:
        if queue.id == queue_id:
            return queue
    raise standard(404)


def user(agent: Agent) -> dict[str, Any]:
    address = {"email": agent.email, "username": agent.email} if agent.email else {}
    return {
        "id": agent.id,
        "name": agent.name,
        **_within(agent.division),
        **address,
        "state": agent.state,
        "version": 1 + agent.index % 30,
        "acdAutoAnswer": False,
        "selfUri": f"/api/v2/users/{agent.id}",
    }


def member(agent: Agent) -> dict[str, Any]:
    uri = f"/api/v2/users/{agent.id}"
    return {
        "id": agent.id,
        "name": agent.name,
        "user": {"id": agent.id, "name": agent.name, "selfUri": uri},
        "ringNumber": 1,
        "joined": agent.state == "active",
        "memberBy": "user",
        "selfUri": uri,
    }


def queue_of(organization: Organization, queue: Queue) -> dict[str, Any]:
    members = [agent for agent in organization.agents if queue in agent.queues]
    return {
        "id": queue.id,
        "name": queue.name,
        **_within(queue.division),
        "memberCount": len(members),
        "joinedMemberCount": sum(agent.state == "active" for agent in members),
        "selfUri": f"/api/v2/routing/queues/{queue.id}",
    }


def division(each: Division) -> dict[str, Any]:
    return {
        "id": each.id,
        "name": each.name,
        "description": f"{each.name} division",
        "homeDivision": each.home,
        "selfUri": f"/api/v2/authorization/divisions/{each.id}",
    }


def organization_of(organization: Organization) -> dict[str, Any]:
    return {
        "id": organization.id,
        "name": organization.name,
        "defaultLanguage": "en-US",
        "defaultCountryCode": "GB",
        "thirdPartyOrgName": "emulated",
        "domain": "emulated",
        "version": 1,
        "state": "active",
        "features": {"purecloud": True},
        "selfUri": "/api/v2/organizations/me",
    }


def _within(division: Division | None) -> dict[str, Any]:
    if division is None:
        return {}
    uri = f"/api/v2/authorization/divisions/{division.id}"
    return {"division": {"id": division.id, "name": division.name, "selfUri": uri}}


def token_info(organization: Organization, client_id: str) -> dict[str, Any]:
    """What ``/tokens/me`` says of a token of client credentials, which has no scopes."""
    of = {"id": organization.id, "name": organization.name}
    return {
        "organization": of,
        "homeOrganization": of,
        "authorizedScope": [],
        "OAuthClient": {"id": client_id, "name": client_id, "organization": of},
    }


def limits(namespace: str, requests_per_minute: int) -> dict[str, Any]:
    """The limits of a namespace, of which one is known. Raises RefusalError for others."""
    if namespace != "platform.api":
        raise standard(404)
    values = {
        "client.credentials.token.rate.per.minute": requests_per_minute,
        "token.rate.per.minute": requests_per_minute,
        "request.bytes.max": 512_000,
    }
    return {
        "entities": [
            {"key": key, "namespace": namespace, "value": value} for key, value in values.items()
        ]
    }


def _page(
    path: str,
    parameters: Parameters,
    found: Sequence[T],
    shown: Callable[[T], dict[str, Any]],
    most: int = MOST_PER_PAGE,
) -> dict[str, Any]:
    size = number_of(parameters, "pageSize", PAGE_SIZE, most)
    number = number_of(parameters, "pageNumber", 1, MOST_PAGES)
    pages = max(-(-len(found) // size), 1)

    def uri(page: int) -> str:
        own = {"pageSize": str(size), "pageNumber": str(page)}
        return (
            f"{path}?{urlencode([*own.items(), *((n, v) for n, v in parameters if n not in own)])}"
        )

    near = {"nextUri": uri(number + 1)} if number < pages else {}
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
        "lastUri": uri(pages),
        "pageCount": pages,
    }


def number_of(parameters: Parameters, name: str, usual: int, most: int) -> int:
    """A parameter that is a number from 1 to *most*. Raises RefusalError."""
    text = _last(parameters, name, str(usual))
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= most):
        raise _invalid(text, name, f"1 to {most}")
    return int(text)


def _array(parameters: Parameters, name: str) -> set[str]:
    """An array parameter: some clients repeat it, others join its values with commas."""
    return {one for key, value in parameters if key == name for one in value.split(",") if one}


def _last(parameters: Iterable[tuple[str, str]], name: str, usual: str) -> str:
    return dict(parameters).get(name, usual)


def _like(name: str, pattern: str) -> bool:
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


def _invalid(value: str, parameter: str, allowed: str) -> RefusalError:
    message = f"Value [{value}] is not valid for parameter [{parameter}]. "
    return RefusalError(
        400, "invalid.query.param.value", f"{message}Allowable values are: {allowed}"
    )
