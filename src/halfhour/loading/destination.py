"""The destinations of a load, which differ in how they are reached and in what they call atomic."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

import pyarrow as pa

from halfhour.errors import ConfigError, install_command, suggest_name
from halfhour.loading.tables import LoadedTable, Slice
from halfhour.redaction import mask_passwords

DEFAULT_SCHEMA = "halfhour"
KINDS = {
    "postgresql": "postgresql://USER@HOST/DATABASE",
    "snowflake": "snowflake://USER@ACCOUNT/DATABASE?warehouse=NAME",
    "bigquery": "bigquery://PROJECT",
    "delta": "delta:FOLDER",
    "iceberg": "iceberg:CATALOG/NAMESPACE",
}
"""The kinds of destinations, which are also the extras of the package, with an example."""
ALIASES = {"postgres": "postgresql"}
_PASSWORD_PLACES = {
    "postgresql": "PGPASSWORD or a file ~/.pgpass",
    "snowflake": "SNOWFLAKE_PASSWORD",
    "bigquery": "GOOGLE_APPLICATION_CREDENTIALS",
}
"""The places for a password, which other users of the machine cannot see."""
WITH_SCHEMA = ("postgresql", "snowflake", "bigquery")
"""The kinds of destinations in which the tables lie in a schema."""


@dataclass(frozen=True, slots=True)
class TableChange:
    """The *rows* that take the place of the rows *replaced* in a table; none delete them."""

    table: LoadedTable
    replaced: Slice
    rows: pa.Table


class Destination(Protocol):
    """An open destination. Every method raises a HalfhourError that says what to do."""

    def find_missing_tables(self) -> Sequence[LoadedTable]:
        """Return the tables that are missing. Raises ConfigError if one has other columns."""
        ...

    def create_tables(self, tables: Sequence[LoadedTable]) -> None:
        """Create *tables*, with the meaning of each column."""
        ...

    def try_lock(self, organization_id: str) -> bool:
        """Return whether no other load of the organisation runs, and none begins until the end."""
        ...

    def read_rows(self, table: LoadedTable, rows: Slice) -> pa.Table:
        """Return *rows* of a table that is there, in the columns of its schema."""
        ...

    def apply_changes(self, changes: Sequence[TableChange]) -> None:
        """Apply all *changes* or none; if only tables are atomic, one after the other."""
        ...


@dataclass(frozen=True, slots=True)
class Address:
    """The *kind* of a destination, and where it is: *place* is the text after the kind.

    *schema* is the name of the schema; empty if the kind has none.
    """

    kind: str
    place: str
    schema: str

    def __str__(self) -> str:
        text = self.place.partition("?")[0]
        schema = f", schema {self.schema}" if self.schema else ""
        return f"{self.kind}:{text}{schema}"


def parse_address(text: str, schema: str | None = None) -> Address:
    """Return the address that *text* and *schema* name. Raises ConfigError."""
    kind, separator, place = text.partition(":")
    kind = ALIASES.get(kind.lower(), kind.lower())
    if not separator or kind not in KINDS:
        shown = mask_passwords(text).partition("?")[0]
        raise ConfigError(
            f"the destination {shown!r} is of no kind that halfhour loads{_suggest_kind(text)}"
        )
    if not place.strip("/") and kind != "postgresql":
        raise ConfigError(f"the destination {kind}: names no place; write {KINDS[kind]}")
    if kind in WITH_SCHEMA:
        _refuse_password(kind, text)
        schema = DEFAULT_SCHEMA if schema is None else schema
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,62}", schema):
            raise ConfigError(
                f"⟨schema⟩ {schema!r}: write a name of letters, digits and underscores"
            )
    elif schema is not None:
        raise ConfigError(
            f"⟨schema⟩: {kind} has none, the tables lie where the destination says; leave it out"
        )
    if kind == "iceberg" and not re.fullmatch(r"[^/]+/[^/]+", place):
        shown = mask_passwords(text)
        raise ConfigError(f"the destination {shown!r} is incomplete; write {KINDS[kind]}")
    return Address(kind, place, schema or "")


def _suggest_kind(text: str) -> str:
    """Return what to write in place of *text*, as the end of a sentence."""
    if re.match(r"\s*\w+\s*=", text):
        return (
            f"; write what libpq takes as keywords as {KINDS['postgresql']}, with the password in "
            f"{_PASSWORD_PLACES['postgresql']}"
        )
    kind, separator, _ = text.partition(":")
    examples = ", ".join(KINDS.values())
    return suggest_name(kind.lower() if separator else "", KINDS, f"write one like {examples}")


def _refuse_password(kind: str, text: str) -> None:
    """Raise ConfigError if *text* has a password, which others can read in the process list."""
    try:
        url = urlsplit(text)
        has_password = (
            url.password is not None
            or "password" in parse_qs(url.query)
            or mask_passwords(url.path) != url.path  # keywords of libpq
        )
    except ValueError as error:
        raise ConfigError(
            f"the destination cannot be read as a URL; write {KINDS[kind]}"
        ) from error
    if has_password:
        raise ConfigError(
            f"the destination holds a password, which other users of this machine can see; leave "
            f"it out and set {_PASSWORD_PLACES[kind]}"
        )


@contextmanager
def open_destination(address: Address) -> Iterator[Destination]:
    """Give the destination at *address* until the block ends.

    Raises ConfigError if the packages that it needs are not installed, AuthError if it refuses
    the user, Unreachable if it does not answer.
    """
    try:
        match address.kind:
            case "delta":
                from halfhour.loading.delta import DeltaDestination

                opened: Destination = DeltaDestination(address.place)
            case "iceberg":
                from halfhour.loading.iceberg import open_iceberg

                with open_iceberg(*address.place.split("/")) as destination:
                    yield destination
                return
            case _:
                from halfhour.loading import adbc

                with adbc.open_database(address) as database:
                    yield database
                return
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"{address.kind} needs more packages: {install_command(address.kind)} ({error})"
        ) from error
    yield opened
