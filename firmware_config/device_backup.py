"""One node's settings in a sealed file: what makes a new box take the place of a broken one, the private key too."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from firmware_config.device_values import CHANNEL_SLOTS, CLOSED, SECRETS
from firmware_config.faults import Refused
from firmware_config.locks import Lock
from firmware_config.settings import Difference, Setting, Value
from firmware_config.vault import seal, unseal
from firmware_config.whole_file import write_whole

KIND = "kentongan node backup 1"
_OWN = "config.security.private_key"
_DERIVED = "config.security.public_key"  # the firmware makes it from the private one


@dataclass(frozen=True, slots=True)
class NodeBackup:
    """What one node was. `at`: when it was read, UTC, ISO 8601."""

    node: int
    firmware: str
    at: str
    values: Mapping[str, Value] = field(repr=False)

    @property
    def public_key(self) -> bytes:
        """By which everybody knows it."""
        key = self.values.get(_DERIVED, b"")
        return key if isinstance(key, bytes) else b""

    def settings(self, with_key: bool = True) -> tuple[Setting, ...]:
        """What another box is to become. Without the key it keeps its own, and is another node to everybody."""
        left_out = {_DERIVED} if with_key else {_DERIVED, _OWN}
        closed = {f"channel.{index}." for index in range(CHANNEL_SLOTS) if self._is_closed(index)}
        return tuple(
            Setting(path, value, is_secret=is_secret(path))
            for path, value in self.values.items()
            if path not in left_out and not _is_below(path, closed)
        )

    def _is_closed(self, index: int) -> bool:
        return self.values.get(f"channel.{index}.role") == CLOSED


def is_secret(path: str) -> bool:
    """Whether a setting's value is shown to nobody."""
    return path in SECRETS or path.endswith(".psk")


def changes(old: NodeBackup, new: NodeBackup) -> tuple[Difference, ...]:
    """What is another in the newer one, by path; `now` is the older value, None where it was not told."""
    paths = sorted({*old.values, *new.values})
    return tuple(
        Difference(Setting(path, new.values.get(path, ""), is_secret=is_secret(path)), old.values.get(path))
        for path in paths
        if old.values.get(path) != new.values.get(path)
    )


def keep(backup: NodeBackup, file: Path, lock: Lock) -> None:
    """Write the sealed file, whole or not at all. Raises Refused, also where there is one already."""
    if file.exists():
        raise Refused("key_exists", file=file)
    told = {"node": backup.node, "firmware": backup.firmware, "at": backup.at}
    values = {path: _told(value) for path, value in backup.values.items()}
    content = json.dumps(told | {"values": values}).encode()
    write_whole(file, seal(content, lock, {"what": KIND, "node": f"!{backup.node:08x}", "at": backup.at}))


def load(file: Path, lock: Lock) -> NodeBackup:
    """Open a sealed file. Raises Refused: another key, damaged, or no backup of a node."""
    try:
        sealed = file.read_bytes()
    except OSError as error:
        raise Refused("unreadable", file=file, why=error.strerror or error) from error
    try:
        kept = json.loads(unseal(sealed, lock, file))
        values = {path: _read(value) for path, value in kept["values"].items()}
        return NodeBackup(int(kept["node"]), str(kept["firmware"]), str(kept["at"]), values)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused("not_sealed", file=file) from error


def _is_below(path: str, closed: set[str]) -> bool:
    """A closed channel is closed; what else stood in it is forgotten with its key."""
    return any(path.startswith(channel) and not path.endswith(".role") for channel in closed)


def _told(value: Value) -> object:
    match value:
        case bytes():
            return {"bytes": base64.b64encode(value).decode()}
        case tuple():
            return [_told(each) for each in value]
    return value


def _read(kept: object) -> Value:
    match kept:
        case {"bytes": str(text)}:
            return base64.b64decode(text, validate=True)
        case list():
            return tuple(_read(each) for each in kept)  # type: ignore[misc]
        case bool() | int() | float() | str():
            return kept
    raise ValueError("no value of a setting")
