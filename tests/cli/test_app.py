"""The command line as a process: what it prints where, and how it ends."""

import csv
import io
import json
import os
import re
import shlex
import socket
import stat
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from halfhour import settings
from halfhour.checking.permissions import QUEUES
from halfhour.cli.spelling import program_name
from halfhour.errors import install_command
from halfhour.render.formats import ROWS_FORMATS
from tests.prepared_process import started
from tests.processes import NOW, Cloud, Halfhour, emulator

DAY = ("--from", "2026-03-02", "--to", "2026-03-03")
FIRST_SEVEN = [
    "interval_start",
    "interval_end",
    "agent_id",
    "agent_name",
    "handle_time_sec",
    "acw_time_sec",
    "hold_time_sec",
]


def csv_rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_report_has_the_seven_columns_first_sorted_by_interval_then_name(halfhour):
    ran = halfhour("report", *DAY, "--format", "csv")

    rows = csv_rows(ran.out)
    assert ran.code == 0
    assert list(rows[0])[:7] == FIRST_SEVEN
    assert len(rows) > 50
    starts = [row["interval_start"] for row in rows]
    assert starts == sorted(starts)
    assert {row["basis"] for row in rows} == {"posted"}
    assert all(float(row["handle_time_sec"]) >= 0 for row in rows)


def test_no_command_imports_pandas_even_where_it_is_installed(halfhour):
    for command in (
        ("sync", *DAY),
        ("report", *DAY, "--basis", "both", "--output", "report.csv"),
        ("report", *DAY, "--format", "html", "--output", "report.html"),
        ("coverage",),
    ):
        ran = halfhour(*command, PYTHONPROFILEIMPORTTIME="1")
        imported = {line.rpartition("|")[2].strip() for line in ran.err.splitlines()}
        assert ran.code == 0
        assert "pyarrow" in imported
        assert not [name for name in imported if name.startswith("pandas.")]


@pytest.mark.parametrize(
    ("origin", "command"),
    [
        (None, "pip install 'halfhour[keyring]'"),
        ({"url": "file:///src", "dir_info": {}}, "pip install '/src[keyring]'"),
        ({"url": "file:///src", "dir_info": {"editable": True}}, "pip install -e '/src[keyring]'"),
        (
            {"url": "https://git.example.com/halfhour", "vcs_info": {"vcs": "git"}},
            "pip install 'halfhour[keyring] @ git+https://git.example.com/halfhour'",
        ),
    ],
)
def test_a_hint_to_install_an_extra_fits_how_halfhour_was_installed(
    tmp_path, monkeypatch, origin, command
):
    folder = tmp_path / "halfhour-0.1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: halfhour\nVersion: 0.1.0\n")
    if origin:
        (folder / "direct_url.json").write_text(json.dumps(origin))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))

    assert install_command("keyring") == command
    monkeypatch.setenv("PATH", str(tmp_path))
    assert install_command("keyring") == f"{shlex.quote(sys.executable)} -m {command}"


def test_the_command_to_type_next_is_the_one_that_ran(monkeypatch, tmp_path):
    program = tmp_path / "halfhour"
    program.touch(mode=0o755)
    monkeypatch.setattr("sys.argv", [str(program)])
    monkeypatch.delenv("UV", raising=False)
    monkeypatch.setenv("PATH", "")
    assert program_name() == str(program)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert program_name() == "halfhour"

    monkeypatch.setenv("UV", "/usr/bin/uv")
    assert program_name() == "uvx halfhour"
    monkeypatch.setenv("UV_RUN_RECURSION_DEPTH", "1")
    assert program_name() == "halfhour"


def test_a_table_is_followed_by_each_agents_averages_and_the_total(halfhour):
    ran = halfhour("report", *DAY, "--seconds", "--ids")

    intervals, averages, total = ran.out.split("\n\n")
    assert ran.code == 0
    assert intervals.split()[:4] == FIRST_SEVEN[:4]
    assert "handle_time_mean_sec" in averages.partition("\n")[0]
    assert "aht_sec" in averages.partition("\n")[0]
    assert total.splitlines()[1].startswith("all agents")


