"""A folder that is there whole, or not at all: written beside its place and renamed into it."""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from bridge.domain.errors import BridgeError
from cli.words import Voice


class SetupRefused(BridgeError):
    """Nothing was made; the message is for people."""


@contextlib.contextmanager
def unfinished(folder: Path, say: Voice) -> Iterator[Path]:
    """A private folder beside the target, gone afterwards unless renamed. What a killed setup left is removed."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SetupRefused(say("setup_exists", folder=folder))
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = folder.with_name(f".{folder.name}.unfinished")
    scratch.mkdir(mode=0o750, exist_ok=True)
    with _alone(scratch, say):
        for left in scratch.iterdir():
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        try:
            yield scratch
        finally:
            shutil.rmtree(scratch, ignore_errors=True)  # no longer there when all went well


@contextlib.contextmanager
def _alone(scratch: Path, say: Voice) -> Iterator[None]:
    """Hold a lock that the kernel lets go of, however we end."""
    handle = os.open(scratch, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise SetupRefused(say("setup_busy", folder=scratch.parent)) from error
    finally:
        os.close(handle)


def settle(folder: Path) -> None:
    """Everything below `folder` is on the disk before its name is."""
    for path in (*sorted(folder.rglob("*")), folder):
        sync(path)


def sync(path: Path) -> None:
    """A file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
