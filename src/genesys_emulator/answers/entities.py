"""Who and what there is, each as the API shows one."""

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


def user(organization: Organization, agent: Agent, expand: Collection[str] = ()) -> Entity:
    """*expand* adds what it names, as far as it is known here: team and groups."""
    address = {"email": agent.email, "username": agent.email} if agent.email else {}
    own = [each for each in organization.teams if agent in each.agents] if "team" in expand else []
    more: Entity = {"team": {"id": own[0].id, "name": own[0].name}} if own else {}
    if "groups" in expand:
        more["groups"] = [
            {"id": each.id, "selfUri": f"/api/v2/groups/{each.id}"}
            for each in organization.groups
            if agent in each.agents
        ]
    return {
        "id": agent.id,
        "name": agent.name,
        **within(agent.division),
        **address,
        "state": agent.state,
        "version": 1 + agent.index % 30,
        "acdAutoAnswer": False,
        **more,
        "selfUri": f"/api/v2/users/{agent.id}",
    }


def member(agent: Agent) -> Entity:
    """Of a queue."""
    return {
        "id": agent.id,
        "name": agent.name,
        "user": reference(agent),
        "ringNumber": 1,
        "joined": agent.state == "active",
        "memberBy": "user",
        "selfUri": f"/api/v2/users/{agent.id}",
    }


def reference(agent: Agent) -> Entity:
    return {"id": agent.id, "name": agent.name, "selfUri": f"/api/v2/users/{agent.id}"}


def queue_of(organization: Organization, queue: Queue) -> Entity:
    members = [agent for agent in organization.listed_agents if queue in agent.queues]
    return {
        "id": queue.id,
        "name": queue.name,
        **within(queue.division),
        "memberCount": len(members),
        "joinedMemberCount": sum(agent.state == "active" for agent in members),
        "selfUri": f"/api/v2/routing/queues/{queue.id}",
    }


def queue_in_view(queue: Queue) -> Entity:
    """Of a list that needs no right to see queues: name and division."""
    uri = f"/api/v2/routing/queues/divisionviews/{queue.id}"
    return {"id": queue.id, "name": queue.name, **within(queue.division), "selfUri": uri}


def division(each: Division) -> Entity:
    return {
        "id": each.id,
        "name": each.name,
        "description": f"{each.name} division",
        "homeDivision": each.home,
        "selfUri": f"/api/v2/authorization/divisions/{each.id}",
    }


def group(each: Group) -> Entity:
    return {
        "id": each.id,
        "name": each.name,
        "memberCount": sum(agent.listed for agent in each.agents),
        "state": "active",
        "version": 1,
        "type": "official",
        "rulesVisible": True,
        "visibility": "public",
        "selfUri": f"/api/v2/groups/{each.id}",
    }


def team(each: Team) -> Entity:
    return {
        "id": each.id,
        "name": each.name,
        **within(each.division),
        "memberCount": sum(agent.listed for agent in each.agents),
        "selfUri": f"/api/v2/teams/{each.id}",
    }


def presence_definition(each: Presence) -> Entity:
    return {
        "id": each.id,
        "type": "System" if each.primary else "User",
        "languageLabels": {LOCALE: each.name},
        "systemPresence": _camel(each.system),
        "divisionId": "*",
        "deactivated": False,
        "selfUri": f"/api/v2/presence/definitions/{each.id}",
    }


def presence_of_old(each: Presence) -> Entity:
    """As the deprecated list shows one."""
    return {
        "id": each.id,
        "languageLabels": {LOCALE: each.name},
        "systemPresence": each.system.replace("_", " ").title(),
        "deactivated": False,
        "primary": each.primary,
        "selfUri": f"/api/v2/presencedefinitions/{each.id}",
    }


def organization_of(organization: Organization) -> Entity:
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


def token_info(organization: Organization, client_id: str) -> Entity:
    """What ``/tokens/me`` says of a token of client credentials, which has no scopes."""
    of = {"id": organization.id, "name": organization.name}
    return {
        "organization": of,
        "homeOrganization": of,
        "authorizedScope": [],
        "OAuthClient": {
            "id": client_id,
            "name": client_id,
            "authorizedGrantType": "CLIENT-CREDENTIALS",
            "organization": of,
        },
    }


def within(division: Division | None) -> Entity:
    if division is None:
        return {}
    uri = f"/api/v2/authorization/divisions/{division.id}"
    return {"division": {"id": division.id, "name": division.name, "selfUri": uri}}


def _camel(word: str) -> str:
    """``ON_QUEUE``, as analytics has it, as definitions do: ``OnQueue``."""
    return word.title().replace("_", "")
