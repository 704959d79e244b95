"""Labels to print and to stick on a kentongan: which house, how to strike, whom to call, who the box is."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from firmware_config.svg import dots, frame, page, qr, rule, text

COLUMNS, ROWS = 2, 3
WIDE, HIGH = 95.0, 92.0
LEFT, TOP, INNER = 10.0, 10.5, 5.0
ROOM, CODE = WIDE - 2 * INNER, 27.0
RULES_MOST = 7  # lines that fit
DOT = 2.1
TITIR = 8  # so many unbroken strikes stand for "without end"


Phrases = tuple[tuple[int, ...], ...]  # groups between long stops; within one, counts between short stops


@dataclass(frozen=True, slots=True)
class Label:
    """`strikes` is empty for a box with a button. `code` is what its QR says."""

    house: str
    place: str
    strikes: tuple[tuple[Phrases, str], ...]
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Words:
    """What stands on every label, in the village's language."""

    how: str
    button: tuple[str, ...]
    strike: str
    lamps: str
    call: str
    box: str


def sheets(labels: Sequence[Label], numbers: Sequence[str], words: Words) -> list[str]:
    """A4 pages, six labels each."""
    each = COLUMNS * ROWS
    return [
        page(part for turn, label in enumerate(labels[at : at + each]) for part in _label(label, turn, numbers, words))
        for at in range(0, len(labels), each)
    ]


def code_sheet(title: str, lines: Sequence[str], code: str) -> str:
    """One big code with words above it: a paper key, or a channel for phones."""
    told = [text(20, 50 + 7 * turn, line, 4, wide=170) for turn, line in enumerate(lines)]
    return page([text(20, 35, title, 8, bold=True, wide=170), *told, qr(45, 60 + 7 * len(lines), 120, code)])


def key_sheet(key: str, title: str) -> str:
    """A paper key: the letters to type, and the same as a code."""
    half = len(key) // 2
    return code_sheet(title, (key[:half].strip("-"), key[half:].strip("-")), key)


def phrases_of(pattern: str) -> Phrases:
    """`3-3` two groups of three, `3.1` three and one with a short stop between; `titir` beats without end."""
    if pattern == "titir":
        return ((TITIR,),)
    return tuple(tuple(int(count) for count in phrase.split(".")) for phrase in pattern.split("-"))


def strikes_of(rules: Mapping[str, str], kinds: Mapping[str, str]) -> tuple[tuple[Phrases, str], ...]:
    """A codebook's rules in the words of `kinds`; what people there have no word for is left out."""
    return tuple((phrases_of(pattern), kinds[kind]) for pattern, kind in rules.items() if kind in kinds)[:RULES_MOST]


def _label(label: Label, turn: int, numbers: Sequence[str], words: Words) -> Iterator[str]:
    x, y = LEFT + WIDE * (turn % COLUMNS), TOP + HIGH * (turn // COLUMNS)
    inside, beside = x + INNER, ROOM - CODE - 2
    yield frame(x, y, WIDE, HIGH)
    yield text(inside, y + 14, label.house, 10, bold=True, wide=beside)
    for at, line in enumerate(textwrap.wrap(label.place, 32, break_on_hyphens=False)[:2]):
        yield text(inside, y + 20 + 4 * at, line, 3.2, wide=beside)
    yield qr(x + WIDE - INNER - CODE, y + 2, CODE, label.code)
    yield text(inside, y + 28, f"{words.box} {label.name}", 2.4, wide=beside)
    yield rule(inside, y + 30, ROOM)
    yield from _strikes(label, inside, y + 35, words)
    for at, line in enumerate(numbers):
        yield text(inside, y + HIGH - 4.5 - 4.2 * (len(numbers) - 1 - at), line, 3.6, wide=ROOM)
    yield text(inside, y + HIGH - 4.5 - 4.2 * len(numbers), words.call, 3.4, bold=True, wide=ROOM)


def _strikes(label: Label, x: float, y: float, words: Words) -> Iterator[str]:
    yield text(x, y, words.how, 3.6, bold=True)
    if not label.strikes:
        for at, line in enumerate(words.button):
            yield text(x, y + 7 + 5.5 * at, line, 3.8, wide=ROOM)
        return
    yield text(x, y + 4.2, words.strike, 2.8, wide=ROOM)
    for at, (phrases, meaning) in enumerate(label.strikes):
        yield dots(x, y + 7.6 + 3.9 * at, phrases, DOT)
        yield text(x + 42, y + 8.7 + 3.9 * at, meaning, 3.2, wide=ROOM - 42)
    yield text(x, y + 9 + 3.9 * len(label.strikes), words.lamps, 2.8, wide=ROOM)
