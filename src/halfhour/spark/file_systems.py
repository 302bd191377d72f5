"""Find and replace files in this machine's folders, and in Hadoop's file systems by address."""

import re
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any, Protocol
from uuid import uuid4

from halfhour.errors import ConfigError, WriteError
from halfhour.ingest.detail_files import find_detail_files, modification_time
from halfhour.model.intervals import from_epoch_ms
from halfhour.spark.raw_rows import DetailFile
from halfhour.spark.session import Session, explain
from halfhour.syncing.output_folder import (
    DRAFT_PREFIX,
    OutputFolder,
    QuarantineWriter,
    inner_output_error,
    refuse_inner_output,
    refuse_other_names,
    replace_file,
)

ABANDONED_SECONDS = 7 * 24 * 3600
"""The age of a draft of a run that has been killed; a run does not take so long."""
_GLOB_CHARACTERS = re.compile(r"([\\{}\[\]*?])")
_PASSWORD = re.compile(r"[A-Za-z][\w+.-]*://[^/@]*:[^/]*@")
_LOCAL = "file"


@dataclass(frozen=True, slots=True)
class Draft:
    """The hidden folder of a run: its *location* for Spark, and a *folder* of this machine."""

    location: str
    folder: Path


class Output(Protocol):
    """A place for the files of one organisation, each of which is replaced whole."""

    def open_draft(self) -> Any:
        """Give a `Draft` until the block ends. Raises ConfigError, or WriteError."""

    def refuse_other_files(self, tables: Iterable[str], days: Sequence[datetime]) -> None:
        """Raise ConfigError if another program has written into the folders of *days* (UTC)."""

    def count_rows(self, table: str, day: datetime) -> int:
        """Return the number of rows in the file of a *table* and a *day* (UTC), if there is one."""

    def replace_day(self, part: str, table: str, day: datetime) -> None:
        """Put *part*, a file in the draft, in the place of that of a *table* and a *day* (UTC)."""

    def replace_quarantine(self, quarantine: QuarantineWriter, input_files: Sequence[str]) -> None:
        """Replace the quarantine of *input_files*."""


@dataclass(frozen=True, slots=True)
class LocalOutput:
    """A folder of this machine, or one that is mounted on all machines of the cluster."""

    folder: OutputFolder

    @contextmanager
    def open_draft(self) -> Iterator[Draft]:
        """Give a draft as `OutputFolder.draft_folder` does."""
        with self.folder.draft_folder() as draft:
            yield Draft(f"{_LOCAL}:{draft.absolute()}", draft)

    def refuse_other_files(self, tables: Iterable[str], days: Sequence[datetime]) -> None:
        """Look into the folders as `OutputFolder.refuse_other_files` does."""
        self.folder.refuse_other_files(tables, days)

    def count_rows(self, table: str, day: datetime) -> int:
        """Count as `OutputFolder.count_rows` does."""
        return self.folder.count_rows(table, day)

    def replace_day(self, part: str, table: str, day: datetime) -> None:
        """Rename *part*."""
        replace_file(Path(part.removeprefix(f"{_LOCAL}:")), self.folder.day_path(table, day))

    def replace_quarantine(self, quarantine: QuarantineWriter, input_files: Sequence[str]) -> None:
        """Rename the files of *quarantine*."""
        quarantine.replace_files(self.folder, input_files)


