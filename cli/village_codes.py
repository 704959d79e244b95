"""Every village's Kemendagri code by its name, from the list beside this file (cli/villages/README.md)."""

import difflib
import lzma
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).parent / "villages" / "villages.txt.xz"
CODE = re.compile(r"[\d.]+")
# What people say around a name, and what no name needs to be told apart.
AROUND = {"desa", "kelurahan", "kel", "kecamatan", "kec", "kabupaten", "kab", "provinsi", "prov"}
NEAR, NEAR_ENOUGH = 8, 0.72


@dataclass(frozen=True, slots=True)
class Village:
    """`names`: village, district, regency, province."""

    code: str
    names: tuple[str, str, str, str]

    def __str__(self) -> str:
        return f"{self.code}  {', '.join(self.names)}"


def villages(file: Path = FILE) -> Iterator[Village]:
    """All of them, in the order of their codes."""
    above: dict[int, tuple[str, str]] = {}
    with lzma.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            code, _, name = line.rstrip("\n").partition(" ")
            if len(code) == 4:
                district, regency, province = above[8], above[5], above[2]
                yield Village(f"{district[0]}.{code}", (name, district[1], regency[1], province[1]))
            else:
                above[len(code)] = (code, name)


def find(said: str, known: Sequence[Village]) -> list[Village]:
    """Villages that are meant by a name, or by a name and where it is; whole names before begun ones."""
    if CODE.fullmatch(said):
        return [village for village in known if village.code.startswith(said)]
    words = _words(said)
    whole = [village for village in known if _means(words, village, True)]
    return whole or [village for village in known if words and _means(words, village, False)]


def nearest(said: str, known: Sequence[Village]) -> list[Village]:
    """For a name that nobody has: villages that are spelled nearly so, the likest first."""
    words = _words(said)
    by_name: dict[str, list[Village]] = {}
    for village in known:
        by_name.setdefault(_joined(village.names[0]), []).append(village)
    found: dict[Village, float] = {}
    for split in range(len(words), 0, -1):
        head, tail = "".join(words[:split]), words[split:]
        for name in difflib.get_close_matches(head, by_name, NEAR * 5, NEAR_ENOUGH):
            likeness = difflib.SequenceMatcher(None, head, name).ratio()
            for village in by_name[name]:
                if all(_lies_near(word, village) for word in tail):
                    found[village] = max(found.get(village, 0.0), likeness)
    return sorted(found, key=lambda village: (-found[village], village.code))[:NEAR]


def _means(words: Sequence[str], village: Village, is_whole: bool) -> bool:
    """The first words are the village's name, as one word or several; the others say where it is."""
    name = _joined(village.names[0])
    head = ""
    for split, word in enumerate(words, start=1):
        head += word
        if not name.startswith(head):
            return False
        if (head == name or not is_whole) and all(_lies_in(other, village) for other in words[split:]):
            return True
    return False


def _lies_in(word: str, village: Village) -> bool:
    return any(part.startswith(word) for name in village.names[1:] for part in _words(name))


def _lies_near(word: str, village: Village) -> bool:
    parts = [part for name in village.names[1:] for part in _words(name)]
    return _lies_in(word, village) or bool(difflib.get_close_matches(word, parts, 1, NEAR_ENOUGH))


def _words(text: str) -> list[str]:
    return [word for word in re.findall(r"\w+", text.casefold()) if word not in AROUND]


def _joined(text: str) -> str:
    return "".join(_words(text))