def test_a_report_ends_in_one_line_which_a_flag_explains_or_leaves_out(halfhour):
    report = ("report", *DAY, "-f", "csv")
    usual, verbose, quiet = (halfhour(*report, *words) for words in ((), ("-v",), ("--quiet",)))

    (line,) = usual.err.splitlines()
    assert re.fullmatch(
        r"halfhour: \d+ rows, posted basis, 2026-03-02 00:00 to 2026-03-03 00:00 UTC; \d+ longer "
        r"than the interval; callbacks count twice; no status without a store \(-v explains\)",
        line,
    )
    assert verbose.err.splitlines()[0] == line.removesuffix(" (-v explains)")
    assert len(verbose.err.splitlines()) == 4
    causes = "work that began earlier, at the same time as other work, or a callback posted twice"
    assert verbose.err.splitlines()[1].endswith(f" rows (column exceeds_interval): {causes}")
    assert quiet.err == ""
    assert usual.out == verbose.out == quiet.out


@pytest.mark.parametrize("words", [["broken"], ["broken", "--debug"]])
def test_debug_shows_where_an_unexpected_error_came_from(words):
    script = (
        "from halfhour.cli.app import app, main\n"
        "app.command(lambda: 1 / 0, name='broken')\n"
        f"main({words})"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert ("Traceback" in done.stderr) == ("--debug" in words)
    assert ("(--debug shows where)" in done.stderr) == ("--debug" not in words)


def test_a_report_by_agent_adds_up_the_report_by_interval(halfhour):
    by_interval = csv_rows(halfhour("report", *DAY, "--format", "csv").out)
    by_agent = csv_rows(halfhour("report", *DAY, "--format", "csv", "--by", "agent").out)

    for row in by_agent:
        of_agent = [r for r in by_interval if r["agent_id"] == row["agent_id"]]
        total = round(sum(float(r["handle_time_sec"]) for r in of_agent), 3)
        handled = sum(int(r["handled_count"]) for r in of_agent)
        assert (float(row["handle_time_sec"]), int(row["handled_count"])) == (total, handled)
        busy = [r for r in of_agent if any(float(r[name]) for name in FIRST_SEVEN[4:])]
        assert int(row["interval_count"]) == len(busy)
        assert float(row["handle_time_mean_sec"]) == pytest.approx(total / len(busy), abs=6e-4)
        if handled:
            assert float(row["aht_sec"]) == pytest.approx(total / handled, abs=6e-4)


def test_a_queue_is_chosen_by_name_or_id(halfhour, cloud):
    by_name = halfhour("report", *DAY, "--queue", "billing", "--format", "json")
    (request,) = cloud.requests("aggregates/query")
    queue = request["body"]["filter"]["clauses"][0]["predicates"][0]["value"]
    by_id = halfhour("report", *DAY, "--queue", queue, "--format", "json")
    everything = halfhour("report", *DAY, "--format", "json")

    assert by_name.json == by_id.json
    assert 0 < len(by_name.json) < len(everything.json)


@pytest.mark.parametrize("kind", ["agent", "queue"])
def test_queues_and_agents_are_listed_from_a_store_or_live(halfhour, kind):
    live = csv_rows(halfhour(f"{kind}s", "-f", "csv").out)
    halfhour("sync", *DAY, "--source", "posted")
    ran = halfhour(f"{kind}s", "-f", "csv", GENESYS_CLIENT_SECRET="")
    stored = csv_rows(ran.out)

    assert ran.code == 0
    assert list(live[0])[:3] == [f"{kind}_name", f"{kind}_id", "division"]
    assert [row for row in live if row in stored] == [row for row in stored if row in live]
    assert 3 < sum(row in live for row in stored) >= len(stored) - 1  # one is deleted
    chosen = halfhour("report", *DAY, "--offline", f"--{kind}", stored[0][f"{kind}_name"])
    assert chosen.code == 0
    words = [row[f"{kind}_name"] for row in stored]
    assert all(name in halfhour(f"{kind}s").out for name in words)


@pytest.mark.parametrize("form", ["html", "wfm"])
def test_a_format_of_reports_is_refused_by_other_commands(halfhour, form):
    ran = halfhour("coverage", "--format", form)

    assert (ran.code, ran.out) == (2, "")
    assert f"--format {form}: only a report has this format; choose one of table, csv" in ran.err


def test_an_agent_is_chosen_by_name_or_id(halfhour):
    everything = halfhour("report", *DAY, "--format", "json").json
    agent = everything[0]
    of_agent = [row for row in everything if row["agent_id"] == agent["agent_id"]]

    assert halfhour("report", *DAY, "--agent", agent["agent_id"], "--format", "json").json == (
        of_agent
    )
    by_name = halfhour("report", *DAY, "--agent", agent["agent_name"].upper(), "--format", "json")
    assert {row["agent_name"] for row in by_name.json} == {agent["agent_name"]}


def test_a_zone_moves_the_day_and_the_labels(halfhour):
    ran = halfhour("report", *DAY, "--zone", "Asia/Kathmandu", "--format", "json")

    starts = [row["interval_start"] for row in ran.json]
    assert ran.code == 0
    assert all(start.startswith("2026-03-02T") and start.endswith("+05:45") for start in starts)
    assert {start[14:16] for start in starts} == {"00", "30"}


def test_a_file_holds_the_text_that_would_have_been_printed(halfhour):
    printed = halfhour("report", *DAY, "--format", "csv")
    written = halfhour("report", *DAY, "--output", "day.csv")

    assert (written.code, written.out) == (0, "")
    assert (halfhour.folder / "day.csv").read_text(encoding="utf-8") == printed.out
    assert [file.name for file in halfhour.folder.iterdir()] == ["day.csv"]


def test_an_empty_report_says_why_and_keeps_the_header(halfhour):
    ran = halfhour("report", "--from", "2020-03-02", "--to", "2020-03-03", "--format", "csv")

    assert ran.code == 0
    assert csv_rows(ran.out) == []
    assert ran.out.startswith("interval_start,interval_end,agent_id,agent_name,handle_time_sec")
    assert "nothing was posted" in ran.err
    assert "division" in ran.err


def test_an_empty_report_of_the_future_says_so(halfhour):
    ran = halfhour("report", "--from", "2096-03-02", "--to", "2096-03-03", "--format", "csv")

    assert (ran.code, csv_rows(ran.out)) == (0, [])
    assert ran.err == (
        "halfhour: 2096-03-02 00:00 to 2096-03-03 00:00 UTC is in the future, so nothing was "
        "posted yet\n"
    )


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("--interval", "PT30M"), "the length of intervals is --granularity 30m"),
        (("--group-by", "userId"), "write --by agent"),
        (("--dateFrom", "2026-03-02"), "write --from"),
        (("--granularity", "PT30M"), "choose one of 15m, 30m; did you mean '30m'? See"),
        (("--by", "userId"), "did you mean 'agent'? See halfhour report --help"),
        (("Billing",), "write the option that this is for before it"),
    ],
)
def test_words_of_scripts_for_the_api_are_answered_with_ours(halfhour, words, hint):
    ran = halfhour("report", *words)

    assert (ran.code, ran.out) == (2, "")
    assert hint in ran.err


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("tHold",), "did you mean 'hold_time_sec'?"),
        (("aht",), "--by agent or queue or media or day has aht_sec"),
        (("ath",), "--by agent or queue or media or day has aht_sec"),
        (("ath", "--by", "agent"), "did you mean 'aht_sec'?"),
    ],
)
def test_an_unknown_column_to_sort_by_is_refused_before_a_request_is_sent(
    halfhour, cloud, words, hint
):
    ran = halfhour("report", *DAY, "--sort", *words)

    assert (ran.code, ran.out) == (2, "")
    assert f"has no such column; {hint}\n" in ran.err
    assert cloud.requests("") == []


