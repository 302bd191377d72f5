"""Commands for organisations of a settings file, against an emulator of each."""

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from io import StringIO
from pathlib import Path

import openpyxl
import pyarrow.parquet as pq
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
        file = self.folder / "halfhour.toml"
        file.write_text(text, encoding="utf-8")
        file.chmod(0o600)


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
    assert outcome.startswith("halfhour: acme.duckdb: 1 day of 3 sources stored")
    assert sorted(path.name for path in folder.folder.glob("*.duckdb")) == ["acme.duckdb"]


def test_a_clash_is_an_object_in_the_json_log(folder):
    ran = folder("sync", "--org", "acme", *DAY, "--source", "posted", "--log-format", "json",
                 GENESYS_CLIENT_ID="stray")  # fmt: skip

    first, *_ = map(json.loads, ran.err.splitlines())
    assert first["level"] == "warning"
    assert first["message"].startswith("GENESYS_CLIENT_ID in the environment differ")


def test_a_secret_that_others_can_read_is_told_once_for_all_organisations(folder):
    (folder.folder / "halfhour.toml").chmod(0o644)
    ran = folder("sync", "--org", "acme", "--org", "globex", *DAY, "--source", "posted")

    assert ran.code == 0, ran.err
    assert ran.err.count("chmod 600 halfhour.toml") == 1


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


@pytest.mark.parametrize(
    ("more", "outcome"), [("", "1 day of 1 source stored"), ('keep = "1d"\n', "nothing was due")]
)
def test_a_sync_fetches_no_day_that_is_older_than_the_organisation_keeps(
    folder, urls, more, outcome
):
    folder.write_settings(settings_of(urls, more=more))
    ran = folder("sync", "--org", "acme", *DAY, "--source", "posted")

    assert f"acme.duckdb: {outcome}" in ran.err


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
    assert "halfhour: acme: acme.duckdb: 2 days of 3 sources stored" in ran.err
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
    ends = {event["org"]: event for event in events if event.get("event") == "ended"}
    assert {name: end["exit_code"] for name, end in ends.items()} == {
        "acme": 0,
        "globex": 3,
        "initech": 0,
    }
    assert (ends["globex"]["level"], ends["acme"]["level"]) == ("error", "info")


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
@pytest.mark.parametrize(
    ("sent", "code", "reason"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
def test_a_signal_ends_every_sync_calmly_and_loses_nothing(
    folder, synced, urls, sent, code, reason
):
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
    terminated = {line for line in rest.splitlines() if line.endswith(": terminated")}
    terminated.discard("halfhour: terminated")
    assert "halfhour: acme: terminated" in terminated  # initech may still be about to end
    assert terminated <= {f"halfhour: {name}: terminated" for name in ("acme", "initech")}
    assert rest.splitlines()[-1] == f"halfhour: {reason}"
    rows = rows_of_summary(rest)
    assert rows["acme"][4] == "143"
    assert (rows["globex"][0], rows["globex"][4]) == ("2", "0")

    again = folder("sync", "--org", "acme", *RANGE)
    assert again.code == 0, again.err
    report = ("report", *RANGE, "--offline", "--basis", "both", "--format", "csv")
    for name in ("acme", "globex"):
        assert folder(*report, "--org", name).out == synced(*report, "--org", name).out


TOGETHER = ("--org", "acme", "--org", "globex")


def csv_rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text)))


@pytest.mark.parametrize("by", ["interval", "agent", "day", "queue", "media", "queue-interval"])
@pytest.mark.parametrize("basis", ["posted", "both"])
def test_a_report_of_two_is_the_two_reports_with_a_column(synced, by, basis):
    words = ("report", *RANGE, "--offline", "--by", by, "--basis", basis, "--format", "csv")
    together = synced(*words, *TOGETHER)
    apart = [
        {"org": name, **row}
        for name in ("acme", "globex")
        for row in csv_rows(synced(*words, "--org", name).out)
    ]

    assert together.code == 0, together.err
    rows = csv_rows(together.out)
    assert next(iter(rows[0])) == "org"
    assert rows == apart
    assert len({row["org"] for row in rows}) == 2


@pytest.mark.parametrize("form", ["json", "ndjson", "parquet", "xlsx", "table"])
def test_every_format_of_rows_has_the_column(synced, tmp_path, form):
    path = tmp_path / f"report.{'txt' if form == 'table' else form}"
    words = ("report", *DAY, "--offline", "--by", "interval", "--output", str(path))
    ran = synced(*words, "--format", form, *TOGETHER)
    expected = csv_rows(synced(*words[:-2], "--format", "csv", *TOGETHER).out)

    assert ran.code == 0, ran.err
    if form == "table":
        text, agents, totals = path.read_text(encoding="utf-8").split("\n\n")
        lines = [line.split()[0] for line in text.splitlines()]
        assert lines[: len(expected) + 1] == ["org", *(row["org"] for row in expected)]
        assert {line.split()[0] for line in agents.splitlines()} >= {"org", "acme", "globex"}
        assert [line.split()[0] for line in totals.splitlines()] == ["org", "acme", "globex", "!"]
        return
    if form == "xlsx":
        sheet = openpyxl.load_workbook(path)["Intervals"]
        names = [row[0].value for row in sheet.iter_rows(max_col=1)]
        assert names == ["Org", *(row["org"] for row in expected)]
        return
    if form == "parquet":
        table = pq.read_table(path)
        assert table.column_names[0] == "org"
        assert table.schema.field("org").metadata[b"meaning"].startswith(b"the organisation")
        rows = table.to_pylist()
    else:
        text = path.read_text(encoding="utf-8")
        rows = json.loads(text) if form == "json" else list(map(json.loads, text.splitlines()))
    assert [(row["org"], row["agent_id"]) for row in rows] == [
        (row["org"], row["agent_id"]) for row in expected
    ]


