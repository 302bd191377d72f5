"""Groups, teams, presences and all else that is listed beside users and queues."""

from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_emulator.answers.directory import list_teams
from genesys_emulator.answers.listing import numbered_page
from genesys_emulator.simulation.organization import PRESENCES, make_organization
from genesys_emulator.wire import endpoints
from tests.emulator.conftest import Cloud, cloud_of

CENTRE = make_organization(1, 12)
UNLISTED = CENTRE.agents[7]


def entities(cloud: Cloud, path: str) -> list[dict[str, Any]]:
    answer = cloud.get(path)
    assert answer.status_code == 200, answer.text
    result: list[dict[str, Any]] = answer.json()["entities"]
    return result


def test_an_unlisted_agent_is_in_no_list_and_yet_works(cloud):
    paths = [
        "/api/v2/users?state=any&pageSize=100",
        *(f"/api/v2/routing/queues/{queue.id}/members" for queue in CENTRE.queues),
        *(f"/api/v2/groups/{group.id}/members" for group in CENTRE.groups),
        *(f"/api/v2/teams/{team.id}/members" for team in CENTRE.teams),
    ]

    assert all(UNLISTED.id != entity["id"] for path in paths for entity in entities(cloud, path))
    assert cloud.get(f"/api/v2/users/{UNLISTED.id}").status_code == 404
    (team,) = entities(cloud, "/api/v2/teams")
    assert team["memberCount"] == 11
    worked = cloud.ask(groupBy=["userId"]).json()["results"]
    assert UNLISTED.id in {group["group"].get("userId") for group in worked}


def test_presences_are_in_the_words_of_the_directory(cloud):
    result = entities(cloud, "/api/v2/presence/definitions")

    assert [presence["languageLabels"]["en_US"] for presence in result] == [
        name for name, _ in PRESENCES
    ]
    assert {presence["systemPresence"] for presence in result} >= {"OnQueue", "Available", "Meal"}
    assert [presence["type"] for presence in result].count("User") == 1
    assert [entity["id"] for entity in entities(cloud, "/api/v2/presencedefinitions")] == [
        presence["id"] for presence in result
    ]
    assert entities(cloud, "/api/v2/presence/definitions?deactivated=true") == []


def test_groups_are_listed_with_their_members(cloud):
    result = entities(cloud, "/api/v2/groups?pageSize=2")

    assert len(result) == 2
    one = cloud.get(f"/api/v2/groups/{result[0]['id']}").json()
    assert one == result[0]
    members = entities(cloud, f"/api/v2/groups/{one['id']}/members")
    assert len(members) == one["memberCount"] > 0
    assert members[0]["selfUri"].startswith("/api/v2/users/")


@given(st.integers(0, 130), st.integers(1, 4))
def test_teams_are_paged_by_cursor_there_and_back(agents, size):
    centre = make_organization(1, agents)
    page = list_teams(centre, "/api/v2/teams", [("pageSize", str(size))])
    result, pages = page["entities"], [page]
    while "nextUri" in page:
        page = list_teams(centre, "/api/v2/teams", parse_qsl(page["nextUri"].partition("?")[2]))
        assert len(page["entities"]) <= size
        result, pages = result + page["entities"], [*pages, page]

    assert [team["id"] for team in result] == [team.id for team in centre.teams]
    assert all(page.keys() <= {"entities", "selfUri", "nextUri", "previousUri"} for page in pages)
    while "previousUri" in page:
        pages.pop()
        page = list_teams(centre, "/api/v2/teams", parse_qsl(page["previousUri"].partition("?")[2]))
        assert [entity["id"] for entity in page["entities"]] == [
            entity["id"] for entity in pages[-1]["entities"]
        ]


def test_a_team_is_found_by_how_its_name_begins():
    cloud = cloud_of(_centre(50))
    cloud.log_in()

    assert [entity["name"] for entity in entities(cloud, "/api/v2/teams?name=team 2")] == ["Team 2"]
    assert len(entities(cloud, "/api/v2/teams?name=Team")) == 3


