"""Load the settings: options before the environment, a settings file and the defaults.

The table of an organisation that is named comes between the options and the environment.
"""

import logging
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from halfhour import organizations
from halfhour.errors import AuthError, ConfigError, suggest_name
from halfhour.genesys import regions
from halfhour.genesys.connection import Settings
from halfhour.genesys.regions import Hosts
from halfhour.genesys.retry_policy import RetryPolicy
from halfhour.organizations import Organization
from halfhour.redaction import register_secret

log = logging.getLogger("halfhour")

SETTINGS_FILES = ("halfhour.toml", "~/.config/halfhour/halfhour.toml")
"""The places of a settings file; the first one that exists is read."""

MIN_KEY_LENGTH = 16


@dataclass(frozen=True, slots=True)
class _SettingsFile:
    """A settings file: its *path*, its settings, and its organisations; all empty if none."""

    path: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)
    organizations: Mapping[str, Organization] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SettingDefinition:
    """A setting: its name in a file (and, with dashes, as an option) and in the environment."""

    name: str
    environment_variables: tuple[str, ...]
    parse_text: Callable[[str], Any] = str
    default: Any = ""


def _parse_seconds(text: str) -> float:
    if not 0 < (value := float(text)) < float("inf"):
        raise ValueError(text)
    return value


def _parse_count(text: str) -> int:
    if (value := int(text)) < 1:
        raise ValueError(text)
    return value


SETTINGS_BY_NAME = {
    setting.name: setting
    for setting in (
        SettingDefinition(
            "client_id",
            ("GENESYS_CLIENT_ID", "GENESYSCLOUD_OAUTHCLIENT_ID", "GENESYS_CLOUD_CLIENT_ID"),
        ),
        SettingDefinition(
            "client_secret",
            (
                "GENESYS_CLIENT_SECRET",
                "GENESYSCLOUD_OAUTHCLIENT_SECRET",
                "GENESYS_CLOUD_CLIENT_SECRET",
            ),
        ),
        SettingDefinition(
            "region", ("GENESYS_REGION", "GENESYSCLOUD_REGION"), default=regions.DEFAULT_DOMAIN
        ),
        SettingDefinition(
            "timeout", ("HALFHOUR_TIMEOUT",), _parse_seconds, RetryPolicy().silence_timeout
        ),
        SettingDefinition("attempts", ("HALFHOUR_ATTEMPTS",), _parse_count, RetryPolicy().attempts),
        SettingDefinition(
            "max_requests_per_minute",
            ("HALFHOUR_MAX_REQUESTS_PER_MINUTE",),
            _parse_count,
            default=None,
        ),
        SettingDefinition("pseudonym_key", ("HALFHOUR_PSEUDONYM_KEY",)),
    )
}


CREDENTIALS = ("client_id", "client_secret")
"""The settings that an organisation has for itself, whatever the rest of the file says."""


def load_settings(
    *,
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
    org: str | Organization = "",
    **flags: object,
) -> Settings:
    """Return the settings in force; *flags* that are None do not count.

    A *file* must exist; without it the first existing one of `SETTINGS_FILES` is read. *org* is
    the organisation whose table of the file wins over the environment; a warning names the
    variables that say something else.
    Raises AuthError without credentials, and ConfigError if a setting cannot be understood, if
    *file* and the environment name different clients, or if there is no such *org*.
    """
    environ = os.environ if environ is None else environ
    content = _read_settings_file(file)
    organization = _find_organization(org, content)
    if organization:
        _refuse_another_client(organization, flags)
        _warn_of_clashes(organization, environ)
    elif file and not flags.get("client_id"):
        _refuse_two_clients(environ, content)
    values = _resolve_values(flags, environ, content, organization)
    if not values["client_id"] or not values["client_secret"]:
        missing = "secret" if values["client_id"] else "id"
        raise AuthError(_missing_credential(missing, content, organization))
    hosts = regions.hosts_of_region(values["region"])
    if not (organization or (file and hosts.on_this_machine)):
        _protect_secret(values, _resolve_values(flags, environ, _SettingsFile()), content)
    return Settings(
        client_id=values["client_id"],
        client_secret=values["client_secret"],
        hosts=hosts,
        retry_policy=RetryPolicy(attempts=values["attempts"], silence_timeout=values["timeout"]),
        max_requests_per_minute=values["max_requests_per_minute"],
    )


def _missing_credential(
    missing: str, content: _SettingsFile, organization: Organization | None
) -> str:
    if organization:
        return (
            f"{organization.path}: {organization.title} has no client_{missing}; add that of the "
            "organisation's OAuth client with the grant type Client Credentials"
        )
    names = ", ".join(content.organizations)
    choice = f"; or choose an organisation of {content.path} with ⟨org⟩: {names}" if names else ""
    return (
        f"no client {missing}: set GENESYS_CLIENT_ID and GENESYS_CLIENT_SECRET to those of an "
        "OAuth client with the grant type Client Credentials (Genesys Cloud: Admin, "
        f"Integrations, OAuth), or run 'halfhour demo', which needs no account{choice}"
    )