@dataclass(frozen=True, slots=True)
class HadoopOutput:
    """A folder in a file system of Hadoop, by its address."""

    file_systems: "FileSystems"
    address: str
    organization: str

    @contextmanager
    def open_draft(self) -> Iterator[Draft]:
        """Give a draft; drafts that killed runs have left are removed after a week."""
        location = f"{self.address}/{DRAFT_PREFIX}{uuid4().hex}"
        with self.file_systems.explain_errors(
            lambda reason: ConfigError(
                f"⟨output⟩ {self.address}: cannot be written ({reason}); name another folder"
            )
        ):
            status = self.file_systems.status(self.address)
            if status is not None and status.isFile():
                raise ConfigError(f"⟨output⟩ {self.address}: this is a file; name a folder")
            self.file_systems.make_folder(location)
        try:
            self._remove_abandoned_drafts()
            with tempfile.TemporaryDirectory() as folder:
                yield Draft(location, Path(folder))
        finally:
            with suppress(WriteError):
                self._remove(location)

    def refuse_other_files(self, tables: Iterable[str], days: Sequence[datetime]) -> None:
        """List the folders that are there."""
        layout = OutputFolder(Path(), self.organization)
        for table in tables:
            for day in days:
                folder = f"{self.address}/{layout.day_path(table, day).parent.as_posix()}"
                with self._explain_write_errors():
                    if self.file_systems.status(folder) is None:
                        continue
                    statuses = self.file_systems.list_folder(folder)
                refuse_other_names(folder, (status.getPath().getName() for status in statuses))

    def count_rows(self, table: str, day: datetime) -> int:
        """Let Spark count the rows."""
        path = OutputFolder(Path(), self.organization).day_path(table, day)
        address = f"{self.address}/{path.as_posix()}"
        with self._explain_write_errors():
            if self.file_systems.status(address) is None:
                return 0
        return int(self.file_systems.session.read.parquet(address).count())

    def replace_day(self, part: str, table: str, day: datetime) -> None:
        """Rename *part*, or upload it if it is on this machine."""
        self._replace(part, OutputFolder(Path(), self.organization).day_path(table, day))

    def replace_quarantine(self, quarantine: QuarantineWriter, input_files: Sequence[str]) -> None:
        """Upload the files of *quarantine*."""
        layout = OutputFolder(Path(), self.organization)
        for name in input_files:
            target = layout.quarantine_path(name)
            if draft := quarantine.drafts.get(name):
                self._replace(str(draft), target)
            else:
                self._remove(f"{self.address}/{target.as_posix()}")

    def _replace(self, part: str, target: Path) -> None:
        address = f"{self.address}/{target.as_posix()}"
        with self._explain_write_errors():
            self.file_systems.replace_file(part, address)

    def _remove(self, address: str) -> None:
        with self._explain_write_errors():
            self.file_systems.remove(address)

    def _remove_abandoned_drafts(self) -> None:
        oldest_ms = (time.time() - ABANDONED_SECONDS) * 1000
        with self._explain_write_errors():
            for status in self.file_systems.list_folder(self.address):
                name = status.getPath().getName()
                if name.startswith(DRAFT_PREFIX) and status.getModificationTime() < oldest_ms:
                    self.file_systems.remove(status.getPath().toString())

    def _explain_write_errors(self) -> Any:
        return self.file_systems.explain_errors(
            lambda reason: WriteError(
                f"⟨output⟩ {self.address}: not written in full ({reason}); mend that and run it "
                "again"
            )
        )


