"""The operations that are emulated, as data."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Endpoint:
    """*name* is what faults call it. Of the *permissions* any one will do, or all are needed."""

    name: str
    method: str
    path: str
    permissions: tuple[str, ...] = ()
    all_of_them: bool = False

    def holds(self, path: str) -> bool:
        """Whether *path* is an address of this operation."""
        before, found, after = self.path.partition("{id}")
        if not found:
            return path == before
        middle = path.removeprefix(before).removesuffix(after)
        return path == f"{before}{middle}{after}" and bool(middle) and "/" not in middle


TOKEN = Endpoint("token", "POST", "/oauth/token")
AGGREGATES = Endpoint(
    "aggregates",
    "POST",
    "/api/v2/analytics/conversations/aggregates/query",
    ("analytics:conversationAggregate:view",),
)
VIEW_DETAILS = ("analytics:conversationDetail:view", "analytics:agentConversationDetail:view")
DETAILS = Endpoint("details", "POST", "/api/v2/analytics/conversations/details/query", VIEW_DETAILS)
JOBS = "/api/v2/analytics/conversations/details/jobs"
AVAILABILITY = Endpoint("jobs", "GET", f"{JOBS}/availability", VIEW_DETAILS[:1])
SUBMIT = Endpoint("jobs", "POST", JOBS, VIEW_DETAILS)
STATUS = Endpoint("jobs", "GET", f"{JOBS}/{{id}}", VIEW_DETAILS)
RESULTS = Endpoint("results", "GET", f"{JOBS}/{{id}}/results", VIEW_DETAILS)
DELETE = Endpoint("jobs", "DELETE", f"{JOBS}/{{id}}", VIEW_DETAILS)
USER_AGGREGATES = Endpoint(
    "user_aggregates",
    "POST",
    "/api/v2/analytics/users/aggregates/query",
    ("analytics:userAggregate:view",),
)
USER_DETAILS = Endpoint(
    "user_details",
    "POST",
    "/api/v2/analytics/users/details/query",
    ("analytics:userDetail:view",),
)
USERS = Endpoint("users", "GET", "/api/v2/users")
USER = Endpoint("users", "GET", "/api/v2/users/{id}")
QUEUES = Endpoint("queues", "GET", "/api/v2/routing/queues", ("routing:queue:view",))
QUEUE = Endpoint(
    "queues", "GET", "/api/v2/routing/queues/{id}", ("routing:queue:view",), all_of_them=True
)
MEMBERS = Endpoint(
    "members",
    "GET",
    "/api/v2/routing/queues/{id}/members",
    (
        "routing:queue:view",
        "routing:queue:edit",
        "routing:queue:readonly",
        "routing:queueMember:manage",
    ),
)
DIVISIONS = Endpoint("divisions", "GET", "/api/v2/authorization/divisions")
ORGANIZATION = Endpoint("organization", "GET", "/api/v2/organizations/me")

TOKEN_INFO = Endpoint("token_info", "GET", "/api/v2/tokens/me")
LIMITS = Endpoint("limits", "GET", "/api/v2/organizations/limits/namespaces/{id}")

ALL = (
    TOKEN,
    AGGREGATES,
    DETAILS,
    AVAILABILITY,
    SUBMIT,
    STATUS,
    RESULTS,
    DELETE,
    USER_AGGREGATES,
    USER_DETAILS,
    USERS,
    USER,
    QUEUES,
    QUEUE,
    MEMBERS,
    DIVISIONS,
    ORGANIZATION,
    TOKEN_INFO,
    LIMITS,
)
NAMES = frozenset(endpoint.name for endpoint in ALL)
PERMISSIONS = frozenset(name for endpoint in ALL for name in endpoint.permissions)


def at(path: str) -> Endpoint | None:
    """The endpoint at *path*, whatever the method."""
    return next((each for each in ALL if each.holds(path)), None)
