"""Load the settings: options before the environment, a settings file and the defaults.

The table of an organisation that is named comes between the options and the environment.
"""

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from halfhour import organizations
from halfhour.errors import AuthError, ConfigError
from halfhour.genesys import regions
from halfhour.genesys.connection import Settings
from halfhour.genesys.regions import Hosts
from halfhour.genesys.retry_policy import RetryPolicy
from halfhour.organizations import Organization
from halfhour.redaction import register_secret
from halfhour.settings import resolution
from halfhour.settings.definitions import SETTINGS_BY_NAME
from halfhour.settings.resolution import (
    Origin,
    OriginKind,
    ResolvedSetting,
    Sources,
)
from halfhour.settings.settings_file import (
    SettingsFile,
    named_file,
    read_settings_file,
)

__all__ = [
    "MIN_KEY_LENGTH",
    "SETTINGS_BY_NAME",
    "Settings",
    "clashing_variables",
    "configured_hosts",
    "configured_request_rate",
    "configured_setting",
    "configured_value",
    "describe_clashes",
    "load_organizations",
    "load_pseudonym_key",
    "load_settings",
    "read_checked_file",
    "resolved_settings",
]

log = logging.getLogger("halfhour")

MIN_KEY_LENGTH = 16


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
    file = named_file(file, environ)
    content = read_settings_file(file, environ)
    organization = _find_organization(org, content)
    if organization:
        _refuse_another_client(organization, flags)
        _warn_of_clashes(organization, environ)
    elif file and not flags.get("client_id"):
        _refuse_two_clients(environ, content)
    settings = _resolve_all(_sources(flags, environ, content, organization))
    values = {name: setting.value for name, setting in settings.items()}
    hosts = regions.hosts_of_region(values["region"])
    if not (organization or (file and hosts.on_this_machine)):
        _protect_secret(values, _sources(flags, environ).resolve_all(), content)
    if not values["client_id"] or not values["client_secret"]:
        missing = "secret" if values["client_id"] else "id"
        raise AuthError(_missing_credential(missing, content, organization))
    return Settings(
        client_id=values["client_id"],
        client_secret=values["client_secret"],
        hosts=hosts,
        retry_policy=RetryPolicy(attempts=values["attempts"], silence_timeout=values["timeout"]),
        max_requests_per_minute=values["max_requests_per_minute"],
    )


def _sources(
    flags: Mapping[str, object],
    environ: Mapping[str, str],
    content: SettingsFile | None = None,
    organization: Organization | None = None,
) -> Sources:
    content = content or SettingsFile()
    return Sources(flags, environ, content.path, content.settings, organization)


def _resolve_all(sources: Sources) -> dict[str, ResolvedSetting]:
    """Return every setting in force; a secret that nothing else gives is read from the keyring."""
    settings = sources.resolve_all()
    client_id, secret = settings["client_id"].value, settings["client_secret"]
    if client_id and not secret.value:
        from halfhour.settings import system_keyring  # imported late, as few have a secret there

        hosts = regions.hosts_of_region(settings["region"].value)
        if kept_secret := system_keyring.read_secret(client_id, hosts):
            origin = Origin(OriginKind.KEYRING)
            settings["client_secret"] = ResolvedSetting(secret.definition, kept_secret, origin)
    return settings


def _missing_credential(
    missing: str, content: SettingsFile, organization: Organization | None
) -> str:
    if organization:
        return (
            f"{organization.path}: {organization.title} has no client_{missing}; run 'halfhour "
            f"init' with ⟨org⟩ {organization.name}, or add that of the organisation's OAuth client "
            "with the grant type Client Credentials"
        )
    names = ", ".join(content.organizations)
    choice = f"; or choose an organisation of {content.path} with ⟨org⟩: {names}" if names else ""
    return (
        f"no client {missing}, without which only 'halfhour demo' works; run 'halfhour init', or "
        "set GENESYS_CLIENT_ID and GENESYS_CLIENT_SECRET to those of an OAuth client with the "
        f"grant type Client Credentials (Genesys Cloud: Admin, Integrations, OAuth){choice}"
    )


def load_organizations(names: Sequence[str], *, file: Path | None = None) -> list[Organization]:
    """Return the organisations of *names* in a settings file; `organizations.ALL` means every one.

    The *file* is that of `load_settings`. Raises ConfigError if it has no such organisation.
    """
    content = read_settings_file(file, os.environ)
    return organizations.choose_organizations(names, content.organizations, content.path)


def clashing_variables(
    organization: Organization, environ: Mapping[str, str] | None = None
) -> list[str]:
    """Return the names of environment variables that *organization* overrules."""
    return resolution.clashing_variables(organization, os.environ if environ is None else environ)