def test_a_dry_run_sends_nothing_and_needs_no_credentials(halfhour, cloud):
    ran = halfhour(
        "report", *DAY, "--queue", "Billing", "--dry-run", GENESYS_CLIENT_ID="", HALFHOUR_TIMEOUT=""
    )

    assert ran.code == 0
    assert ran.json["request_count"] == len(ran.json["requests"]) == 4
    assert cloud.requests("") == []


def test_every_agent_has_a_name_even_one_who_left(halfhour):
    words = ("--from", "2026-02-25", "--to", "2026-03-03", "--by", "agent", "--format", "csv")
    named = halfhour("report", *words)

    assert named.code == 0
    assert len(named.out.splitlines()) == 13


def test_agents_who_are_gone_are_marked_where_people_read_names(halfhour, tmp_path):
    report = ("report", "--from", "2026-02-25", "--to", "2026-03-03", "--store", "s.duckdb")
    names = {row["agent_name"] for row in csv_rows(halfhour(*report, "-f", "csv").out)}
    listed = csv_rows(halfhour("agents", "--store", "s.duckdb", "-f", "csv").out)
    gone = {row["agent_name"]: row["state"] for row in listed if row["state"] not in {"active", ""}}
    marked = {f"{name} ({state})" for name, state in gone.items()}

    assert sorted(gone.values()) == ["deleted", "inactive"]
    assert gone.keys() <= names
    for form in ("table", "html"):
        shown = halfhour(*report, "--offline", "-f", form).out
        assert [name for name in marked if name not in shown] == []
    assert halfhour(*report, "--offline", "-o", "r.xlsx").code == 0
    sheet: Any = openpyxl.load_workbook(tmp_path / "r.xlsx")["Agents"]
    assert marked <= {cell.value for row in sheet.iter_rows() for cell in row}
    assert marked <= {*halfhour(*report[:-2], "--by", "agent").out.replace("  ", "\n").split("\n")}


