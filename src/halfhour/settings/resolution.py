"""Decide which value of a setting is in force, and tell where it comes from."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from halfhour.errors import ConfigError
from halfhour.organizations import Organization
from halfhour.settings.definitions import (
    CREDENTIALS,
    OWN_SETTINGS,
    SETTINGS_BY_NAME,
    Kind,
    SettingDefinition,
)


class OriginKind(StrEnum):
    """The kind of place that a value comes from."""

    OPTION = "option"
    ENVIRONMENT = "environment"
    FILE = "file"
    KEYRING = "keyring"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Origin:
    """The place that a value comes from.

    *name* is that of the option or variable, *path* that of the file, *table* that of the table
    of an organisation in the file; what does not apply is empty.
    """

    kind: OriginKind
    name: str = ""
    path: str = ""
    table: str = ""

    def label_setting(self, name: str) -> str:
        """Return how a message begins that is about the setting *name* at this place."""
        match self.kind:
            case OriginKind.OPTION:
                return f"⟨{name}⟩"
            case OriginKind.FILE:
                return f"{self.path}: {self.table} {name}".replace(":  ", ": ")
            case _:
                return self.name

    def __str__(self) -> str:
        match self.kind:
            case OriginKind.OPTION:
                return f"option ⟨{self.name}⟩"
            case OriginKind.ENVIRONMENT:
                return f"environment variable {self.name}"
            case OriginKind.FILE:
                return f"{self.path} {self.table}".rstrip()
            case OriginKind.KEYRING:
                return "system keyring"
            case _:
                return "default"


DEFAULT = Origin(OriginKind.DEFAULT)


@dataclass(frozen=True, slots=True)
class ResolvedSetting:
    """A setting, its *value* in force, and the *origin* of the value."""

    definition: SettingDefinition
    value: Any = field(repr=False)
    origin: Origin


@dataclass(frozen=True, slots=True)
class Sources:
    """The places where settings may be: options, the environment and a settings file.

    *path* is that of the file, empty if there is none; *file_settings* are its settings outside
    tables. *organization* is the one that is chosen.
    """

    flags: Mapping[str, object] = field(default_factory=dict, repr=False)
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    path: str = ""
    file_settings: Mapping[str, Any] = field(default_factory=dict, repr=False)
    organization: Organization | None = None

    def resolve_all(self) -> dict[str, ResolvedSetting]:
        """Return every setting in force by name. Raises ConfigError for a wrong value."""
        return {name: self.resolve(name) for name in SETTINGS_BY_NAME}

    def resolve(self, name: str) -> ResolvedSetting:
        """Return the setting *name* in force. Raises ConfigError if its value is wrong."""
        definition = SETTINGS_BY_NAME[name]
        for origin, value in self._candidates(definition):
            if value not in (None, "", ()):
                parsed = definition.parse_value(value, origin.label_setting(name))
                return ResolvedSetting(definition, parsed, origin)
        if name == "store" and self.organization:
            return ResolvedSetting(definition, self.organization.default_store_path, DEFAULT)
        return ResolvedSetting(definition, definition.default, DEFAULT)

    def _candidates(self, definition: SettingDefinition) -> Iterator[tuple[Origin, object]]:
        """Yield the values of a setting with their origins; the first one that is set counts.

        An organisation has its own credentials and store, so those of the environment and of the
        rest of the file do not count, but for a secret in the environment that is of the same
        client.
        """
        name, organization = definition.name, self.organization
        yield Origin(OriginKind.OPTION, name), self.flags.get(name)
        if organization:
            origin = Origin(OriginKind.FILE, path=organization.path, table=organization.title)
            yield origin, organization.settings.get(name)
        if not organization or name not in OWN_SETTINGS or self._has_secret_of_client(name):
            for variable in definition.environment_variables:
                text = self.environ.get(variable)
                yield Origin(OriginKind.ENVIRONMENT, variable), _as_value(definition, text)
        if not organization or name not in OWN_SETTINGS:
            yield Origin(OriginKind.FILE, path=self.path), self.file_settings.get(name)

    def _has_secret_of_client(self, name: str) -> bool:
        """Tell whether *name* is the secret, which the environment has of the same client."""
        assert self.organization
        client_id = str(self.organization.settings.get(CREDENTIALS[0], ""))
        return name == CREDENTIALS[1] and bool(client_id) and client_id == client_of(self.environ)


def clashing_variables(organization: Organization, environ: Mapping[str, str]) -> list[str]:
    """Return the variables of *environ* that say something else than *organization* itself."""
    return [
        variable
        for name, definition in SETTINGS_BY_NAME.items()
        if organization.settings.get(name, "") != ""
        for variable in definition.environment_variables
        if environ.get(variable)
        if not _says_the_same(name, environ[variable], organization.settings[name])
    ]


def _says_the_same(name: str, text: str, value: object) -> bool:
    """Tell whether *text* of a variable means the *value* of the setting *name* in a file."""
    definition = SETTINGS_BY_NAME[name]
    try:
        parsed = definition.parse_value(_as_value(definition, text), name)
    except ConfigError:
        return False
    return bool(parsed == definition.parse_value(value, name))


def client_of(environ: Mapping[str, str]) -> str:
    """Return the first id of a client that *environ* has; empty if it has none."""
    variables = SETTINGS_BY_NAME["client_id"].environment_variables
    return next((environ[name] for name in variables if environ.get(name)), "")


def _as_value(definition: SettingDefinition, text: str | None) -> object:
    """Return *text* of a variable as its value; names in it are separated by commas, as in CSV."""
    if definition.kind is Kind.NAMES and text:
        return tuple(name.strip() for name in next(csv.reader([text], skipinitialspace=True)))
    return text
