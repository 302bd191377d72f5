"""The command ``halfhour init``: ask for a connection, test it, and write it down."""

import os
import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from halfhour import organizations, settings
from halfhour.cli.questions import (
    Question,
    ask_secret,
    ask_setting,
    confirm,
    is_terminal,
    show_error,
    show_line,
)
from halfhour.cli.spelling import program_name
from halfhour.errors import (
    ApiError,
    AuthError,
    ConfigError,
    HalfhourError,
    UnexpectedAnswer,
    Unreachable,
)
from halfhour.genesys import endpoints, regions
from halfhour.genesys.client import Client
from halfhour.genesys.connection import Settings
from halfhour.model.time_ranges import parse_zone
from halfhour.organizations import Organization
from halfhour.service import run_async
from halfhour.settings import system_keyring
from halfhour.settings.changing import change_settings
from halfhour.settings.definitions import SETTINGS_BY_NAME, SettingDefinition
from halfhour.settings.private_file import OWNER_ONLY, write_private_file
from halfhour.settings.resolution import OriginKind, Sources, client_of
from halfhour.settings.settings_file import (
    FILE_VARIABLE,
    SettingsFile,
    find_settings_file,
    read_settings_file,
    usual_files,
)

SecretPlace = Literal["keyring", "file"]
DEFAULT_HISTORY = "31d"
_TEST_ATTEMPTS = 2
"""The number of attempts of the test; a person waits for it, and can repeat it."""
_WORDS = {
    "region": "Region of Genesys Cloud, such as eu-west-1 or mypurecloud.ie",
    "client_id": "Id of the OAuth client, which has the grant type Client Credentials",
    "zone": "Time zone of dates and times",
    "store": "File of the store",
    "history": "Length of time that the store begins with",
}


@dataclass(frozen=True, slots=True)
class Setup:
    """The settings file to write, and what is in force before.

    *organization* is the name of the table to write, empty for none. *given* are the answers of
    options, by setting.
    """

    path: Path
    content: SettingsFile
    organization: str
    given: Mapping[str, str]
    sources: Sources

    @classmethod
    def read(cls, file: Path | None, organization: str, given: Mapping[str, str]) -> "Setup":
        """Return the setup of the settings file that exists, or of a new one. Raises ConfigError.

        A new file has the name that an option or a variable gives, or the last usual one.
        """
        path = find_settings_file(file, os.environ) or usual_files()[-1]
        content = read_settings_file(path, os.environ) if path.exists() else SettingsFile()
        chosen = None
        if organization:
            organizations.require_name(organization, "⟨org⟩")
            empty = Organization(organization, str(path), {})
            chosen = content.organizations.get(organization, empty)
        sources = Sources({}, os.environ, content.path, content.settings, chosen)
        return cls(path, content, organization, given, sources)

    @property
    def table(self) -> Mapping[str, Any]:
        """The settings that the file has now, in the table to write."""
        chosen = self.sources.organization
        return chosen.settings if chosen else self.content.settings

    def ask(self, name: str, offered: str = "", *, before: str = "") -> str:
        """Return the answer about the setting *name*. *before* is what was answered before.

        Otherwise what is in force is offered, or else *offered*. Raises ConfigError.
        """
        definition = SETTINGS_BY_NAME[name]
        question = Question(
            name,
            _WORDS[name],
            partial(_check_answer, definition),
            self.given.get(name, ""),
            before or self._text_in_force(name) or offered,
            definition.environment_variables[0],
        )
        return ask_setting(question)

    def _text_in_force(self, name: str) -> str:
        """Return the value of the setting *name* as it is written; empty if nothing sets it."""
        origin = self.sources.resolve(name).origin
        match origin.kind:
            case OriginKind.ENVIRONMENT:
                return os.environ[origin.name]
            case OriginKind.FILE:
                return str((self.table if origin.table else self.content.settings)[name])
            case _:
                return ""


