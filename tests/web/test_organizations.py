"""The dashboard of several organisations, over HTTP."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from starlette.testclient import TestClient

from halfhour import report
from halfhour.store.store import Store
from halfhour.web.app import create_app
from halfhour.web.background_sync import BackgroundSync, ServedStore
from halfhour.web.view_state import parse_organization
from tests.processes import NOW, Halfhour, emulator
from tests.web.conftest import open_page, serving, sync_store
from tests.web.test_browser import assert_cells_become, choose, labelled_cells, query_of_address

HERE = "http://127.0.0.1"
MONDAY = {"day": "2026-03-02"}


@pytest.fixture(scope="module")
def stores(store: Store, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Store]:
    other = Store(tmp_path_factory.mktemp("globex") / "globex.duckdb")
    for cloud in emulator("--now", NOW, "--agents", "5", "--seed", "9"):
        sync_store(cloud, other)
    return {"acme": store, "globex": other}


@pytest.fixture(scope="module")
def client(stores: dict[str, Store]) -> TestClient:
    served = {
        "acme": ServedStore(stores["acme"]),
        "globex": ServedStore(
            stores["globex"], "Asia/Tokyo", BackgroundSync(timedelta(minutes=15))
        ),
        "hooli": ServedStore(Store(Path("hooli.duckdb"))),
    }
    return TestClient(create_app(served), base_url=HERE)


def agent_ids(answer: Any) -> set[str]:
    return {agent["id"] for agent in answer["agents"]}


def test_an_address_chooses_the_organisation_and_its_store(client, stores):
    days = {
        name: client.get("/api/day", params={**MONDAY, "zone": "UTC", "org": name}).json()
        for name in stores
    }

    for name, store in stores.items():
        table = report(start="2026-03-02", end="2026-03-03", store=store.path, offline=True)
        assert agent_ids(days[name]) == set(table["agent_id"].to_pylist())
        assert (days[name]["org"], days[name]["problems"]) == (name, [])
    assert not agent_ids(days["acme"]) & agent_ids(days["globex"])


def test_without_a_choice_it_is_the_first_and_a_wrong_one_is_a_problem(client):
    first = client.get("/api/day", params=MONDAY).json()
    wrong = client.get("/api/day", params={**MONDAY, "org": "globx"}).json()

    assert (first["org"], first["problems"]) == ("acme", [])
    assert wrong["org"] == "acme"
    assert wrong["problems"] == [
        "org 'globx': the dashboard serves acme, globex, hooli; did you mean 'globex'?"
    ]
    assert client.get("/csv", params={**MONDAY, "org": "globx"}).status_code == 400


def test_an_organisation_has_its_zone_and_its_state(client):
    day = client.get("/api/day", params={**MONDAY, "org": "globex"}).json()
    states = {
        name: client.get("/api/state", params={"org": name}).json()
        for name in ("acme", "globex", "hooli")
    }

    assert day["zone"] == "Asia/Tokyo"
    assert day["starts"][0] == "2026-03-02T00:00:00+09:00"
    assert {name: state["org"] for name, state in states.items()} == {name: name for name in states}
    assert states["acme"]["orgs"] == ["acme", "globex", "hooli"]
    assert len({state["version"] for state in states.values()}) == 3


def test_a_file_is_of_the_organisation_and_says_so(client, stores):
    answer = client.get("/csv", params={**MONDAY, "zone": "UTC", "org": "globex"})
    table = report(start="2026-03-02", end="2026-03-03", store=stores["globex"].path, offline=True)

    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["agent_id"] for row in rows] == table["agent_id"].to_pylist()
    assert "halfhour-globex-2026-03-02.csv" in answer.headers["content-disposition"]


def test_what_is_behind_a_cell_is_of_the_organisation(client):
    params = {**MONDAY, "zone": "UTC", "org": "globex"}
    day = client.get("/api/day", params=params).json()
    agent = day["agents"][0]["id"]

    assert client.get("/api/agent", params={**params, "agent": agent}).status_code == 200
    other = client.get("/api/agent", params={**params, "org": "acme", "agent": agent})
    assert client.get("/api/agent", params={**params, "agent": agent}).json() != other.json()


def test_a_store_that_cannot_be_read_is_told_of_it_alone(client):
    assert client.get("/api/day", params={**MONDAY, "org": "hooli"}).status_code == 503
    assert client.get("/api/day", params={**MONDAY, "org": "acme"}).status_code == 200
    metrics = client.get("/metrics").text
    assert 'halfhour_store_ok{org="acme"} 1' in metrics
    assert 'halfhour_store_ok{org="hooli"} 0' in metrics
    assert re.search(r'halfhour_held_until_seconds\{org="globex",source="posted"\} \d+', metrics)
    assert 'halfhour_sync_ok{org="globex"} 1' in metrics
    assert 'sync_ok{org="acme"}' not in metrics


@pytest.fixture(scope="module")
def page_url(stores: dict[str, Store], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a dashboard of both organisations, as the command line serves it."""
    folder = tmp_path_factory.mktemp("dashboard")
    (folder / "halfhour.toml").write_text(
        f"[org.acme]\nstore = '{stores['acme'].path}'\n"
        f"[org.globex]\nstore = '{stores['globex'].path}'\nzone = 'Asia/Tokyo'\n"
    )
    with serving(folder, "--org", "all") as dashboard:
        yield dashboard.url


