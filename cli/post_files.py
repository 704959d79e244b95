"""What makes a post the post: the files of its folder, what its settings name elsewhere, and its journal."""

import glob
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bridge.config import Config
from bridge.domain.errors import JournalFailed
from bridge.store.copying import copy_of
from firmware_config.backup import Piece
from firmware_config.erasing import ERASURES
from firmware_config.people import VAULT
from firmware_config.seen import SEEN

OUTSIDE = "outside"  # a piece's first folder when it lies elsewhere; behind it stands its whole path
OF_THE_MACHINE = ("/usr/", "/bin/", "/sbin/", "/lib", "/opt/", "/dev/", "/proc/", "/sys/")
BESIDE_SOURCES = (VAULT, SEEN, ERASURES)
_LEFT_OUT = re.compile(r"\..*\.(new|unfinished)|.*\.log")


@dataclass(frozen=True, slots=True)
class Gathered:
    """`why_no_journal` is '' when the journal is among the pieces, or when there is none yet."""

    pieces: list[Piece]
    manifest: dict[str, Any]
    why_no_journal: str


def gather(settings: Config, folder: Path, to: Path) -> Gathered:
    """Everything, as it is now; `to` is where backups go. Raises OSError."""
    pieces = [_piece(path, str(path.relative_to(folder))) for path in _inside(settings, folder, to)]
    pieces += [_piece(path, f"{OUTSIDE}{path}") for path in sorted(_elsewhere(settings, folder))]
    journal, why = settings.journal.path, ""
    name = str(journal.relative_to(folder)) if journal.is_relative_to(folder) else f"{OUTSIDE}{journal}"
    try:
        pieces += [Piece(name, copy_of(journal), 0o640)] if journal.exists() else []
    except JournalFailed as error:
        why = str(error)
    return Gathered(pieces, {"folder": str(folder), "journal": name}, why)


def _piece(path: Path, name: str) -> Piece:
    return Piece(name, path.read_bytes(), path.stat().st_mode & 0o777)


def _inside(settings: Config, folder: Path, to: Path) -> Iterator[Path]:
    """Regular files; not the journal, which is copied apart, nor what a killed command left, nor other backups."""
    journal = settings.journal.path.name
    for path in sorted(folder.rglob("*")):
        is_ours = path.is_file() and not path.is_relative_to(to.absolute())
        if is_ours and not path.name.startswith(journal) and not _LEFT_OUT.fullmatch(path.name):
            yield path


def _elsewhere(settings: Config, folder: Path) -> set[Path]:
    """Files that the settings name outside the post's folder, but for what any machine has."""
    named = {
        path for path in _paths(settings.model_dump()) if path not in (settings.journal.path, settings.control.socket)
    }
    for command in (settings.siren.command, settings.siren.chirp):
        for word in shlex.split(command):
            named |= {Path(found) for found in glob.glob(re.sub(r"\{\w+\}", "*", word)) if word.startswith("/")}
    if not settings.sources.is_relative_to(folder):
        named |= {settings.sources.with_name(name) for name in BESIDE_SOURCES}
    return {
        path
        for path in named
        if path.is_file() and not path.is_relative_to(folder) and not str(path).startswith(OF_THE_MACHINE)
    }


def _paths(value: Any) -> Iterator[Path]:
    match value:
        case Path():
            yield value
        case dict():
            for inner in value.values():
                yield from _paths(inner)
        case list() | tuple():
            for inner in value:
                yield from _paths(inner)
