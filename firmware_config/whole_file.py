"""Files that are old or new, never half: written beside, settled on the disk, renamed. For their owner's eyes only."""

import contextlib
import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from firmware_config.faults import Refused


@contextlib.contextmanager
def new_file(path: Path, check: Callable[[Path], object] = lambda _: None) -> Iterator[BinaryIO]:
    """What is written takes the place of `path` when the block ends well and `check` has not refused it.

    Raises Refused, and what `check` raises.
    """
    scratch = scratch_of(path)
    try:
        scratch.unlink(missing_ok=True)
        handle = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                _give_to_the_folders_owner(handle, path)
                yield file
                file.flush()
                os.fsync(handle)
            check(scratch)
            scratch.rename(path)
        except BaseException:
            scratch.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
    except OSError as error:
        raise Refused("no_write", file=path, why=error.strerror or error) from error


def write_whole(path: Path, content: bytes, check: Callable[[Path], object] = lambda _: None) -> None:
    """Raises Refused, and what `check` raises."""
    with new_file(path, check) as file:
        file.write(content)


def remove(path: Path) -> None:
    """Gone, with what a killed command left of it. Raises Refused."""
    try:
        for name in (path, scratch_of(path)):
            name.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise Refused("no_write", file=path, why=error.strerror or error) from error


def scratch_of(path: Path) -> Path:
    """Where a file is written before it is whole; hidden, and never taken for the file itself."""
    return path.with_name(f"{path.name}.new" if path.name.startswith(".") else f".{path.name}.new")


def sync_folder(folder: Path) -> None:
    """Names made or removed in it survive a power cut. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Two commands at once would lose one's change. The kernel lets go however we end. Raises Refused."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise Refused("no_write", file=folder, why=error.strerror or error) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Refused("busy", folder=folder) from error
        yield
    finally:
        os.close(handle)


def _give_to_the_folders_owner(handle: int, path: Path) -> None:
    """What root writes at a post, the post's own user must be able to read. Where everybody may put files, one that
    lies there already says nothing about who is to read the new one."""
    if os.geteuid() == 0:
        folder = path.parent.stat()
        owned = path.stat() if path.exists() and not folder.st_mode & stat.S_IWOTH else folder
        with contextlib.suppress(PermissionError):  # a USB stick's FAT knows no owners
            os.fchown(handle, owned.st_uid, owned.st_gid)


def same_disk(one: Path, other: Path) -> bool:
    """Whether whoever takes the one takes the other: two partitions of one card are one disk."""
    return _disk(one) == _disk(other)


def _disk(path: Path) -> str:
    """The whole disk's device below /sys, or the file system's number where the kernel names no device."""
    standing = next(known for known in (path.resolve(), *path.resolve().parents) if known.exists())
    number = standing.stat().st_dev
    device = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}")
    if not device.exists():
        return str(number)
    device = device.resolve()
    return str(device.parent if (device / "partition").exists() else device)
