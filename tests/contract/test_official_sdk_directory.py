"""Genesys' own client builds its models from every list, and pages through them."""

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.contract.conftest import everything_in


def test_the_official_sdk_reads_groups_and_their_members(sdk, client):
    groups = sdk.GroupsApi(client)
    result = groups.get_groups().entities

    assert {entry.type for entry in result} == {"official"}
    assert all(entry.name and entry.visibility and entry.rules_visible for entry in result)
    assert groups.get_group(result[0].id).name == result[0].name
    members = groups.get_group_members(result[0].id)
    assert len(members.entities) == result[0].member_count


def test_the_official_sdk_goes_through_teams_by_cursor(sdk, client):
    teams = sdk.TeamsApi(client)
    page = teams.get_teams(page_size=1)
    result = list(page.entities)
    while page.next_uri:
        after = parse_qs(urlsplit(page.next_uri).query)["after"][0]
        page = teams.get_teams(page_size=1, after=after)
        result += page.entities

    assert [entry.name for entry in result] == ["Team 1", "Team 2"]
    assert all(entry.division.id for entry in result)
    members = teams.get_team_members(result[0].id)
    assert len(members.entities) == result[0].member_count == 19
    assert teams.get_team(result[1].id).name == "Team 2"


def test_the_official_sdk_knows_every_presence(sdk, client):
    result = sdk.PresenceApi(client).get_presence_definitions()

    assert result.total == len(result.entities) == 11
    assert all(entity.language_labels for entity in result.entities)
    assert {entity.system_presence for entity in result.entities} >= {"OnQueue", "Break", "Offline"}
    assert "OUTDATED" not in everything_in(result)


def test_the_official_sdk_sees_queues_by_division(sdk, client):
    routing = sdk.RoutingApi(client)

    assert len(routing.get_routing_queues_divisionviews(name="*s*").entities) == 3
    assert len(routing.get_routing_queues_divisionviews_all(page_size=500).entities) == 5


def test_the_official_sdk_reads_divisions_one_by_one_and_limits_by_namespace(sdk, client):
    divisions = sdk.AuthorizationApi(client)
    for entity in divisions.get_authorization_divisions().entities:
        result = divisions.get_authorization_division(entity.id)
        assert (result.name, result.description) == (entity.name, entity.description)
    organisation = sdk.OrganizationApi(client)
    limits = organisation.get_organizations_limits_namespace("analytics").entities
    usual = organisation.get_organizations_limits_namespace_defaults("platform.api").entities

    assert {entity.namespace for entity in limits} == {"analytics"}
    assert {entity.key: entity.value for entity in usual}["token.rate.per.minute"] == 300


def test_the_official_sdk_hears_that_something_is_not_there(sdk, client):
    with pytest.raises(sdk.rest.ApiException) as caught:
        sdk.TeamsApi(client).get_team("nothing")
    assert caught.value.status == 404
