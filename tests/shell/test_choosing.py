"""Which rows a report is about: media, divisions and teams, with a store and without."""

import asyncio

import pytest

from halfhour import wire
from halfhour.client import Client
from halfhour.endpoints import AGENTS
from tests.shell.conftest import Halfhour

DAY = ("--from", "2026-03-02", "--to", "2026-03-03", "--format", "json")


@pytest.fixture
def halfhour(tmp_path, big_cloud):
    return Halfhour(tmp_path, {**big_cloud.environment, "HALFHOUR_ATTEMPTS": "1"})


@pytest.fixture
def people(big_cloud):
    async def listed() -> list[wire.Named]:
        async with Client(big_cloud.settings) as client:
            query = {"state": "any", "expand": "team"}
            return [each async for each in client.pages(AGENTS, query)]

    return asyncio.run(listed())


def both_ways(halfhour, *words):
    """What a report says without a store, which one from a store says too."""
    live = halfhour("report", *DAY, *words)
    stored = halfhour("report", *DAY, *words, "--store", "halfhour.duckdb", "--offline")
    assert (live.code, stored.code) == (0, 0), live.err + stored.err

    def key(row):
        return row["interval_start"], row["agent_id"]

    figures = [(*key(row), row["handle_time_sec"], row["handled_count"]) for row in live.json]
    assert set(figures) <= {
        (*key(row), row["handle_time_sec"], row["handled_count"]) for row in stored.json
    }
    return live.json


def test_divisions_teams_and_media_add_up_to_everything(halfhour, people):
    synced = halfhour("sync", *DAY[:4], "--store", "halfhour.duckdb", "--source", "posted")
    assert synced.code == 0, synced.err
    everything = both_ways(halfhour)
    division = {each.id: each.division.name for each in people}
    team = {each.id: each.team.name for each in people if each.team}

    europe = both_ways(halfhour, "--division", "europe")
    assert europe == [row for row in everything if division.get(row["agent_id"]) == "Europe"]
    crew = both_ways(halfhour, "--team", "Team 2", "--team", "team 3")
    assert crew == [row for row in everything if team.get(row["agent_id"]) in {"Team 2", "Team 3"}]
    assert 0 < len(europe) < len(everything)
    assert 0 < len(crew) < len(everything)
    of_both = both_ways(halfhour, "--division", "Europe", "--team", "Team 2")
    assert {row["agent_id"] for row in of_both} == (
        {row["agent_id"] for row in europe}
        & {each.id for each in people if each.team and each.team.name == "Team 2"}
    )

    handled = [
        sum(row["handled_count"] for row in both_ways(halfhour, "--media", media))
        for media in ("voice", "callback", "chat", "email", "message")
    ]
    assert all(handled)
    assert sum(handled) == sum(row["handled_count"] for row in everything)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--media", "vioce"), "did you mean 'voice'"),
        (("--division", "Eurpe"), "did you mean 'Europe'"),
        (("--team", "Team 99"), "none of these agents is in it; theirs are Team 1, "),
        (("--format", "wfm", "--layout", "genesys-wfm", "--team", "Team 1"), "--team: what a"),
    ],
)
def test_a_name_that_is_none_gets_a_sentence(halfhour, words, sentence):
    ran = halfhour("report", *DAY[:4], *words)

    assert (ran.code, ran.out) == (2, "")
    assert sentence in ran.err
