"""`sources.toml`: which node stands where, and the key that proves it. Keys decide trust, never numbers or names."""

import base64
import binascii
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import structlog
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError, model_validator

from bridge.domain.errors import ConfigError
from bridge.domain.ids import node_source
from bridge.domain.place import Place, Source
from bridge.domain.press import BROADCAST, Press, Remark, Trust
from bridge.mistakes import nearest, sentences

log = structlog.get_logger()

KEY_BYTES = 32

_NODE = re.compile(r"!?([0-9a-fA-F]{8})")


class Register:
    """What the village knows of its sources; read at start and never changed."""

    def __init__(self, sources: Iterable[Source] = ()) -> None:
        self._by_id = {source.id: source for source in sources}
        self._warned: set[tuple[str, str]] = set()  # once each: a forger must not fill the log
        self._by_key = {source.public_key: source for source in self._by_id.values() if source.public_key}

    def __len__(self) -> int:
        return len(self._by_id)

    def find(self, source_id: str) -> Source | None:
        """The source of that id, if the village named it."""
        return self._by_id.get(source_id)

    def trust(self, press: Press) -> Trust:
        """How well we know who struck. Nothing heard over the air is VERIFIED without the pinned key."""
        if press.trusted:
            return Trust.VERIFIED
        source = self.find(press.source)
        if press.pki_key:
            return self._by_pki_key(press, source)
        if source is None or Remark.PLACE_CLAIMED in press.remarks:
            return Trust.UNKNOWN
        return Trust.CHANNEL

    def _by_pki_key(self, press: Press, source: Source | None) -> Trust:
        if source is not None and source.public_key == press.pki_key:
            return Trust.VERIFIED
        owner = self._by_key.get(press.pki_key)
        if owner is not None:
            self._warn("a pinned key came from another node; correct sources.toml", press.source, owner=owner.id)
        elif source is not None and source.public_key:
            self._warn("a known node wrote with another key; its place is only claimed", press.source)
        return Trust.UNKNOWN

    def _warn(self, what: str, source: str, **facts: str) -> None:
        if (what, source) not in self._warned:
            self._warned.add((what, source))
            log.warning(what, source=source, **facts)


def load_sources(path: Path) -> Register:
    """Read `sources.toml`; no file is an empty register. Raises ConfigError with all mistakes, one a line."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        log.warning("no register of sources; every place is unknown", file=str(path))
        return Register()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    sources, mistakes = _read(table)
    if mistakes:
        raise ConfigError("\n".join(f"{path.name}: {mistake}" for mistake in mistakes))
    return Register(sources)


def _node(text: str) -> str:
    found = _NODE.fullmatch(text)
    number = int(found[1], 16) if found else 0
    if number in (0, BROADCAST):  # nobody's number, and everybody's
        raise ValueError(f"{text!r} is no node number; write for example !00000a01")
    return node_source(number)


def _key(text: str) -> str:
    """Meshtastic writes keys in base64, others in base64url; both are read."""
    try:
        raw = base64.b64decode(text.translate({ord("-"): "+", ord("_"): "/"}), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("not base64; copy the whole public key, 44 letters that end in =") from error
    if text and len(raw) != KEY_BYTES:
        raise ValueError(f"holds {len(raw)} bytes, a public key has {KEY_BYTES}")
    return raw.hex()


class _Entry(BaseModel):
    """One `[[source]]`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    node: Annotated[str, AfterValidator(_node)]
    public_key: Annotated[str, AfterValidator(_key)] = ""
    house: str = ""
    rt: str = ""
    rw: str = ""
    landmark: str = ""
    lat: float | None = None
    lon: float | None = None
    label: str = ""

    @model_validator(mode="after")
    def _on_earth(self) -> "_Entry":
        if (self.lat is None) != (self.lon is None):
            raise ValueError("lat and lon go together; give both or neither")
        if self.lat is not None and self.lon is not None and not (abs(self.lat) <= 90 and abs(self.lon) <= 180):
            raise ValueError("lat is -90 to 90 and lon -180 to 180 degrees")
        return self

    def source(self) -> Source:
        place = Place(self.house, self.rt, self.rw, self.landmark, self.lat, self.lon)
        named = place if place != Place() else None
        return Source(self.node, named, bytes.fromhex(self.public_key), self.label)


def _read(table: dict[str, Any]) -> tuple[list[Source], list[str]]:
    entries = table.get("source", [])
    mistakes = [f"{key}: unknown key{nearest(key, ['source'])}" for key in table if key != "source"]
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        return [], [*mistakes, "source: must be written [[source]], once for each node"]
    sources: dict[int, Source] = {}
    for number, entry in enumerate(entries, start=1):
        try:
            sources[number] = _Entry.model_validate(entry).source()
        except ValidationError as error:
            where = f"[[source]] {number} ({entry.get('node', 'no node')})"
            mistakes += sentences(error, _Entry, where)
    return list(sources.values()), mistakes + _doubles(sources)


def _doubles(sources: dict[int, Source]) -> list[str]:
    """A node or a key may stand in one entry only: else one house would be shown for another."""
    found: list[str] = []
    seen: dict[str | bytes, int] = {}
    for number, source in sources.items():
        for what, value in (("node", source.id), ("public_key", source.public_key)):
            if value and seen.setdefault(value, number) != number:
                found.append(f"[[source]] {number} {what}: already in [[source]] {seen[value]}; remove one")
    return found