@pytest.fixture(scope="module")
def queueless_cloud() -> Iterator[Cloud]:
    yield from emulator("--now", NOW, "--agents", "2", "--without-permission", QUEUES.name)


@pytest.mark.parametrize("command", ["report", "revisions", "reconcile"])
def test_an_empty_table_is_a_sentence_and_an_empty_file_has_its_header(halfhour, command):
    nothing = ("--from", "2020-03-02", "--to", "2020-03-03")
    assert halfhour("sync", *DAY, "--source", "posted").code == 0
    shown = halfhour(command, *nothing, "--store", "halfhour.duckdb")
    written = halfhour(command, *nothing, "--store", "halfhour.duckdb", "--format", "csv")

    assert (shown.out, written.out.count("\n")) == ("", 1)
    assert (shown.code, shown.err.splitlines()[-1:]) == (
        written.code,
        written.err.splitlines()[-1:],
    )
    assert re.search("nothing was posted|no revisions|nothing to compare", shown.err)


def test_a_store_without_names_of_queues_says_why(tmp_path, queueless_cloud):
    halfhour = Halfhour(tmp_path, queueless_cloud.environment)
    assert halfhour("sync", *DAY, "--source", "posted").code == 0
    queues, agents = halfhour("queues", "-f", "csv"), halfhour("agents", "-f", "csv")

    assert (queues.code, csv_rows(queues.out)) == (0, [])
    assert f"lacks the permission {QUEUES.name}, or nothing was synced" in queues.err
    assert csv_rows(agents.out) != []
    assert agents.err == ""


