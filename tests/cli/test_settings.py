"""The command ``halfhour settings`` as a process: what is in force, from where, and no secret."""

import re

import pytest

from halfhour.settings.settings_file import describe_unknown_variables
from tests.processes import Halfhour

SECRET, KEY = "the-secret-of-a-file", "the-key-of-all-pseudonyms"
FILE = f"""\
client_id = "mine"
client_secret = "{SECRET}"
pseudonym_key = "{KEY}"
zone = "Europe/Berlin"
queues = ["Billing", "Sales"]
keep = "4w"

[org.acme]
client_id = "acme"
zone = "Asia/Tokyo"
"""


@pytest.fixture
def told(tmp_path):
    """Return a function that runs the command in a folder with `FILE`."""
    file = tmp_path / "halfhour.toml"
    file.write_text(FILE)
    file.chmod(0o600)

    def run(*words, **environment):
        ran = Halfhour(tmp_path, {})("settings", *words, **environment)
        assert ran.code == 0, ran.err
        assert not [secret for secret in (SECRET, KEY) if secret in ran.out + ran.err]
        return ran

    return run


def test_each_value_is_shown_with_the_place_that_it_comes_from(told, tmp_path):
    ran = told("--region", "eu-west-1", HALFHOUR_ZONE="Europe/London", HALFHOUR_AGENTS="Ada")
    head, _, table = ran.out.partition("\n\n")
    rows = dict(line.split(maxsplit=1) for line in table.splitlines())

    assert head.splitlines() == [
        f"settings file: {tmp_path / 'halfhour.toml'}",
        "organisations: acme; --org shows the settings of one",
    ]
    in_order = {name: " ".join(row.split()) for name, row in rows.items()}
    assert in_order == {
        "setting": "value from",
        "client_id": "mine halfhour.toml",
        "client_secret": "present halfhour.toml",
        "region": "eu-west-1 option --region",
        "zone": "Europe/London environment variable HALFHOUR_ZONE",
        "store": "halfhour.duckdb default",
        "history": "31d in a new store; the first day of any other default",
        "keep": "28d halfhour.toml",
        "queues": "Billing, Sales halfhour.toml",
        "agents": "Ada environment variable HALFHOUR_AGENTS",
        "divisions": "all default",
        "basis": "posted default",
        "format": "table default",
        "timeout": "30 default",
        "attempts": "5 default",
        "max_requests_per_minute": "the limit that Genesys sets default",
        "pseudonym_key": "present halfhour.toml",
    }


def test_an_organisation_shows_its_table_its_store_and_the_secret_that_it_lacks(told):
    shown = told("--org", "acme", "--json", GENESYS_CLIENT_SECRET="of-another-client").json

    assert (shown["org"], shown["orgs"]) == ("acme", ["acme"])
    settings = shown["settings"]
    table = {"from": "file", "path": "halfhour.toml", "table": "[org.acme]"}
    assert settings["zone"] == {"value": "Asia/Tokyo", **table}
    assert settings["client_secret"] == {"present": False, "from": "default"}
    assert settings["store"] == {"value": "acme.duckdb", "from": "default"}
    assert settings["queues"] == {
        "value": ["Billing", "Sales"], "from": "file", "path": "halfhour.toml",
    }  # fmt: skip


def test_without_a_file_the_places_where_one_would_be_read_are_shown(tmp_path):
    ran = Halfhour(tmp_path, {})("settings")

    usual = f"{tmp_path}/halfhour.toml or {tmp_path}/.config/halfhour/halfhour.toml"
    assert ran.out.startswith(f"settings file: none; it would be {usual}\n")


def test_a_variable_that_is_no_setting_is_named_with_the_nearest_one(told):
    ran = told(HALFHOUR_ZOEN="UTC", HALFHOUR_DEBUG="1")

    assert ran.err == (
        "halfhour: HALFHOUR_ZOEN in the environment is not a setting; did you mean "
        "'HALFHOUR_ZONE'?\n"
    )


DAY = ("--from", "2026-03-02", "--to", "2026-03-03")


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("report", *DAY), 0),
        (("report", *DAY, "--dry-run"), 0),
        (("report", *DAY, "--sort", "nothing"), 2),
        (("sync", *DAY, "--source", "posted"), 0),
        (("sync", *DAY, "--source", "posted", "--log-format", "json"), 0),
        (("sync", *DAY, "--dry-run"), 0),
        (("check",), 0),
        (("coverage",), 1),
        (("queues",), 0),
        (("import", "none.json"), 2),
        (("worked", "none.json", "--output", "w"), 2),
        (("load", "delta:w"), 1),
        (("init", "--zone", "UTC", "--secret-in", "file"), 0),
        (("settings", "--json"), 0),
    ],
)
def test_every_command_that_reads_settings_warns_once_of_a_misspelt_variable(
    halfhour, command, code
):
    own = {"HALFHOUR_DEBUG": "1", "HALFHOUR_SETTINGS": ""}
    ran = halfhour(*command, HALFHOUR_ZOEN="Europe/London", **own)

    assert ran.code == code, ran.err
    warning = "HALFHOUR_ZOEN in the environment is not a setting; did you mean 'HALFHOUR_ZONE'?"
    assert ran.err.count(warning) == ran.err.count("HALFHOUR_ZOEN") == 1


def test_several_organisations_are_warned_of_a_variable_once(halfhour, cloud):
    client = f'client_id = "emulator"\nclient_secret = "emulator-secret"\nregion = "{cloud.url}"\n'
    (halfhour.folder / "halfhour.toml").write_text(f"[org.a]\n{client}[org.b]\n{client}")
    ran = halfhour("sync", *DAY, "--org", "all", "--source", "posted", HALFHOUR_KEPT="400d")

    assert ran.code == 0, ran.err
    assert ran.err.count("HALFHOUR_KEPT in the environment is not a setting") == 1


def test_every_variable_that_halfhour_reads_is_known(pytestconfig):
    texts = [path.read_text() for path in (pytestconfig.rootpath / "src/halfhour").rglob("*.py")]
    named = {name for text in texts for name in re.findall(r"\bHALFHOUR_[A-Z_]*[A-Z]", text)}

    assert {"HALFHOUR_DEBUG", "HALFHOUR_SETTINGS", "HALFHOUR_ZONE"} <= named
    assert describe_unknown_variables(dict.fromkeys(named, "1")) == []


@pytest.mark.parametrize(
    ("variable", "hint"),
    [
        ("HALFHOUR_QUEUE", "; did you mean 'HALFHOUR_QUEUES'?"),
        ("HALFHOUR_CLIENT_ID", "; did you mean 'GENESYS_CLIENT_ID'?"),
        ("HALFHOUR_EXPORT_DIRECTORY", ""),
    ],
)
def test_the_prefix_makes_no_variable_near(variable, hint):
    sentence = f"{variable} in the environment is not a setting{hint}"
    assert describe_unknown_variables({variable: "x", "HOME": "/"}) == [sentence]
