"""The village's register as people change it: which node, head or input stands where, and which keys count no more.

Pure: text in, text out. Places and keys stand in `sources.toml`; names and telephones never do (people.py).
"""

import base64
import binascii
import difflib
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from firmware_config.faults import Refused
from firmware_config.toml_text import TomlText, Value

SOURCE, REVOKED = "source", "revoked"
NAMES = ("node", "head", "input")
PLACE = ("house", "rt", "rw", "landmark", "lat", "lon")
SECRET = "head_key"


@dataclass(frozen=True, slots=True)
class Entry:
    """One `[[source]]` or `[[revoked]]`, as it is written; `turn` counts from 0."""

    turn: int
    fields: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The node's number, the head's or the input's name."""
        return next((str(self.fields[kind]) for kind in NAMES if self.fields.get(kind)), "")

    @property
    def house(self) -> str:
        """By what people know it: the house, else the thing itself."""
        return str(self.fields.get("house") or self.name)

    @property
    def public_key(self) -> bytes:
        """b'' where there is none, or none that can be read."""
        return read_key(str(self.fields.get("public_key", "")))

    @property
    def head_key_id(self) -> str:
        return str(self.fields.get("head_key_id") or key_id_of(str(self.fields.get(SECRET, ""))))

    def shown(self) -> dict[str, Any]:
        """For people and for JSON: a head's key is secret, only that it is there is told."""
        told = {name: value for name, value in self.fields.items() if name != SECRET}
        return told | ({SECRET: True} if self.fields.get(SECRET) else {})


@dataclass(frozen=True, slots=True)
class Register:
    """`sources.toml`. Every change gives a new one; what is wrong with it raises Refused."""

    toml: TomlText

    @property
    def sources(self) -> list[Entry]:
        return _entries(self.toml, SOURCE)

    @property
    def revoked(self) -> list[Entry]:
        return _entries(self.toml, REVOKED)

    def find(self, who: str) -> Entry:
        """By node number, head, input, house, label or public key. Raises Refused when it is none, or several."""
        found = list(_known(self.sources, who))
        if not found:
            names = {name for entry in self.sources for name in _names(entry)}
            raise Refused("unknown_source", who=who, near=", ".join(difflib.get_close_matches(who, names)) or "-")
        if len(found) > 1:
            raise Refused("several_sources", who=who, names=", ".join(entry.name for entry in found))
        return found[0]

    def house(self, who: str) -> str:
        """The house that is meant, also one whose things are all revoked. Raises Refused."""
        known = next(_known([*self.sources, *self.revoked], who), None)
        return known.house if known is not None else self.find(who).house

    def of_house(self, house: str) -> list[Entry]:
        """Everything that stands there."""
        return [entry for entry in self.sources if entry.house == house]

    def was_of_house(self, house: str) -> list[Entry]:
        """Everything that stood there and was revoked."""
        return [entry for entry in self.revoked if entry.house == house]

    def add(self, fields: Mapping[str, Value]) -> "Register":
        """A new source. A key that was revoked never comes back by mistake."""
        self._refuse_known(Entry(-1, fields), but=None)
        return Register(self.toml.add(SOURCE, fields))

    def revoke(self, who: str, why: str, day: str) -> "Register":
        """Its entry goes; the key is remembered, so that nobody adds it again."""
        entry = self.find(who)
        return Register(remembered(self.toml.drop(SOURCE, entry.turn), entry, why, day))

    def replace(self, who: str, fields: Mapping[str, Value], why: str, day: str) -> "Register":
        """Another node, or another key, for the same place; the old one is revoked and remembered."""
        entry = self.find(who)
        if not {name: value for name, value in fields.items() if entry.fields.get(name) != value}:
            raise Refused("same_key", who=entry.name)
        gone = [key for kind, key in (("node", "public_key"), ("head", SECRET)) if kind in fields and key not in fields]
        new = {name: value for name, value in entry.fields.items() if name not in gone} | dict(fields)
        self._refuse_known(Entry(entry.turn, new), but=entry.turn)
        toml = self.toml
        for name in gone:
            toml = toml.take(SOURCE, entry.turn, name)  # it was the other thing's
        for name, value in fields.items():
            toml = toml.put(SOURCE, entry.turn, name, value)
        return Register(remembered(toml, entry, why, day))

    def rename(self, who: str, fields: Mapping[str, Value]) -> "Register":
        """Another house code, label or place for the same thing."""
        entry, toml = self.find(who), self.toml
        for name, value in fields.items():
            toml = toml.put(SOURCE, entry.turn, name, value)
        if "house" in fields and not Register(toml).of_house(entry.house):
            for old in self.revoked:
                if old.house == entry.house:
                    toml = toml.put(REVOKED, old.turn, "house", fields["house"])
        return Register(toml)

    def erase(self, house: str) -> "Register":
        """As if the house had never been here: its entries, the comments above them, and its revoked keys."""
        toml = self.toml
        for table, entries in ((SOURCE, self.sources), (REVOKED, self.revoked)):
            for entry in reversed(entries):
                if entry.house == house:
                    toml = toml.drop(table, entry.turn)
        return Register(toml)

    def _refuse_known(self, new: Entry, but: int | None) -> None:
        for old in self.sources:
            if old.turn != but and (what := _shared(new, old)):
                raise Refused(f"known_{what}", who=new.name, house=old.house)
        for old in self.revoked:
            if _shared(new, old) == "key":  # a number alone may come back: a node found again, with a new key
                raise Refused("revoked_key", who=new.name, house=old.house, why=old.fields.get("why", ""))


