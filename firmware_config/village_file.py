"""Reading `village.yaml`. Every mistake is told at once, with its line; nothing is half read."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from bridge.domain.place import Place
from bridge.domain.said import Said, Wrong
from firmware_config import village_entries as entries
from firmware_config.band import Sending, refusals
from firmware_config.keys import read_admin_keys, read_channel_key
from firmware_config.mistakes import found_wrong, not_one_of, unknown_key
from firmware_config.profile import load_profile
from firmware_config.village import Village, VillageNode, VillageWrong
from firmware_config.yaml_text import Mistake, Where, YamlText, read_yaml

Entry = TypeVar("Entry", bound=BaseModel)

Found = TypeVar("Found")

KEYS = (*entries.TopEntry.model_fields, "channel", "radio", "admin", "pins", "places", "nodes")


def load_village(path: Path) -> Village:
    """Raises VillageWrong with every mistake at once."""
    return parse_village(path, village_text(path))


def village_text(path: Path) -> str:
    """As a hand left it, also one that wrote it with Windows. Raises VillageWrong."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        what = Said(
            "tidak ada di sini; periksa namanya. Desa baru: kentongan node new",
            "is not here; check its name. A new village: kentongan node new",
        )
        raise VillageWrong(path, [Mistake(0, what)]) from error
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "UTF-8"
        what = Said(f"tidak dapat dibaca: {why}", f"cannot be read: {why}")
        raise VillageWrong(path, [Mistake(0, what)]) from error


def parse_village(path: Path, text: str) -> Village:
    """As if `text` stood in that file. Raises VillageWrong."""
    reader = _Reader(path, read_yaml(text))
    village = reader.village()
    if village is None or reader.mistakes:
        raise VillageWrong(path, sorted(reader.mistakes, key=lambda mistake: mistake.line))
    return village