BAD = [
    (["report", "--zone", "Europe/Londn"], 2, "did you mean 'Europe/London'"),
    (["report", "--from", "2026-03-02", "--to", "2026-03-01"], 2, "is not before"),
    (["report", "--from", "2026-02-30"], 2, "cannot be read"),
    (
        ["report", "--region", "mypurecloud.con"],
        2,
        "did you mean 'mypurecloud.com'? Write an AWS region",
    ),
    (["report", *DAY, "--queue", "Biling"], 2, "did you mean 'Billing'"),
    (["report", *DAY, "--agent", "Nobody Atall"], 2, "has that name; 'halfhour agents' lists them"),
    (["report", "--formt", "csv"], 2, "unknown option --formt; did you mean '--format'?"),
    (["report", "--qiet"], 2, "did you mean '--quiet'?"),
    (["--verson"], 2, "unknown option --verson; did you mean '--version'?"),
    (["report", "--verbos"], 2, "did you mean '--verbose'?"),
    (["report", "--queu", "Billing"], 2, "did you mean '--queue'? See halfhour report --help"),
    (["check", "--foo"], 2, "unknown option --foo; see halfhour check --help"),
    (["settings", "--format", "json"], 2, "unknown option --format; see halfhour settings --help"),
    (["report", "--by", "agnt"], 2, "did you mean 'agent'? See halfhour report --help"),
    (["sync", "--log-format", "jsn"], 2, "choose one of text, json; did you mean 'json'? See"),
    (["agents", "-f", "cvs"], 2, f"choose one of {', '.join(ROWS_FORMATS)}; did you mean 'csv'?"),
    (["report", "--last", "-3h"], 2, "--last '-3h' is a negative duration; write 3h\n"),
    (["report", "--last=-3h"], 2, "--last '-3h' is a negative duration; write 3h\n"),
    (["report", "--output", "."], 2, "this is a folder; name a file in it, such as report.csv\n"),
    (["report", "--output", "out.cvs"], 2, "did you mean '.csv'? Rename the file"),
    (["report", "--output", "missing/out.csv"], 2, "cannot be written"),
    (
        ["report", "--output", ".", "--format", "csv"],
        2,
        "--output .: this is a folder; name a file",
    ),
    (["report", "--settings", "missing.toml"], 2, "cannot be read"),
    (["report", "--timeout", "0"], 2, "--timeout"),
    (["report", "--attempts", "0"], 2, "--attempts"),
    (["reprot"], 2, 'Did you mean "report"'),
    (["report", "--region", "http://127.0.0.1:9"], 4, "no connection"),
]


@pytest.mark.parametrize(("arguments", "code", "sentence"), BAD, ids=lambda part: str(part)[:60])
def test_bad_input_of_a_command_gets_a_sentence_and_its_exit_code(
    halfhour, arguments, code, sentence
):
    ran = halfhour(*arguments)

    assert (ran.code, ran.out) == (code, "")
    assert sentence in ran.err
    assert len(ran.err.splitlines()) == 1
    assert list(halfhour.folder.iterdir()) == []


def test_no_credentials_say_where_to_get_them(tmp_path):
    ran = Halfhour(tmp_path, {})("report")

    assert ran.code == 3
    assert "GENESYS_CLIENT_ID" in ran.err
    assert "halfhour demo" in ran.err


def test_a_wrong_secret_says_so_and_names_the_region(halfhour):
    ran = halfhour("report", GENESYS_CLIENT_SECRET="wrong-secret")

    assert ran.code == 3
    assert "GENESYS_REGION" in ran.err
    assert "wrong-secret" not in ran.err


def test_a_missing_permission_is_named(tmp_path, powerless_cloud):
    ran = Halfhour(tmp_path, powerless_cloud.environment)("report", *DAY)

    assert ran.code == 3
    assert "analytics:conversationAggregate:view" in ran.err
    assert "correlation id" in ran.err


def test_the_official_tools_names_work_too(tmp_path, cloud):
    ours = cloud.environment
    halfhour = Halfhour(
        tmp_path,
        {
            "GENESYSCLOUD_OAUTHCLIENT_ID": ours["GENESYS_CLIENT_ID"],
            "GENESYSCLOUD_OAUTHCLIENT_SECRET": ours["GENESYS_CLIENT_SECRET"],
            "GENESYSCLOUD_REGION": ours["GENESYS_REGION"],
        },
    )

    assert halfhour("report", *DAY).code == 0


