"""What there is, listed and by id: users, queues, divisions, groups, teams, presences, limits."""

from collections.abc import Sequence
from typing import TypeVar

from genesys_emulator.answers import entities
from genesys_emulator.answers.listing import (
    Page,
    Parameters,
    array_of,
    cursor_page_of,
    flag_of,
    last,
    like,
    one_of,
    page_of,
    some_of,
)
from genesys_emulator.simulation.organization import (
    Agent,
    Division,
    Group,
    Organization,
    Queue,
    Team,
)
from genesys_emulator.wire.errors import standard_error

Named = TypeVar("Named", Agent, Division, Group, Queue, Team)

STATES = ("active", "inactive", "deleted", "any")
ORDERS = ("ascending", "descending", "ASC", "DESC", "asc", "desc")
EXPANSIONS = (
    "routingStatus presence integrationPresence conversationSummary outOfOffice geolocation "
    "station authorization lasttokenissued authorization.unusedRoles team workPlanBidRanks "
    "externalContactsSettings groups customAttributes profileSkills certifications locations "
    "skills languages languagePreference employerInfo biography dateLastLogin dateWelcomeSent"
).split()
MOST_MEMBERS_PER_PAGE = 100
MOST_QUEUES_IN_VIEW, MOST_PAGES_OF_VIEW = 100, 5


def users(organization: Organization, path: str, parameters: Parameters) -> Page:
    """Only those who are active unless ``state`` says other, even where ids are given."""
    state = one_of(parameters, "state", STATES, "active")
    found = [each for each in organization.listed_agents if state in ("any", each.state)]
    expand = some_of(parameters, "expand", EXPANSIONS)
    return page_of(
        path,
        parameters,
        _in_order(parameters, _by_id(parameters, found)),
        lambda each: entities.user(organization, each, expand),
    )


def queues(organization: Organization, path: str, parameters: Parameters) -> Page:
    """By ``name`` (with ``*`` before or after it, whatever the case), ``id``, ``divisionId``."""
    found = _in_order(parameters, _queues(organization, parameters))
    return page_of(path, parameters, found, lambda each: entities.queue_of(organization, each))


def queues_in_view(organization: Organization, path: str, parameters: Parameters) -> Page:
    """The same for who may only search queues: a hundred a page, and five pages."""
    found = _in_order(parameters, _queues(organization, parameters))
    return page_of(
        path,
        parameters,
        found,
        entities.queue_in_view,
        most=MOST_QUEUES_IN_VIEW,
        most_pages=MOST_PAGES_OF_VIEW,
    )


def all_queues_in_view(organization: Organization, path: str, parameters: Parameters) -> Page:
    found = _in_order(parameters, _sorted(organization.queues))
    return page_of(path, parameters, found, entities.queue_in_view)


def members(organization: Organization, path: str, parameters: Parameters) -> Page:
    """The agents of the queue in *path*, by name; this list does not say how long it is."""
    of = _one(organization.queues, path, -2)
    some_of(parameters, "expand", EXPANSIONS)
    name, joined = last(parameters, "name", "").casefold(), flag_of(parameters, "joined")
    by_group = one_of(parameters, "memberBy", ("user", "group"), "user") == "group"
    found = [
        agent
        for agent in organization.listed_agents
        if of in agent.queues
        and name in agent.name.casefold()
        and joined in (None, agent.state == "active")
        and not by_group
    ]
    found.sort(key=lambda each: each.name.casefold())
    page = page_of(
        path, parameters, _in_order(parameters, found), entities.member, MOST_MEMBERS_PER_PAGE
    )
    return {name: page[name] for name in page.keys() - {"total", "pageCount", "lastUri"}}


def divisions(organization: Organization, path: str, parameters: Parameters) -> Page:
    found = _by_id(parameters, organization.divisions)
    return page_of(path, parameters, _by_name(parameters, found), entities.division)


def groups(organization: Organization, path: str, parameters: Parameters) -> Page:
    found = _in_order(parameters, _by_id(parameters, organization.groups))
    return page_of(path, parameters, found, entities.group)


def group_members(organization: Organization, path: str, parameters: Parameters) -> Page:
    found = [each for each in _one(organization.groups, path, -2).agents if each.listed]
    expand = some_of(parameters, "expand", EXPANSIONS)
    return page_of(
        path,
        parameters,
        _in_order(parameters, found),
        lambda each: entities.user(organization, each, expand),
    )


