"""Flags > environment > settings file > defaults, as one frozen value."""

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from halfhour.errors import AuthError, ConfigError, suggest_name
from halfhour.genesys import regions
from halfhour.genesys.connection import Settings
from halfhour.genesys.regions import Hosts
from halfhour.genesys.retry_policy import RetryPolicy
from halfhour.redaction import register_secret

SETTINGS_FILES = ("halfhour.toml", "~/.config/halfhour/halfhour.toml")
"""The places of a settings file; the first one that exists is read."""

MIN_KEY_LENGTH = 16
_FileContent = tuple[str, Mapping[str, Any]]
"""The path of a settings file, and what it says; empty where there is none."""


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


def load_settings(
    *, file: Path | None = None, environ: Mapping[str, str] | None = None, **flags: object
) -> Settings:
    """The settings in force; *flags* that are None count as not given.

    *file* must exist if it is named; else the first of `FILES` is read, if
    there is one. Raises AuthError without credentials, ConfigError for
    anything that cannot be understood, or where a file that is named and the
    environment name two clients.
    """
    environ = os.environ if environ is None else environ
    written = _read_settings_file(file)
    if file and not flags.get("client_id"):
        _refuse_two_clients(environ, written)
    values = _resolve_values(flags, environ, written)
    if not values["client_id"] or not values["client_secret"]:
        missing = "secret" if values["client_id"] else "id"
        raise AuthError(
            f"no client {missing}: set GENESYS_CLIENT_ID and GENESYS_CLIENT_SECRET to those of an "
            "OAuth client with the grant type Client Credentials (Genesys Cloud: Admin, "
            "Integrations, OAuth), or run 'halfhour demo', which needs no account"
        )
    hosts = regions.hosts_of_region(values["region"])
    if not (file and hosts.on_this_machine):
        _protect_secret(values, _resolve_values(flags, environ, ("", {})), written)
    if not hosts.on_this_machine:
        _validate_certificates(environ)
    return Settings(
        client_id=values["client_id"],
        client_secret=values["client_secret"],
        hosts=hosts,
        retry_policy=RetryPolicy(attempts=values["attempts"], silence_timeout=values["timeout"]),
        max_requests_per_minute=values["max_requests_per_minute"],
    )


def validate_settings_file(file: Path) -> None:
    """Raises ConfigError if the settings in *file* cannot be read or understood."""
    _resolve_values({}, {}, _read_settings_file(file))


def configured_hosts(
    *, file: Path | None = None, environ: Mapping[str, str] | None = None, region: str | None = None
) -> Hosts:
    """Return the hosts of the settings in force; needs no credentials."""
    return regions.hosts_of_region(_single_value("region", region, environ, file))


def configured_request_rate(file: Path | None, flag: int | None) -> int | None:
    """Return the most requests a minute that the settings allow, or None; needs no credentials."""
    allowed: int | None = _single_value("max_requests_per_minute", flag, None, file)
    return allowed


def load_pseudonym_key(
    *, file: Path | None = None, environ: Mapping[str, str] | None = None
) -> str:
    """Return the key of pseudonyms. Raises ConfigError if it is not set or too short."""
    key = str(_single_value("pseudonym_key", None, environ, file))
    if len(key) < MIN_KEY_LENGTH:
        raise ConfigError(
            f"⟨pseudonyms⟩: {'the key is too short' if key else 'there is no key'}; set "
            f"HALFHOUR_PSEUDONYM_KEY to {MIN_KEY_LENGTH} characters or more that nobody can guess, "
            "and keep them: with another key everyone has another name"
        )
    register_secret(key)
    return key


def _single_value(
    name: str, flag: object, environ: Mapping[str, str] | None, file: Path | None
) -> Any:
    environ = os.environ if environ is None else environ
    return _resolve_value(SETTINGS_BY_NAME[name], {name: flag}, environ, _read_settings_file(file))


