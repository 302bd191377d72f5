"""Permissions that halfhour uses, what is lost without each, and a role that grants no more."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

ROLE_NAME = "halfhour"


@dataclass(frozen=True, slots=True)
class Permission:
    """A permission and what is *lost* without it; one that is not *needed* leaves the rest."""

    name: str
    lost: str
    needed: bool = False
    is_preview: bool = False


POSTED = Permission(
    "analytics:conversationAggregate:view",
    "handle, talk, hold and after-call work times as Genesys posts them, which every report needs",
    needed=True,
)
QUEUES = Permission(
    "routing:queue:view", "the names of queues: reports show ids, and ⟨queues⟩ takes ids only"
)
STATUS = Permission(
    "analytics:userAggregate:view", "the status of agents, on-queue time and occupancy"
)
DETAILS = Permission(
    "analytics:conversationDetail:view",
    "the worked basis, the time that callbacks count twice, and what is behind a cell of the "
    "dashboard",
)
CAPACITY = Permission(
    "analytics:agentUtilizationAggregate:view",
    "the capacity that agents used (⟨with_capacity⟩), a preview that nothing else needs",
    is_preview=True,
)
PERMISSIONS = (POSTED, QUEUES, STATUS, DETAILS, CAPACITY)


def role_definition(permissions: Sequence[Permission] = PERMISSIONS) -> dict[str, Any]:
    """Return a role with *permissions*, as ``POST /api/v2/authorization/roles`` takes it."""
    parts = [permission.name.split(":") for permission in permissions]
    return {
        "name": ROLE_NAME,
        "description": "What halfhour reads: figures of agents, and names of queues",
        "permissionPolicies": [
            {
                "domain": domain,
                "entityName": entity,
                "actionSet": [action],
                "allowConditions": False,
            }
            for domain, entity, action in parts
        ],
    }
