"""`sources.toml`: which node, head or wired input stands where, and the key that proves it.

Keys decide trust, never numbers or names. What Detection Sensors' names and canned texts mean stands there too.
"""

import base64
import binascii
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

import structlog
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError, model_validator

from bridge.codec.stock import plainly
from bridge.domain.errors import ConfigError
from bridge.domain.head import KEY_BYTES as HEAD_KEY_BYTES
from bridge.domain.head import is_head
from bridge.domain.ids import LEVEL, node_source, wired_source
from bridge.domain.place import Place, Source
from bridge.domain.press import BROADCAST, Kind, Press, Remark, Trust, Via
from bridge.domain.said import Said, Wrong, nearest
from bridge.mistakes import UNKNOWN_KEY, config_error, is_open, open_secret, sentences, written_as

log = structlog.get_logger()

KEY_BYTES = 32
TABLES = ("source", "sensor", "text", "revoked")

_NODE = re.compile(r"!?([0-9a-fA-F]{8})")


class Register:
    """What the village knows of its sources; read at start and never changed.

    `sensors`, `texts`: kinds by the plain name of a Detection Sensor, or by a canned text. `revoked`: public keys that
    count no more.
    """

    def __init__(
        self,
        sources: Iterable[Source] = (),
        sensors: Mapping[str, Kind] = MappingProxyType({}),
        texts: Mapping[str, Kind] = MappingProxyType({}),
        revoked: Iterable[bytes] = (),
    ) -> None:
        self._revoked = frozenset(revoked)
        self._by_id = {source.id: source for source in sources}
        self.sensors, self.texts = sensors, texts
        self._warned: set[tuple[str, str]] = set()  # once each: a forger must not fill the log
        self._by_key = {source.public_key: source for source in self._by_id.values() if source.public_key}

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Source]:
        return iter(self._by_id.values())

    def find(self, source_id: str) -> Source | None:
        """The source of that id, if the village named it."""
        return self._by_id.get(source_id)

    @property
    def holds_keys(self) -> bool:
        """Whether whoever reads the file can speak as a head."""
        return any(source.head_key for source in self._by_id.values())

    @property
    def has_heads(self) -> bool:
        return any(source.startswith("head:") for source in self._by_id)

    def head_key(self, head: str) -> bytes:
        """16 bytes, or b'' for a head that is unknown or has no key here."""
        source = self.find(f"head:{head}")
        return source.head_key if source else b""

    def trust(self, press: Press) -> Trust:
        """How well we know who struck. Nothing heard over the air is VERIFIED without a key that is ours."""
        if press.trusted:
            return Trust.VERIFIED
        source = self.find(press.source)
        if press.pki_key:
            return self._by_pki_key(press, source)
        if source is None or press.is_open:
            return Trust.UNKNOWN
        # A head's line without the right MAC came over our own channel; its place is only claimed.
        return Trust.CHANNEL if press.via is Via.LINE or Remark.PLACE_CLAIMED not in press.remarks else Trust.UNKNOWN

    def _by_pki_key(self, press: Press, source: Source | None) -> Trust:
        if source is not None and source.public_key == press.pki_key:
            return Trust.VERIFIED
        owner = self._by_key.get(press.pki_key)
        if press.pki_key in self._revoked:
            self._warn("a node struck with a key that was revoked; still an alarm, its place unknown", press.source)
        elif owner is not None:
            self._warn("a pinned key came from another node; correct sources.toml", press.source, owner=owner.id)
        elif source is not None and source.public_key:
            self._warn("a known node wrote with another key; its place is only claimed", press.source)
        return Trust.UNKNOWN

    def _warn(self, what: str, source: str, **facts: str) -> None:
        if (what, source) not in self._warned:
            self._warned.add((what, source))
            log.warning(what, source=source, **facts)


