"""Files that only their owner can read, replaced whole or not at all."""

import os
import secrets
from pathlib import Path

OWNER_ONLY = 0o600


def write_private_file(path: Path, text: str, mode: int = OWNER_ONLY) -> None:
    """Write *text* to *path*, which gets *mode* when it is complete. A link is followed.

    Nobody else can read it at any time before. Raises OSError, and leaves what was there.
    """
    target = path.resolve()
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with open(temporary, "x", encoding="utf-8", opener=_open_private) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if mode != OWNER_ONLY:
            temporary.chmod(mode)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, OWNER_ONLY)