def describe_clashes(variables: Sequence[str], title: str, path: str) -> str:
    """Return the warning that the table called *title* overrules *variables*, without values."""
    differ, them = ("differs", "it") if len(variables) == 1 else ("differ", "them")
    return (
        f"{', '.join(variables)} in the environment {differ} from {title} of {path}, which is used "
        f"because ⟨org⟩ names it; unset {them} to see no more of this"
    )


def _find_organization(org: str | Organization, content: SettingsFile) -> Organization | None:
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


def read_checked_file(file: Path | None) -> SettingsFile:
    """Return the settings file that is read. Raises ConfigError for anything wrong in it."""
    return read_settings_file(file, os.environ)


def configured_hosts(
    *,
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
    org: Organization | None = None,
    region: str | None = None,
) -> Hosts:
    """Return the hosts of the settings in force; needs no credentials."""
    return regions.hosts_of_region(
        configured_value("region", region, file=file, environ=environ, org=org)
    )


def configured_request_rate(
    file: Path | None, flag: int | None, org: Organization | None = None
) -> int | None:
    """Return the most requests a minute that the settings allow, or None; needs no credentials."""
    request_rate: int | None = configured_value("max_requests_per_minute", flag, file=file, org=org)
    return request_rate


def load_pseudonym_key(
    *,
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
    org: Organization | None = None,
) -> str:
    """Return the key of pseudonyms. Raises ConfigError if it is not set or too short."""
    key = str(configured_value("pseudonym_key", file=file, environ=environ, org=org))
    if len(key) < MIN_KEY_LENGTH:
        raise ConfigError(
            f"⟨pseudonyms⟩: {'the key is too short' if key else 'there is no key'}; set "
            f"HALFHOUR_PSEUDONYM_KEY to {MIN_KEY_LENGTH} characters or more that nobody can guess, "
            "and keep them: another key gives everyone another pseudonym"
        )
    register_secret(key)
    return key


def configured_value(
    name: str,
    flag: object = None,
    *,
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
    org: Organization | None = None,
) -> Any:
    """Return the value of the setting *name* in force; needs no credentials. Raises ConfigError."""
    return configured_setting(name, flag, file=file, environ=environ, org=org).value


def configured_setting(
    name: str,
    flag: object = None,
    *,
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
    org: Organization | None = None,
) -> ResolvedSetting:
    """Return the setting *name* in force with its origin; needs no credentials.

    Raises ConfigError.
    """
    environ = os.environ if environ is None else environ
    content = read_settings_file(file, environ)
    return _sources({name: flag}, environ, content, org).resolve(name)


def resolved_settings(
    *,
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
    org: Organization | None = None,
    **flags: object,
) -> dict[str, ResolvedSetting]:
    """Return every setting in force by name, with its origin. Raises ConfigError."""
    environ = os.environ if environ is None else environ
    content = read_settings_file(file, environ)
    return _resolve_all(_sources(flags, environ, content, org))


def _refuse_two_clients(environ: Mapping[str, str], content: SettingsFile) -> None:
    """Raise ConfigError if the file and the environment name different clients."""
    variables = SETTINGS_BY_NAME["client_id"].environment_variables
    variable = next((name for name in variables if environ.get(name)), None)
    client_id = content.settings.get("client_id")
    if variable and client_id and client_id != environ[variable]:
        raise ConfigError(
            f"{content.path}: client_id is {client_id!r}, and {variable} is {environ[variable]!r}; "
            "unset id and secret in the environment to use the file's client, remove client_id "
            "from the file to use the environment's, or choose one with ⟨client_id⟩"
        )


def _protect_secret(
    values: Mapping[str, Any],
    settings_without_file: Mapping[str, ResolvedSetting],
    content: SettingsFile,
) -> None:
    """Refuse to send a secret from elsewhere to a URL that only a settings file names.

    Somebody else may have left the file in the folder. A file that also names the client is taken
    for the user's own. *values* are the settings in force.
    """
    path, file_values = content.path, content.settings
    region, secret = (settings_without_file[name].value for name in ("region", "client_secret"))
    is_url_of_file = "://" in values["region"] and values["region"] != region
    names_client = str(file_values.get("client_id", "")) == values["client_id"]
    if is_url_of_file and secret and not names_client:
        raise ConfigError(
            f"{path}: region is a base URL, to which a secret from elsewhere is not sent; if the "
            "file is yours, add client_id to it, or give the URL as ⟨region⟩ or GENESYS_REGION"
        )