def load_organizations(names: Sequence[str], *, file: Path | None = None) -> list[Organization]:
    """Return the organisations of *names* in a settings file; `organizations.ALL` means every one.

    The *file* is that of `load_settings`. Raises ConfigError if it has no such organisation.
    """
    content = _read_settings_file(file)
    return organizations.choose_organizations(names, content.organizations, content.path)


def clashing_variables(
    organization: Organization, environ: Mapping[str, str] | None = None
) -> list[str]:
    """Return the names of environment variables that *organization* overrules."""
    return organizations.clashing_variables(
        organization,
        os.environ if environ is None else environ,
        {setting.name: setting.environment_variables for setting in SETTINGS_BY_NAME.values()},
    )


def describe_clashes(variables: Iterable[str], title: str, path: str) -> str:
    """Return the warning that the table called *title* overrules *variables*, without values."""
    return (
        f"{', '.join(variables)} in the environment differ from {title} of {path}, which is used "
        "because ⟨org⟩ names it; unset them to see no more of this"
    )


def _find_organization(org: str | Organization, content: _SettingsFile) -> Organization | None:
    if not org or isinstance(org, Organization):
        return org or None
    if org == organizations.ALL:
        raise ConfigError(f"⟨org⟩ {org}: a connection is to one organisation; name one")
    chosen = organizations.choose_organizations([org], content.organizations, content.path)
    return chosen[0]


def _warn_of_clashes(organization: Organization, environ: Mapping[str, str]) -> None:
    if variables := clashing_variables(organization, environ):
        log.warning("%s", describe_clashes(variables, organization.title, organization.path))


def _refuse_another_client(organization: Organization, flags: Mapping[str, object]) -> None:
    """Raise ConfigError if *flags* name another client, whose secret is not in the table."""
    client_id = str(organization.settings.get("client_id", ""))
    if flags.get("client_id") not in (None, "", client_id):
        raise ConfigError(
            f"⟨client_id⟩: {organization.title} of {organization.path} has another client; leave "
            "out ⟨client_id⟩ or ⟨org⟩"
        )


def validate_settings_file(file: Path) -> None:
    """Raise ConfigError if the settings in *file* cannot be read or understood."""
    content = _read_settings_file(file)
    for organization in (None, *content.organizations.values()):
        _resolve_values({}, {}, content, organization)


def configured_hosts(
    *,
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
    org: Organization | None = None,
    region: str | None = None,
) -> Hosts:
    """Return the hosts of the settings in force; needs no credentials."""
    return regions.hosts_of_region(_single_value("region", region, environ, file, org))


def configured_request_rate(
    file: Path | None, flag: int | None, org: Organization | None = None
) -> int | None:
    """Return the most requests a minute that the settings allow, or None; needs no credentials."""
    request_rate: int | None = _single_value("max_requests_per_minute", flag, None, file, org)
    return request_rate


def load_pseudonym_key(
    *,
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
    org: Organization | None = None,
) -> str:
    """Return the key of pseudonyms. Raises ConfigError if it is not set or too short."""
    key = str(_single_value("pseudonym_key", None, environ, file, org))
    if len(key) < MIN_KEY_LENGTH:
        raise ConfigError(
            f"⟨pseudonyms⟩: {'the key is too short' if key else 'there is no key'}; set "
            f"HALFHOUR_PSEUDONYM_KEY to {MIN_KEY_LENGTH} characters or more that nobody can guess, "
            "and keep them: another key gives everyone another pseudonym"
        )
    register_secret(key)
    return key


def _single_value(
    name: str,
    flag: object,
    environ: Mapping[str, str] | None,
    file: Path | None,
    organization: Organization | None = None,
) -> Any:
    environ = os.environ if environ is None else environ
    setting, content = SETTINGS_BY_NAME[name], _read_settings_file(file)
    return _resolve_value(setting, {name: flag}, environ, content, organization)


def _refuse_two_clients(environ: Mapping[str, str], content: _SettingsFile) -> None:
    """Raise ConfigError if the file and the environment name different clients."""
    setting, path = SETTINGS_BY_NAME["client_id"], content.path
    variable = next((name for name in setting.environment_variables if environ.get(name)), None)
    client_id = _resolve_value(setting, {}, {}, content)
    if variable and client_id and client_id != environ[variable]:
        raise ConfigError(
            f"{path}: client_id is {client_id!r}, and {variable} is {environ[variable]!r}; unset "
            "id and secret in the environment to use the file's client, remove client_id from the "
            "file to use the environment's, or choose one with ⟨client_id⟩"
        )


