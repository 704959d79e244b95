"""Heads' lines: K1 from a head, P1 from a post, with their MACs (docs/lines.md). Text in, what it says out; no state.

A line counts only between two newlines: half of one, or two spliced together, must never read as a press.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from bridge.domain.events import LampsHeard
from bridge.domain.head import EPOCH, HEAD, MAC_LETTERS, PRESS, HeadCall, HeadPress, HeadWord, Lamp
from bridge.domain.press import Kind, Press, Remark, Sighting, Via

UNKEYED = "------"

_MAC = rf"[A-Z2-7]{{{MAC_LETTERS}}}"
_K1 = re.compile(rf"(K1 ({HEAD}) ({EPOCH})\.({PRESS}) ([A-Z]{{1,12}})(?:=([A-Z]))?) ({_MAC}|{UNKEYED})", re.ASCII)
_P1 = re.compile(r"P1 ([a-z0-9-]{1,32}) (.+)")
_LAMP = re.compile(rf"({HEAD})\.({EPOCH})\.({PRESS})=([A-Z]{{1,8}})\.({_MAC})", re.ASCII)
_BEGINS = re.compile(rf"(?:^|\n)\s*K1 {HEAD} {EPOCH}\.|\nK1 {HEAD}(?: [A-Z2-7]{{0,4}})?\Z", re.ASCII)
_KINDS = {kind.value: kind for kind in Kind}
_WORDS = {word.value: word for word in HeadWord}
# What is left of a line whose beginning went with the text before. Narrow: "jam 20.17 MALING TOLONG" is a villager.
_NAMES = "|".join(_KINDS | _WORDS)
_ENDS = re.compile(
    rf" ?(?:(?:1 )?[A-Z0-9-]{{0,7}} )?[A-Z2-7]{{0,4}}\.\d{{1,5}} (?:{_NAMES})(?:=[A-Z])? (?:{_MAC}|{UNKEYED})\r?\n"
    rf"|(?:\d{{0,5}} )?(?:{_NAMES})(?:=[A-Z])? {UNKEYED}\r?\n",
    re.ASCII,
)
_SAFE = frozenset({Remark.PERHAPS_NO_DANGER})
_REMARKS = {
    HeadWord.AMAN: _SAFE,
    HeadWord.NOTICE: _SAFE,
    HeadWord.TEST: frozenset({Remark.DRILL}),
}


class Keys(Protocol):
    """What the register knows of heads: 16 bytes, or b'' for a head without a key here."""

    def head_key(self, head: str) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Heard:
    """How a text came. `wired`: by a wire of our own, which proves as much as a MAC."""

    route: str
    channel: str = ""
    is_open: bool = False
    wired: bool = False
    sighting: Sighting | None = None


def mac(key: bytes, said: str) -> str:
    """The six letters that prove `said` (ASCII): base32 of HMAC-SHA256, cut short. Key: 16 bytes."""
    digest = hmac.digest(key, said.encode("ascii"), hashlib.sha256)
    return base64.b32encode(digest)[:MAC_LETTERS].decode("ascii")


def answer_line(post: str, lamps: Iterable[Lamp], keys: Keys) -> str:
    """One P1 line with a newline at both ends. A head without a key is left out: it could not believe it.

    When none is left, it is the beacon.
    """
    said = [(lamp, keys.head_key(lamp.head)) for lamp in lamps]
    parts = [f"{lamp.said}.{mac(key, f'P1 {post} {lamp.said}')}" for lamp, key in said if key]
    return "\n" + " ".join(["P1", post, *parts]) + "\n" if parts else beacon_line(post)


def beacon_line(post: str) -> str:
    """ "The post hears." """
    return f"\nP1 {post} .\n"


def is_a_heads(text: str) -> bool:
    """Whether a text holds a head's line, whole or cut at either end: then its words are not a villager's."""
    return _BEGINS.search(text) is not None or _ENDS.match(text) is not None


class LineCodec:
    """Reads lines for one post. Never raises, whatever the text holds."""

    def __init__(self, keys: Keys, post: str) -> None:
        self._keys, self._post = keys, post

    def read(self, text: str, heard: Heard) -> tuple[HeadCall | LampsHeard, ...]:
        """Every whole line in `text`, in order; what is not between two newlines is dropped."""
        lines = (line.rstrip("\r") for line in text.split("\n")[1:-1])
        return tuple(self._read(lines, heard))

    def _read(self, lines: Iterable[str], heard: Heard) -> Iterator[HeadCall | LampsHeard]:
        for line in lines:
            if (found := _K1.fullmatch(line)) is not None:
                yield self._call(found, heard)
            elif (answer := _P1.fullmatch(line)) is not None and answer[1] != self._post and not heard.wired:
                lamps = tuple(self._lamps(answer[1], answer[2]))
                if lamps:
                    yield LampsHeard(answer[1], lamps)

    def _call(self, found: re.Match[str], heard: Heard) -> HeadCall:
        said, head, epoch, number, name, shows, given = found.groups()
        key = self._keys.head_key(head)
        is_right = bool(key) and hmac.compare_digest(mac(key, said), given)
        is_claimed = bool(key) and not is_right and not heard.wired
        word = _WORDS.get(name)
        by = HeadPress(head, epoch, int(number), proved=not is_claimed)
        remarks = _REMARKS.get(word, frozenset()) if word else frozenset()
        press = Press(
            id=by.id,
            source=by.source,
            kind=Kind.PANIC if word is HeadWord.TEST else _KINDS.get(name, Kind.UNKNOWN),
            via=Via.LINE,
            words=said,
            channel=heard.channel,
            trusted=is_right or heard.wired,
            is_open=heard.is_open,
            remarks=remarks | {Remark.PLACE_CLAIMED} if is_claimed else remarks,
            sighting=heard.sighting,
        )
        return HeadCall(by, press, word, shows or "", heard.route, can_be_told=is_right)

    def _lamps(self, post: str, entries: str) -> Iterator[Lamp]:
        """What another post has told heads whose key we know; a forged line tells nobody anything."""
        for entry in entries.split(" "):
            if (found := _LAMP.fullmatch(entry)) is None:
                continue
            lamp = Lamp(found[1], found[2], int(found[3]), found[4])
            key = self._keys.head_key(lamp.head)
            if key and hmac.compare_digest(mac(key, f"P1 {post} {lamp.said}"), found[5]):
                yield lamp
