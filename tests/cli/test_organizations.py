"""Commands for organisations of a settings file, against an emulator of each."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from genesys_emulator.pytest_plugin import GenesysCloud, running
from tests.processes import NOW, Halfhour, Ran

RANGE = ("--from", "2026-03-01", "--to", "2026-03-03")
DAY = ("--from", "2026-03-02", "--to", "2026-03-03")
AGENTS = {"acme": "6", "globex": "5", "initech": "4"}
SECRETS = {name: f"the-secret-of-{name}" for name in AGENTS}
STRAY = {
    "GENESYS_CLIENT_ID": "stray",
    "GENESYS_CLIENT_SECRET": "the-secret-of-a-stray-client",
    "GENESYS_REGION": "mypurecloud.jp",
}


@pytest.fixture(scope="module")
def urls() -> Iterator[dict[str, str]]:
    """Base URLs of three emulators by name, each with a client of its own."""
    with ExitStack() as clouds:
        yield {
            name: clouds.enter_context(
                running("--now", NOW, "--agents", AGENTS[name], "--seed", str(seed),
                        "--client-id", name, "--client-secret", SECRETS[name])
            ).url
            for seed, name in enumerate(AGENTS, 1)
        }  # fmt: skip


def settings_of(urls: dict[str, str], wrong: str = "", more: str = "") -> str:
    """Return settings with a table for each of *urls*, the one of *wrong* with a wrong secret."""
    return "".join(
        f'[org.{name}]\nclient_id = "{name}"\nregion = "{url}"\n'
        f'client_secret = "{"the-wrong-secret" if name == wrong else SECRETS[name]}"\n{more}'
        for name, url in urls.items()
    )


class Folder(Halfhour):
    """Commands in a folder whose settings file has organisations; no secret may be shown."""

    def __call__(self, *arguments: str, **environment: str) -> Ran:
        ran = super().__call__(*arguments, **environment)
        secrets = [*SECRETS.values(), STRAY["GENESYS_CLIENT_SECRET"], "the-wrong-secret"]
        assert not [secret for secret in secrets if secret in ran.out + ran.err]
        return ran

    def write_settings(self, text: str) -> None:
        (self.folder / "halfhour.toml").write_text(text, encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path, urls: dict[str, str]) -> Folder:
    folder = Folder(tmp_path, {"HALFHOUR_ATTEMPTS": "1"})
    folder.write_settings(settings_of(urls))
    return folder


@pytest.fixture(scope="module")
def synced(urls: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A folder with the stores of acme and globex, which hold `RANGE`."""
    folder = Folder(tmp_path_factory.mktemp("synced"), {"HALFHOUR_ATTEMPTS": "1"})
    folder.write_settings(settings_of(urls))
    for name in ("acme", "globex"):
        ran = folder("sync", "--org", name, *RANGE)
        assert ran.code == 0, ran.err
    return folder


def test_a_named_organisation_is_synced_into_its_store_whatever_the_environment_says(folder):
    ran = folder("sync", "--org", "acme", *DAY, **STRAY)

    assert ran.code == 0, ran.err
    clash, *_, outcome = ran.err.splitlines()
    assert clash.startswith(
        "halfhour: GENESYS_CLIENT_ID, GENESYS_CLIENT_SECRET, GENESYS_REGION in the environment "
        "differ from [org.acme] of halfhour.toml, which is used because --org names it"
    )
    assert outcome.startswith("halfhour: acme.duckdb: 3 windows settled")
    assert sorted(path.name for path in folder.folder.glob("*.duckdb")) == ["acme.duckdb"]


def test_a_clash_is_an_object_in_the_json_log(folder):
    ran = folder("sync", "--org", "acme", *DAY, "--source", "posted", "--log-format", "json",
                 GENESYS_CLIENT_ID="stray")  # fmt: skip

    first, *_ = map(json.loads, ran.err.splitlines())
    assert first["level"] == "warning"
    assert first["message"].startswith("GENESYS_CLIENT_ID in the environment differ")


