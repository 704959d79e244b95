"""A kentongan head: what its lines say, and what its lamps may be told (docs/lines.md)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from bridge.domain.press import Press

HEAD, EPOCH, PRESS = r"[A-Z0-9-]{1,7}", r"[A-Z2-7]{4}", r"[1-9][0-9]{0,4}"  # as they stand in a line
MAC_LETTERS = 6
LINE_BYTES = 200
KEY_BYTES = 16

_PRESS_ID = re.compile(rf"head:({HEAD})/({EPOCH})\.({PRESS})(/unproved)?")


def is_head(name: str) -> bool:
    """Whether a head may be called so."""
    return re.fullmatch(HEAD, name) is not None


class HeadWord(StrEnum):
    """What a head may say that is no call for help."""

    CANCEL = "CANCEL"
    TEST = "TEST"
    AMAN = "AMAN"
    NOTICE = "NOTICE"
    HERE = "HERE"


@dataclass(frozen=True, slots=True)
class HeadPress:
    """One press of one head. `epoch` is new after its flash was wiped, so that its numbers are new presses.

    `proved`: the MAC was right, or nobody here has a key to judge it. An unproved press has an id of its own, or a
    forger who counts ahead could make a house's next call look like one that is known already.
    """

    head: str
    epoch: str
    number: int
    proved: bool = True

    @property
    def id(self) -> str:
        return f"head:{self.head}/{self.epoch}.{self.number}" + ("" if self.proved else "/unproved")

    @property
    def source(self) -> str:
        return f"head:{self.head}"

    @classmethod
    def parse(cls, press_id: str) -> "HeadPress | None":
        """The inverse of `id`; None for the press of any other source."""
        found = _PRESS_ID.fullmatch(press_id)
        return cls(found[1], found[2], int(found[3]), found[4] is None) if found else None


@dataclass(frozen=True, slots=True)
class HeadCall:
    """One K1 line as heard. `press` is what it means as an alarm; `word` when it says something else.

    `shows`: the last letter that the head's lamps show, '' for none. `route`: the radio or wired input it came by.
    `can_be_told`: the MAC was right, so our answers will be believed.
    """

    by: HeadPress
    press: Press
    word: HeadWord | None = None
    shows: str = ""
    route: str = ""
    can_be_told: bool = False


@dataclass(frozen=True, slots=True)
class Lamp:
    """What one head may show for one press: `letters` as in domain.step, one or more."""

    head: str
    epoch: str
    number: int
    letters: str

    @property
    def said(self) -> str:
        """As it stands in a P1 line, without its MAC."""
        return f"{self.head}.{self.epoch}.{self.number}={self.letters}"


def pack(post: str, lamps: Iterable[Lamp]) -> list[tuple[Lamp, ...]]:
    """Lamps by the P1 line they fit in, in their order; a line has at most 200 bytes with a newline at both ends."""
    lines: list[tuple[Lamp, ...]] = []
    line: list[Lamp] = []
    room = empty = LINE_BYTES - len(f"\nP1 {post}\n")
    for lamp in lamps:
        size = len(f" {lamp.said}.") + MAC_LETTERS
        if line and size > room:
            lines.append(tuple(line))
            line, room = [], empty
        line.append(lamp)
        room -= size
    return [*lines, tuple(line)] if line else lines
