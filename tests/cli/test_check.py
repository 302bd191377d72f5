"""The command `halfhour check` as a process, against an emulator with each fault."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import duckdb
import pytest
from filelock import FileLock

from tests.network_servers import (
    Authority,
    http_proxy,
    other_clock_in_front_of,
    tls_in_front_of,
)
from tests.processes import NOW, Cloud, Halfhour, emulator, held_elsewhere

GOLDEN = Path(__file__).parents[1] / "golden"
TOPICS = (
    "settings region proxy certificate token organisation analytics:conversationAggregate:view "
    "routing:queue:view analytics:userAggregate:view analytics:conversationDetail:view "
    "analytics:agentUtilizationAggregate:view divisions clock rate limit details store"
)
LACKING = ("analytics:userAggregate:view", "analytics:agentUtilizationAggregate:view")


@pytest.fixture(scope="module")
def limited_cloud() -> Iterator[Cloud]:
    """An organisation that lacks two permissions that a sync can do without."""
    options = [word for name in LACKING for word in ("--without-permission", name)]
    yield from emulator("--now", NOW, "--agents", "12", *options)


@pytest.fixture(scope="module")
def interactive_cloud() -> Iterator[Cloud]:
    """An organisation whose OAuth client is for people who log in."""
    yield from emulator("--now", NOW, "--agents", "2", "--grant-type", "code")


@pytest.fixture(scope="module")
def foreign_cloud() -> Iterator[Cloud]:
    yield from emulator("--now", NOW, "--agents", "2", "--seed", "7")


@pytest.fixture(scope="module")
def stricter_cloud() -> Iterator[Cloud]:
    """An organisation whose client of the same id has another secret."""
    yield from emulator("--now", NOW, "--agents", "2", "--client-secret", "quite-another-secret")


def states(ran):
    return {finding["topic"]: finding["state"] for finding in ran.json["findings"]}


def finding(ran, topic):
    return next(entry for entry in ran.json["findings"] if entry["topic"] == topic)


def steady(text: str) -> str:
    """Return *text* without what another day, or another machine, changes."""
    text = re.sub(r"held, \d+ due, [\d.]+ MB", "held, # due, # MB", text)
    return re.sub(r"process \d+", "process #", text)


def assert_golden(name: str, text: str) -> None:
    path = GOLDEN / name
    if os.environ.get("HALFHOUR_WRITE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_all_that_works_has_a_line_and_the_end_says_what_to_do(halfhour, synced_day):
    (halfhour.folder / "halfhour.duckdb").write_bytes(synced_day)

    ran = halfhour("check")

    assert ran.code == 0, ran.out
    assert ran.err == ""
    assert_golden("check_good.txt", steady(ran.out))


def test_a_missing_permission_has_a_fix_and_the_role_to_paste(tmp_path, limited_cloud, synced_day):
    (tmp_path / "halfhour.duckdb").write_bytes(synced_day)

    ran = Halfhour(tmp_path, limited_cloud.environment)("check")

    assert ran.code == 5
    assert_golden("check_bad.txt", steady(ran.out))


def test_ascii_marks_are_used_where_others_cannot_be_shown(halfhour):
    ran = halfhour("check", "--store", "none.duckdb", PYTHONIOENCODING="ascii")

    assert ran.code == 0
    assert ran.out.isascii()
    assert ran.out.startswith("+ settings ")
    assert "\n! store         none.duckdb does not exist yet\n" in ran.out


def test_the_json_has_the_same_findings_and_a_role(halfhour):
    ran = halfhour("check", "--json")

    assert set(ran.json) == {"findings", "exit_code", "next_step", "role"}
    assert {tuple(entry) for entry in ran.json["findings"]} == {
        ("topic", "state", "message", "fix")
    }
    assert " ".join(states(ran)) == TOPICS
    assert ran.json["exit_code"] == ran.code == 0
    assert ran.json["role"]["permissionPolicies"][0]["domain"] == "analytics"


def test_a_wrong_secret_stops_what_needs_it_and_not_the_store(halfhour, synced_day):
    (halfhour.folder / "halfhour.duckdb").write_bytes(synced_day)

    ran = halfhour("check", "--json", GENESYS_CLIENT_SECRET="not-the-right-secret")

    assert ran.code == 3
    assert "not-the-right-secret" not in ran.out + ran.err
    assert states(ran)["token"] == "failed"
    assert states(ran)["organisation"] == states(ran)["details"] == "skipped"
    assert states(ran)["store"] == "ok"
    assert "invalid_client" in finding(ran, "token")["message"]
    assert "client_secret" in ran.json["next_step"]


def test_another_grant_type_is_told(tmp_path, interactive_cloud):
    ran = Halfhour(tmp_path, interactive_cloud.environment)("check", "--json")

    assert ran.code == 3
    assert "unauthorized_client" in finding(ran, "token")["message"]
    assert "grant type Client Credentials" in ran.json["next_step"]


def test_the_region_that_a_client_belongs_to_is_told(halfhour, stricter_cloud):
    """The client is of Frankfurt; the other regions know one of its name by another secret."""
    asked: list[str] = []
    authority, hosts = Authority(), ("login.mypurecloud.de", "*.mypurecloud.ie", "*.pure.cloud")
    certificate = authority.write_certificate(halfhour.folder / "authority.pem")
    context = authority.server_context(*hosts)
    with (
        tls_in_front_of(stricter_cloud.url, context) as elsewhere,
        tls_in_front_of(halfhour.environment["GENESYS_REGION"], context) as home,
        http_proxy(elsewhere, asked=asked, other_targets={hosts[0]: home}) as proxy,
    ):
        environment = {"HTTPS_PROXY": proxy, "SSL_CERT_FILE": str(certificate)}
        ran = halfhour("check", "--json", "--region", "eu-west-1", **environment)

    assert ran.code == 3
    assert finding(ran, "proxy")["message"] == f"http://{proxy} (HTTPS_PROXY)"
    assert finding(ran, "certificate")["message"] == (
        f"issued by Example Works, trusted by SSL_CERT_FILE ({certificate})"
    )
    assert "belongs to the region eu-central-1" in finding(ran, "token")["message"]
    assert not [host for host in asked if "gov" in host or "eusc" in host]


def test_a_missing_permission_that_all_needs_ends_with_3(tmp_path, powerless_cloud):
    ran = Halfhour(tmp_path, powerless_cloud.environment)("check", "--json")

    assert ran.code == 3
    assert states(ran)["analytics:conversationAggregate:view"] == "failed"
    assert states(ran)["divisions"] == "skipped"
    assert states(ran)["analytics:userAggregate:view"] == "ok"


def test_a_clock_that_is_off_is_told(halfhour, cloud):
    with other_clock_in_front_of(cloud.url, "Mon, 02 Mar 2026 10:00:00 GMT") as url:
        ran = halfhour("check", "--json", "--region", url)

    assert ran.code == 5
    assert "ahead of Genesys' clock" in finding(ran, "clock")["message"]
    assert ran.json["next_step"].startswith("set the clock")


def test_a_refused_login_names_the_host_with_its_port(halfhour, cloud):
    place = cloud.url.removeprefix("http://")
    for command in ("report", "sync", "check", "init"):
        ran = halfhour(command, GENESYS_CLIENT_SECRET="wrong")
        assert ran.code == 3
        assert f"{place} refused client id 'emulator'" in ran.err + ran.out
    cloud.faults({"kind": "hang", "seconds": 5, "endpoint": "token"})
    assert f" {place}: nothing came for 0.2 s" in halfhour("report", "--timeout", "0.2").err


def test_a_port_where_nobody_listens_is_told_without_a_wait(halfhour):
    ran = halfhour("check", "--json", "--region", "http://127.0.0.1:9")

    assert ran.code == 4
    assert "nothing listens there" in finding(ran, "certificate")["message"]
    assert states(ran)["token"] == "skipped"


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        ('regoin = "eu-west-1"', 2, "unknown setting 'regoin'; did you mean 'region'?"),
        ('region = "eu-west-9"', 2, "unknown region 'eu-west-9'; did you mean 'eu-west-2'?"),
        ('region = "eu-west-1"', 3, "no client id"),
    ],
)
def test_settings_that_are_wrong_are_told_once(tmp_path, content, code, message):
    (tmp_path / "halfhour.toml").write_text(content)
    secret = {} if code == 3 else {"GENESYS_CLIENT_ID": "me", "GENESYS_CLIENT_SECRET": "a-secret"}

    ran = Halfhour(tmp_path, secret)("check", "--json", HTTPS_PROXY="127.0.0.1:9")

    assert ran.code == code
    assert message in finding(ran, "settings")["message"]
    assert [topic for topic, state in states(ran).items() if state == "failed"] == (
        ["settings"] if code == 2 else ["settings", "certificate"]
    )


def test_a_check_without_a_client_leads_to_init(tmp_path):
    ran = Halfhour(tmp_path, {})("check", "--json", HTTPS_PROXY="127.0.0.1:9")

    assert ran.code == 3
    assert ran.json["next_step"].startswith("run 'halfhour init', or set GENESYS_CLIENT_ID")


def test_the_settings_file_and_its_settings_are_named(halfhour):
    (halfhour.folder / "halfhour.toml").write_text(
        '[org.acme]\nclient_id = "emulator"\nclient_secret = "emulator-secret"\n'
        f'region = "{halfhour.environment["GENESYS_REGION"]}"\n'
    )

    ran = halfhour("check", "--json", "--org", "acme")

    assert ran.code == 0
    assert "halfhour.toml ([org.acme])" in finding(ran, "settings")["message"]
    assert "acme.duckdb" in finding(ran, "store")["message"]


def test_a_store_of_another_organisation_is_told(tmp_path, foreign_cloud, synced_day):
    (tmp_path / "halfhour.duckdb").write_bytes(synced_day)

    ran = Halfhour(tmp_path, foreign_cloud.environment)("check", "--json")

    assert ran.code == 2
    assert "holds figures of the organisation Halcyon Parcels" in finding(ran, "store")["message"]
    assert "name another --store" in finding(ran, "store")["fix"]


def test_another_file_is_not_taken_for_a_store(halfhour):
    with duckdb.connect(str(halfhour.folder / "halfhour.duckdb")) as other:
        other.execute("create table anything as select 1 as one")

    ran = halfhour("check", "--json")

    assert ran.code == 1
    assert "is not a halfhour store" in finding(ran, "store")["message"]


def test_a_store_that_is_in_use_is_told_without_waiting(halfhour, synced_day):
    path = halfhour.folder / "halfhour.duckdb"
    path.write_bytes(synced_day)
    lock_file = Path(f"{path}.lock")
    with FileLock(lock_file):
        lock_file.write_text("4711")
        synced = halfhour("check", "--json")
    with held_elsewhere(path) as other:
        held = halfhour("check", "--json")
        with suppress(OSError):
            other.communicate("\n")

    assert (synced.code, held.code) == (0, 0)
    assert finding(synced, "store")["message"].endswith("; a sync is running (process 4711)")
    assert "1 day held" in finding(synced, "store")["message"]
    assert f"(PID {other.pid}) has it open" in finding(held, "store")["message"]


@pytest.mark.parametrize("part", ["halfhour.duckdb", "."])
def test_a_store_that_cannot_be_written_is_told(halfhour, synced_day, part):
    path = halfhour.folder / "halfhour.duckdb"
    path.write_bytes(synced_day)
    read_only = (halfhour.folder / part).resolve()
    mode = read_only.stat().st_mode
    read_only.chmod(mode & ~0o222)
    try:
        if os.access(read_only, os.W_OK):
            pytest.skip("this user may write to every file")
        ran = halfhour("check", "--json")
    finally:
        read_only.chmod(mode)

    assert (ran.code, states(ran)["store"]) == (0, "note")
    assert f"{read_only} cannot be written" in finding(ran, "store")["message"]
    assert str(read_only) in finding(ran, "store")["fix"]
    assert "halfhour sync" not in ran.json["next_step"]


def test_a_folder_that_does_not_exist_is_told(halfhour):
    ran = halfhour("check", "--json", "--store", "nowhere/halfhour.duckdb")

    assert ran.code == 1
    assert "there is no such folder" in finding(ran, "store")["message"]


def test_a_client_that_may_not_name_its_organisation_still_has_a_clock(halfhour, cloud):
    cloud.faults({"kind": "status", "status": 403, "endpoint": "organization"})

    ran = halfhour("check", "--json")

    assert (ran.code, states(ran)["organisation"], states(ran)["clock"]) == (0, "note", "ok")


def test_a_reader_that_needs_no_more_ends_the_check_without_a_word(halfhour):
    """Rich would end it with 1."""
    command = f"{sys.executable} -m halfhour check | head -n 1"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"], cwd=halfhour.folder, capture_output=True,
        env={"PATH": os.environ["PATH"], "HOME": str(halfhour.folder), **halfhour.environment},
        encoding="utf-8", check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1
