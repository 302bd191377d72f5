"""The directory, as lists and by id: users, queues, divisions, groups, teams, limits."""

from collections.abc import Sequence
from typing import TypeVar

from genesys_emulator.answers import entities
from genesys_emulator.answers.listing import (
    Page,
    Parameters,
    array_parameter,
    cursor_page,
    flag_parameter,
    last_value,
    matches_pattern,
    numbered_page,
    word_parameter,
    words_parameter,
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


def list_users(organization: Organization, path: str, parameters: Parameters) -> Page:
    """List users, only active ones unless ``state`` says otherwise, even by id."""
    state = word_parameter(parameters, "state", STATES, "active")
    agents = [agent for agent in organization.listed_agents if state in ("any", agent.state)]
    expand = words_parameter(parameters, "expand", EXPANSIONS)
    return numbered_page(
        path,
        parameters,
        _in_order(parameters, _by_id(parameters, agents)),
        lambda agent: entities.user_entity(organization, agent, expand),
    )


def list_queues(organization: Organization, path: str, parameters: Parameters) -> Page:
    """List queues by ``name`` (with ``*`` at either end), ``id`` and ``divisionId``."""
    queues = _in_order(parameters, _matching_queues(organization, parameters))
    return numbered_page(
        path, parameters, queues, lambda queue: entities.queue_entity(organization, queue)
    )


def list_queue_views(organization: Organization, path: str, parameters: Parameters) -> Page:
    """List queues for clients that may only search them: at most 5 pages of 100."""
    queues = _in_order(parameters, _matching_queues(organization, parameters))
    return numbered_page(
        path,
        parameters,
        queues,
        entities.queue_view_entity,
        most=MOST_QUEUES_IN_VIEW,
        most_pages=MOST_PAGES_OF_VIEW,
    )


def list_all_queue_views(organization: Organization, path: str, parameters: Parameters) -> Page:
    queues = _in_order(parameters, _sort_by_name(organization.queues))
    return numbered_page(path, parameters, queues, entities.queue_view_entity)


def list_members(organization: Organization, path: str, parameters: Parameters) -> Page:
    """List the agents of the queue in *path*, sorted by name, without a total."""
    queue = _find_by_path(organization.queues, path, -2)
    words_parameter(parameters, "expand", EXPANSIONS)
    name, joined = (
        last_value(parameters, "name", "").casefold(),
        flag_parameter(parameters, "joined"),
    )
    by_group = word_parameter(parameters, "memberBy", ("user", "group"), "user") == "group"
    agents = [
        agent
        for agent in organization.listed_agents
        if queue in agent.queues
        and name in agent.name.casefold()
        and joined in (None, agent.state == "active")
        and not by_group
    ]
    agents.sort(key=lambda agent: agent.name.casefold())
    page = numbered_page(
        path,
        parameters,
        _in_order(parameters, agents),
        entities.member_entity,
        MOST_MEMBERS_PER_PAGE,
    )
    totals = ("total", "pageCount", "lastUri")
    return {name: value for name, value in page.items() if name not in totals}


def list_divisions(organization: Organization, path: str, parameters: Parameters) -> Page:
    divisions = _by_id(parameters, organization.divisions)
    return numbered_page(
        path, parameters, _by_name(parameters, divisions), entities.division_entity
    )


def list_groups(organization: Organization, path: str, parameters: Parameters) -> Page:
    groups = _in_order(parameters, _by_id(parameters, organization.groups))
    return numbered_page(path, parameters, groups, entities.group_entity)


def list_group_members(organization: Organization, path: str, parameters: Parameters) -> Page:
    agents = [
        agent for agent in _find_by_path(organization.groups, path, -2).agents if agent.listed
    ]
    expand = words_parameter(parameters, "expand", EXPANSIONS)
    return numbered_page(
        path,
        parameters,
        _in_order(parameters, agents),
        lambda agent: entities.user_entity(organization, agent, expand),
    )


def list_teams(organization: Organization, path: str, parameters: Parameters) -> Page:
    """List teams by cursor; ``name`` is the beginning of the name."""
    name = last_value(parameters, "name", "")
    teams = [team for team in organization.teams if matches_pattern(team.name, f"{name}*")]
    return cursor_page(path, parameters, teams, entities.team_entity)


def list_team_members(organization: Organization, path: str, parameters: Parameters) -> Page:
    """List the members of a team by cursor."""
    agents = [agent for agent in _find_by_path(organization.teams, path, -2).agents if agent.listed]
    return cursor_page(path, parameters, agents, entities.user_reference)


def list_presences(organization: Organization, path: str, parameters: Parameters) -> Page:
    """List all presences on one page."""
    presences = [] if flag_parameter(parameters, "deactivated") else organization.presences
    return {
        "total": len(presences),
        "entities": [entities.presence_entity(presence) for presence in presences],
        "selfUri": path,
    }


def list_old_presences(organization: Organization, path: str, parameters: Parameters) -> Page:
    """List presences as the deprecated operation does, in pages."""
    deleted = word_parameter(
        parameters, "deleted", ("true", "false", "all", "TRUE", "FALSE", "ALL"), "false"
    )
    presences = () if deleted.casefold() == "true" else organization.presences
    return numbered_page(path, parameters, presences, entities.old_presence_entity)


def show_user(organization: Organization, path: str, parameters: Parameters) -> Page:
    """Show the user with the id in *path*; a deleted one only for ``state=deleted``."""
    agent = _find_by_path(organization.listed_agents, path)
    state = word_parameter(parameters, "state", ("active", "deleted"), "active")
    if (agent.state == "deleted") != (state == "deleted"):
        raise standard_error(404)
    return entities.user_entity(
        organization, agent, words_parameter(parameters, "expand", EXPANSIONS)
    )


def show_queue(organization: Organization, path: str, _: Parameters) -> Page:
    return entities.queue_entity(organization, _find_by_path(organization.queues, path))


def show_division(organization: Organization, path: str, _: Parameters) -> Page:
    return entities.division_entity(_find_by_path(organization.divisions, path))


def show_group(organization: Organization, path: str, _: Parameters) -> Page:
    return entities.group_entity(_find_by_path(organization.groups, path))


def show_team(organization: Organization, path: str, _: Parameters) -> Page:
    return entities.team_entity(_find_by_path(organization.teams, path))


def show_limits(namespace: str, requests_per_minute: int = 300) -> Page:
    """Show the limits of a namespace. Raises ApiError for a namespace that is unknown here."""
    limits = {
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
    if namespace not in limits:
        raise standard_error(404)
    return {
        "entities": [
            {"key": key, "namespace": namespace, "value": value}
            for key, value in limits[namespace].items()
        ]
    }


def list_namespaces(organization: Organization, path: str, parameters: Parameters) -> Page:
    """List the namespaces that have limits here."""
    return numbered_page(path, parameters, ["analytics", "platform.api"], str, usual=100)


def _find_by_path(entities: Sequence[Named], path: str, place: int = -1) -> Named:
    """Return the entity whose id is in *path* at this *place*. Raises ApiError."""
    wanted = path.split("/")[place]
    for entity in entities:
        if entity.id == wanted:
            return entity
    raise standard_error(404)


def _matching_queues(organization: Organization, parameters: Parameters) -> list[Queue]:
    """Return the queues that match, sorted by name; the division ``*`` is any."""
    within = array_parameter(parameters, "divisionId")
    queues = [
        queue
        for queue in _sort_by_name(organization.queues)
        if not within or "*" in within or (queue.division and queue.division.id in within)
    ]
    return _by_name(parameters, _by_id(parameters, queues))


def _sort_by_name(queues: Sequence[Queue]) -> list[Queue]:
    return sorted(queues, key=lambda queue: queue.name.casefold())


def _by_id(parameters: Parameters, entities: Sequence[Named]) -> list[Named]:
    ids = array_parameter(parameters, "id")
    return [entity for entity in entities if not ids or entity.id in ids]


def _by_name(parameters: Parameters, entities: Sequence[Named]) -> list[Named]:
    pattern = last_value(parameters, "name", "*")
    return [entity for entity in entities if matches_pattern(entity.name, pattern)]


def _in_order(parameters: Parameters, entities: Sequence[Named]) -> Sequence[Named]:
    order = word_parameter(parameters, "sortOrder", ORDERS, "asc")
    return entities[::-1] if order.lower().startswith("desc") else entities