def test_an_order_is_that_of_all_rows_together(synced):
    words = ("report", *RANGE, "--offline", "--by", "agent", "--format", "csv", *TOGETHER)
    in_turn = csv_rows(synced(*words).out)
    top = csv_rows(synced(*words, "--sort", "handle_time_sec", "--top", "4").out)

    by_time = sorted(in_turn, key=lambda row: -float(row["handle_time_sec"]))
    assert top == by_time[:4]
    assert len({row["org"] for row in top}) == 2
    assert csv_rows(synced(*words, "--top", "3").out) == in_turn[:3]


@pytest.mark.parametrize("form", ["heatmap", "html", "svg", "png", "wfm"])
def test_a_format_of_one_organisation_refuses_several(synced, form):
    layout = ("--layout", "generic") if form == "wfm" else ()
    ran = synced("report", *DAY, "--offline", "--format", form, *layout, *TOGETHER)

    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        f"halfhour: --format {form}: this format shows one organisation; name one with --org, or "
        "choose one of table, csv, json, ndjson, parquet, xlsx\n"
    )


def test_a_report_of_several_tells_what_each_lacks(synced):
    words = ("--from", "2026-02-28", "--to", "2026-03-02", "--offline", "--format", "csv")
    ran = synced("report", *words, *TOGETHER)

    assert ran.code == 5
    assert {row["org"] for row in csv_rows(ran.out)} == {"acme", "globex"}
    missing = "posted 2026-02-28T00:00:00.000Z/2026-03-01T00:00:00.000Z"
    for name in ("acme", "globex"):
        assert f"{name}: not all of it is held; 'halfhour sync' with --from 2026-02-28" in ran.err
        assert f"halfhour: {name}: " in ran.err
    assert ran.err.count(missing) == 2


def test_a_live_report_of_several_asks_each_organisation(folder, urls):
    ran = folder("report", *DAY, "--format", "csv", *TOGETHER, **STRAY)
    rows = csv_rows(ran.out)
    assert ran.code == 0, ran.err
    assert {row["org"] for row in rows} == {"acme", "globex"}
    assert not list(folder.folder.glob("*.duckdb"))

    folder.write_settings(settings_of(urls, wrong="globex"))
    refused = folder("report", *DAY, "--output", "day.csv", *TOGETHER)
    assert refused.code == 3
    assert refused.err.splitlines()[-1].startswith("halfhour: globex: ")
    assert not (folder.folder / "day.csv").exists()


def test_a_rehearsal_of_several_is_by_name(folder, urls):
    ran = folder("report", *DAY, "--dry-run", *TOGETHER)

    assert (ran.code, list(ran.json)) == (0, ["acme", "globex"])
    assert urls["globex"] in json.dumps(ran.json["globex"])
    assert urls["acme"] not in json.dumps(ran.json["globex"])


def test_organisations_in_different_zones_need_a_zone(synced, tmp_path, urls):
    folder = Folder(tmp_path, {})
    zone = '[org.acme]\nzone = "Europe/London"\n'
    folder.write_settings(settings_of(urls).replace("[org.acme]\n", zone))
    for name in ("acme", "globex"):
        (tmp_path / f"{name}.duckdb").write_bytes((synced.folder / f"{name}.duckdb").read_bytes())
    words = ("report", *DAY, "--offline", "--format", "csv", *TOGETHER)
    refused, chosen = folder(*words), folder(*words, "--zone", "Europe/London")

    assert (refused.code, chosen.code) == (2, 0)
    assert "--zone: the organisations have different settings (acme Europe/London, globex UTC)" in (
        refused.err
    )


@pytest.mark.parametrize("words", [("--store", "x.duckdb"), ("--output", "globex.duckdb")])
def test_a_report_of_several_touches_no_store(synced, words):
    before = (synced.folder / "globex.duckdb").read_bytes()
    ran = synced("report", *DAY, "--offline", "--format", "csv", *words, *TOGETHER)

    assert (ran.code, ran.out) == (2, "")
    assert (synced.folder / "globex.duckdb").read_bytes() == before


def test_pseudonyms_of_several_need_a_key_of_each(synced, urls):
    words = ("report", *DAY, "--offline", "--by", "agent", "--format", "csv", "--pseudonyms")
    names = {row["agent_name"] for row in csv_rows(synced(*words[:-1], *TOGETHER).out)}
    ran = synced(*words, *TOGETHER, HALFHOUR_PSEUDONYM_KEY="a key of many letters")

    assert ran.code == 0, ran.err
    assert not {row["agent_name"] for row in csv_rows(ran.out)} & names
    assert synced(*words, *TOGETHER).code == 2