@pytest.mark.parametrize(
    "command",
    [("coverage",), ("revisions",), ("reconcile",), ("rebuild",), ("report", *DAY, "--offline"),
     ("sync", *DAY, "--source", "posted"), ("import", *DAY, "details.json")],
    ids=lambda command: command[0],
)  # fmt: skip
def test_every_command_with_a_store_uses_that_of_the_organisation(synced, tmp_path, urls, command):
    folder = Folder(tmp_path, {})
    folder.write_settings(settings_of(urls))
    (tmp_path / "acme.duckdb").write_bytes((synced.folder / "acme.duckdb").read_bytes())
    (tmp_path / "details.json").write_text('{"conversations": []}', encoding="utf-8")
    ran = folder(*command, "--org", "acme")

    assert ran.code == 0, ran.err
    assert not (tmp_path / "halfhour.duckdb").exists()


def test_a_report_reads_the_store_in_the_zone_of_the_organisation(synced, tmp_path, urls):
    folder = Folder(tmp_path, {})
    folder.write_settings(settings_of(urls, more='zone = "Asia/Tokyo"\nstore = "figures.db"\n'))
    (tmp_path / "figures.db").write_bytes((synced.folder / "acme.duckdb").read_bytes())
    words = ("report", "--from", "2026-03-02T09:00", "--to", "2026-03-02T18:00", "--offline")
    local = folder(*words, "--org", "acme", "--format", "json")
    in_utc = folder(*words, "--org", "acme", "--format", "json", "--zone", "UTC")

    assert (local.code, in_utc.code) == (0, 0)
    assert local.json[0]["interval_start"].endswith("+09:00")
    assert in_utc.json[0]["interval_start"].endswith("Z")


@pytest.mark.parametrize(("more", "count"), [("", "1 window"), ('keep = "1d"\n', "0 windows")])
def test_a_sync_fetches_no_day_that_is_older_than_the_organisation_keeps(folder, urls, more, count):
    folder.write_settings(settings_of(urls, more=more))
    ran = folder("sync", "--org", "acme", *DAY, "--source", "posted")

    assert f"acme.duckdb: {count} settled" in ran.err


REFUSED = [
    (("report", "--org", "acmee"), "--org acmee: halfhour.toml has no such organisation, only "
     "acme, globex, initech; did you mean 'acme'?"),
    (("coverage", "--org", "acme", "--org", "globex"), "--org: this command is for one"),
    (("rebuild", "--org", "all"), "--org: this command is for one organisation; name one"),
    (("sync", "--org", "acme", "--client-id", "x"), "--client-id: [org.acme] of halfhour.toml has "
     "another client; leave out --client-id or --org"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "sentence"), REFUSED)
def test_a_choice_that_cannot_be_is_refused_in_a_sentence(folder, words, sentence):
    ran = folder(*words)

    assert (ran.code, ran.out) == (2, "")
    assert sentence in ran.err
    assert len(ran.err.splitlines()) == 1


def rows_of_summary(err: str) -> dict[str, list[str]]:
    """Return the cells of the summary at the end of *err*, by organisation."""
    lines = err.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("org "))
    return {line.split()[0]: line.split()[1:] for line in lines[start + 1 : start + 4]}


def test_all_organisations_are_synced_and_one_that_fails_stops_no_other(folder, urls):
    folder.write_settings(settings_of(urls, wrong="globex"))
    ran = folder("sync", "--org", "all", "--at-once", "2", *RANGE, **STRAY)

    assert (ran.code, ran.out) == (5, "")
    rows = rows_of_summary(ran.err)
    assert list(rows) == ["acme", "globex", "initech"]
    for name in ("acme", "initech"):
        days, row_count, changed, failed, code, megabytes = map(int, rows[name])
        assert (days, changed, failed, code) == (2, 0, 0, 0)
        assert row_count > 100
        assert 50 < megabytes < 1_000
    assert rows["globex"][:5] == ["0", "0", "0", "0", "3"]
    assert "MB of memory at most in a process; the 2 largest at once need" in ran.err
    *_, end, listed = ran.err.splitlines()
    assert end.startswith("halfhour: 1 of 3 organisations failed; what the others have is stored")
    assert listed.startswith("  globex: exit code 3, ")
    assert "halfhour: acme: acme.duckdb: 6 windows settled" in ran.err
    assert "halfhour: globex: " in ran.err
    assert ran.err.count("in the environment differ from") == 1
    assert "[org.acme] and [org.globex] and [org.initech]" in ran.err


