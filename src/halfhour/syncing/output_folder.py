"""A folder of Parquet files by table, organisation and day, each replaced whole by a rename."""

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from halfhour.errors import ConfigError, WriteError
from halfhour.syncing.detail_scan import UnreadableRecord

QUARANTINE_SCHEMA = pa.schema(
    [
        pa.field("file", pa.string(), nullable=False),
        pa.field("record_number", pa.int64(), nullable=False),
        pa.field("conversation_id", pa.string()),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("record", pa.string(), nullable=False),
    ]
)
"""One row per record that cannot be read: key *file* and *record_number*, which counts from 1.

*record* is its text; bytes that are no text are written as ``\\xff``.
"""
QUARANTINED_TOGETHER = 1_000
"""The number of records that go to disk together."""
DAY_FILE = "part.parquet"
DRAFT_PREFIX = ".draft-"
"""The beginning of the names of folders of a run, which readers of Parquet leave out."""


@dataclass(frozen=True, slots=True)
class OutputFolder:
    """The folder at *path*, with the files of one *organization* among those of others."""

    path: Path
    organization: str

    def day_path(self, table: str, day: datetime) -> Path:
        """Return the path of the file of a *table* and a *day* (UTC)."""
        folder = self.path / table / f"org={self.organization}"
        return folder / f"day={day.date()}" / DAY_FILE

    def refuse_other_files(self, tables: Iterable[str], days: Sequence[datetime]) -> None:
        """Raise ConfigError if another program has written into the folders of *days* (UTC)."""
        for table in tables:
            for day in days:
                folder = self.day_path(table, day).parent
                if folder.is_dir():
                    refuse_other_names(str(folder), (path.name for path in folder.iterdir()))

    def count_rows(self, table: str, day: datetime) -> int:
        """Return the number of rows in the file of a *table* and a *day* (UTC).

        A file that is missing or broken has none.
        """
        try:
            return int(pq.read_metadata(self.day_path(table, day)).num_rows)
        except (OSError, pa.ArrowInvalid):
            return 0

    def quarantine_path(self, input_file: str) -> Path:
        """Return the path of the file of the unreadable records of *input_file*.

        Each input file has its own, so that runs over other files leave it alone.
        """
        name = sha256(input_file.encode(errors="surrogateescape")).hexdigest()[:16]
        return self.path / "quarantine" / f"org={self.organization}" / f"{name}.parquet"

    @contextmanager
    def draft_folder(self) -> Iterator[Path]:
        """Give a temporary folder in this one, which is made if need be.

        Folders that killed runs have left are removed. Raises ConfigError if nothing can be
        written there, and WriteError if writing fails later.
        """
        is_new = not self.path.exists()
        if not (is_new or self.path.is_dir()):
            raise ConfigError(f"⟨output⟩ {self.path}: this is a file; name a folder")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            draft, lock = self._lock_new_draft()
        except OSError as error:
            raise ConfigError(
                f"⟨output⟩ {self.path}: cannot be written ({error.strerror or error}); name "
                "another folder"
            ) from error
        try:
            self._remove_abandoned_drafts()
            yield draft
        except OSError as error:
            raise WriteError(
                f"⟨output⟩ {self.path}: not written in full ({error.strerror or error}); each file "
                "there is whole, old or new, so mend that and run it again"
            ) from error
        finally:
            lock.release()
            shutil.rmtree(draft, ignore_errors=True)
            if is_new:
                with suppress(OSError):  # It is not empty.
                    self.path.rmdir()

    def _lock_new_draft(self) -> tuple[Path, FileLock]:
        """Make a folder for this run, with a lock that tells others that it is in use."""
        while True:
            draft = Path(tempfile.mkdtemp(prefix=DRAFT_PREFIX, dir=self.path))
            lock = _draft_lock(draft)
            # Another run may take the folder for abandoned until it is locked.
            with suppress(Timeout, FileNotFoundError):
                lock.acquire(timeout=0)
                if Path(lock.lock_file).exists():
                    return draft, lock
                lock.release()

    def _remove_abandoned_drafts(self) -> None:
        for draft in self.path.glob(f"{DRAFT_PREFIX}*"):
            with suppress(Timeout, OSError), _draft_lock(draft).acquire(timeout=0):
                shutil.rmtree(draft, ignore_errors=True)


def _draft_lock(draft: Path) -> FileLock:
    return FileLock(draft / "lock", is_singleton=False)


def refuse_inner_output(inputs: Iterable[Path], output: Path) -> None:
    """Raise ConfigError if the folder *output* is in a folder of *inputs*."""
    for path in inputs:
        if path.is_dir() and output.resolve().is_relative_to(path.resolve()):
            raise inner_output_error(str(path), str(output))


def inner_output_error(folder: str, output: str) -> ConfigError:
    """Return the error about an *output* that is in a *folder* of inputs."""
    return ConfigError(
        f"⟨output⟩ {output}: this folder is in {folder}, so the next run would read the files "
        "that this one writes; name another folder"
    )


def refuse_other_names(folder: str, names: Iterable[str]) -> None:
    """Raise ConfigError if *names*, those in the *folder* of a day, are not of this program alone.

    Readers of Parquet leave out names that begin with a dot or an underscore.
    """
    for name in sorted(names):
        if name != DAY_FILE and not name.startswith((".", "_")):
            raise ConfigError(
                f"⟨output⟩ {folder}/{name}: another program wrote this, and readers of the folder "
                "would count its rows too, so nothing was changed; move it away, or name another "
                "folder"
            )


def replace_file(draft: Path, target: Path) -> None:
    """Put the file *draft* in the place of *target*, whose folder is made if need be."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft.replace(target)


@dataclass(slots=True)
class QuarantineWriter:
    """Writes unreadable records as `QUARANTINE_SCHEMA` to a file in *folder* for each input file.

    The records of an input file follow each other.
    """

    folder: Path
    drafts: dict[str, Path] = field(default_factory=dict)
    """The files by the names of the input files."""
    _pending: list[UnreadableRecord] = field(default_factory=list)
    _writer: pq.ParquetWriter | None = None

    def append_record(self, record: UnreadableRecord) -> None:
        """Append *record*, which is written once there are enough."""
        if record.path not in self.drafts:
            self.close()
            draft = self.folder / f"quarantine-{len(self.drafts)}.parquet"
            self.drafts[record.path] = draft
            self._writer = pq.ParquetWriter(draft, QUARANTINE_SCHEMA, compression="zstd")
        self._pending.append(record)
        if len(self._pending) >= QUARANTINED_TOGETHER:
            self._write_pending()

    def _write_pending(self) -> None:
        rows = [
            {
                "file": _as_text(record.path.encode(errors="surrogateescape")),
                "record_number": record.record_number,
                "conversation_id": record.conversation_id,
                "reason": record.reason,
                "record": _as_text(record.record.strip()),
            }
            for record in self._pending
        ]
        if self._writer:
            self._writer.write_table(pa.Table.from_pylist(rows, schema=QUARANTINE_SCHEMA))
        self._pending.clear()

    def close(self) -> None:
        """Write what is not written yet, and close the file."""
        if self._writer:
            self._write_pending()
            self._writer.close()
        self._writer = None

    def replace_files(self, output: OutputFolder, input_files: Iterable[str]) -> None:
        """Replace the quarantine of *input_files* in *output* with what was written here."""
        self.close()
        for input_file in input_files:
            target = output.quarantine_path(input_file)
            if draft := self.drafts.get(input_file):
                replace_file(draft, target)
            else:
                target.unlink(missing_ok=True)


def _as_text(content: bytes) -> str:
    return content.decode(errors="backslashreplace")