def test_the_page_offers_the_organisations_and_shows_the_chosen_one(tab, page_url, stores):
    open_page(tab, f"{page_url}?day=2026-03-02&zone=UTC")
    choice = tab.get_by_role("combobox", name="Organisation")
    assert choice.locator("option").all_inner_texts() == ["acme", "globex"]
    expect(choice).to_have_value("acme")
    of_acme = labelled_cells(tab)
    choose(tab, "Queue", "Billing")

    choice.select_option("globex")

    expect(tab).to_have_url(re.compile("org=globex"))
    table = report(
        start="2026-03-02",
        end="2026-03-03",
        zone="Asia/Tokyo",
        store=stores["globex"].path,
        offline=True,
    )
    expect(tab.locator(".line")).to_have_count(len(set(table["agent_id"].to_pylist())))
    expected = Counter(
        f"{row['interval_start']:%H:%M}: {timedelta(seconds=int(row['handle_time_sec'] + 0.5))}"
        for row in table.to_pylist()
        if row["handle_time_sec"]
    )
    # A label begins with the name, and an id where two agents share it.
    times = re.findall(r", (\d\d:\d\d: \d+:\d\d:\d\d)", "\n".join(labelled_cells(tab)))
    cells = Counter(time for time in times if not time.endswith(": 0:00:00"))
    assert cells == expected
    assert query_of_address(tab) == {"org": "globex", "day": "2026-03-02"}

    tab.reload()
    tab.wait_for_selector(".cell")
    expect(choice).to_have_value("globex")
    tab.go_back()
    tab.go_back()
    expect(choice).to_have_value("acme")
    assert_cells_become(tab, of_acme)


CHOICES: list[tuple[dict[str, str], list[str], str, bool]] = [
    ({}, [""], "", False),
    ({"org": "acme"}, [""], "", True),
    ({}, ["acme", "globex"], "acme", False),
    ({"org": "globex"}, ["acme", "globex"], "globex", False),
    ({"org": "GLOBEX"}, ["acme", "globex"], "acme", True),
]


@pytest.mark.parametrize(("parameters", "names", "name", "has_problem"), CHOICES)
def test_the_choice_of_an_address(parameters, names, name, has_problem):
    result, problem = parse_organization(parameters, names)

    assert (result, bool(problem)) == (name, has_problem)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--org", "all", "--store", "x.duckdb"), "--store x.duckdb: each organisation has a"),
        (("--org", "acm"), "did you mean 'acme'?"),
        (("--org", "all", "--sync", "15m"), "[org.globex] has no client_id"),
    ],
)
def test_organisations_that_cannot_be_served_are_told_before_the_server_starts(
    tmp_path, words, sentence
):
    (tmp_path / "halfhour.toml").write_text(
        '[org.acme]\nclient_id = "a"\nclient_secret = "of acme"\n[org.globex]\n'
    )
    ran = Halfhour(tmp_path, {})("serve", "--port", "0", *words)

    assert ran.code in (2, 3)
    assert sentence in ran.err