def _centre(agents: int) -> Any:
    from datetime import date

    from genesys_emulator.simulation.source import SimulatedCentre

    return SimulatedCentre(make_organization(1, agents), date(2026, 3, 1))


def test_queues_may_be_searched_without_permission_to_view_them():
    cloud = cloud_of(_centre(12), withheld=["routing:queue:view"])
    cloud.log_in()

    assert cloud.get("/api/v2/routing/queues").status_code == 403
    assert len(entities(cloud, "/api/v2/routing/queues/divisionviews")) == 5
    assert len(entities(cloud, "/api/v2/routing/queues/divisionviews/all?pageSize=500")) == 5
    (result,) = entities(cloud, "/api/v2/routing/queues/divisionviews?name=bill*")
    assert result.keys() == {"id", "name", "division", "selfUri"}


def test_users_show_team_and_groups_if_expanded(cloud):
    plain = entities(cloud, "/api/v2/users")[0]
    more = entities(cloud, "/api/v2/users?expand=team,groups,presence")[0]
    one = cloud.get(f"/api/v2/users/{plain['id']}?expand=team").json()

    assert "team" not in plain
    assert more["team"]["name"] == one["team"]["name"] == "Team 1"
    assert [group["id"] for group in more["groups"]] == [CENTRE.groups[0].id]


def test_a_descending_order_reverses_a_list(cloud):
    there = [entity["id"] for entity in entities(cloud, "/api/v2/users")]
    back = [entity["id"] for entity in entities(cloud, "/api/v2/users?sortOrder=descending")]

    assert back == there[::-1]


def test_limits_are_listed_by_namespace_and_as_they_usually_are():
    cloud = cloud_of(_centre(1), allowed=77)
    cloud.log_in()
    root = "/api/v2/organizations/limits/namespaces"

    for name in cloud.get(root).json()["entities"]:
        assert {entity["namespace"] for entity in entities(cloud, f"{root}/{name}")} == {name}
    key = "token.rate.per.minute"
    now, usual = (
        {entity["key"]: entity["value"] for entity in entities(cloud, f"{root}/platform.api{rest}")}
        for rest in ("", "/defaults")
    )
    assert (now[key], usual[key]) == (77, 300)
    assert cloud.get(f"{root}/nothing").status_code == 404


@pytest.mark.parametrize(
    "path",
    ["groups/x", "groups/x/members", "teams/x", "teams/x/members", "authorization/divisions/x"],
)
def test_unknown_ids_in_the_directory_are_not_found(cloud, path):
    assert cloud.get(f"/api/v2/{path}").status_code == 404


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("users?sortOrder=sideways", "sortOrder"),
        ("users?pageSize=501", "pageSize"),
        ("teams?after=nobody", "after"),
        ("routing/queues/divisionviews?pageSize=101", "pageSize"),
        ("routing/queues/divisionviews?pageNumber=6", "pageNumber"),
        ("routing/queues/divisionviews/all?pageSize=501", "pageSize"),
        ("users?expand=team,shoes", "expand"),
        ("users/{user}?expand=shoes", "expand"),
        ("users/{user}?state=any", "state"),
        ("groups/{group}/members?expand=shoes", "expand"),
        ("routing/queues/{queue}/members?joined=perhaps", "joined"),
        ("routing/queues/{queue}/members?memberBy=team", "memberBy"),
        ("presence/definitions?deactivated=perhaps", "deactivated"),
        ("presencedefinitions?deleted=perhaps", "deleted"),
    ],
)
def test_an_invalid_parameter_of_a_list_is_named(cloud, path, parameter):
    one_each = (CENTRE.agents[0], CENTRE.groups[0], CENTRE.queues[0])
    user, group, queue = (entity.id for entity in one_each)
    answer = cloud.get(f"/api/v2/{path.format(user=user, group=group, queue=queue)}")

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid.query.param.value")
    assert f"[{parameter}]" in answer.json()["message"]