def _protect_secret(
    values: Mapping[str, Any], values_without_file: Mapping[str, Any], content: _SettingsFile
) -> None:
    """Refuse to send a secret from elsewhere to a URL that only a settings file names.

    Somebody else may have left the file in the folder. A file that also names the client is taken
    for the user's own. *values* are the settings in force.
    """
    path, file_values = content.path, content.settings
    is_url_of_file = "://" in values["region"] and values["region"] != values_without_file["region"]
    names_client = str(file_values.get("client_id", "")) == values["client_id"]
    if is_url_of_file and values_without_file["client_secret"] and not names_client:
        raise ConfigError(
            f"{path}: region is a base URL, to which a secret from elsewhere is not sent; if the "
            "file is yours, add client_id to it, or give the URL as ⟨region⟩ or GENESYS_REGION"
        )


def _read_settings_file(file: Path | None) -> _SettingsFile:
    # Path.expanduser fails without a home folder, as in some containers.
    default_paths = (Path(os.path.expanduser(name)) for name in SETTINGS_FILES)  # noqa: PTH111
    path = file or next((path for path in default_paths if path.is_file()), None)
    if path is None:
        return _SettingsFile()
    import tomllib  # imported late, because most commands run without a settings file

    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}); check the path of the settings file"
        ) from error
    except (ValueError, RecursionError) as error:  # also too large a number or too deep a nesting
        raise ConfigError(f"{path}: the settings are not valid TOML: {error}") from error
    tables = organizations.parse_organizations(
        values.pop(organizations.TABLE, {}), str(path), SETTINGS_BY_NAME
    )
    for table in (values, *(organization.settings for organization in tables.values())):
        register_secret(str(table.get("client_secret", "")))
    for name in values:
        if name in organizations.OWN_SETTINGS:
            raise ConfigError(
                f"{path}: {name!r} is a setting of an organisation; write it below a line "
                f"[{organizations.TABLE}.NAME]"
            )
        if name not in SETTINGS_BY_NAME:
            choices = ", ".join(SETTINGS_BY_NAME)
            hint = suggest_name(name, SETTINGS_BY_NAME) or f"; the settings are {choices}"
            raise ConfigError(f"{path}: unknown setting {name!r}{hint}")
    return _SettingsFile(str(path), values, tables)


def _resolve_values(
    flags: Mapping[str, object],
    environ: Mapping[str, str],
    content: _SettingsFile,
    organization: Organization | None = None,
) -> dict[str, Any]:
    return {
        name: _resolve_value(setting, flags, environ, content, organization)
        for name, setting in SETTINGS_BY_NAME.items()
    }


def _resolve_value(
    setting: SettingDefinition,
    flags: Mapping[str, object],
    environ: Mapping[str, str],
    content: _SettingsFile,
    organization: Organization | None = None,
) -> Any:
    for origin, value in _candidates(setting, flags, environ, content, organization):
        if value is None or value == "":
            continue
        try:
            return setting.parse_text(str(value))
        except ValueError as error:
            raise ConfigError(f"{origin}: {value!r} is not a number above 0") from error
    return setting.default


def _candidates(
    setting: SettingDefinition,
    flags: Mapping[str, object],
    environ: Mapping[str, str],
    content: _SettingsFile,
    organization: Organization | None,
) -> list[tuple[str, object]]:
    """Return the values of *setting* with their origins, the first one that is set counts.

    An organisation has its own credentials, so those of the environment and of the rest of the
    file do not count, but for a secret in the environment that is of the same client.
    """
    name = setting.name
    variables = [(variable, environ.get(variable)) for variable in setting.environment_variables]
    of_file = (f"{content.path}: {name}", content.settings.get(name))
    candidates: list[tuple[str, object]] = [(f"⟨{name}⟩", flags.get(name))]
    if organization is None:
        return [*candidates, *variables, of_file]
    of_table = (
        f"{organization.path}: {organization.title} {name}",
        organization.settings.get(name),
    )
    candidates.append(of_table)
    if name not in CREDENTIALS:
        return [*candidates, *variables, of_file]
    if name == "client_secret" and _is_client_of(environ, organization):
        candidates += variables
    return candidates


def _is_client_of(environ: Mapping[str, str], organization: Organization) -> bool:
    """Tell whether the first client that *environ* names is that of *organization*."""
    variables = SETTINGS_BY_NAME["client_id"].environment_variables
    client_id = next((environ[name] for name in variables if environ.get(name)), "")
    return bool(client_id) and client_id == str(organization.settings.get("client_id"))
