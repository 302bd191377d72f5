"""Tests of settings files: the file that is read, its mistakes, and the secrets that are sent."""

import pytest

from halfhour import settings
from halfhour.errors import ConfigError
from tests.processes import Halfhour

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
    ("region = ", "not valid TOML"),
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
    assert sentence in ran.err
    assert len(ran.err.splitlines()) == 1


@pytest.mark.parametrize(
    "words",
    [("report", "--offline"), ("report", "--dry-run"), ("sync", "--dry-run"), ("serve",)],
    ids=" ".join,
)
def test_a_file_that_is_named_and_not_there_is_told_by_every_command_that_takes_one(
    halfhour, words
):
    ran = halfhour(*words, "--settings", "nope.toml")

    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        "halfhour: nope.toml: cannot be read (No such file or directory); check the path of the "
        "settings file\n"
    )


def test_a_command_without_a_connection_reads_no_settings(halfhour, current):
    (halfhour.folder / "halfhour.toml").write_text('regoin = "x"')

    assert halfhour("coverage").code == 0
    assert halfhour("report", *DAY).code == 0  # the store is current
    assert halfhour("sync", *DAY).code == 2


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
