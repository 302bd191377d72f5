"""The operations that are emulated, as data."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An operation of the API. *name* is its name in faults.

    Any one of the *permissions* is enough, unless *all_of_them* are needed. An
    answer of a *paged* endpoint is one page, and more may follow.
    """

    name: str
    method: str
    path: str
    permissions: tuple[str, ...] = ()
    all_of_them: bool = False
    paged: bool = False

    def matches_path(self, path: str) -> bool:
        """Return whether *path* is an address of this operation."""
        before, placeholder, after = self.path.partition("{id}")
        if not placeholder:
            return path == before
        middle = path.removeprefix(before).removesuffix(after)
        return path == f"{before}{middle}{after}" and bool(middle) and "/" not in middle


class JobEndpoints(NamedTuple):
    """The operations on jobs of one kind."""

    submit: Endpoint
    status: Endpoint
    results: Endpoint
    delete: Endpoint


def job_endpoints(path: str, permissions: tuple[str, ...], prefix: str = "") -> JobEndpoints:
    """Return the endpoints of jobs at *path*; *prefix* begins their names in faults."""
    name, one = f"{prefix}jobs", f"{path}/{{id}}"
    return JobEndpoints(
        Endpoint(name, "POST", path, permissions),
        Endpoint(name, "GET", one, permissions),
        Endpoint(f"{prefix}results", "GET", f"{one}/results", permissions, paged=True),
        Endpoint(name, "DELETE", one, permissions),
    )


TOKEN = Endpoint("token", "POST", "/oauth/token")
CONVERSATIONS = "/api/v2/analytics/conversations"
VIEW_AGGREGATES = ("analytics:conversationAggregate:view",)
AGGREGATES = Endpoint("aggregates", "POST", f"{CONVERSATIONS}/aggregates/query", VIEW_AGGREGATES)
AGGREGATES_JOBS = job_endpoints(f"{CONVERSATIONS}/aggregates/jobs", VIEW_AGGREGATES, "aggregates_")
VIEW_DETAILS = ("analytics:conversationDetail:view", "analytics:agentConversationDetail:view")
DETAILS = Endpoint("details", "POST", f"{CONVERSATIONS}/details/query", VIEW_DETAILS, paged=True)
DETAILS_OF_SOME = Endpoint("details", "GET", f"{CONVERSATIONS}/details", VIEW_DETAILS)
DETAILS_OF_ONE = Endpoint("details", "GET", f"{CONVERSATIONS}/{{id}}/details", VIEW_DETAILS)
DETAILS_JOBS = job_endpoints(f"{CONVERSATIONS}/details/jobs", VIEW_DETAILS)
AVAILABILITY = Endpoint(
    "jobs", "GET", f"{CONVERSATIONS}/details/jobs/availability", VIEW_DETAILS[:1]
)
ANALYTICS_OF_USERS = "/api/v2/analytics/users"
VIEW_USER_AGGREGATES = ("analytics:userAggregate:view",)
VIEW_USER_DETAILS = ("analytics:userDetail:view",)
USER_AGGREGATES = Endpoint(
    "user_aggregates", "POST", f"{ANALYTICS_OF_USERS}/aggregates/query", VIEW_USER_AGGREGATES
)
USER_AGGREGATES_JOBS = job_endpoints(
    f"{ANALYTICS_OF_USERS}/aggregates/jobs", VIEW_USER_AGGREGATES, "user_aggregates_"
)
USER_DETAILS = Endpoint(
    "user_details", "POST", f"{ANALYTICS_OF_USERS}/details/query", VIEW_USER_DETAILS, paged=True
)
USER_DETAILS_JOBS = job_endpoints(f"{ANALYTICS_OF_USERS}/details/jobs", VIEW_USER_DETAILS, "user_")
USER_AVAILABILITY = Endpoint(
    "user_jobs", "GET", f"{ANALYTICS_OF_USERS}/details/jobs/availability", VIEW_USER_DETAILS
)
CAPACITY = Endpoint(
    "capacity",
    "POST",
    "/api/v2/analytics/agentutilizations/aggregates/query",
    ("analytics:agentUtilizationAggregate:view",),
)
USERS = Endpoint("users", "GET", "/api/v2/users", paged=True)
USER = Endpoint("users", "GET", "/api/v2/users/{id}")
QUEUE_LIST, VIEW_QUEUES = "/api/v2/routing/queues", ("routing:queue:view",)
QUEUES = Endpoint("queues", "GET", QUEUE_LIST, VIEW_QUEUES, paged=True)
QUEUE = Endpoint("queues", "GET", f"{QUEUE_LIST}/{{id}}", VIEW_QUEUES, all_of_them=True)
SEARCH_QUEUES = ("routing:queue:search",)
QUEUES_IN_VIEW = Endpoint(
    "queues", "GET", f"{QUEUE_LIST}/divisionviews", SEARCH_QUEUES, all_of_them=True, paged=True
)
ALL_QUEUES_IN_VIEW = Endpoint(
    "queues", "GET", f"{QUEUE_LIST}/divisionviews/all", SEARCH_QUEUES, all_of_them=True, paged=True
)
MEMBERS = Endpoint(
    "members",
    "GET",
    f"{QUEUE_LIST}/{{id}}/members",
    (
        "routing:queue:view",
        "routing:queue:edit",
        "routing:queue:readonly",
        "routing:queueMember:manage",
    ),
    paged=True,
)
DIVISIONS = Endpoint("divisions", "GET", "/api/v2/authorization/divisions", paged=True)
DIVISION = Endpoint("divisions", "GET", "/api/v2/authorization/divisions/{id}")
GROUPS = Endpoint("groups", "GET", "/api/v2/groups", paged=True)
GROUP = Endpoint("groups", "GET", "/api/v2/groups/{id}")
GROUP_MEMBERS = Endpoint("groups", "GET", "/api/v2/groups/{id}/members", paged=True)
VIEW_TEAMS = ("groups:team:view",)
TEAMS = Endpoint("teams", "GET", "/api/v2/teams", VIEW_TEAMS)
TEAM = Endpoint("teams", "GET", "/api/v2/teams/{id}", VIEW_TEAMS)
TEAM_MEMBERS = Endpoint("teams", "GET", "/api/v2/teams/{id}/members", VIEW_TEAMS)
PRESENCES = Endpoint(
    "presences",
    "GET",
    "/api/v2/presence/definitions",
    ("presence:presenceDefinition:view",),
    all_of_them=True,
)
OLD_PRESENCES = Endpoint("presences", "GET", "/api/v2/presencedefinitions")
ORGANIZATION = Endpoint("organization", "GET", "/api/v2/organizations/me")