def _check_answer(definition: SettingDefinition, text: str) -> None:
    """Raise ConfigError if *text* cannot be the value of a setting."""
    value = definition.parse_value(text, f"⟨{definition.name}⟩")
    if definition.name == "store" and not value.absolute().parent.is_dir():
        folder = value.absolute().parent
        raise ConfigError(f"⟨store⟩ {text}: there is no folder {folder}; make it first")


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection that was tested, as it was typed."""

    region: str
    client_id: str
    secret: str = field(repr=False)


def set_up(
    file: Path | None,
    organization: str,
    given: Mapping[str, str],
    *,
    secret_in: SecretPlace | None = None,
    wants_sync: bool | None = None,
) -> tuple[Path, bool]:
    """Ask for settings, test the connection, and write them to the settings file.

    *given* are the answers of options, by setting. Returns the path of the file, and whether to
    sync now. Raises ConfigError, AuthError, Unreachable, UnexpectedAnswer or ApiError; nothing is
    written then.
    """
    if secret_in == "keyring" and not system_keyring.has_keyring():  # noqa: S105
        raise ConfigError(
            "⟨secret_in⟩ keyring: this machine has no system keyring, or the Python library "
            "keyring is not installed; choose file"
        )
    setup = Setup.read(file, organization, given)
    if is_terminal():
        title = f" {setup.sources.organization.title}" if setup.sources.organization else ""
        show_line(f"Settings are written to {setup.path.absolute()}{title}. Ctrl-C writes nothing.")
    for name, text in given.items():
        if text:
            _check_answer(SETTINGS_BY_NAME[name], text)
    if not is_terminal():
        _ask_others(setup)  # raises before anything is sent
    connection = _ask_connection(setup)
    answers = {
        "region": connection.region,
        "client_id": connection.client_id,
        **_ask_others(setup),
    }
    _write_answers(setup, answers, connection, secret_in)
    _warn_of_variables(setup, answers)
    if wants_sync is None and is_terminal():
        wants_sync = confirm(f"Fetch the last {answers['history']} now?")
    if not wants_sync:
        org = f" --org {organization}" if organization else ""
        show_line(f"Next: {program_name()} sync{org}, then {program_name()} report{org}")
    return setup.path, bool(wants_sync)


def _ask_connection(setup: Setup) -> Connection:
    """Return a connection that works; a person is asked again for one that does not."""
    connection = Connection("", "", "")
    while True:
        region = setup.ask("region", before=connection.region)
        client_id = setup.ask("client_id", client_of(os.environ), before=connection.client_id)
        typed = connection.secret if client_id == connection.client_id else ""
        secret = _ask_secret(setup, region, client_id, typed)
        connection = Connection(region, client_id, secret)
        try:
            _test_connection(setup, connection)
        except (ApiError, AuthError, UnexpectedAnswer, Unreachable) as error:
            _name_answers(error, connection)
            if not is_terminal():
                raise
            show_error(error)
            show_line("Please answer again; Enter keeps what is in brackets.")
            setup = replace(setup, given={})
        else:
            return connection


def _name_answers(error: HalfhourError, connection: Connection) -> None:
    """Have *error* speak of answers where it names variables that have not given them."""
    answers = {
        "client_id": (connection.client_id, "the client id"),
        "client_secret": (connection.secret, "the client secret"),
        "region": (connection.region, "the region"),
    }
    for name, (answer, words) in answers.items():
        variable = SETTINGS_BY_NAME[name].environment_variables[0]
        if os.environ.get(variable) != answer:
            error.args = tuple(
                part.replace(variable, words) if isinstance(part, str) else part
                for part in error.args
            )


def _ask_secret(setup: Setup, region: str, client_id: str, typed: str) -> str:
    """Return the secret of *client_id*; one that was *typed* before may be right elsewhere."""
    of_environment = ""
    if client_of(os.environ) in ("", client_id):
        variables = SETTINGS_BY_NAME["client_secret"].environment_variables
        of_environment = next(filter(None, map(os.environ.get, variables)), "")
    present = typed or of_environment or _kept_secret(setup, region, client_id)
    return ask_secret(present, is_given=bool(of_environment))


def _kept_secret(setup: Setup, region: str, client_id: str) -> str:
    """Return the secret of *client_id* in the settings file or the keyring; empty if none."""
    if setup.table.get("client_id") == client_id and setup.table.get("client_secret"):
        return str(setup.table["client_secret"])
    return system_keyring.read_secret(client_id, regions.hosts_of_region(region))


def _test_connection(setup: Setup, connection: Connection) -> None:
    """Log in, and show the name of the organisation. Raises the errors of `Client.call`."""
    environ = {
        name: value
        for name, value in os.environ.items()
        if name not in (FILE_VARIABLE, *SETTINGS_BY_NAME["client_secret"].environment_variables)
    }
    tested = settings.load_settings(
        file=setup.path if setup.content.path else None,
        environ=environ,
        client_id=connection.client_id,
        client_secret=connection.secret,
        region=connection.region,
        attempts=_TEST_ATTEMPTS,
    )
    name = run_async(_fetch_organization_name(tested))
    show_line(f"Connected to {name}.")


async def _fetch_organization_name(tested: Settings) -> str:
    async with Client(tested) as client:
        organization = await client.call(endpoints.ORGANIZATION)
    return organization.name or f"the organisation {organization.id}"


def _machine_zone() -> str:
    """Return the IANA name of the machine's time zone, UTC if it does not tell."""
    import tzlocal

    with warnings.catch_warnings(), suppress(ConfigError, LookupError, OSError, ValueError):
        warnings.simplefilter("ignore")  # of settings of the machine that contradict each other
        name = tzlocal.get_localzone_name()
        parse_zone(name)
        return "UTC" if name == "Etc/UTC" else name
    return "UTC"


