"""Genesys' own client builds its models from every list, and pages through them."""

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.contract.conftest import everything_in


def test_it_reads_groups_and_their_members(sdk, client):
    groups = sdk.GroupsApi(client)
    found = groups.get_groups().entities

    assert {each.type for each in found} == {"official"}
    assert all(each.name and each.visibility and each.rules_visible for each in found)
    assert groups.get_group(found[0].id).name == found[0].name
    members = groups.get_group_members(found[0].id)
    assert len(members.entities) == found[0].member_count


def test_it_goes_through_teams_by_cursor(sdk, client):
    teams = sdk.TeamsApi(client)
    page = teams.get_teams(page_size=1)
    found = list(page.entities)
    while page.next_uri:
        after = parse_qs(urlsplit(page.next_uri).query)["after"][0]
        page = teams.get_teams(page_size=1, after=after)
        found += page.entities

    assert [each.name for each in found] == ["Team 1", "Team 2"]
    assert all(each.division.id for each in found)
    members = teams.get_team_members(found[0].id)
    assert len(members.entities) == found[0].member_count == 19
    assert teams.get_team(found[1].id).name == "Team 2"


def test_it_knows_every_presence(sdk, client):
    found = sdk.PresenceApi(client).get_presence_definitions()

    assert found.total == len(found.entities) == 11
    assert all(each.language_labels for each in found.entities)
    assert {each.system_presence for each in found.entities} >= {"OnQueue", "Break", "Offline"}
    assert "OUTDATED" not in everything_in(found)


def test_it_sees_queues_by_division(sdk, client):
    routing = sdk.RoutingApi(client)

    assert len(routing.get_routing_queues_divisionviews(name="*s*").entities) == 3
    assert len(routing.get_routing_queues_divisionviews_all(page_size=500).entities) == 5


def test_it_reads_divisions_one_by_one_and_limits_by_namespace(sdk, client):
    divisions = sdk.AuthorizationApi(client)
    for each in divisions.get_authorization_divisions().entities:
        found = divisions.get_authorization_division(each.id)
        assert (found.name, found.description) == (each.name, each.description)
    organisation = sdk.OrganizationApi(client)
    limits = organisation.get_organizations_limits_namespace("analytics").entities
    usual = organisation.get_organizations_limits_namespace_defaults("platform.api").entities

    assert {each.namespace for each in limits} == {"analytics"}
    assert {each.key: each.value for each in usual}["token.rate.per.minute"] == 300


def test_it_hears_that_something_is_not_there(sdk, client):
    with pytest.raises(sdk.rest.ApiException) as caught:
        sdk.TeamsApi(client).get_team("nothing")
    assert caught.value.status == 404
