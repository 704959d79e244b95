"""A head's key in `sources.toml`: changed by hand's rules, so that comments and other entries stay as they are.

A new key is first kept in a file of its own beside the register, then given to the head, then entered, then that file
goes. So every key that a head may hold is on this disk at every moment, and the same command run again ends right.
"""

import base64
import contextlib
import dataclasses
import fcntl
import json
import os
import pwd
import re
import secrets
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bridge.domain.head import KEY_BYTES
from cli.head_link import HeadFault

_ENTRY = re.compile(r"\s*\[\[\s*source\s*\]\]\s*(#.*)?")
_TABLE = re.compile(r"\s*\[")
_KEY = re.compile(r"(\s*head_key\s*=\s*)(\"[^\"]*\"|'[^']*')(.*)", re.DOTALL)
_HEAD = re.compile(r"\s*head\s*=")


def write_key(key: bytes) -> str:
    """26 letters of base32."""
    return base64.b32encode(key).decode("ascii").rstrip("=")


@dataclass(frozen=True, slots=True)
class EntryPlace:
    """Where a new head is, for a new entry."""

    house: str = ""
    rt: str = ""
    rw: str = ""
    home: str = ""
    at: str = ""

    def told(self) -> dict[str, str]:
        return {name: value for name, value in dataclasses.asdict(self).items() if value}


class RegisterFile:
    """`sources.toml` with the key of one head in it. Everything raises HeadFault."""

    def __init__(self, path: Path, head: str) -> None:
        self.path = path.resolve()
        self.head = head
        self.pending = self.path.with_name(f".{self.path.name}.{head}.key")

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Two commands at once would lose one's entry. The kernel lets go however we end."""
        try:
            folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise HeadFault("no_write", file=self.path, why=error.strerror) from error
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError as error:
            raise HeadFault("register_busy", folder=self.path.parent) from error
        finally:
            os.close(folder)

    def prepare(self, place: EntryPlace, replace: bool) -> tuple[bytes, bool]:
        """The key to give, and whether it was begun before. When this returns it is on the disk."""
        self._owned()
        begun = self._begun()
        if begun is None and not replace and self._has_key():
            raise HeadFault("has_key", head=self.head, file=self.path)
        key = begun or secrets.token_bytes(KEY_BYTES)
        self._with_key(key, place)  # before the head is touched: a file that we cannot change stops us here
        if begun is None:
            self._replace(self.pending, write_key(key) + "\n")
        return key, begun is not None

    def enter(self, key: bytes, place: EntryPlace) -> None:
        """The register holds the key, and nothing is left to finish."""
        self._replace(self.path, self._with_key(key, place))
        try:
            self.pending.unlink(missing_ok=True)
        except OSError as error:
            raise HeadFault("no_write", file=self.pending, why=error.strerror) from error

    def _has_key(self) -> bool:
        try:
            entries = tomllib.loads(self._read()).get("source", [])
            return any(entry.get("head") == self.head and entry.get("head_key") for entry in entries)
        except (tomllib.TOMLDecodeError, AttributeError) as error:
            raise HeadFault("by_hand", file=self.path) from error

    def _begun(self) -> bytes | None:
        try:
            text = self.pending.read_text("ascii").strip()
            key = base64.b32decode(f"{text:=<32}")
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise HeadFault("bad_pending", file=self.pending) from error
        if len(key) != KEY_BYTES:
            raise HeadFault("bad_pending", file=self.pending)
        return key

    def _read(self) -> str:
        try:
            return self.path.read_text("utf-8")
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError) as error:
            raise HeadFault("no_write", file=self.path, why=error) from error

    def _with_key(self, key: bytes, place: EntryPlace) -> str:
        """The register's new text; read back it must say what the old one said, and the key."""
        text = self._read()
        try:
            was = tomllib.loads(text)
            changed = _changed(text, was, self.head, write_key(key), place)
            if tomllib.loads(changed) == _wanted(was, self.head, write_key(key), place):
                return changed
        except tomllib.TOMLDecodeError as error:
            raise HeadFault("by_hand", file=self.path) from error
        raise HeadFault("by_hand", file=self.path)

    def _owned(self) -> None:
        """A register of another's would become ours, and the bridge could no longer read it."""
        with contextlib.suppress(FileNotFoundError):
            owner = self.path.stat().st_uid
            if os.geteuid() not in (0, owner):
                raise HeadFault("not_owner", file=self.path, owner=_name(owner))

    def _replace(self, path: Path, text: str) -> None:
        """Whole or not at all, for its owner only, on the disk before we go on."""
        owned = next((known for known in (self.path, self.path.parent) if known.exists()), self.path.parent).stat()
        scratch = path.with_name(f"{path.name}.new" if path.name.startswith(".") else f".{path.name}.new")
        try:
            scratch.unlink(missing_ok=True)
            handle = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                if os.geteuid() == 0:
                    os.fchown(handle, owned.st_uid, owned.st_gid)
                file.write(text)
                file.flush()
                os.fsync(handle)
            scratch.rename(path)
            folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise HeadFault("no_write", file=path, why=error.strerror) from error


def _wanted(was: dict[str, Any], head: str, key: str, place: EntryPlace) -> dict[str, Any]:
    entries = was.get("source", [])
    new = [] if _turn(entries, head) is not None else [{"head": head} | place.told() | {"head_key": key}]
    keyed = [entry | {"head_key": key} if entry.get("head") == head else entry for entry in entries]
    return was | {"source": keyed + new}


def _turn(entries: list[dict[str, Any]], head: str) -> int | None:
    return next((turn for turn, entry in enumerate(entries) if entry.get("head") == head), None)


def _changed(text: str, was: dict[str, Any], head: str, key: str, place: EntryPlace) -> str:
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    turn = _turn(was.get("source", []), head)
    if turn is None:
        new = {"head": head} | place.told() | {"head_key": key}
        told = [f"{name} = {_quoted(value)}\n" for name, value in new.items()]
        return "".join([*lines, *["\n"] * bool(lines), "[[source]]\n", *told])
    starts = [number for number, line in enumerate(lines) if _ENTRY.fullmatch(line)]
    begin = starts[turn] + 1 if turn < len(starts) else len(lines)
    end = next((number for number in range(begin, len(lines)) if _TABLE.match(lines[number])), len(lines))
    _put(lines, begin, end, key)
    return "".join(lines)


def _put(lines: list[str], begin: int, end: int, key: str) -> None:
    """In place of the old key, else behind the head's name."""
    for number in range(begin, end):
        if (found := _KEY.fullmatch(lines[number])) is not None:
            lines[number] = f'{found[1]}"{key}"{found[3]}'
            return
    at = next((number + 1 for number in range(begin, end) if _HEAD.match(lines[number])), end)
    lines.insert(at, f'head_key = "{key}"\n')


def _quoted(text: str) -> str:
    """A TOML basic string: JSON's escapes are a part of TOML's, but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
