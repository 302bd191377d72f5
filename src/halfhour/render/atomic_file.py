"""Files that are written in full or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from halfhour.errors import ConfigError, WriteError

_DATABASE_SUFFIXES = (".wal", ".lock")
"""Suffixes of the files beside a database: DuckDB's log, with committed data, and our lock."""


@contextmanager
def open_atomically(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file that replaces *path* once it is written in full.

    The file at *path* stays unchanged if anything fails. A device or a pipe is
    written directly, a link is followed. Raises ConfigError, before anything is
    written, if *path* is not writable or belongs to a database, and WriteError if
    writing fails later.
    """
    refuse_folder(path)
    target = path.resolve()
    temporary: Path | None = None
    try:
        if any(_is_database(owning_database(place)) for place in (path, target)):
            raise ConfigError(
                f"⟨output⟩ {path}: this file is a DuckDB database, its log or its lock; name "
                "another file"
            )
        if path.exists() and not path.is_file():
            file: BinaryIO = path.open("wb")
        else:
            descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
            temporary, file = Path(name), os.fdopen(descriptor, "wb")
    except OSError as error:
        raise ConfigError(f"⟨output⟩ {path}: cannot be written ({error.strerror})") from error
    try:
        with file:
            yield file
        if temporary:
            temporary.chmod(0o666 & ~_current_umask())
            temporary.replace(target)
            temporary = None
    except OSError as error:
        unchanged = "; no file was changed" if temporary else ""
        raise WriteError(
            f"⟨output⟩ {path}: not written ({error.strerror or error}){unchanged}"
        ) from error
    finally:
        if temporary:
            temporary.unlink(missing_ok=True)


def refuse_folder(path: Path) -> None:
    """Raise ConfigError if *path* is a folder."""
    if path.is_dir():
        raise ConfigError(
            f"⟨output⟩ {path}: this is a folder; name a file in it, such as {path / 'report.csv'}"
        )


def owning_database(path: Path) -> Path:
    """Return the database whose log or lock *path* is named after, or else *path* itself."""
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
