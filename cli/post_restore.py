"""The old post in a new folder: whole or not at all, its journal under a new name."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bridge.config import load_config
from bridge.domain.errors import BridgeError, ConfigError
from bridge.domain.ids import PostId
from bridge.store.copying import begin_anew
from cli.new_folder import SetupRefused, settle, sync, unfinished
from cli.post_files import OUTSIDE
from cli.words import Voice
from firmware_config.backup import Piece, unpack
from firmware_config.faults import Refused
from firmware_config.locks import Lock
from firmware_config.whole_file import write_whole


def restored(file: Path, folder: Path, lock: Lock, say: Voice) -> dict[str, Any]:
    """What was restored, for people. Raises BridgeError; then nothing is there that was not before."""
    said, manifest, pieces = unpack(file, lock)
    away = [piece for piece in pieces if piece.name.startswith(f"{OUTSIDE}/")]
    _refuse_others(away)
    try:
        with unfinished(folder, say) as scratch, _placed(away):
            for piece in pieces:
                if piece not in away:
                    _write(scratch / piece.name, piece)
            again = _journal(scratch, str(manifest["journal"]), PostId.parse(str(said["post"])))
            load_config(scratch / "post.toml")
            settle(scratch)
            scratch.rename(folder)
            sync(folder.parent)
    except (Refused, SetupRefused):
        raise
    except ConfigError as error:
        raise Refused("restore_wrong", why=error.said(say.language)) from error
    except (BridgeError, OSError, KeyError, ValueError) as error:
        raise Refused("restore_wrong", why=error) from error
    return {"post": said["post"], "at": said.get("at", "?"), "folder": str(folder), "again": again}


def _journal(scratch: Path, name: str, post: PostId) -> int:
    """How many open alarms it will tell again; 0 where no bridge had ever run."""
    path = _away(name) if name.startswith(f"{OUTSIDE}/") else scratch / name
    return begin_anew(path, post) if path.exists() else 0


def _write(path: Path, piece: Piece) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, piece.mode)
    with os.fdopen(handle, "wb") as out:
        os.fchmod(handle, piece.mode)
        out.write(piece.content)


def _refuse_others(away: list[Piece]) -> None:
    """What stands elsewhere on this machine is overwritten by nobody. Raises Refused."""
    for piece in away:
        path = _away(piece.name)
        if path.exists() and path.read_bytes() != piece.content:
            raise Refused("restore_exists", file=path)


@contextlib.contextmanager
def _placed(away: list[Piece]) -> Iterator[None]:
    """Files outside the folder; those that are new go again when the rest fails."""
    made: list[Path] = []
    try:
        for piece in away:
            path = _away(piece.name)
            if not path.exists():
                made.append(path)
                path.parent.mkdir(parents=True, exist_ok=True)
                write_whole(path, piece.content)
                path.chmod(piece.mode)
        yield
    except BaseException:
        for path in made:
            path.unlink(missing_ok=True)
        raise


def _away(name: str) -> Path:
    return Path(name.removeprefix(OUTSIDE))