def teams(organization: Organization, path: str, parameters: Parameters) -> Page:
    """By cursor; ``name`` is how it begins."""
    name = last(parameters, "name", "")
    found = [each for each in organization.teams if like(each.name, f"{name}*")]
    return cursor_page_of(path, parameters, found, entities.team)


def team_members(organization: Organization, path: str, parameters: Parameters) -> Page:
    """By cursor."""
    found = [each for each in _one(organization.teams, path, -2).agents if each.listed]
    return cursor_page_of(path, parameters, found, entities.reference)


def presence_definitions(organization: Organization, path: str, parameters: Parameters) -> Page:
    """All of them at once."""
    found = [] if flag_of(parameters, "deactivated") else organization.presences
    return {
        "total": len(found),
        "entities": [entities.presence_definition(each) for each in found],
        "selfUri": path,
    }


def old_presence_definitions(organization: Organization, path: str, parameters: Parameters) -> Page:
    """The deprecated list of them, in pages."""
    deleted = one_of(
        parameters, "deleted", ("true", "false", "all", "TRUE", "FALSE", "ALL"), "false"
    )
    found = () if deleted.casefold() == "true" else organization.presences
    return page_of(path, parameters, found, entities.presence_of_old)


def user(organization: Organization, path: str, parameters: Parameters) -> Page:
    """Who has this id; a deleted one only if ``state`` says so."""
    agent = _one(organization.listed_agents, path)
    state = one_of(parameters, "state", ("active", "deleted"), "active")
    if (agent.state == "deleted") != (state == "deleted"):
        raise standard_error(404)
    return entities.user(organization, agent, some_of(parameters, "expand", EXPANSIONS))


def queue(organization: Organization, path: str, _: Parameters) -> Page:
    return entities.queue_of(organization, _one(organization.queues, path))


def division(organization: Organization, path: str, _: Parameters) -> Page:
    return entities.division(_one(organization.divisions, path))


def group(organization: Organization, path: str, _: Parameters) -> Page:
    return entities.group(_one(organization.groups, path))


def team(organization: Organization, path: str, _: Parameters) -> Page:
    return entities.team(_one(organization.teams, path))


def limits(namespace: str, requests_per_minute: int = 300) -> Page:
    """The limits of a namespace that is known here. Raises ApiError for others."""
    known = {
        "platform.api": {
            "client.credentials.token.rate.per.minute": requests_per_minute,
            "token.rate.per.minute": requests_per_minute,
            "request.bytes.max": 512_000,
        },
        "analytics": {
            "details.jobs.concurrent.access.max": 10,
            "details.jobs.rate.per.second": 5,
        },
    }
    if namespace not in known:
        raise standard_error(404)
    return {
        "entities": [
            {"key": key, "namespace": namespace, "value": value}
            for key, value in known[namespace].items()
        ]
    }


def namespaces(organization: Organization, path: str, parameters: Parameters) -> Page:
    """Those that have limits here."""
    return page_of(path, parameters, ["analytics", "platform.api"], str, usual=100)


def _one(found: Sequence[Named], path: str, place: int = -1) -> Named:
    """The one whose id is in *path*, at this *place*. Raises ApiError."""
    wanted = path.split("/")[place]
    for each in found:
        if each.id == wanted:
            return each
    raise standard_error(404)


def _queues(organization: Organization, parameters: Parameters) -> list[Queue]:
    """By name; the division ``*`` is any."""
    within = array_of(parameters, "divisionId")
    found = [
        each
        for each in _sorted(organization.queues)
        if not within or "*" in within or (each.division and each.division.id in within)
    ]
    return _by_name(parameters, _by_id(parameters, found))


def _sorted(queues: Sequence[Queue]) -> list[Queue]:
    return sorted(queues, key=lambda each: each.name.casefold())


def _by_id(parameters: Parameters, found: Sequence[Named]) -> list[Named]:
    ids = array_of(parameters, "id")
    return [each for each in found if not ids or each.id in ids]


def _by_name(parameters: Parameters, found: Sequence[Named]) -> list[Named]:
    pattern = last(parameters, "name", "*")
    return [each for each in found if like(each.name, pattern)]


def _in_order(parameters: Parameters, found: Sequence[Named]) -> Sequence[Named]:
    order = one_of(parameters, "sortOrder", ORDERS, "asc")
    return found[::-1] if order.lower().startswith("desc") else found
