"""What nodes last said of themselves, beside the register; and what in it is to be told by name."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from firmware_config.faults import Refused
from firmware_config.firmware import is_old
from firmware_config.register import Entry, Register, number_of, read_key
from firmware_config.whole_file import alone_in, write_whole

SEEN = "nodes.json"


@dataclass(frozen=True, slots=True)
class Seen:
    """One node as it answered a technician: `node` as `!00000a01`, its key in base64, its firmware as it says it."""

    node: str
    public_key: str = ""
    firmware: str = ""


@dataclass(frozen=True, slots=True)
class Flag:
    """Something wrong with a node or a key, by the house's name. `what` names a sentence."""

    what: str
    house: str
    node: str
    other: str = ""


def read_seen(sources: Path) -> dict[str, Seen]:
    """By node number, from beside the register. Raises Refused."""
    path = sources.with_name(SEEN)
    try:
        return {number_of(seen["node"]): Seen(**seen) for seen in json.loads(path.read_text("utf-8"))}
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise Refused("unreadable", file=path, why=error.strerror) from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Refused("damaged", file=path) from error


def note_seen(sources: Path, *news: Seen) -> None:
    """What a node told just now; what was told before and is not told now stays. Raises Refused."""
    with alone_in(sources.parent):
        known = read_seen(sources)
        for new in news:
            old = known.get(number_of(new.node), new)
            merged = Seen(new.node, new.public_key or old.public_key, new.firmware or old.firmware)
            known[number_of(new.node)] = merged
        _write(sources, known)


def forget_seen(sources: Path, entries: list[Entry]) -> None:
    """Nodes of a house that is erased. Raises Refused."""
    with alone_in(sources.parent):
        known = read_seen(sources)
        gone = {number_of(entry.name) for entry in entries if "node" in entry.fields} & set(known)
        if gone:
            _write(sources, {number: seen for number, seen in known.items() if number not in gone})


def flags(register: Register, seen: dict[str, Seen]) -> list[Flag]:
    """Keys in common, keys that changed, keys that were revoked, firmware with known holes; each by name."""
    return [*_common_keys(register, seen), *_changed_keys(register, seen), *_old_firmware(register, seen)]


def _common_keys(register: Register, seen: dict[str, Seen]) -> Iterator[Flag]:
    owners: dict[str, dict[str, str]] = defaultdict(dict)  # key -> node -> house
    for entry in register.sources:
        if entry.public_key:
            owners[entry.public_key.hex()][number_of(entry.name)] = entry.house
    houses = {number_of(entry.name): entry.house for entry in register.sources if "node" in entry.fields}
    for number, node in seen.items():
        if key := _key(node):
            owners[key].setdefault(number, houses.get(number, node.node))
    for nodes in owners.values():
        for number, house in nodes.items():
            if others := [other for another, other in nodes.items() if another != number]:
                yield Flag("common_key", house, f"!{number}", ", ".join(others))


def _changed_keys(register: Register, seen: dict[str, Seen]) -> Iterator[Flag]:
    for entry in register.sources:
        node = seen.get(number_of(entry.name)) if "node" in entry.fields else None
        if node and entry.public_key and _key(node) not in ("", entry.public_key.hex()):
            yield Flag("changed_key", entry.house, entry.name)
    revoked = {entry.public_key.hex(): entry for entry in register.revoked if entry.public_key}
    for node in seen.values():
        old = revoked.get(_key(node))
        if old is not None and any(number_of(node.node) == number_of(entry.name) for entry in register.sources):
            yield Flag("revoked_key", old.house, node.node)


def _old_firmware(register: Register, seen: dict[str, Seen]) -> Iterator[Flag]:
    for entry in register.sources:
        node = seen.get(number_of(entry.name)) if "node" in entry.fields else None
        if node and node.firmware and is_old(node.firmware):
            yield Flag("old_firmware", entry.house, entry.name, node.firmware)


def _key(seen: Seen) -> str:
    return read_key(seen.public_key).hex()


def _write(sources: Path, known: dict[str, Seen]) -> None:
    told = [asdict(seen) for _, seen in sorted(known.items())]
    write_whole(sources.with_name(SEEN), json.dumps(told, indent=1).encode())