def test_a_settings_file_serves_where_the_environment_is_silent(tmp_path, cloud):
    (tmp_path / "halfhour.toml").write_text(
        f'client_id = "emulator"\nclient_secret = "emulator-secret"\nregion = "{cloud.url}"\n'
        "timeout = 5\nattempts = 1\n"
    )
    halfhour = Halfhour(tmp_path, {})

    assert halfhour("report", *DAY).code == 0
    (tmp_path / ".config" / "halfhour").mkdir(parents=True)
    (tmp_path / "halfhour.toml").rename(tmp_path / ".config" / "halfhour" / "halfhour.toml")
    assert halfhour("report", *DAY).code == 0
    assert halfhour("report", *DAY, GENESYS_REGION="http://127.0.0.1:9").code == 4
    by_flag = halfhour("report", *DAY, "--region", cloud.url, GENESYS_REGION="http://127.0.0.1:9")
    assert by_flag.code == 0


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('regoin = "x"', "unknown setting 'regoin'; did you mean 'region'"),
        ("region = ", "not valid TOML"),
        ('timeout = "long"', "timeout: 'long' is not a number above 0"),
    ],
)
def test_a_mistake_in_the_settings_file_is_shown(halfhour, text, sentence):
    (halfhour.folder / "halfhour.toml").write_text(text)

    ran = halfhour("report")

    assert ran.code == 2
    assert "halfhour.toml: " in ran.err
    assert sentence in ran.err


def test_a_settings_file_in_the_folder_cannot_redirect_the_secret(halfhour):
    url = "https://api.evil.invalid"
    planted = f'region = "{url}"\n'
    for text in (planted, f'{planted}client_secret = "decoy"'):
        (halfhour.folder / "halfhour.toml").write_text(text)

        ran = halfhour("report", GENESYS_REGION="")

        assert ran.code == 2
        assert "a secret from elsewhere is not sent" in ran.err
    by_environment = halfhour("report", *DAY)
    assert by_environment.code == 0


def test_an_address_is_used_if_it_comes_from_where_the_secret_does(tmp_path):
    file = tmp_path / "halfhour.toml"
    url = "https://api.example.invalid"
    file.write_text(f'region = "{url}"\nclient_secret = "of the file"')
    client = {"GENESYS_CLIENT_ID": "me"}

    of_file = settings.load_settings(file=file, environ=client)
    of_both = settings.load_settings(
        file=file, environ={**client, "GENESYS_CLIENT_SECRET": "mine", "GENESYS_REGION": url}
    )

    assert (of_file.hosts.api, of_file.client_secret) == (url, "of the file")
    assert (of_both.hosts.api, of_both.client_secret) == (url, "mine")


def test_an_existing_file_survives_a_failure(halfhour, cloud):
    (halfhour.folder / "day.csv").write_text("precious")
    cloud.faults({"kind": "status", "status": 500, "endpoint": "aggregates"})

    ran = halfhour("report", *DAY, "--output", "day.csv")

    assert ran.code == 1
    assert (halfhour.folder / "day.csv").read_text() == "precious"
    assert [file.name for file in halfhour.folder.iterdir()] == ["day.csv"]


@pytest.mark.parametrize(
    ("fault", "code", "sentence"),
    [
        ({"kind": "hang", "seconds": 30}, 4, "nothing came for 2 s"),
        ({"kind": "truncate"}, 4, "broke off"),
        ({"kind": "cut"}, 1, "not complete JSON"),
        ({"kind": "html"}, 1, "names Genesys Cloud"),
        ({"kind": "reset"}, 4, "broke off"),
        ({"kind": "status", "status": 429, "retry_after": "3600"}, 1, "wait 3600 s"),
    ],
)
def test_a_server_that_fails_is_described(halfhour, cloud, fault, code, sentence):
    cloud.faults({**fault, "endpoint": "aggregates"})

    ran = halfhour("report", *DAY, "--timeout", "2")

    assert (ran.code, ran.out) == (code, "")
    assert sentence in ran.err
    assert "()" not in ran.err


