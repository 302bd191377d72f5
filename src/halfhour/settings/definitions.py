"""The settings: names, environment variables, kinds of values, defaults and meanings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from halfhour import organizations
from halfhour.errors import ConfigError
from halfhour.genesys import regions
from halfhour.genesys.retry_policy import RetryPolicy
from halfhour.model import time_ranges
from halfhour.model.question import describe_choices, require_choice
from halfhour.model.vocabulary import Basis, Format


class Kind(StrEnum):
    """The kind of a value in a settings file, in words."""

    TEXT = "a text in quotes"
    NUMBER = "a number above 0"
    NAMES = 'a list of texts, such as ["Billing", "Sales"]'


@dataclass(frozen=True, slots=True)
class SettingDefinition:
    """A setting: its name in a file, its names in the environment, and its meaning.

    *parse* makes its value from a text, or from a number or a tuple of texts if it is of such a
    *kind*, and raises ConfigError or ValueError. *default* is its value if nothing sets it,
    *default_text* tells people. The value of a setting that *is_secret* is never shown.
    """

    name: str
    environment_variables: tuple[str, ...]
    meaning: str
    kind: Kind = Kind.TEXT
    parse: Callable[[Any], Any] = str
    default: Any = ""
    default_text: str = ""
    is_secret: bool = False

    def parse_value(self, value: object, label: str) -> Any:
        """Return the parsed *value*; *label* tells where it is. Raises ConfigError."""
        if not self._is_of_kind(value):
            shown = "has a value of another kind" if self.is_secret else f"is {value!r}"
            raise ConfigError(f"{label} {shown}; write {self.kind}")
        try:
            return self.parse(value)
        except ConfigError as error:
            text = Exception.__str__(error)
            own_label = f"⟨{self.name}⟩"
            if text.startswith(own_label):
                text = label + text.removeprefix(own_label)
            elif label != own_label:
                text = f"{label}: {text}"
            raise ConfigError(text) from error
        except (ValueError, OverflowError) as error:
            raise ConfigError(f"{label}: {value!r} is not {self.kind}") from error

    def _is_of_kind(self, value: object) -> bool:
        match self.kind:
            case Kind.TEXT:
                return isinstance(value, str | Path)
            case Kind.NUMBER:
                return isinstance(value, str | int | float) and not isinstance(value, bool)
            case Kind.NAMES:
                names = value if isinstance(value, list | tuple) else (value,)
                return all(isinstance(name, str) for name in names)


def _parse_seconds(value: str | float) -> float:
    if not 0 < (seconds := float(value)) < float("inf"):
        raise ValueError(value)
    return seconds


def _parse_count(value: str | float) -> int:
    if (count := int(str(value))) < 1:
        raise ValueError(value)
    return count


def _parse_region(text: str) -> str:
    regions.hosts_of_region(text)
    return text


def _parse_zone(name: str) -> str:
    time_ranges.parse_zone(name)
    return name


def _parse_names(names: str | list[str] | tuple[str, ...]) -> tuple[str, ...]:
    return tuple(filter(None, (names,) if isinstance(names, str) else names))


def _parse_basis(text: str) -> Basis:
    require_choice("basis", text, Basis)
    return Basis(text)


def _parse_format(text: str) -> Format:
    names = {name.lower(): form for name, form in Format.__members__.items()}
    if text.lower() not in names:
        raise ConfigError(describe_choices("⟨format⟩", text.lower(), Format, aliases=names))
    return names[text.lower()]


_POLICY = RetryPolicy()
_DEFINITIONS = (
    SettingDefinition(
        "client_id",
        ("GENESYS_CLIENT_ID", "GENESYSCLOUD_OAUTHCLIENT_ID", "GENESYS_CLOUD_CLIENT_ID"),
        "the id of the OAuth client, which has the grant type Client Credentials",
    ),
    SettingDefinition(
        "client_secret",
        (
            "GENESYS_CLIENT_SECRET",
            "GENESYSCLOUD_OAUTHCLIENT_SECRET",
            "GENESYS_CLOUD_CLIENT_SECRET",
        ),
        "the secret of the OAuth client; it has no option, so that it stays out of the history of "
        "the shell",
        default_text="the one in the system keyring",
        is_secret=True,
    ),
    SettingDefinition(
        "region",
        ("GENESYS_REGION", "GENESYSCLOUD_REGION"),
        "the region of Genesys Cloud: an AWS region such as `eu-west-1`, a domain such as "
        "`mypurecloud.ie`, or a base URL",
        parse=_parse_region,
        default=regions.DEFAULT_DOMAIN,
    ),
    SettingDefinition(
        "zone",
        ("HALFHOUR_ZONE",),
        "the IANA time zone of dates and times, such as `Europe/London`",
        parse=_parse_zone,
        default="UTC",
    ),
    SettingDefinition(
        "store",
        ("HALFHOUR_STORE",),
        "the file of the store; a relative path begins in the current folder",
        parse=organizations.expand_home,
        default=Path("halfhour.duckdb"),
        default_text="halfhour.duckdb; NAME.duckdb of an organisation",
    ),
    SettingDefinition(
        "history",
        ("HALFHOUR_HISTORY",),
        "how far back `halfhour sync` reads without a range, such as `90d`; it never skips days "
        "since the first one in the store",
        parse=lambda text: time_ranges.parse_duration("history", text),
        default=None,
        default_text="31d in a new store; the first day of any other",
    ),
    SettingDefinition(
        "keep",
        ("HALFHOUR_KEEP",),
        "the age above which `halfhour sync` deletes days, such as `400d`",
        parse=lambda text: time_ranges.parse_duration("keep", text),
        default=None,
        default_text="keep all days",
    ),
    SettingDefinition(
        "queues",
        ("HALFHOUR_QUEUES",),
        "the queues of a report, by name or id",
        Kind.NAMES,
        _parse_names,
        default=(),
        default_text="all",
    ),
    SettingDefinition(
        "agents",
        ("HALFHOUR_AGENTS",),
        "the agents of a report, by name or id",
        Kind.NAMES,
        _parse_names,
        default=(),
        default_text="all",
    ),
    SettingDefinition(
        "divisions",
        ("HALFHOUR_DIVISIONS",),
        "the divisions of the agents of a report, by name",
        Kind.NAMES,
        _parse_names,
        default=(),
        default_text="all",
    ),
    SettingDefinition(
        "basis",
        ("HALFHOUR_BASIS",),
        "the basis of a report: `posted`, `worked` or `both`",
        parse=_parse_basis,
        default=Basis.POSTED,
    ),
    SettingDefinition(
        "format",
        ("HALFHOUR_FORMAT",),
        "the format of a report, where neither an option nor the suffix of a file names one",
        parse=_parse_format,
        default=Format.TABLE,
    ),
    SettingDefinition(
        "timeout",
        ("HALFHOUR_TIMEOUT",),
        "the seconds without an answer after which a request fails",
        Kind.NUMBER,
        _parse_seconds,
        _POLICY.silence_timeout,
    ),
    SettingDefinition(
        "attempts",
        ("HALFHOUR_ATTEMPTS",),
        "the number of attempts per request, the first one included",
        Kind.NUMBER,
        _parse_count,
        _POLICY.attempts,
    ),
    SettingDefinition(
        "max_requests_per_minute",
        ("HALFHOUR_MAX_REQUESTS_PER_MINUTE",),
        "the number of requests per minute at most, where other programs use the same client",
        Kind.NUMBER,
        _parse_count,
        default=None,
        default_text="the limit that Genesys sets",
    ),
    SettingDefinition(
        "pseudonym_key",
        ("HALFHOUR_PSEUDONYM_KEY",),
        "the key from which pseudonyms are made: 16 characters or more",
        is_secret=True,
    ),
)

SETTINGS_BY_NAME: Mapping[str, SettingDefinition] = {
    definition.name: definition for definition in _DEFINITIONS
}
CREDENTIALS = ("client_id", "client_secret")
OWN_SETTINGS = (*CREDENTIALS, "store")
"""The settings that an organisation has for itself, whatever the rest of the file says."""
