"""Reports of some media types, divisions, teams and queues, with a store and without."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import halfhour
from halfhour.genesys import payloads
from halfhour.genesys.client import Client
from halfhour.genesys.endpoints import AGENT_LIST
from tests.processes import Cloud, Halfhour, emulator

DAY: dict[str, Any] = {"start": "2026-03-02", "end": "2026-03-03"}
WORDS = ("--from", "2026-03-02", "--to", "2026-03-03")


@pytest.fixture(scope="module")
def teams_cloud() -> Iterator[Cloud]:
    """An organisation with three teams."""
    yield from emulator("--now", "2026-03-03T00:00:00Z", "--agents", "45")


@pytest.fixture(scope="module")
def agents(teams_cloud: Cloud) -> list[payloads.DirectoryEntity]:
    async def list_agents() -> list[payloads.DirectoryEntity]:
        async with Client(teams_cloud.settings) as client:
            query = {"state": "any", "expand": "team"}
            return [agent async for agent in client.list_entities(AGENT_LIST, query)]

    return asyncio.run(list_agents())


@pytest.fixture(scope="module")
def store(teams_cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("choosing") / "halfhour.duckdb"
    halfhour.sync(path, **DAY, settings=teams_cloud.settings)
    return path


@pytest.fixture(scope="module")
def report_rows(teams_cloud: Cloud, store: Path) -> Any:
    """A function that reports without a store, and checks the report of the store against it."""

    def report_rows(**words: Any) -> list[dict[str, Any]]:
        table = halfhour.report(**DAY, **words, settings=teams_cloud.settings)
        live: list[dict[str, Any]] = table.to_pylist()
        stored = {
            (row["interval_start"], row["agent_id"]): row
            for row in halfhour.report(**DAY, **words, store=store, offline=True).to_pylist()
        }
        for row in live:  # details let calls of callbacks count once
            same = stored[row["interval_start"], row["agent_id"]]
            assert same["handle_time_sec"] <= row["handle_time_sec"]
            assert same["answered_count"] <= row["answered_count"]
        return live

    return report_rows


def test_divisions_and_teams_are_those_of_the_agents(report_rows, agents):
    everything = report_rows()
    division = {agent.id: agent.division.name for agent in agents if agent.division}
    team = {agent.id: agent.team.name for agent in agents if agent.team}

    europe = report_rows(divisions=["europe"])
    assert europe == [row for row in everything if division.get(row["agent_id"]) == "Europe"]
    crew = report_rows(teams=["Team 2", "team 3"])
    assert crew == [row for row in everything if team.get(row["agent_id"]) in {"Team 2", "Team 3"}]
    assert 0 < len(europe) < len(everything)
    assert 0 < len(crew) < len(everything)
    both = report_rows(divisions=["Europe"], teams=["Team 2"])
    assert both == [row for row in europe if team.get(row["agent_id"]) == "Team 2"]


def test_media_types_add_up_to_everything(report_rows):
    handled = [
        sum(row["handled_count"] for row in report_rows(media=[media]))
        for media in ("voice", "callback", "chat", "email", "message")
    ]
    assert all(handled)
    assert sum(handled) == sum(row["handled_count"] for row in report_rows())


@pytest.mark.parametrize("chosen", [{"queues": ["Billing"]}, {"media": ["chat"]}])
def test_busy_time_is_of_the_chosen_queues_or_media_and_status_is_empty(store, chosen):
    table = halfhour.report(**DAY, **chosen, basis="both", store=store, offline=True)
    rows = table.to_pylist()

    assert any(row["busy_time_sec"] for row in rows)
    assert all(row["busy_time_sec"] <= row["worked_time_sec"] for row in rows)
    assert {row["logged_in_time_sec"] for row in rows} == {None}
    assert {row["occupancy_ratio"] for row in rows} == {None}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--media", "vioce"), "did you mean 'voice'"),
        (("--division", "Eurpe"), "did you mean 'Europe'"),
        (
            ("--team", "Team 99"),
            "no agent of this report is in it; the teams of the agents are Team 1, ",
        ),
        (
            ("--format", "wfm", "--layout", "genesys-wfm", "--team", "Team 1"),
            "--team: the layout has offered",
        ),
    ],
)
def test_an_unknown_name_is_refused_with_a_sentence(tmp_path, teams_cloud, words, sentence):
    ran = Halfhour(tmp_path, teams_cloud.environment)("report", *WORDS, *words)

    assert (ran.code, ran.out) == (2, "")
    assert sentence in ran.err
