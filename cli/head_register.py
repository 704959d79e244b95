"""A head's key in `sources.toml`: changed by hand's rules, so that comments and other entries stay as they are.

A new key is first kept in a file of its own beside the register, then given to the head, then entered, then that file
goes. So every key that a head may hold is on this disk at every moment, and the same command run again ends right.
"""

import base64
import contextlib
import dataclasses
import secrets
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bridge.domain.head import KEY_BYTES
from cli.head_link import HeadFault
from firmware_config.faults import Refused
from firmware_config.register import SECRET, SOURCE, Register, key_id_of, remembered
from firmware_config.register_file import refuse_anothers
from firmware_config.toml_text import TomlText
from firmware_config.whole_file import alone_in, write_whole


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
        with self._plainly(), alone_in(self.path.parent):
            yield

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
        """The register's new text; read back it must say what the old one said, and the key. An old key is revoked."""
        text = TomlText(self._read())
        with self._plainly():
            turn = next((entry.turn for entry in Register(text).sources if entry.fields.get("head") == self.head), None)
            if turn is None:
                return text.add(SOURCE, {"head": self.head} | place.told() | {SECRET: write_key(key)}).text
            old = Register(text).sources[turn]
            changed = text.put(SOURCE, turn, SECRET, write_key(key))
            is_other = old.head_key_id and old.head_key_id != key_id_of(write_key(key))
            return (remembered(changed, old, "", "") if is_other else changed).text

    def _owned(self) -> None:
        with self._plainly():
            refuse_anothers(self.path)

    def _replace(self, path: Path, text: str) -> None:
        with self._plainly():
            write_whole(path, text.encode())

    @contextlib.contextmanager
    def _plainly(self) -> Iterator[None]:
        try:
            yield
        except Refused as refusal:
            raise HeadFault(refusal.key, **{"file": self.path} | refusal.facts) from refusal
