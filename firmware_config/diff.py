"""What a node has against what it should have. Pure; a secret is compared, never shown."""

import base64
import struct
from collections.abc import Mapping, Sequence

from bridge.domain.said import Said
from firmware_config.settings import Difference, Setting, Value

HIDDEN = Said("(rahasia)", "(secret)")
UNTOLD = Said("(tidak dijawab)", "(not told)")
EMPTY = Said("(kosong)", "(empty)")
LETTERS = 12  # of a public key: enough to tell two apart


def plan(found: Mapping[str, Value], wanted: Sequence[Setting]) -> tuple[Difference, ...]:
    """What differs, in the order wanted; nothing when the node is right."""
    return tuple(
        Difference(setting, found.get(setting.path))
        for setting in wanted
        if not _same(found.get(setting.path), setting.value)
    )


def shown(setting: Setting, value: Value | None, language: str) -> str:
    """A value as people may see it."""
    if value is None:
        return UNTOLD.said(language)
    if value in ("", b"", ()):
        return EMPTY.said(language)
    return HIDDEN.said(language) if setting.is_secret else _plain(value)


def _plain(value: Value) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case bytes():
            return f"{base64.b64encode(value).decode()[:LETTERS]}..."
        case tuple():
            return " ".join(map(_plain, value))
        case float():
            return f"{value:g}"
        case _:
            return str(value)


def _same(now: Value | None, wanted: Value) -> bool:
    if now is None or isinstance(now, bool) is not isinstance(wanted, bool):
        return False
    if isinstance(now, tuple) and isinstance(wanted, tuple):
        return now == tuple(filter(None, wanted))  # a node keeps no empty key
    if isinstance(now, float) or isinstance(wanted, float):
        return isinstance(now, int | float) and isinstance(wanted, int | float) and _single(now) == _single(wanted)
    return now == wanted


def _single(number: float) -> bytes:
    """As the wire carries it: a protobuf float has 32 bits."""
    return struct.pack("<f", number + 0.0)
