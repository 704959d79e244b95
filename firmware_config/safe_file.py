"""Files that are there whole or not at all, and that one command at a time may change."""

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from firmware_config.both import Wrong


def replace_file(path: Path, text: str, mode: int = 0o640) -> None:
    """Whole, on the disk, with the mode and owner that the file had. Raises Wrong."""
    scratch = path.with_name(f".{path.name}.new")
    try:
        about = path.stat() if path.exists() else None
        scratch.unlink(missing_ok=True)
        handle = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            if about is not None and os.geteuid() == 0:
                os.fchown(handle, about.st_uid, about.st_gid)
            os.fchmod(handle, stat.S_IMODE(about.st_mode) if about else mode)
            file.write(text)
            file.flush()
            os.fsync(handle)
        scratch.rename(path)
        _sync_folder(path.parent)
    except OSError as error:
        why = error.strerror
        raise Wrong(f"{path} tidak dapat ditulis: {why}", f"{path} cannot be written: {why}") from error


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Two commands at once would lose one's entries. The kernel lets go however we end. Raises Wrong."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        why = error.strerror
        raise Wrong(f"{folder} tidak dapat dibuka: {why}", f"{folder} cannot be opened: {why}") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise Wrong(
            f"perintah lain sedang bekerja di {folder}; tunggu sampai selesai",
            f"another command is at work in {folder}; wait until it is done",
        ) from error
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