@dataclass(frozen=True, slots=True)
class FileSystems:
    """The file systems that a *session* of Spark reaches."""

    session: Session

    def local_path(self, place: str) -> Path | None:
        """Return *place* if it is on this machine, and None if it is in another file system.

        A path without a scheme is in the default file system of the cluster.
        """
        with self.explain_errors(
            lambda reason: ConfigError(
                f"{place}: Spark cannot open it ({reason}); start Spark with the package of that "
                "file system, or write another address"
            )
        ):
            path = self._path(place)
            if self._system(path).getUri().getScheme() != _LOCAL:
                return None
            return Path(place) if path.toUri().getScheme() is None else Path(path.toUri().getPath())

    def find_files(self, inputs: Iterable[str]) -> dict[str, DetailFile]:
        """Return the files of *inputs* by their paths as Spark writes them, in reading order.

        They are those of `find_detail_files`. Raises ConfigError.
        """
        files: dict[str, DetailFile] = {}
        for place in inputs:
            local_path = self.local_path(place)
            found_files = (
                self._find_remote_files(place) if local_path is None else _find_files(local_path)
            )
            for path, name, modified_at in found_files:
                files.setdefault(path, DetailFile(len(files), name, modified_at))
        return files

    def open_output(self, place: str, organization: str, inputs: Iterable[str]) -> Output:
        """Return the output at *place*. Raises ConfigError if it is in a folder of *inputs*."""
        local_path = self.local_path(place)
        if local_path is not None:
            refuse_inner_output(
                [path for text in inputs if (path := self.local_path(text))], local_path
            )
            return LocalOutput(OutputFolder(local_path, organization))
        for text in inputs:
            if PurePosixPath(place).is_relative_to(text):
                raise inner_output_error(text, place)
        return HadoopOutput(self, place, organization)

    def _find_remote_files(self, place: str) -> list[tuple[str, str, datetime]]:
        root = self._path(place)
        with self.explain_errors(
            lambda reason: ConfigError(f"{place}: cannot be read ({reason}); nothing was changed")
        ):
            system = self._system(root)
            status = system.getFileStatus(root)
            if status.isFile():
                return [(status.getPath().toString(), place, _modified_at(status))]
            root_path = PurePosixPath(status.getPath().toUri().getPath())
            files = []
            remote = system.listFiles(root, True)
            while remote.hasNext():
                status = remote.next()
                path = PurePosixPath(status.getPath().toUri().getPath())
                parts = path.relative_to(root_path).parts
                if not any(part.startswith((".", "_")) for part in parts):
                    files.append((parts, status.getPath().toString(), _modified_at(status)))
        if not files:
            raise ConfigError(f"{place}: there is no file in this folder; nothing was changed")
        folder = place.rstrip("/")
        return [
            (path, f"{folder}/{'/'.join(parts)}", modified_at)
            for parts, path, modified_at in sorted(files)
        ]

    def status(self, place: str) -> Any:
        """Return Hadoop's status of the file or folder at *place*; None if there is none."""
        path = self._path(place)
        system = self._system(path)
        return system.getFileStatus(path) if system.exists(path) else None

    def list_folder(self, place: str) -> list[Any]:
        """Return Hadoop's status of each file and folder in *place*, by name."""
        path = self._path(place)
        statuses = self._system(path).listStatus(path)
        return sorted(statuses, key=lambda status: status.getPath().getName())

    def make_folder(self, place: str) -> None:
        """Make the folder *place* and those that it is in."""
        path = self._path(place)
        self._system(path).mkdirs(path)

    def remove(self, place: str) -> None:
        """Remove the file or folder *place* if there is one."""
        path = self._path(place)
        self._system(path).delete(path, True)

    def replace_file(self, part: str, target: str) -> None:
        """Put the file *part* in the place of *target*; upload it if it is on this machine."""
        hadoop = self.session._jvm.org.apache.hadoop
        source, destination = self._path(part), self._path(target)
        system = self._system(destination)
        system.mkdirs(destination.getParent())
        if source.toUri().getScheme() in (None, _LOCAL):
            system.copyFromLocalFile(True, True, source, destination)
            return
        rename_type = hadoop.fs.Options.Rename
        options = self.session._sc._gateway.new_array(rename_type, 1)
        options[0] = rename_type.OVERWRITE
        context = hadoop.fs.FileContext.getFileContext(
            destination.toUri(), self.session._jsc.hadoopConfiguration()
        )
        context.rename(source, destination, options)

    @contextmanager
    def explain_errors(self, as_error: Callable[[str], Exception]) -> Iterator[None]:
        """Raise what *as_error* makes of the reason if Hadoop fails."""
        from py4j.protocol import Py4JError

        try:
            yield
        except Py4JError as error:
            raise as_error(explain(error)) from error

    def _path(self, place: str) -> Any:
        return self.session._jvm.org.apache.hadoop.fs.Path(place)

    def _system(self, path: Any) -> Any:
        return path.getFileSystem(self.session._jsc.hadoopConfiguration())


def refuse_passwords(places: Iterable[str]) -> None:
    """Raise ConfigError if the address of a place holds a password."""
    if any(map(_PASSWORD.match, places)):
        raise ConfigError(
            "an address holds a password, which other users of this machine can see; leave it out "
            "and put it into the settings of Spark's file systems"
        )


def escape_glob(path: str) -> str:
    """Return *path* as Spark takes it for itself, and not for a pattern."""
    return _GLOB_CHARACTERS.sub(r"\\\1", path)


def _find_files(path: Path) -> list[tuple[str, str, datetime]]:
    return [
        (f"{_LOCAL}:{file.absolute()}", str(file), modification_time(file))
        for file in find_detail_files([path])
    ]


def _modified_at(status: Any) -> datetime:
    return from_epoch_ms(status.getModificationTime())