@pytest.mark.parametrize(
    ("permission", "path"),
    [
        ("groups:team:view", "teams"),
        ("groups:team:view", f"teams/{CENTRE.teams[0].id}/members"),
        ("presence:presenceDefinition:view", "presence/definitions"),
        ("routing:queue:search", "routing/queues/divisionviews"),
    ],
)
def test_a_missing_permission_is_named(centre, permission, path):
    cloud = cloud_of(centre, withheld=[permission])
    cloud.log_in()
    answer = cloud.get(f"/api/v2/{path}")

    assert answer.status_code == 403
    assert permission in answer.json()["message"]


def test_queues_and_their_members_are_sorted_by_name(cloud):
    for path in ("queues", "queues/divisionviews", "queues/divisionviews/all"):
        names = [entity["name"] for entity in entities(cloud, f"/api/v2/routing/{path}")]
        assert names == ["Billing", "Chat", "Returns, São Paulo", "Sales", "Support"]
    for queue in entities(cloud, "/api/v2/routing/queues"):
        names = [entity["name"] for entity in entities(cloud, f"{queue['selfUri']}/members")]
        assert names == sorted(names, key=str.casefold)


def test_members_of_a_queue_are_found_by_name_and_by_whether_they_joined(cloud):
    uri = f"/api/v2/routing/queues/{CENTRE.queues[0].id}/members"
    everyone = entities(cloud, uri)
    joined, apart = (entities(cloud, f"{uri}?joined={word}") for word in ("true", "False"))
    part = everyone[0]["name"][1:4]

    assert joined
    assert apart
    assert [user for user in everyone if user["joined"]] == joined
    assert [user for user in everyone if not user["joined"]] == apart
    assert entities(cloud, f"{uri}?name={part.upper()}") == [
        user for user in everyone if part.casefold() in user["name"].casefold()
    ]
    assert entities(cloud, f"{uri}?memberBy=user") == everyone
    assert entities(cloud, f"{uri}?memberBy=group") == []


def test_queues_of_division_star_are_all_queues(cloud):
    views = "/api/v2/routing/queues/divisionviews"

    assert entities(cloud, f"{views}?divisionId=*,{CENTRE.divisions[0].id}") == entities(
        cloud, views
    )


def test_no_page_leads_beyond_the_last_that_may_be_asked_for():
    page = numbered_page("/x", [("pageSize", "1"), ("pageNumber", "5")], range(9), str, 100, 5)

    assert "nextUri" not in page
    assert page["lastUri"].endswith("pageNumber=5")
    assert (page["total"], page["pageCount"]) == (9, 9)


def test_the_older_presences_are_in_words_with_blanks_and_none_is_deleted(cloud):
    path = "/api/v2/presencedefinitions"

    assert "On Queue" in {entity["systemPresence"] for entity in entities(cloud, path)}
    assert entities(cloud, f"{path}?deleted=TRUE") == []
    assert entities(cloud, "/api/v2/presence/definitions?deactivated=TRUE") == []


def test_pages_of_limit_namespaces_come_to_an_end(cloud):
    path = "/api/v2/organizations/limits/namespaces"

    assert cloud.get(path).json()["pageSize"] == 100
    last, beyond = (cloud.get(f"{path}?pageSize=1&pageNumber={at}").json() for at in (2, 3))
    assert last["entities"] == ["platform.api"]
    assert "nextUri" not in last
    assert beyond["entities"] == []


@pytest.mark.parametrize(
    "endpoint", endpoints.ALL, ids=lambda endpoint: f"{endpoint.method} {endpoint.path}"
)
def test_a_path_belongs_to_the_endpoint_of_its_operation(endpoint):
    result = endpoints.endpoint_at(endpoint.path.replace("{id}", "0815"))

    assert result is not None
    assert result.path == endpoint.path
