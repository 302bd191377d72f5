"""Tests of settings files: the file that is read, its mistakes, and the secrets that are sent."""

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from halfhour import settings
from halfhour.errors import ConfigError
from tests.processes import Halfhour, Ran

DAY = ("--from", "2026-03-02", "--to", "2026-03-03")
SECRET = "of the environment"
MINE = {"GENESYS_CLIENT_ID": "mine", "GENESYS_CLIENT_SECRET": SECRET}
ADDRESSES = ["http://127.0.0.1:9", "http://localhost:9", "https://api.evil.invalid", "http://evil"]
USUAL = ("halfhour.toml", ".config/halfhour/halfhour.toml")


@pytest.mark.parametrize("url", ADDRESSES)
@pytest.mark.parametrize("more", ["", 'client_secret = "decoy"', 'client_id = "another"'])
@pytest.mark.parametrize("place", USUAL)
def test_a_found_settings_file_redirects_no_secret_unless_it_names_the_client(
    halfhour, url, more, place
):
    path = halfhour.folder / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'region = "{url}"\n{more}')
    ran = Halfhour(halfhour.folder, MINE)("report", *DAY)

    assert (ran.code, ran.out) == (2, "")
    assert "halfhour.toml: region is a base URL, to which a secret" in ran.err
    assert SECRET not in ran.err


@pytest.mark.parametrize("url", ADDRESSES)
def test_a_settings_file_that_names_the_client_may_redirect_the_secret(tmp_path, monkeypatch, url):
    (tmp_path / "halfhour.toml").write_text(f'region = "{url}"\nclient_id = "mine"')
    monkeypatch.chdir(tmp_path)

    for environ in (MINE, {"GENESYS_CLIENT_SECRET": SECRET}):
        result = settings.load_settings(environ=environ)
        assert (result.hosts.login, result.client_id, result.client_secret) == (
            url.replace("api.", "login."),
            "mine",
            SECRET,
        )


def test_a_named_settings_file_sends_the_secret_to_this_machine_only(tmp_path):
    file = tmp_path / "emulator.toml"
    file.write_text('region = "http://127.0.0.1:9"')
    assert settings.load_settings(file=file, environ=MINE).hosts.api == "http://127.0.0.1:9"

    file.write_text('region = "https://api.evil.invalid"')
    with pytest.raises(ConfigError, match="a secret from elsewhere is not sent"):
        settings.load_settings(file=file, environ=MINE)


WRONG = [
    (None, "cannot be read (No such file or directory)"),
    ('regoin = "x"', "unknown setting 'regoin'; did you mean 'region'?"),
    ("attempts = 0", "attempts: 0 is not a number above 0"),
    ("attempts = true", "attempts is True; write a number above 0"),
    ("region = ", "not valid TOML"),
    ('region = "eu-west-9"', "region: unknown region 'eu-west-9'"),
    ("client_secret = 12345678", "client_secret has a value of another kind; write a text in"),
    ('zone = "Europe/Lundon"', "zone 'Europe/Lundon' is not an IANA time zone"),
    ("store = 5", "store is 5; write a text in quotes"),
    ('keep = "soon"', "keep 'soon' is not a duration"),
    ("history = 31", "history is 31; write a text in quotes"),
    ("queues = [1]", "queues is [1]; write a list of texts"),
    ('basis = "postd"', "basis 'postd': choose one of posted, worked, both; did you mean 'posted'"),
    ('format = "xslx"', "format 'xslx': choose one of"),
    ('[org.acme]\nzoen = "UTC"', "[org.acme]: unknown setting 'zoen'; did you mean 'zone'?"),
    (f"timeout = {'9' * 5_000}", "not valid TOML"),
    (f"timeout = {'[' * 5_000}", "not valid TOML"),
]


@pytest.fixture
def current(halfhour, synced_day):
    """Put a store into the folder that has all data of `DAY`."""
    (halfhour.folder / "halfhour.duckdb").write_bytes(synced_day)


@pytest.mark.parametrize(("text", "sentence"), WRONG)
def test_a_mistake_in_a_file_that_is_named_is_told_also_where_the_store_has_all(
    halfhour, current, text, sentence
):
    if text is not None:
        (halfhour.folder / "mine.toml").write_text(text)
    ran = halfhour("report", *DAY, "--settings", "mine.toml", HALFHOUR_TIMEOUT="5")

    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("halfhour: mine.toml: ")
    assert "12345678" not in ran.err
    assert sentence in ran.err
    assert len(ran.err.splitlines()) == 1


