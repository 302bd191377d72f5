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


TOKEN = Endpoint("token", "POST", "/oauth/token")
AGGREGATES = Endpoint(
    "aggregates",
    "POST",
    "/api/v2/analytics/conversations/aggregates/query",
    ("analytics:conversationAggregate:view",),
)
USERS = Endpoint("users", "GET", "/api/v2/users")
USER = Endpoint("users", "GET", "/api/v2/users/{id}")
QUEUES = Endpoint("queues", "GET", "/api/v2/routing/queues", ("routing:queue:view",))
QUEUE = Endpoint(
    "queues", "GET", "/api/v2/routing/queues/{id}", ("routing:queue:view",), all_of_them=True
)
DIVISIONS = Endpoint("divisions", "GET", "/api/v2/authorization/divisions")
ORGANIZATION = Endpoint("organization", "GET", "/api/v2/organizations/me")

ALL = (TOKEN, AGGREGATES, USERS, USER, QUEUES, QUEUE, DIVISIONS, ORGANIZATION)
NAMES = frozenset(endpoint.name for endpoint in ALL)
PERMISSIONS = frozenset(name for endpoint in ALL for name in endpoint.permissions)


def at(path: str) -> Endpoint | None:
    """The endpoint at *path*, whatever the method."""
    parent = f"{path.rpartition('/')[0]}/{{id}}"
    return next((each for each in ALL if each.path == path), None) or next(
        (each for each in ALL if each.path == parent), None
    )
