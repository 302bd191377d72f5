"""A file that is wholly there or not there at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from halfhour.errors import ConfigError, WriteError

_DATABASE_SUFFIXES = (".wal", ".lock")
"""What DuckDB keeps beside a database, committed data among it, and what a sync does."""


@contextmanager
def open_atomically(path: Path) -> Iterator[BinaryIO]:
    """A file to write, beside *path*, that takes its place once all is written.

    What was at *path* stays if anything fails. A device or a pipe is written
    as it is, and a link leads to its file. Raises ConfigError before anything
    is done if nothing can be written there or a database or what belongs to one
    lies there, WriteError if that ends halfway.
    """
    target = path.resolve()
    aside: Path | None = None
    try:
        if any(_is_database(owning_database(each)) for each in (path, target)):
            raise ConfigError(
                f"⟨output⟩ {path}: a DuckDB database, its log or its lock is there; "
                "name another file"
            )
        if path.exists() and not path.is_file():
            file: BinaryIO = path.open("wb")
        else:
            descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
            aside, file = Path(name), os.fdopen(descriptor, "wb")
    except OSError as error:
        raise ConfigError(f"⟨output⟩ {path}: cannot be written ({error.strerror})") from error
    try:
        with file:
            yield file
        if aside:
            aside.chmod(0o666 & ~_current_umask())
            aside.replace(target)
            aside = None
    except OSError as error:
        kept = "; what was there is untouched" if aside else ""
        raise WriteError(
            f"⟨output⟩ {path}: not written ({error.strerror or error}){kept}"
        ) from error
    finally:
        if aside:
            aside.unlink(missing_ok=True)


def owning_database(path: Path) -> Path:
    """*path*, or the database beside which it would stand as its log or its lock."""
    return path.with_suffix("") if path.suffix in _DATABASE_SUFFIXES else path


def _is_database(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(12)[8:] == b"DUCK"


def _current_umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