COMMANDS = [
    "report --offline",
    "report --dry-run",
    "sync --dry-run",
    "serve",
    "coverage",
    "revisions",
    "reconcile",
    "rebuild",
    "import nothing.json",
    "load delta:lake",
]


@pytest.mark.parametrize("words", COMMANDS)
def test_a_settings_file_that_is_named_and_not_there_is_told_by_every_command(halfhour, words):
    by_option = halfhour(*words.split(), "--settings", "nope.toml")
    by_variable = halfhour(*words.split(), HALFHOUR_SETTINGS="nope.toml")

    reason = (
        "nope.toml: cannot be read (No such file or directory); check the path of the settings "
        "file\n"
    )
    assert by_option == Ran(2, "", f"halfhour: {reason}")
    assert by_variable == Ran(2, "", f"halfhour: HALFHOUR_SETTINGS {reason}")


@pytest.mark.parametrize("words", [*COMMANDS, "worked nothing.json --output worked"])
def test_a_mistake_in_a_file_that_is_found_is_told_by_every_command(halfhour, current, words):
    (halfhour.folder / "halfhour.toml").write_text('regoin = "x"')

    assert halfhour(*words.split()) == Ran(
        2, "", "halfhour: halfhour.toml: unknown setting 'regoin'; did you mean 'region'?\n"
    )


VALUES: list[tuple[str, str, Any, Any]] = [
    ("zone", "Asia/Tokyo", "Europe/Berlin", "Europe/Berlin"),
    ("store", "other.duckdb", "figures.duckdb", Path("figures.duckdb")),
    ("keep", "9d", "2w", timedelta(weeks=2)),
    ("history", "9d", "90d", timedelta(days=90)),
    ("queues", 'Sales,"Billing, EMEA"', ["Billing"], ("Billing",)),
    ("queues", "Sales", "Billing, EMEA", ("Billing, EMEA",)),
    ("agents", "Ada", [], ()),
    ("divisions", "Home", ["Europe"], ("Europe",)),
    ("basis", "worked", "both", "both"),
    ("format", "csv", "excel", "xlsx"),
    ("timeout", "2.5", 4, 4.0),
    ("attempts", "2", 3, 3),
]


@pytest.mark.parametrize(("name", "in_environment", "in_file", "expected"), VALUES)
def test_an_option_wins_over_an_organisation_and_it_over_the_environment_and_it_over_the_file(
    tmp_path, name, in_environment, in_file, expected
):
    file = tmp_path / "mine.toml"
    line = f"{name} = {json.dumps(in_file)}\n"
    (variable,) = settings.SETTINGS_BY_NAME[name].environment_variables
    environ = {variable: in_environment}
    flag = settings.configured_value(name, file=None, environ=environ)

    file.write_text(line)
    assert settings.configured_value(name, file=file, environ={}) == expected
    assert settings.configured_value(name, file=file, environ=environ) == flag != expected
    file.write_text(f"[org.acme]\n{line}")
    (acme,) = settings.load_organizations(["acme"], file=file)
    assert settings.configured_value(name, file=file, environ=environ, org=acme) == expected
    option = flag if isinstance(flag, tuple) else in_environment
    assert settings.configured_value(name, option, file=file, environ={}, org=acme) == flag


def test_names_in_a_variable_are_separated_by_commas_and_may_be_quoted():
    environ = {"HALFHOUR_QUEUES": 'Sales, "Billing, EMEA" ,Café'}

    queues = settings.configured_value("queues", environ=environ)
    assert queues == ("Sales", "Billing, EMEA", "Café")