class _Reader:
    """One reading of one file; what is wrong gathers in `mistakes`."""

    def __init__(self, path: Path, text: YamlText) -> None:
        self.path, self.text = path.resolve(), text
        self.mistakes = list(text.mistakes)
        self.data: dict[str, Any] = {}
        if isinstance(text.data, dict):
            self.data = text.data
        elif not text.mistakes:
            self._wrong((), Said("harus berisi kunci: nilai", "must hold keys and values"))

    def village(self) -> Village | None:
        if not self.data:
            return None
        for key in self.data:
            if key not in KEYS:
                self._wrong((key,), unknown_key(key, KEYS))
        mine = entries.TopEntry.model_fields
        top = self._entry(entries.TopEntry, {key: told for key, told in self.data.items() if key in mine}, ())
        channel, radio = self._section("channel", entries.ChannelEntry), self._section("radio", entries.RadioEntry)
        admin, pins = self._section("admin", entries.AdminEntry), self._section("pins", entries.Pins)
        nodes = self._nodes(self._places(), pins.told() if pins else {})
        sending = self._sending(radio, channel)
        channel_key = self._file(("channel", "key"), channel.key if channel else "", read_channel_key)
        admin_keys = self._file(("admin", "keys"), admin.keys if admin else "", read_admin_keys)
        if not (top and sending and radio and channel_key and admin_keys):
            return None
        assert admin is not None
        folder = self.path.parent
        sources, admins = folder / top.sources if top.sources else None, folder / admin.keys
        return Village(self.path, top.village, sending, radio.hops, channel_key, admin_keys, admins, nodes, sources)

    def _section(self, name: str, model: type[Entry]) -> Entry | None:
        return self._entry(model, self.data.get(name, {}), (name,))

    def _entry(self, model: type[Entry], told: Any, where: Where, label: str = "") -> Entry | None:
        if isinstance(told, dict):  # what is unknown is said, and the rest looked at all the same
            for key in told.keys() - model.model_fields.keys():
                self._wrong((*where, key), unknown_key(key, model.model_fields), label)
            told = {key: value for key, value in told.items() if key in model.model_fields}
        try:
            return model.model_validate(told)
        except ValidationError as error:
            for inside, both in found_wrong(error, model):
                self._wrong((*where, *inside), both, label)
            return None

    def _list(self, name: str, model: type[Entry]) -> list[tuple[Where, Entry]]:
        if not isinstance(self.data.get(name, []), list):
            self._wrong((name,), Said("harus daftar: tiap butir mulai dengan '-'", "must be a list: '-' before each"))
        found: list[tuple[Where, Entry]] = []
        for number, item in enumerate(self._items(name)):
            entry = self._entry(model, item, (name, number), _label(item))
            if entry is not None:
                found.append(((name, number), entry))
        return found

    def _items(self, name: str) -> list[Any]:
        told = self.data.get(name, [])
        return told if isinstance(told, list) else []

    def _places(self) -> dict[str, Place]:
        self._doubles("places", ("name",))
        places = {
            label: Place() for label in map(_label, self._items("places")) if label
        }  # also where the rest is wrong
        for _where, entry in self._list("places", entries.PlaceEntry):
            places[entry.name] = Place("", entry.rt, entry.rw, entry.landmark, entry.lat, entry.lon)
        return places

    def _nodes(self, places: Mapping[str, Place], pins: Mapping[str, int]) -> tuple[VillageNode, ...]:
        self._doubles("nodes", ("name", "node", "public_key"))
        self._unplaced(places)
        nodes: list[VillageNode] = []
        shorts: set[str] = set()
        for where, entry in self._list("nodes", entries.NodeEntry):
            node = self._node(where, entry, places, pins)
            if node.short in shorts:
                self._wrong((*where, "short"), _short_taken(node.short), node.name)
            shorts.add(node.short)
            nodes.append(node)
        return tuple(nodes)

    def _doubles(self, name: str, keys: tuple[str, ...]) -> None:
        """The same name, number or key twice, even in entries that are wrong otherwise."""
        seen: set[tuple[str, str]] = set()
        for number, item in enumerate(self._items(name)):
            told = item if isinstance(item, dict) else {}
            for key in (key for key in keys if isinstance(told.get(key), str)):
                value = told[key].lstrip("!").lower() if key == "node" else told[key]
                if (key, value) in seen:
                    self._wrong((name, number, key), Said(f"{told[key]} sudah ada", f"{told[key]} is there already"))
                seen.add((key, value))

    def _unplaced(self, places: Mapping[str, Place]) -> None:
        for number, item in enumerate(self._items("nodes")):
            place = item.get("place") if isinstance(item, dict) else None
            if isinstance(place, str) and place not in places:
                self._wrong(("nodes", number, "place"), not_one_of(place, places).said, _label(item))

    def _node(
        self, where: Where, entry: entries.NodeEntry, places: Mapping[str, Place], pins: Mapping[str, int]
    ) -> VillageNode:
        about = places.get(entry.place, Place())
        place = Place(entry.house or entry.name, about.rt, about.rw, about.landmark, about.lat, about.lon)
        own = {**pins, **entry.pins.told()}
        needed = [wish.origin for wish in load_profile(entry.profile).wishes if wish.origin.startswith("pins.")]
        for origin in (origin for origin in needed if origin.removeprefix("pins.") not in own):
            self._wrong(where, _no_pin(entry.profile, origin), entry.name)
        short = entry.short or entry.name.removeprefix("RT").replace("-", "")[-4:] or entry.name[:4]
        return VillageNode(entry.name, entry.profile, short, place, entry.home, entry.node, entry.public_key, own)

    def _sending(self, radio: entries.RadioEntry | None, channel: entries.ChannelEntry | None) -> Sending | None:
        if radio is None:
            return None
        name = channel.name if channel else "?"
        sending = Sending(radio.region, radio.preset, radio.slot, name, radio.power_dbm, radio.antenna_dbi)
        for both in refusals(sending):
            self._wrong(("radio",), both)
        return sending

    def _file(self, where: Where, name: str, read: Callable[[Path], Found]) -> Found | None:
        if not name:
            return None
        try:
            return read(self.path.parent / name)
        except Wrong as wrong:
            self._wrong(where, wrong.said)
            return None

    def _wrong(self, where: Where, what: Said, label: str = "") -> None:
        words = [f"{part + 1}" if isinstance(part, int) else part for part in where]
        if label:
            words.insert(2, f"({label})")
        self.mistakes.append(Mistake(self.text.line(where), what, " ".join(words)))


def _label(item: Any) -> str:
    name = item.get("name") if isinstance(item, dict) else None
    return name if isinstance(name, str) else ""


def _short_taken(short: str) -> Said:
    return Said(
        f"nama pendek {short} sudah dipakai; tulis yang lain, paling panjang 4 huruf",
        f"short name {short} is taken; write another of at most 4 letters",
    )


def _no_pin(profile: str, origin: str) -> Said:
    return Said(
        f"profil {profile} memerlukan {origin}: tulis kaki papannya di sini atau di pins",
        f"profile {profile} needs {origin}: write the board's pin here or under pins",
    )