def test_what_is_synced_together_is_what_is_synced_alone(folder, synced):
    ran = folder("sync", "--org", "acme", "--org", "globex", *RANGE)
    assert ran.code == 0, ran.err

    words = ("report", *RANGE, "--offline", "--basis", "both", "--format", "csv")
    for name in ("acme", "globex"):
        together, alone = (place(*words, "--org", name) for place in (folder, synced))
        assert (together.code, together.out) == (alone.code, alone.out)
        assert len(together.out.splitlines()) > 50


def test_the_json_log_of_several_names_the_organisation_in_every_event(folder, urls):
    folder.write_settings(settings_of(urls, wrong="globex"))
    ran = folder("sync", "--org", "all", *DAY, "--source", "posted", "--log-format", "json")

    assert ran.code == 5
    *events, memory, ended = map(json.loads, ran.err.splitlines())
    assert {event["org"] for event in events} == set(AGENTS)
    summaries = [event for event in events if event.get("event") == "summary"]
    assert [(event["org"], event["settled_day_count"], event["exit_code"]) for event in summaries
            ] == [("acme", 1, 0), ("globex", 0, 3), ("initech", 1, 0)]  # fmt: skip
    assert "of memory" in memory["message"]
    assert (ended["event"], ended["exit_code"]) == ("ended", 5)
    (refused,) = (event for event in events if event.get("event") == "ended")
    assert (refused["org"], refused["exit_code"], refused["level"]) == ("globex", 3, "error")


def test_options_reach_every_sync_and_a_rehearsal_is_by_name(folder):
    ran = folder("sync", "--org", "acme", "--org", "initech", *DAY, "--source", "posted",
                 "--source", "status", "--dry-run")  # fmt: skip

    assert (ran.code, list(ran.json)) == (0, ["acme", "initech"])
    assert [window["source"] for window in ran.json["acme"]["windows"]] == ["posted", "status"]
    words = ("sync", "--org", "acme", "--org", "initech", *DAY, "--source", "posted")
    assert rows_of_summary(folder(*words, "--attempts", "2").err)["acme"][0] == "1"
    again = folder(*words, "--reread", "now")
    assert rows_of_summary(again.err)["acme"][0] == "1"
    assert rows_of_summary(folder(*words).err)["acme"][0] == "0"


REFUSED_FOR_SEVERAL = [
    (("sync", "--store", "one.duckdb"), "--store one.duckdb: each organisation has a store of its"),
    (("sync", "--at-once", "0"), "--at-once 0: write a number above 0"),
    (("sync", "--keep", "soon"), "--keep 'soon' is not a duration"),
    (("sync", "--last", "soon"), "--last"),
]


@pytest.mark.parametrize(("words", "sentence"), REFUSED_FOR_SEVERAL)
def test_an_option_that_no_sync_would_take_starts_none(folder, words, sentence):
    ran = folder(*words, "--org", "all")

    assert (ran.code, ran.out) == (2, "")
    assert sentence in ran.err
    assert len(ran.err.splitlines()) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_every_sync_calmly_and_loses_nothing(folder, synced, urls, sent, code):
    cloud = GenesysCloud(urls["acme"])
    cloud.faults({"kind": "hang", "endpoint": "aggregates", "seconds": 60})
    words = ("sync", "--org", "all", "--at-once", "2", *RANGE)
    with subprocess.Popen(
        [sys.executable, "-m", "halfhour", *words],
        cwd=folder.folder, env={**os.environ, **folder.environment}, stderr=subprocess.PIPE,
        text=True,
    ) as process:  # fmt: skip
        assert process.stderr
        lines: list[str] = []
        while not (lines and "initech.duckdb: " in lines[-1]):
            lines.append(process.stderr.readline())
            assert lines[-1], lines
        process.send_signal(sent)
        _, rest = process.communicate(timeout=20)
    cloud.reset()

    assert process.returncode == code
    assert "Traceback" not in rest
    assert rest.splitlines()[0] == "halfhour: acme: interrupted"
    assert rest.splitlines()[-1] == "halfhour: interrupted"
    rows = rows_of_summary(rest)
    assert rows["acme"][4] == "143"
    assert (rows["globex"][0], rows["globex"][4]) == ("2", "0")

    again = folder("sync", "--org", "acme", *RANGE)
    assert again.code == 0, again.err
    report = ("report", *RANGE, "--offline", "--basis", "both", "--format", "csv")
    for name in ("acme", "globex"):
        assert folder(*report, "--org", name).out == synced(*report, "--org", name).out
