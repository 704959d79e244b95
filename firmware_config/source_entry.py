"""A button's entry in the post's `sources.toml`: its number, place and key, so that the post knows who called."""

import base64
import json
import re
import tomllib
from typing import Any

from bridge.domain.ids import node_id
from firmware_config.both import Wrong
from firmware_config.village import VillageNode

_ENTRY = re.compile(r"\s*\[\[\s*source\s*\]\]\s*(#.*)?")
_TABLE = re.compile(r"\s*\[")
_NODE = re.compile(r"\s*node\s*=")


def with_source(text: str, node: VillageNode) -> str:
    """The register's new text, read back and found to say what it said before and the entry. Raises Wrong."""
    number, key = node_id(node.number or 0), base64.b64encode(node.public_key).decode()
    was = _read(text)
    known = next((turn for turn, entry in enumerate(was) if _number(entry) == number), None)
    if known is None:
        wanted = [*was, entry := _entry(node, number, key)]
        changed = _appended(text, entry)
    elif was[known].get("public_key") == key:
        return text
    elif was[known].get("public_key"):
        raise Wrong(
            f"{number} sudah ada di sources.toml dengan kunci lain; periksa kotak itu, lalu hapus entri lama",
            f"{number} stands in sources.toml with another key; look at that box, then remove the old entry",
        )
    else:
        wanted = [entry | {"public_key": key} if turn == known else entry for turn, entry in enumerate(was)]
        changed = _keyed(text, known, key)
    if _read(changed) != wanted:
        raise _by_hand()
    return changed


def _read(text: str) -> list[dict[str, Any]]:
    try:
        entries = tomllib.loads(text).get("source", [])
    except tomllib.TOMLDecodeError as error:
        raise _by_hand() from error
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise _by_hand()
    return entries


def _number(entry: dict[str, Any]) -> str:
    return f"!{str(entry.get('node', '')).lstrip('!').lower()}"


def _entry(node: VillageNode, number: str, key: str) -> dict[str, Any]:
    place = node.place
    told: dict[str, Any] = {"node": number, "label": node.name, "house": place.house, "rt": place.rt, "rw": place.rw}
    told |= {"landmark": place.landmark, "lat": place.lat, "lon": place.lon, "home": node.home, "public_key": key}
    return {name: value for name, value in told.items() if value not in ("", None)}


def _appended(text: str, entry: dict[str, Any]) -> str:
    gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
    return f"{text}{gap}[[source]]\n" + "".join(f"{name} = {_toml(value)}\n" for name, value in entry.items())


def _keyed(text: str, turn: int, key: str) -> str:
    lines = text.splitlines(keepends=True)
    starts = [number for number, line in enumerate(lines) if _ENTRY.fullmatch(line.rstrip("\r\n"))]
    if turn >= len(starts):
        raise _by_hand()
    end = next((n for n in range(starts[turn] + 1, len(lines)) if _TABLE.match(lines[n])), len(lines))
    at = next((n for n in range(starts[turn] + 1, end) if _NODE.match(lines[n])), None)
    if at is None:
        raise _by_hand()
    if not lines[at].endswith("\n"):
        lines[at] += "\n"
    return "".join([*lines[: at + 1], f'public_key = "{key}"\n', *lines[at + 1 :]])


def _toml(value: str | float) -> str:
    """JSON's escapes are a part of TOML's, but for DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _by_hand() -> Wrong:
    return Wrong(
        "sources.toml tidak dapat diubah dengan aman; periksa dengan: kentongan config check",
        "sources.toml cannot be changed safely; look at it with: kentongan config check",
    )
