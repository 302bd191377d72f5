"""Entities of the directory, each as the API shows it."""

from collections.abc import Collection
from typing import Any

from genesys_emulator.simulation.organization import (
    Agent,
    Division,
    Group,
    Organization,
    Presence,
    Queue,
    Team,
    stable_id,
)

Entity = dict[str, Any]
LOCALE = "en_US"


def user_entity(organization: Organization, agent: Agent, expand: Collection[str] = ()) -> Entity:
    """Return a user; *expand* may add ``team`` and ``groups``."""
    address = {"email": agent.email, "username": agent.email} if agent.email else {}
    own = [team for team in organization.teams if agent in team.agents] if "team" in expand else []
    more: Entity = {"team": {"id": own[0].id, "name": own[0].name}} if own else {}
    if "groups" in expand:
        more["groups"] = [
            {"id": group.id, "selfUri": f"/api/v2/groups/{group.id}"}
            for group in organization.groups
            if agent in group.agents
        ]
    return {
        "id": agent.id,
        "name": agent.name,
        **division_field(agent.division),
        **address,
        "state": agent.state,
        "version": 1 + agent.index % 30,
        "acdAutoAnswer": False,
        **more,
        "selfUri": f"/api/v2/users/{agent.id}",
    }


def member_entity(agent: Agent) -> Entity:
    """Return a member of a queue."""
    return {
        "id": agent.id,
        "name": agent.name,
        "user": user_reference(agent),
        "ringNumber": 1,
        "joined": agent.state == "active",
        "memberBy": "user",
        "selfUri": f"/api/v2/users/{agent.id}",
    }


def user_reference(agent: Agent) -> Entity:
    return {"id": agent.id, "name": agent.name, "selfUri": f"/api/v2/users/{agent.id}"}


def queue_entity(organization: Organization, queue: Queue) -> Entity:
    members = [agent for agent in organization.listed_agents if queue in agent.queues]
    return {
        "id": queue.id,
        "name": queue.name,
        **division_field(queue.division),
        "memberCount": len(members),
        "joinedMemberCount": sum(agent.state == "active" for agent in members),
        "selfUri": f"/api/v2/routing/queues/{queue.id}",
    }


def queue_view_entity(queue: Queue) -> Entity:
    """Return a queue for a list that needs no permission to view queues."""
    uri = f"/api/v2/routing/queues/divisionviews/{queue.id}"
    return {"id": queue.id, "name": queue.name, **division_field(queue.division), "selfUri": uri}


def division_entity(division: Division) -> Entity:
    return {
        "id": division.id,
        "name": division.name,
        "description": f"{division.name} division",
        "homeDivision": division.home,
        "selfUri": f"/api/v2/authorization/divisions/{division.id}",
    }


def group_entity(group: Group) -> Entity:
    return {
        "id": group.id,
        "name": group.name,
        "memberCount": sum(agent.listed for agent in group.agents),
        "state": "active",
        "version": 1,
        "type": "official",
        "rulesVisible": True,
        "visibility": "public",
        "selfUri": f"/api/v2/groups/{group.id}",
    }


def team_entity(team: Team) -> Entity:
    return {
        "id": team.id,
        "name": team.name,
        **division_field(team.division),
        "memberCount": sum(agent.listed for agent in team.agents),
        "selfUri": f"/api/v2/teams/{team.id}",
    }


def presence_entity(presence: Presence) -> Entity:
    return {
        "id": presence.id,
        "type": "System" if presence.primary else "User",
        "languageLabels": {LOCALE: presence.name},
        "systemPresence": _camel_case(presence.system),
        "divisionId": "*",
        "deactivated": False,
        "selfUri": f"/api/v2/presence/definitions/{presence.id}",
    }


def old_presence_entity(presence: Presence) -> Entity:
    """Return a presence as the deprecated list shows it."""
    return {
        "id": presence.id,
        "languageLabels": {LOCALE: presence.name},
        "systemPresence": presence.system.replace("_", " ").title(),
        "deactivated": False,
        "primary": presence.primary,
        "selfUri": f"/api/v2/presencedefinitions/{presence.id}",
    }


def organization_entity(organization: Organization) -> Entity:
    return {
        "id": organization.id,
        "name": organization.name,
        "defaultLanguage": "en-US",
        "defaultCountryCode": "GB",
        "thirdPartyOrgName": "emulated",
        "thirdPartyURI": "https://emulated.example.com",
        "domain": "emulated",
        "features": {"purecloud": True},
        "version": 1,
        "state": "active",
        "defaultSiteId": stable_id(organization.id, "site"),
        "supportURI": "support@emulated.example.com",
        "voicemailEnabled": False,
        "productPlatform": "GenesysCloud",
        "selfUri": "/api/v2/organizations/me",
    }


def token_entity(organization: Organization, client_id: str) -> Entity:
    """Return the token of ``/tokens/me``; one of client credentials has no scopes."""
    own = {"id": organization.id, "name": organization.name}
    return {
        "organization": own,
        "homeOrganization": own,
        "authorizedScope": [],
        "OAuthClient": {
            "id": client_id,
            "name": client_id,
            "authorizedGrantType": "CLIENT-CREDENTIALS",
            "organization": own,
        },
    }


def division_field(division: Division | None) -> Entity:
    if division is None:
        return {}
    uri = f"/api/v2/authorization/divisions/{division.id}"
    return {"division": {"id": division.id, "name": division.name, "selfUri": uri}}


def _camel_case(word: str) -> str:
    """Turn a word of analytics, ``ON_QUEUE``, into that of definitions, ``OnQueue``."""
    return word.title().replace("_", "")
