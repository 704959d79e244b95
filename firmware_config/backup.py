"""A post in one sealed file: what is put in, taken out again, and how many are kept. Numbers order them, no clock."""

import io
import json
import re
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from firmware_config.faults import Refused
from firmware_config.locks import Lock
from firmware_config.vault import Opener, Sealer, said_of
from firmware_config.whole_file import new_file, remove

WHAT = "post"
MANIFEST = "manifest.json"
_NAME = re.compile(r"kentongan-.+-(\d{6})\.backup")


@dataclass(frozen=True, slots=True)
class Piece:
    """One file of the post: its name below the post's folder, its bytes and its rights."""

    name: str
    content: bytes
    mode: int = 0o600


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup as it lies in its folder. `erasures`: the marks of what had been erased at the post by then."""

    path: Path
    number: int
    erasures: frozenset[str]


def pack(path: Path, lock: Lock, said: Mapping[str, Any], manifest: Mapping[str, Any], pieces: Sequence[Piece]) -> None:
    """Whole or not at all. Raises Refused."""
    with new_file(path) as file:
        sealer = Sealer(file, lock, dict(said) | {"what": WHAT})
        with tarfile.open(fileobj=sealer, mode="w|") as tar:
            for piece in (Piece(MANIFEST, json.dumps(manifest).encode()), *pieces):
                about = tarfile.TarInfo(piece.name)
                about.size, about.mode = len(piece.content), piece.mode
                tar.addfile(about, io.BytesIO(piece.content))
        sealer.finish()


def unpack(path: Path, lock: Lock) -> tuple[dict[str, Any], dict[str, Any], list[Piece]]:
    """What the header says, the manifest, and the pieces. Raises Refused: a wrong key, or no longer what was sealed."""
    try:
        with path.open("rb") as file:
            opener = Opener(file, lock, path)
            if opener.said.get("what") != WHAT:
                raise Refused("restore_other", file=path)
            pieces = list(_pieces(io.BytesIO(opener.readall()), path))  # all of it is proved before any of it is used
    except OSError as error:
        raise Refused("unreadable", file=path, why=error.strerror or error) from error
    manifest = next((piece for piece in pieces if piece.name == MANIFEST), None)
    if manifest is None:
        raise Refused("damaged", file=path)
    return opener.said, json.loads(manifest.content), [piece for piece in pieces if piece is not manifest]


def kept_in(folder: Path) -> list[Backup]:
    """The backups in a folder, oldest first; what is none is not looked at."""
    found = []
    for path in folder.glob("kentongan-*.backup"):
        if (named := _NAME.fullmatch(path.name)) is None:
            continue
        try:
            with path.open("rb") as file:
                said = said_of(file, path)
            found.append(Backup(path, int(named[1]), frozenset(said.get("erasures", ()))))
        except (OSError, Refused, ValueError, TypeError):
            continue  # a foreign or damaged file: nothing to be counted, and not ours to delete
    return sorted(found, key=lambda backup: backup.number)


def next_path(folder: Path, post: str) -> tuple[Path, int]:
    """Where the next backup goes: above every number that is there, be it whole or not."""
    numbers = [int(named[1]) for path in folder.iterdir() if (named := _NAME.fullmatch(path.name))]
    number = max(numbers, default=0) + 1
    return folder / f"kentongan-{post.replace('.', '').replace('/', '-')}-{number:06d}.backup", number


def turn(folder: Path, keep: int, erasures: Sequence[str], post: str) -> list[Path]:
    """Remove this post's surplus, and whatever holds what was erased since; never the newest. What was removed."""
    stem = next_path(folder, post)[0].name.rpartition("-")[0]
    mine = [backup for backup in kept_in(folder) if backup.path.name.rpartition("-")[0] == stem]
    surplus = {backup.path for backup in mine[: max(0, len(mine) - keep)]}
    gone = [backup.path for backup in mine[:-1] if backup.path in surplus or not backup.erasures.issuperset(erasures)]
    for path in gone:
        remove(path)
    return gone


def _pieces(archive: io.BytesIO, path: Path) -> Iterator[Piece]:
    try:
        with tarfile.open(fileobj=archive, mode="r:") as tar:
            for about in tar:
                name = PurePosixPath(about.name)
                content = tar.extractfile(about) if about.isreg() else None
                if content is None or name.is_absolute() or ".." in name.parts:
                    raise Refused("damaged", file=path)
                yield Piece(str(name), content.read(), about.mode & 0o777)
    except tarfile.TarError as error:
        raise Refused("damaged", file=path) from error
