"""A cache of simulated days on disk, which all emulators of a user share.

A file has a checksum before its content, which msgspec checks against a type. A file that is
damaged, or was not written by a cache, is made anew. Files are written aside and then renamed, so
several processes may use one folder.
"""

import os
import sys
from collections.abc import Callable, Mapping
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TypeVar
from zlib import crc32

import msgspec

T = TypeVar("T")

FOLDER_VARIABLE = "GENESYS_EMULATOR_CACHE"
LARGEST = 1_000_000_000
"""Most bytes that the files of a folder take; beyond, the ones longest unused are deleted."""
PRUNED_EVERY = LARGEST // 20
"""Bytes that a process writes between two looks at the size of the folder."""
CHECKSUM = 4
"""Bytes of the checksum before the content of a file."""


class DayCache:
    """A cache in *folder*; *warn* is told, once, if the folder cannot be written."""

    def __init__(
        self, folder: Path, warn: Callable[[str], None], *, largest: int = LARGEST
    ) -> None:
        self._folder = folder
        self._warn = warn
        self._largest = largest
        self._writable = True
        self._written = PRUNED_EVERY  # so that the first file is followed by a look

    def get_or_make(self, name: str, kind: type[T], make: Callable[[], T]) -> T:
        """Return the value of this *name* and *kind*, from the disk if it is there.

        The name says everything that the value depends on but the code.
        """
        key = sha256(f"{code_version()}/{kind}/{name}".encode()).hexdigest()[:32]
        path = self._folder / f"{key}.day"
        value = _read_value(path, kind)
        if value is None:
            value = make()
            if self._writable:
                self._write_file(path, msgspec.msgpack.encode(value))
        return value

    def _write_file(self, path: Path, content: bytes) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=self._folder, suffix=".part", delete=False) as file:
                try:
                    file.write(crc32(content).to_bytes(CHECKSUM, "big"))
                    file.write(content)
                    file.close()
                    Path(file.name).replace(path)
                except OSError:
                    Path(file.name).unlink(missing_ok=True)
                    raise
        except OSError as error:
            self._writable = False
            self._warn(
                f"days are not cached, as {self._folder} cannot be written ({error.strerror}); "
                f"set {FOLDER_VARIABLE} to another folder, or use --no-cache"
            )
            return
        self._written += len(content)
        if self._written >= PRUNED_EVERY:
            self._written = 0
            self._prune_folder()

    def _prune_folder(self) -> None:
        """Delete the files that were not used for the longest time, if all are too large."""
        try:
            files = [(entry.stat(), entry.path) for entry in os.scandir(self._folder)]
        except OSError:  # another process has just deleted one
            return
        size = sum(stat.st_size for stat, _ in files)
        for stat, path in sorted(files, key=lambda file: file[0].st_mtime):
            if size <= self._largest:
                break
            Path(path).unlink(missing_ok=True)
            size -= stat.st_size


@lru_cache(1)
def code_version() -> str:
    """Return a digest of the code that a simulated day depends on."""
    simulation = Path(__file__).parent
    files = sorted([*simulation.glob("*.py"), *simulation.with_name("wire").glob("*.py")])
    digest = sha256(sys.byteorder.encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder that the environment names, or the one for caches on this platform."""
    if folder := environment.get(FOLDER_VARIABLE):
        return Path(folder)
    if sys.platform == "win32":
        caches = Path(environment.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        caches = Path.home() / "Library" / "Caches"
    else:
        caches = Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return caches / "genesys-emulator"


def _read_value(path: Path, kind: type[T]) -> T | None:
    """Read a file, and mark it as used; return None if there is none, or it is damaged."""
    try:
        content = memoryview(path.read_bytes())
        if crc32(content[CHECKSUM:]).to_bytes(CHECKSUM, "big") != content[:CHECKSUM]:
            return None
        value = msgspec.msgpack.decode(content[CHECKSUM:], type=kind)
        os.utime(path)
    except (OSError, msgspec.MsgspecError):
        return None
    return value