def test_a_retry_is_told_on_stderr(halfhour, cloud):
    cloud.faults({"kind": "status", "status": 503, "endpoint": "aggregates", "calls": [1]})

    ran = halfhour("report", *DAY, "--attempts", "2")

    assert ran.code == 0
    assert "; retrying in " in ran.err


@contextmanager
def server_answering(answer: bytes) -> Iterator[str]:
    """A server that says *answer* to whatever it is asked."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    connection.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize(
    ("answer", "code", "sentence"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", 1, "check the region"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n<html/>", 1, "names Genesys Cloud"),
        (
            b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"a": 1}\n',
            1,
            "has another form than expected",
        ),
        (
            b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n",
            1,
            "another address",
        ),
        (b"SSH-2.0-OpenSSH_9.2\r\n", 4, "broke off"),
        (b"", 4, "broke off"),
    ],
    ids=["404", "html", "json", "redirect", "ssh", "silence"],
)
def test_a_server_that_is_not_genesys_is_described(halfhour, answer, code, sentence):
    with server_answering(answer) as url:
        ran = halfhour("report", *DAY, "--region", url)

    assert (ran.code, ran.out) == (code, "")
    assert sentence in ran.err


def test_output_to_a_link_goes_to_its_file_and_a_device_stays_a_device(halfhour):
    (halfhour.folder / "real.csv").write_text("old")
    (halfhour.folder / "link.csv").symlink_to("real.csv")

    halfhour("report", *DAY, "--output", "link.csv")
    to_stdout = halfhour("report", *DAY, "--output", "/dev/stdout", "--format", "csv")

    assert (halfhour.folder / "link.csv").is_symlink()
    assert (halfhour.folder / "real.csv").read_text(encoding="utf-8") == to_stdout.out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full disk to be had")
def test_a_full_disk_is_said_and_is_no_bug(halfhour):
    by_option = halfhour("report", *DAY, "--output", "/dev/full", "--format", "csv")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "halfhour", "report", *DAY],
            env={**os.environ, **halfhour.environment},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert by_option.code == done.returncode == 1
    assert "No space left on device" in by_option.err
    assert "No space left on device" in done.stderr
    assert "bug" not in by_option.err + done.stderr


def test_a_refusal_of_the_system_is_not_taken_for_a_failure_of_standard_output():
    script = (
        "from halfhour.cli.exit_codes import run_and_exit\n"
        "run_and_exit(lambda: open('/no/such/file'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert "the operating system reported an error: " in done.stderr
    assert "No such file or directory: '/no/such/file'" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full disk to be had")
@pytest.mark.parametrize("options", [[], ["-u"]], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize("words", [["--dry-run"], ["--dry-run", "--last", "365d"]], ids=len)
def test_standard_output_that_is_full_is_said_once(halfhour, options, words):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, *options, "-m", "halfhour", "report", *words],
            env={**os.environ, **halfhour.environment},
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip

    message = "standard output is incomplete: No space left on device"
    assert (done.returncode, done.stderr) == (1, f"halfhour: {message}\n")


@pytest.mark.skipif(sys.platform == "win32", reason="the shell is POSIX")
def test_standard_output_may_be_closed(halfhour):
    command = f"{shlex.quote(sys.executable)} -m halfhour report --dry-run >&-"
    done = subprocess.run(
        command, shell=True, env={**os.environ, **halfhour.environment},
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX")
def test_a_written_file_has_the_usual_mode(halfhour):
    halfhour("report", *DAY, "--output", "day.json")

    mode = stat.S_IMODE((halfhour.folder / "day.json").stat().st_mode)
    assert mode & 0o600 == 0o600
    assert json.loads((halfhour.folder / "day.json").read_text(encoding="utf-8"))


def wait_until(condition: Callable[[], bool], seconds: float = 50) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_demo_needs_nothing_and_ends_by_itself(tmp_path):
    ran = Halfhour(tmp_path, {})("demo", "--agents", "3")

    assert ran.code == 0
    assert "handle_time_mean" in ran.out
    *_, head, first, second, third = ran.err.splitlines()
    assert head == "halfhour: next:"
    assert all(line.startswith("  ") and "halfhour" in line for line in (first, second, third))


@pytest.mark.skipif(os.name != "posix", reason="the browser of this test is a shell script")
def test_the_demo_opens_the_report_and_the_dashboard_and_runs_until_it_is_ended(tmp_path):
    opened, browser = tmp_path / "opened", tmp_path / "browser"
    browser.write_text(f"#!/bin/sh\necho \"$1\" >> '{opened}'\n")
    browser.chmod(0o755)
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "BROWSER": f"{browser} %s"}
    demo = started(
        ("demo", "--open", "--agents", "3"), tmp_path, {**environment, "TMPDIR": str(tmp_path)}
    )
    try:
        wait_until(lambda: opened.exists() and len(opened.read_text().splitlines()) == 2)
        page, dashboard = opened.read_text().splitlines()
        with urllib.request.urlopen(page) as report, urllib.request.urlopen(dashboard) as day:
            contents = [answer.read().decode() for answer in (report, day)]
    finally:
        demo.terminate()
        out, err = demo.communicate(timeout=60)

    assert all("<html" in content for content in contents)
    assert demo.returncode == 143
    assert "handle_time_mean" in out
    assert re.search(r"halfhour: next:\n  .*halfhour.* emulator", err)
    assert [path for path in tmp_path.iterdir() if path.name.startswith("halfhour-demo-")] == []


def test_the_emulator_is_started_by_its_own_command(tmp_path):
    ran = Halfhour(tmp_path, {})("emulator", "--help")

    assert ran.code == 0
    assert "--conversations" in ran.out


def test_conversations_from_a_file_come_out_to_the_millisecond(tmp_path, captured_cloud):
    ran = Halfhour(tmp_path, captured_cloud.environment)(
        "report", "--from", "2023-02-17", "--to", "2023-02-18", "--format", "csv"
    )

    names = ("handle_time_sec", "acw_time_sec", "hold_time_sec", "talk_time_sec")
    # Worked out by hand from the emit dates in captured.json.
    assert {
        (row["interval_start"][11:16], row["agent_name"][-4:]): [row[name] for name in names]
        for row in csv_rows(ran.out)
    } == {
        # Consulted at 16:49, transferred at 16:51.
        ("16:30", "aa01"): ["1203.874", "25.080", "0.000", "1178.794"],
        # An hour and a half of work, posted whole where its ACW ended; answered at 16:49.
        ("16:30", "aa02"): ["0.000", "0.000", "0.000", "0.000"],
        ("18:00", "aa02"): ["5183.203", "117.599", "4.601", "5061.003"],
        # Five holds; the disconnect and the ACW fall into the next half-hour.
        ("17:30", "aa03"): ["3558.453", "32.413", "891.089", "2634.951"],
        ("16:30", "aa03"): ["0.000", "0.000", "0.000", "0.000"],
        # A call of the agent's own, without a queue.
        ("18:00", "aa04"): ["73.746", "0.000", "0.000", "72.291"],
        # An offer nobody took, with ACW all the same.
        ("19:00", "aa05"): ["57.000", "57.000", "0.000", "0.000"],
        # A chat that was put on hold and not taken up again.
        ("20:00", "aa07"): ["520.250", "45.500", "114.750", "360.000"],
        # A callback of 830 s and its call of 760 s, which only details would tell apart.
        ("20:00", "aa08"): ["0.000", "0.000", "0.000", "0.000"],
        ("20:30", "aa08"): ["1590.000", "110.000", "0.000", "1460.000"],
    }
    assert len(csv_rows(ran.out)) == 10