def _refuse_two_clients(environ: Mapping[str, str], written: _FileContent) -> None:
    """Raises ConfigError where the file and the environment name different clients."""
    setting, (path, _) = SETTINGS_BY_NAME["client_id"], written
    variable = next((name for name in setting.environment_variables if environ.get(name)), None)
    client_id = _resolve_value(setting, {}, {}, written)
    if variable and client_id and client_id != environ[variable]:
        raise ConfigError(
            f"{path}: client_id is {client_id!r}, and {variable} is {environ[variable]!r}; unset "
            "id and secret in the environment to use the file's, take client_id out of the file "
            "to use the environment's, or choose one with ⟨client_id⟩"
        )


def _protect_secret(
    values: Mapping[str, Any], outside: Mapping[str, Any], written: _FileContent
) -> None:
    """Refuse to send a secret from elsewhere to an address that only a settings file names.

    Somebody else may have left the file in the folder; but whoever wrote a file that also names the
    client has the secret. *values* are the settings in force, *outside* those without the file.
    """
    path, in_file = written
    led_by_file = "://" in values["region"] and values["region"] != outside["region"]
    names_client = str(in_file.get("client_id", "")) == values["client_id"]
    if led_by_file and outside["client_secret"] and not names_client:
        raise ConfigError(
            f"{path}: region is a base URL, to which a secret from elsewhere is not sent; write "
            "client_id there, too, if the file is yours, or give the URL as ⟨region⟩ or "
            "GENESYS_REGION"
        )


def _validate_certificates(environ: Mapping[str, str]) -> None:
    """Raises ConfigError where the environment names certificates that cannot be read.

    Of a folder they are read one by one as they are needed, and only as OpenSSL calls their files.
    """
    import ssl

    file, folders = (environ.get(name, "") for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"))
    try:
        if file:
            ssl.create_default_context(cafile=file)
    except OSError as error:
        reason = "no certificate is in it" if isinstance(error, ssl.SSLError) else error.strerror
        raise ConfigError(
            f"SSL_CERT_FILE {file}: cannot be read ({reason}); set the variable to a file of "
            "certificates (PEM) that are to be trusted, or unset it"
        ) from error
    if folders and not file and not any(map(os.path.isdir, folders.split(os.pathsep))):
        raise ConfigError(
            f"SSL_CERT_DIR {folders}: there is no such folder; set the variable to one of "
            "certificates that are to be trusted, or unset it"
        )


def _read_settings_file(named: Path | None) -> _FileContent:
    # Not Path.expanduser, which fails where there is no home, as in some containers.
    usual = (Path(os.path.expanduser(name)) for name in SETTINGS_FILES)  # noqa: PTH111
    path = named or next((path for path in usual if path.is_file()), None)
    if path is None:
        return "", {}
    try:
        written = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:  # also a number or a nesting past all bounds
        raise ConfigError(f"{path}: not TOML: {error}") from error
    for name in written:
        if name not in SETTINGS_BY_NAME:
            hint = (
                suggest_name(name, SETTINGS_BY_NAME) or f"; known are {', '.join(SETTINGS_BY_NAME)}"
            )
            raise ConfigError(f"{path}: unknown setting {name!r}{hint}")
    return str(path), written


def _resolve_values(
    flags: Mapping[str, object],
    environ: Mapping[str, str],
    written: _FileContent,
) -> dict[str, Any]:
    return {
        name: _resolve_value(setting, flags, environ, written)
        for name, setting in SETTINGS_BY_NAME.items()
    }


def _resolve_value(
    setting: SettingDefinition,
    flags: Mapping[str, object],
    environ: Mapping[str, str],
    written: _FileContent,
) -> Any:
    path, in_file = written
    places = [(f"⟨{setting.name}⟩", flags.get(setting.name))]
    places += [(name, environ.get(name)) for name in setting.environment_variables]
    places += [(f"{path}: {setting.name}", in_file.get(setting.name))]
    for where, value in places:
        if value is None or value == "":
            continue
        try:
            return setting.parse_text(str(value))
        except ValueError as error:
            raise ConfigError(f"{where}: {value!r} is not a number above 0") from error
    return setting.default
