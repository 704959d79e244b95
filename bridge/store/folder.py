"""The journal's name in its folder: the lock, a new file, a damaged one set aside. Names are made durable by fsync.

Nothing here opens an existing journal: closing any descriptor of it would drop SQLite's own locks in this process.
"""

import fcntl
import os
import time
from pathlib import Path

from bridge.domain.errors import JournalBusy

BESIDE = ("", "-wal", "-shm")


def lock(path: Path) -> int:
    """The descriptor that holds the lock, until it is closed. Raises JournalBusy, OSError."""
    name = path.with_name(path.name + ".lock")
    held = os.open(name, os.O_RDWR | os.O_CREAT, 0o640)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(held, 20, 0).decode(errors="replace").strip() or "unknown"
        os.close(held)
        raise JournalBusy(
            f"journal {path} is held by another bridge (process {holder}); stop that one, or give this one another path"
        ) from None
    os.ftruncate(held, 0)
    os.pwrite(held, f"{os.getpid()}\n".encode(), 0)
    return held


def make_folder(folder: Path) -> None:
    """With parents; a folder that was there is left as it is. Raises OSError."""
    missing = [part for part in (folder, *folder.parents) if not part.exists()]
    for part in reversed(missing):
        part.mkdir(mode=0o750, exist_ok=True)
        fsync_folder(part.parent)


def make_file(path: Path) -> None:
    """An empty journal where there is none: the group may read it, others not. Raises OSError."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o640))
    except FileExistsError:
        return
    fsync_folder(path.parent)


def fsync_folder(folder: Path) -> None:
    """Names made, changed or removed in it survive a power cut. Raises OSError."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def put_aside(path: Path) -> Path:
    """Rename a damaged journal and what SQLite keeps beside it; its new name. Raises OSError."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    aside = path.with_name(f"{path.name}.corrupt-{stamp}")
    count = 1
    while aside.exists():
        count += 1
        aside = path.with_name(f"{path.name}.corrupt-{stamp}-{count}")
    for end in BESIDE:
        beside = path.with_name(path.name + end)
        if beside.exists():
            beside.rename(aside.with_name(aside.name + end))
    fsync_folder(path.parent)
    return aside


def inode(path: Path) -> int:
    """0 when nothing is there. Raises OSError when even that cannot be known."""
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return 0
