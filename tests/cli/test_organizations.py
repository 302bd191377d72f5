"""Commands for organisations of a settings file, against an emulator of each."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from genesys_emulator.pytest_plugin import running
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
