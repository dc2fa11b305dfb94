"""Writing a file so that nobody ever sees half of it."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path


def replace_file(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file in one step: at any moment the old file or the new one is there, whole.

    The bytes go to another name in the same folder, are flushed to the disk, and take the place
    of the old file by a rename, which the operating system does in one step. Whatever ends the
    process in between, even a loss of power, leaves the old file whole.

    Args:
        path: Where. If it is a symbolic link, the file that it leads to is replaced.
        data: All of the contents.

    Raises:
        OSError: If the folder is missing or not writable, or the disk is full; the old file is
            then still there.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise IsADirectoryError(f"`filepath` must be a file. Received: folder '{path}'")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"The folder of `filepath` must exist. Received: '{path}'")
    temporary = target.parent / f".{target.name}.{secrets.token_hex(8)}.tmp"
    mode = _mode(target)
    # A new file has what the process's mask leaves of its mode. To ask for the mask would be to set
    # it, for a moment, in all threads.
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode or 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            if mode is not None:
                os.chmod(temporary, mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    _sync_folder(target.parent)


def _mode(target: Path) -> int | None:
    """Return the permissions of the file that is there, if there is one."""
    with contextlib.suppress(OSError):
        return target.stat().st_mode & 0o777
    return None


def _sync_folder(folder: Path) -> None:
    """Flush the folder's list of names too, where the operating system has a way to."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