def load_sources(path: Path, post: str = "") -> Register:
    """Read `sources.toml` of that post; no file is an empty register. Raises ConfigError, one line for each mistake."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Register()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}", f"{path}: tidak dapat dibaca: {error}") from error
    mistakes = [UNKNOWN_KEY.then(nearest(key, TABLES)).after(key) for key in table if key not in TABLES]
    sources = _sources(_entries(table, "source", mistakes), post, mistakes)
    sensors = _meanings(_entries(table, "sensor", mistakes), "sensor", _Sensor, mistakes)
    texts = _meanings(_entries(table, "text", mistakes), "text", _Text, mistakes)
    revoked = _revoked(_entries(table, "revoked", mistakes), sources, mistakes)
    if mistakes:
        raise config_error(path.name, mistakes)
    return Register(sources, sensors, texts, revoked)


def cautions(path: Path, register: Register) -> list[Said]:
    """What is allowed in `sources.toml` and probably not meant, one line each."""
    if not path.is_file():
        return [
            Said(
                f"tidak ada {path}: tempat setiap panggilan tidak diketahui",
                f"no {path}: the place of every call is unknown",
            )
        ]
    return [open_secret(path)] if register.holds_keys and is_open(path) else []


def _node(text: str) -> str:
    found = _NODE.fullmatch(text)
    number = int(found[1], 16) if found else 0
    if number in (0, BROADCAST):  # nobody's number, and everybody's
        raise Wrong(
            f"{text!r} bukan nomor simpul; tulis misalnya !00000a01",
            f"{text!r} is no node number; write for example !00000a01",
        )
    return node_source(number)


def _key(text: str) -> str:
    """Meshtastic writes keys in base64, others in base64url; both are read."""
    try:
        raw = base64.b64decode(text.translate({ord("-"): "+", ord("_"): "/"}), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Wrong(
            "bukan base64; salin seluruh kunci publik, 44 huruf yang berakhir =",
            "not base64; copy the whole public key, 44 letters that end in =",
        ) from error
    if text and len(raw) != KEY_BYTES:
        raise Wrong(
            f"berisi {len(raw)} byte, kunci publik {KEY_BYTES}", f"holds {len(raw)} bytes, a public key has {KEY_BYTES}"
        )
    return raw.hex()


def _head(text: str) -> str:
    if not is_head(text):
        raise Wrong(
            f"{text!r} bukan nama kepala kentongan; 1 sampai 7 dari A-Z, 0-9 dan '-', misalnya RT03-12",
            f"{text!r} is no name of a head; 1 to 7 of A-Z, 0-9 and '-', for example RT03-12",
        )
    return text


def _head_key(text: str) -> str:
    """26 letters of base32, as `kentongan head key` writes them, or 32 of hex. What is wrong is not repeated."""
    try:
        raw = bytes.fromhex(text) if len(text) == 2 * HEAD_KEY_BYTES else base64.b32decode(f"{text:=<32}")
    except (binascii.Error, ValueError) as error:
        raise Wrong(
            "bukan 26 huruf base32 dan bukan 32 angka heksadesimal; `kentongan head key` menulisnya",
            "neither 26 letters of base32 nor 32 of hex; `kentongan head key` writes it",
        ) from error
    if len(raw) != HEAD_KEY_BYTES:
        raise Wrong(
            f"berisi {len(raw)} byte, kunci kepala kentongan {HEAD_KEY_BYTES}",
            f"holds {len(raw)} bytes, a head's key has {HEAD_KEY_BYTES}",
        )
    return raw.hex()


def _level(text: str) -> str:
    if not LEVEL.fullmatch(text) or len(text) > 32:
        raise Wrong(
            f"{text!r} hanya boleh berisi a-z, 0-9 dan '-', misalnya pos-1",
            f"{text!r} may hold only a-z, 0-9 and '-', for example pos-1",
        )
    return text


class _Entry(BaseModel):
    """One `[[source]]`: a node, a head or a wired input."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    node: Annotated[str, AfterValidator(_node)] = ""
    head: Annotated[str, AfterValidator(_head)] = ""
    input: Annotated[str, AfterValidator(_level)] = ""
    public_key: Annotated[str, AfterValidator(_key)] = ""
    head_key: Annotated[str, AfterValidator(_head_key)] = ""
    home: Annotated[str, AfterValidator(_level)] = ""
    at: Literal["house", "post"] = "house"
    house: str = ""
    rt: str = ""
    rw: str = ""
    landmark: str = ""
    lat: float | None = None
    lon: float | None = None
    label: str = ""

    @model_validator(mode="after")
    def _one_thing(self) -> "_Entry":
        if sum(map(bool, (self.node, self.head, self.input))) != 1:
            choices = ('node = "!00000a01"', 'head = "RT03-12"', 'input = "kentongan"')
            raise Wrong(
                "perlu salah satu dari {}, {} atau {}".format(*choices), "needs one of {}, {} or {}".format(*choices)
            )
        if self.head_key and not self.head:
            raise Wrong("head_key milik kepala kentongan (head)", "head_key belongs to a head")
        if self.public_key and not self.node:
            raise Wrong("public_key milik simpul (node)", "public_key belongs to a node")
        return self

    @model_validator(mode="after")
    def _on_earth(self) -> "_Entry":
        if (self.lat is None) != (self.lon is None):
            raise Wrong("lat dan lon harus diisi bersama", "lat and lon go together; give both or neither")
        if self.lat is not None and self.lon is not None and not (abs(self.lat) <= 90 and abs(self.lon) <= 180):
            raise Wrong(
                "lat -90 sampai 90, lon -180 sampai 180 derajat", "lat is -90 to 90 and lon -180 to 180 degrees"
            )
        return self

    def source(self, post: str) -> Source:
        place = Place(self.house, self.rt, self.rw, self.landmark, self.lat, self.lon)
        named = place if place != Place() else None
        name = self.node or (f"head:{self.head}" if self.head else wired_source(post, self.input))
        return Source(
            name,
            named,
            bytes.fromhex(self.public_key),
            self.label,
            bytes.fromhex(self.head_key),
            self.home,
            self.at == "post",
        )


