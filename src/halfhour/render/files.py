"""A file that is wholly there or not there at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from halfhour.errors import ConfigError, WriteError


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write, beside *path*, that takes its place once all is written.

    What was at *path* stays if anything fails. A device or a pipe is written
    as it is, and a link leads to its file. Raises ConfigError before anything
    is done if nothing can be written there, WriteError if that ends halfway.
    """
    target = path.resolve()
    aside: Path | None = None
    try:
        if path.exists() and not path.is_file():
            file: BinaryIO = path.open("wb")
        else:
            descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
            aside, file = Path(name), os.fdopen(descriptor, "wb")
    except OSError as error:
        raise ConfigError(f"--output {path}: cannot be written ({error.strerror})") from error
    try:
        with file:
            yield file
        if aside:
            aside.chmod(0o666 & ~_umask())
            aside.replace(target)
            aside = None
    except OSError as error:
        raise WriteError(
            f"--output {path}: not written ({error.strerror}); what was there is untouched"
        ) from error
    finally:
        if aside:
            aside.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