def test_the_store_of_an_organisation_is_never_that_of_another(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('store = "shared.duckdb"\n[org.acme]\n[org.globex]\nstore = "~/globex"')
    environ = {"HALFHOUR_STORE": "environment.duckdb"}
    acme, globex = settings.load_organizations(["all"], file=file)

    stores = [
        settings.configured_value("store", file=file, environ=environ, org=org)
        for org in (None, acme, globex)
    ]
    assert stores == [Path("environment.duckdb"), Path("acme.duckdb"), Path.home() / "globex"]


def test_a_report_takes_its_rows_zone_basis_and_format_from_the_settings(halfhour, current):
    words = ("report", *DAY, "--by", "agent", "--offline")
    (halfhour.folder / "halfhour.toml").write_text(
        'zone = "Europe/Berlin"\nqueues = ["Billing"]\nbasis = "worked"\nformat = "csv"\n'
    )
    ran = halfhour(*words)
    told = "halfhour: only queues Billing: the settings say so ('halfhour settings')\n"
    assert ran.code == 5  # the last hour of the day in Berlin is stored, its first is not
    assert ran.err.startswith(told)

    options = "--zone Europe/Berlin --queue Billing --basis worked --format csv".split()
    (halfhour.folder / "halfhour.toml").unlink()
    assert halfhour(*words, *options).out == ran.out

    (halfhour.folder / "halfhour.toml").write_text('queues = ["Billing"]\nformat = "csv"\n')
    everything = halfhour(*words, "--queue", "")
    (halfhour.folder / "halfhour.toml").unlink()
    assert everything == halfhour(*words, "--format", "csv")


def test_a_sync_keeps_its_history_and_its_store_as_the_settings_say(halfhour):
    (halfhour.folder / "halfhour.toml").write_text('store = "a/b.duckdb"\nhistory = "2d"')
    (halfhour.folder / "a").mkdir()
    source = ("--source", "posted")
    windows = halfhour("sync", "--dry-run", *source).json["windows"]
    assert len(windows) == 3  # parts of the first and the last day

    assert halfhour("sync", "--last", "1d", *source).code == 0
    assert (halfhour.folder / "a/b.duckdb").exists()
    with_history = halfhour("sync", "--dry-run", *source, HALFHOUR_HISTORY="5d").json["windows"]
    without = halfhour("sync", "--dry-run", *source, HALFHOUR_HISTORY="12h").json["windows"]
    assert len(with_history) > len(without)


@pytest.mark.skipif(os.name != "posix", reason="modes of files are those of POSIX")
def test_a_secret_that_others_can_read_gets_one_warning(halfhour, current):
    file = halfhour.folder / "halfhour.toml"
    file.write_text('client_secret = "a-secret-of-the-file"')
    file.chmod(0o640)
    warning = (
        "halfhour: halfhour.toml holds a secret that other users of this machine can read: chmod "
        "600 halfhour.toml\n"
    )
    ran = halfhour("report", *DAY, "--offline")
    assert (ran.code, ran.err.count(warning), ran.err.count("chmod")) == (0, 1, 1)

    file.chmod(0o600)
    assert "chmod" not in halfhour("report", *DAY, "--offline").err
    file.write_text('region = "mypurecloud.ie"')
    file.chmod(0o644)
    assert "chmod" not in halfhour("report", *DAY, "--offline").err


@pytest.mark.parametrize("variable", settings.SETTINGS_BY_NAME["client_id"].environment_variables)
def test_a_client_of_the_environment_does_not_silently_overrule_a_file_that_is_named(
    tmp_path, variable
):
    (tmp_path / "mine.toml").write_text('client_id = "theirs"\nclient_secret = "not told"')
    halfhour = Halfhour(tmp_path, {variable: "mine", "GENESYS_CLIENT_SECRET": SECRET})
    ran = halfhour("report", *DAY, "--settings", "mine.toml")

    assert (ran.code, ran.out) == (2, "")
    assert f"mine.toml: client_id is 'theirs', and {variable} is 'mine'; unset" in ran.err
    assert "--client-id" in ran.err
    assert not [secret for secret in (SECRET, "not told") if secret in ran.err]


@pytest.mark.parametrize("chosen", ["mine", "theirs", "third"])
def test_a_client_is_chosen_by_its_flag_and_is_no_clash_if_it_is_the_same(tmp_path, chosen):
    file = tmp_path / "mine.toml"
    file.write_text('client_id = "theirs"')

    assert settings.load_settings(file=file, environ=MINE, client_id=chosen).client_id == chosen
    file.write_text('client_id = "mine"')
    assert settings.load_settings(file=file, environ=MINE).client_id == "mine"
    file.write_text("attempts = 2")
    assert settings.load_settings(file=file, environ=MINE).client_id == "mine"