def _ask_others(setup: Setup) -> dict[str, str]:
    """Return the answers that are not about the connection."""
    return {
        "zone": setup.ask("zone", _machine_zone()),
        "store": _ask_store(setup),
        "history": setup.ask("history", DEFAULT_HISTORY),
    }


def _ask_store(setup: Setup) -> str:
    """Return the path of the store as it is to be written: absolute, unless it is unchanged."""
    offered = setup.sources.resolve("store").value.absolute()
    answer = setup.ask("store", str(offered))
    is_unchanged = answer == setup.table.get("store")
    return answer if is_unchanged else str(organizations.expand_home(answer).absolute())


def _write_answers(
    setup: Setup,
    answers: Mapping[str, str | None],
    connection: Connection,
    secret_in: SecretPlace | None,
) -> None:
    """Keep the secret and write the settings file; what has not changed is left as it is."""
    is_same_client = setup.table.get("client_id") == connection.client_id
    is_in_file = is_same_client and setup.table.get("client_secret") == connection.secret
    place = secret_in or ("file" if is_in_file else None)
    secret = None if _keep_in_keyring(connection, place) else connection.secret
    answers = {**answers, "client_secret": secret}
    changes = {
        name: answers[name]
        for name in SETTINGS_BY_NAME
        if name in answers and answers[name] != setup.table.get(name)
    }
    path = setup.path
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        changed = change_settings(text, changes, setup.organization)
        if changed != text or setup.content.exposes_secret:
            path.parent.mkdir(parents=True, exist_ok=True)
            holds_secret = bool(secret) or setup.content.has_secret
            mode = path.stat().st_mode & 0o777 if text and not holds_secret else OWNER_ONLY
            write_private_file(path, changed, mode)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror})") from error
    done = "written" if changed != text else "unchanged"
    kept = "in it, and only you can read it" if secret else "in the system keyring"
    show_line(f"{path.absolute()}: {done}. The client secret is {kept}.")


def _keep_in_keyring(connection: Connection, place: SecretPlace | None) -> bool:
    """Keep the secret in the system keyring, and tell whether it is there.

    It is not if *place* is the file, or if *place* is open and there is no keyring. Raises
    ConfigError if *place* is a keyring that does not take it.
    """
    if place == "file" or not system_keyring.has_keyring():
        return False
    hosts = regions.hosts_of_region(connection.region)
    try:
        if system_keyring.read_secret(connection.client_id, hosts) != connection.secret:
            system_keyring.write_secret(connection.client_id, hosts, connection.secret)
    except ConfigError as error:
        if place:
            raise
        show_error(error)
        return False
    return True


def _warn_of_variables(setup: Setup, answers: Mapping[str, str]) -> None:
    """Tell which variables of the environment will be used before the answers."""
    variables = [
        variable
        for name, answer in answers.items()
        for variable in SETTINGS_BY_NAME[name].environment_variables
        if os.environ.get(variable, answer) != answer
    ]
    if variables and not setup.organization:
        differ, are, them = (
            ("differs", "is", "it") if len(variables) == 1 else ("differ", "are", "them")
        )
        show_line(
            f"{', '.join(variables)} in the environment {differ} from the file and {are} used "
            f"before the file; unset {them} to use the file."
        )