class _Sensor(BaseModel):
    """One `[[sensor]]`: what a Detection Sensor of that name tells of."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    kind: Kind


class _Text(BaseModel):
    """One `[[text]]`: what a canned text means, word for word."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    words: str
    kind: Kind


class _Revoked(BaseModel):
    """One `[[revoked]]`: what counts no more, remembered so that nobody enters it again."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    node: Annotated[str, AfterValidator(_node)] = ""
    head: Annotated[str, AfterValidator(_head)] = ""
    input: Annotated[str, AfterValidator(_level)] = ""
    public_key: Annotated[str, AfterValidator(_key)] = ""
    head_key_id: str = ""
    house: str = ""
    why: str = ""
    day: str = ""


def _entries(table: dict[str, Any], name: str, mistakes: list[Said]) -> list[dict[str, Any]]:
    entries = table.get(name, [])
    if isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries):
        return entries
    mistakes.append(written_as(name).after(name))
    return []


def _sources(entries: list[dict[str, Any]], post: str, mistakes: list[Said]) -> list[Source]:
    sources: dict[int, Source] = {}
    for number, entry in enumerate(entries, start=1):
        try:
            sources[number] = _Entry.model_validate(entry).source(post)
        except ValidationError as error:
            named = next((entry[key] for key in ("node", "head", "input") if key in entry), "no node, head or input")
            mistakes += sentences(error, _Entry, f"[[source]] {number} ({named})")
    mistakes += _doubles(sources)
    return list(sources.values())


def _meanings(
    entries: list[dict[str, Any]], name: str, model: type[_Sensor | _Text], mistakes: list[Said]
) -> dict[str, Kind]:
    """Plain words and their kind; the same words twice are a mistake."""
    found: dict[str, Kind] = {}
    for number, entry in enumerate(entries, start=1):
        try:
            said = model.model_validate(entry)
        except ValidationError as error:
            mistakes += sentences(error, model, f"[[{name}]] {number}")
            continue
        words = plainly(said.name if isinstance(said, _Sensor) else said.words)
        if not words:
            mistakes.append(Said("tidak berisi kata", "holds no words").after(f"[[{name}]] {number}"))
        elif found.setdefault(words, said.kind) is not said.kind:
            what = Said(
                f"{words!r} sudah punya jenis lain; hapus salah satu",
                f"{words!r} has another kind already; remove one",
            )
            mistakes.append(what.after(f"[[{name}]] {number}"))
    return found


def _revoked(entries: list[dict[str, Any]], sources: list[Source], mistakes: list[Said]) -> list[bytes]:
    """Public keys that count no more; one that stands in a `[[source]]` too is a mistake."""
    keys: list[bytes] = []
    for number, entry in enumerate(entries, start=1):
        try:
            keys.append(bytes.fromhex(_Revoked.model_validate(entry).public_key))
        except ValidationError as error:
            mistakes += sentences(error, _Revoked, f"[[revoked]] {number}")
    for source in sources:
        if source.public_key and source.public_key in keys:
            what = Said(
                "kunci ini sudah dicabut; hapus di sini atau di [[revoked]]",
                "it was revoked; remove it here or under [[revoked]]",
            )
            mistakes.append(what.after(f"[[source]] {source.id} public_key"))
    return [key for key in keys if key]


def _doubles(sources: dict[int, Source]) -> list[Said]:
    """A node or a key may stand in one entry only: else one house would be shown for another."""
    found: list[Said] = []
    seen: dict[str | bytes, int] = {}
    for number, source in sources.items():
        keys = (("public_key", source.public_key), ("head_key", source.head_key))
        for what, value in (_named(source), *keys):
            if value and seen.setdefault(value, number) != number:
                where = f"[[source]] {seen[value]}"
                twice = Said(f"sudah ada di {where}; hapus salah satu", f"already in {where}; remove one")
                found.append(twice.after(f"[[source]] {number} {what}"))
    return found


def _named(source: Source) -> tuple[str, str]:
    what = {"node": "node", "head": "head"}.get(source.id.partition(":")[0], "input")
    return what, source.id