def for_desk(register: Register, post: str) -> list[dict[str, Any]]:
    """Places by source id, for the police: where to drive to, and nothing about who lives there."""
    return [{"source": source_id(entry, post)} | _place(entry) for entry in register.sources]


def remembered(toml: TomlText, entry: Entry, why: str, day: str) -> TomlText:
    """With what the entry was, under `[[revoked]]`; of a head's key only a name that gives nothing away."""
    kept: dict[str, Value] = {kind: entry.fields[kind] for kind in NAMES if entry.fields.get(kind)}
    kept |= {name: value for name in ("public_key", "house") if (value := entry.fields.get(name))}
    kept |= {"head_key_id": entry.head_key_id} if entry.head_key_id else {}
    return toml.add(REVOKED, kept | {name: text for name, text in (("why", why), ("day", day)) if text})


def source_id(entry: Entry, post: str) -> str:
    """As the bridge and the desk call it."""
    if "node" in entry.fields:
        return f"node:{number_of(entry.name)}"
    return f"head:{entry.name}" if "head" in entry.fields else f"wired:{post}/{entry.name}"


def read_key(text: str) -> bytes:
    """A public key in base64 or base64url; b'' when it is none."""
    try:
        return base64.b64decode(text.translate({ord("-"): "+", ord("_"): "/"}), validate=True)
    except (binascii.Error, ValueError):
        return b""


def key_id_of(head_key: str) -> str:
    """Names a head's key, 26 letters of base32 or 32 of hex, without giving it away; '' for none."""
    try:
        raw = bytes.fromhex(head_key) if len(head_key) == 32 else base64.b32decode(f"{head_key:=<32}")
    except (binascii.Error, ValueError):
        return ""
    return hashlib.sha256(b"kentongan head key" + raw).hexdigest()[:16] if raw else ""


def number_of(node: str) -> str:
    """`!00000A01`, `00000a01` → `00000a01`."""
    return node.removeprefix("!").lower()


def _entries(toml: TomlText, table: str) -> list[Entry]:
    entries = toml.parsed().get(table, [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise Refused("by_hand", why=f"[[{table}]]")
    return [Entry(turn, fields) for turn, fields in enumerate(entries)]


def _names(entry: Entry) -> Iterator[str]:
    yield from (str(entry.fields[name]) for name in (*NAMES, "house", "label") if entry.fields.get(name))


def _known(entries: list[Entry], who: str) -> Iterator[Entry]:
    key = read_key(who)
    for entry in entries:
        is_node = "node" in entry.fields and number_of(entry.name) == number_of(who)
        if is_node or who in _names(entry) or (len(key) == 32 and entry.public_key == key):
            yield entry


def _shared(new: Entry, old: Entry) -> str:
    """What two entries may not have in common: "key" or "name"; '' for nothing."""
    if (new.public_key and new.public_key == old.public_key) or (
        new.head_key_id and new.head_key_id == old.head_key_id
    ):
        return "key"
    if "node" in new.fields and "node" in old.fields:
        return "name" if number_of(new.name) == number_of(old.name) else ""
    is_same = any(new.fields.get(kind) and new.fields.get(kind) == old.fields.get(kind) for kind in NAMES)
    return "name" if is_same else ""


def _place(entry: Entry) -> dict[str, Any]:
    return {name: entry.fields[name] for name in (*PLACE, "at", "home") if entry.fields.get(name) not in (None, "")}
