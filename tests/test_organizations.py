"""Tests of organisations in a settings file: the settings in force, the choice, and mistakes."""

import logging
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halfhour import organizations, settings
from halfhour.errors import AuthError, ConfigError
from halfhour.organizations import Organization
from tests.processes import Halfhour

STRAY_SECRET, ACME_SECRET = "secret of a stray client", "secret of acme's client"
STRAY = {
    "GENESYS_CLIENT_ID": "stray",
    "GENESYS_CLIENT_SECRET": STRAY_SECRET,
    "GENESYS_REGION": "mypurecloud.jp",
    "HALFHOUR_ATTEMPTS": "7300",
}
FLAT = 'client_id = "flat"\nclient_secret = "of the flat client"\nattempts = 3\n'
ACME = f'[org.acme]\nclient_id = "acme-client"\nclient_secret = "{ACME_SECRET}"\n'


def settings_file(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


PRECEDENCE: list[tuple[str, dict[str, str], dict[str, Any], dict[str, Any]]] = [
    # The table wins over the environment, and both over the rest of the file.
    (FLAT + ACME, {}, {}, {"client_id": "acme-client", "client_secret": ACME_SECRET}),
    (FLAT + ACME, STRAY, {}, {"client_id": "acme-client", "client_secret": ACME_SECRET}),
    (FLAT + ACME, {}, {}, {"attempts": 3}),
    (FLAT + ACME, STRAY, {}, {"attempts": 7300}),
    (FLAT + ACME + "attempts = 4", STRAY, {}, {"attempts": 4}),
    (FLAT + ACME + "attempts = 4", STRAY, {"attempts": 2}, {"attempts": 2}),
    (ACME, {}, {}, {"attempts": 5}),
    (ACME, {}, {}, {"region": "mypurecloud.com"}),
    (ACME, STRAY, {}, {"region": "mypurecloud.jp"}),
    ('region = "mypurecloud.ie"\n' + ACME, {}, {}, {"region": "mypurecloud.ie"}),
    (ACME + 'region = "mypurecloud.de"', STRAY, {}, {"region": "mypurecloud.de"}),
    (
        ACME + 'region = "mypurecloud.de"',
        STRAY,
        {"region": "mypurecloud.com.au"},
        {"region": "mypurecloud.com.au"},
    ),
    # A secret of the environment counts if it is that of the same client.
    (
        '[org.acme]\nclient_id = "stray"',
        STRAY,
        {},
        {"client_id": "stray", "client_secret": STRAY_SECRET},
    ),
    (
        f'[org.acme]\nclient_id = "stray"\nclient_secret = "{ACME_SECRET}"',
        STRAY,
        {},
        {"client_secret": ACME_SECRET},
    ),
]


@pytest.mark.parametrize(("text", "environ", "flags", "expected"), PRECEDENCE)
def test_an_organisation_wins_over_the_environment_and_the_rest_of_the_file(
    tmp_path, text, environ, flags, expected
):
    result = settings.load_settings(
        file=settings_file(tmp_path, text), environ=environ, org="acme", **flags
    )

    in_force = {
        "client_id": result.client_id,
        "client_secret": result.client_secret,
        "region": result.hosts.api.removeprefix("https://api."),
        "attempts": result.retry_policy.attempts,
    }
    assert {name: in_force[name] for name in expected} == expected


INCOMPLETE = [
    ("[org.acme]", {}, "[org.acme] has no client_id"),
    (FLAT + "[org.acme]", STRAY, "[org.acme] has no client_id"),
    (FLAT + '[org.acme]\nclient_id = "other"', STRAY, "[org.acme] has no client_secret"),
    (FLAT + '[org.acme]\nclient_id = "flat"', {}, "[org.acme] has no client_secret"),
]


@pytest.mark.parametrize(("text", "environ", "sentence"), INCOMPLETE)
def test_credentials_of_an_organisation_are_never_those_of_another_client(
    tmp_path, text, environ, sentence
):
    with pytest.raises(AuthError) as caught:
        settings.load_settings(file=settings_file(tmp_path, text), environ=environ, org="acme")

    assert sentence in str(caught.value)


def test_another_client_as_an_option_is_refused(tmp_path):
    file = settings_file(tmp_path, ACME)

    with pytest.raises(ConfigError, match="has another client; leave out client_id or org"):
        settings.load_settings(file=file, environ={}, org="acme", client_id="other")
    chosen = settings.load_settings(file=file, environ={}, org="acme", client_id="acme-client")
    assert chosen.client_id == "acme-client"


def test_a_clash_is_a_warning_that_names_variables_and_no_value(tmp_path, caplog):
    file = settings_file(tmp_path, ACME + 'region = "mypurecloud.jp"\nattempts = 2')
    with caplog.at_level(logging.WARNING, logger="halfhour"):
        settings.load_settings(file=file, environ=STRAY, org="acme")

    assert len(caplog.messages) == 1
    names = "GENESYS_CLIENT_ID, GENESYS_CLIENT_SECRET, HALFHOUR_ATTEMPTS in the environment"
    assert caplog.messages[0].startswith(f"{names} differ from [org.acme] of {file}, which is used")
    message = caplog.messages[0].replace(str(file), "")
    assert not [value for value in (*STRAY.values(), ACME_SECRET) if value in message]


def test_a_clash_of_one_variable_is_in_the_singular(tmp_path, caplog):
    file = settings_file(tmp_path, ACME)
    settings.load_settings(file=file, environ={"GENESYS_CLIENT_ID": "stray"}, org="acme")

    (message,) = caplog.messages
    assert message.startswith(
        f"GENESYS_CLIENT_ID in the environment differs from [org.acme] of {file}"
    )
    assert message.endswith("; unset it to see no more of this")


def test_no_clash_is_no_warning(tmp_path, caplog):
    file = settings_file(tmp_path, ACME)
    environ = {"GENESYS_CLIENT_ID": "acme-client", "GENESYS_CLIENT_SECRET": ACME_SECRET}
    settings.load_settings(file=file, environ=environ, org="acme")

    assert caplog.messages == []


WRONG = [
    ("org = 1", "org.NAME is a value; write the settings of an organisation below a line [org."),
    ("[org]\nacme = 1", "org.acme is a value"),
    ('[org."a b"]', "[org.a b]: 'a b' cannot be the name of an organisation"),
    ('[org."../up"]', "cannot be the name"),
    ("[org.All]", "another word than 'all'"),
    ('[org.acme]\nregoin = "x"', "[org.acme]: unknown setting 'regoin'; did you mean 'region'?"),
    ("[org.acme]\nnonsense = 1", "the settings are client_id, client_secret, region, zone"),
    ('[org.acme]\nzone = "Europe/Lundon"', "[org.acme] zone"),
    ("[org.acme]\nzone = 5", "[org.acme] zone is 5; write a text in quotes"),
    ('[org.acme]\nkeep = "soon"', "[org.acme] keep 'soon' is not a duration"),
    ("[org.acme]\nattempts = 0", "[org.acme] attempts: 0 is not a number above 0"),
    ("[orgs.acme]", "unknown setting 'orgs'; did you mean 'org'?"),
]


@pytest.mark.parametrize(("text", "sentence"), WRONG)
def test_a_mistake_in_a_table_is_a_sentence_that_names_it(tmp_path, text, sentence):
    with pytest.raises(ConfigError) as caught:
        settings.read_checked_file(settings_file(tmp_path, text))

    assert sentence in str(caught.value)


def named(*names: str, **changes: Any) -> dict[str, Organization]:
    return {name: Organization(name, "mine.toml", changes.get(name, {})) for name in names}


CHOICES = [
    (["acme"], ["acme"]),
    (["initech", "acme", "initech"], ["initech", "acme"]),
    (["all"], ["acme", "globex", "initech"]),
    (["initech", "all"], ["acme", "globex", "initech"]),
]


@pytest.mark.parametrize(("words", "names"), CHOICES)
def test_organisations_are_chosen_by_name_once_each(words, names):
    tables = named("acme", "globex", "initech")
    chosen = organizations.choose_organizations(words, tables, "mine.toml")

    assert [organization.name for organization in chosen] == names
    assert organizations.are_several(words) == (len(names) > 1)


def test_all_are_several_even_of_one():
    assert organizations.are_several(["all"])
    assert not organizations.are_several(["acme", "acme"])
    assert not organizations.are_several([])


UNKNOWN = [
    (
        named("acme", "globex"),
        "⟨org⟩ globx: mine.toml has no such organisation, only acme, globex; did you mean "
        "'globex'?",
    ),
    (named("acme"), "⟨org⟩ globx: mine.toml has no such organisation, only acme"),
    ({}, "⟨org⟩ globx: mine.toml has no table [org.NAME]; write one (docs/organizations.md)"),
]


@pytest.mark.parametrize(("tables", "sentence"), UNKNOWN)
def test_an_unknown_organisation_is_told_with_the_nearest_name_and_the_list(tables, sentence):
    with pytest.raises(ConfigError) as caught:
        organizations.choose_organizations(["globx"], tables, "mine.toml")

    assert caught.value.spelled(lambda name: f"⟨{name}⟩") == sentence


def test_two_organisations_with_one_store_are_refused():
    tables = named("acme", "globex", "initech", globex={"store": "acme.duckdb"})

    with pytest.raises(ConfigError, match=r"\[org.acme\] and \[org.globex\] have the same store"):
        organizations.choose_organizations(["all"], tables, "mine.toml")
    assert organizations.choose_organizations(["globex"], tables, "mine.toml")


def test_a_store_is_named_after_its_organisation_unless_the_settings_name_one():
    tables = named("acme", "globex", globex={"store": "~/data/figures.duckdb"})

    assert tables["acme"].store_path == Path("acme.duckdb")
    assert tables["globex"].store_path == Path(os.path.expanduser("~/data/figures.duckdb"))  # noqa: PTH111


def test_a_table_has_one_zone_and_one_choice_of_queues():
    same = organizations.require_common_value("zone", {"acme": "UTC", "globex": "UTC"})
    assert same == "UTC"

    with pytest.raises(ConfigError, match=r"\(acme Europe/London, initech UTC\)"):
        organizations.require_common_value("zone", {"acme": "Europe/London", "initech": "UTC"})
    with pytest.raises(ConfigError, match=r"queues: .+\(acme Billing and Sales, globex all\)"):
        organizations.require_common_value("queues", {"acme": ("Billing", "Sales"), "globex": ()})


TEXTS = st.sampled_from(["", "a", "b"])
VARIABLES = {
    "client_id": ("GENESYS_CLIENT_ID", "GENESYSCLOUD_OAUTHCLIENT_ID"),
    "queues": ("HALFHOUR_QUEUES",),
}


@given(
    table=st.dictionaries(st.sampled_from([*VARIABLES]), TEXTS),
    environ=st.dictionaries(st.sampled_from([*sum(VARIABLES.values(), ()), "PATH"]), TEXTS),
)
def test_variables_clash_that_say_something_else_than_the_table(table, environ):
    expected = set()
    for setting, names in VARIABLES.items():
        for name in names:
            if table.get(setting) and environ.get(name) and table[setting] != environ[name]:
                expected.add(name)

    organization = Organization("acme", "mine.toml", table)
    clashes = settings.clashing_variables(organization, environ)
    assert (set(clashes), len(clashes)) == (expected, len(expected))


def test_values_that_are_written_in_another_way_and_mean_the_same_do_not_clash():
    table = {"queues": ["a", "b, c"], "keep": "4w", "attempts": 5, "zone": "UTC"}
    environ = {
        "HALFHOUR_QUEUES": 'a,"b, c"', "HALFHOUR_KEEP": "28d", "HALFHOUR_ATTEMPTS": "5",
        "HALFHOUR_ZONE": "no zone",
    }  # fmt: skip

    organization = Organization("acme", "mine.toml", table)
    assert settings.clashing_variables(organization, environ) == ["HALFHOUR_ZONE"]


def test_settings_never_show_a_secret(tmp_path):
    (organization,) = settings.load_organizations(["acme"], file=settings_file(tmp_path, ACME))

    assert ACME_SECRET not in repr(organization)


def test_without_a_choice_the_organisations_are_listed(tmp_path):
    settings_file(tmp_path, ACME + "[org.globex]").rename(tmp_path / "halfhour.toml")
    ran = Halfhour(tmp_path, {})("report")

    assert (ran.code, ran.out) == (3, "")
    assert "or choose an organisation of halfhour.toml with --org: acme, globex" in ran.err