TOKEN_INFO = Endpoint("token_info", "GET", "/api/v2/tokens/me")
NAMESPACES = Endpoint("limits", "GET", "/api/v2/organizations/limits/namespaces")
LIMITS = Endpoint("limits", "GET", f"{NAMESPACES.path}/{{id}}")
USUAL_LIMITS = Endpoint("limits", "GET", f"{NAMESPACES.path}/{{id}}/defaults")

JOBS = (AGGREGATES_JOBS, DETAILS_JOBS, USER_AGGREGATES_JOBS, USER_DETAILS_JOBS)
ALL = (
    TOKEN,
    AGGREGATES,
    DETAILS,
    DETAILS_OF_SOME,
    DETAILS_OF_ONE,
    *(endpoint for jobs in JOBS for endpoint in jobs),
    AVAILABILITY,
    USER_AGGREGATES,
    USER_DETAILS,
    USER_AVAILABILITY,
    CAPACITY,
    USERS,
    USER,
    QUEUES,
    QUEUE,
    QUEUES_IN_VIEW,
    ALL_QUEUES_IN_VIEW,
    MEMBERS,
    DIVISIONS,
    DIVISION,
    GROUPS,
    GROUP,
    GROUP_MEMBERS,
    TEAMS,
    TEAM,
    TEAM_MEMBERS,
    PRESENCES,
    OLD_PRESENCES,
    ORGANIZATION,
    TOKEN_INFO,
    NAMESPACES,
    LIMITS,
    USUAL_LIMITS,
)
NAMES = frozenset(endpoint.name for endpoint in ALL)
PAGED = frozenset(endpoint.name for endpoint in ALL if endpoint.paged)
COUNTED = frozenset((DETAILS.name, USER_DETAILS.name))
"""Queries whose answers have a ``totalHits``."""
OF_JOBS = frozenset(endpoint.name for jobs in JOBS for endpoint in jobs)
PERMISSIONS = frozenset(name for endpoint in ALL for name in endpoint.permissions)


def sort_by_precedence(several: Iterable[Endpoint]) -> list[Endpoint]:
    """Sort paths without an id before paths with one, which would match them too."""
    return sorted(several, key=lambda endpoint: "{id}" in endpoint.path)


IN_ORDER = sort_by_precedence(ALL)


def endpoint_at(path: str) -> Endpoint | None:
    """Return the endpoint at *path*, for any method."""
    return next((endpoint for endpoint in IN_ORDER if endpoint.matches_path(path)), None)
