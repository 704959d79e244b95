"""A sentence for people in both languages, the error that carries one, and the name that was meant."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import NamedTuple


class Said(NamedTuple):
    """One line in both languages."""

    indonesian: str
    english: str

    def said(self, language: str) -> str:
        return self.english if language == "en" else self.indonesian

    def after(self, head: str) -> "Said":
        """The same behind `head`, which says where."""
        return Said(f"{head}: {self.indonesian}", f"{head}: {self.english}")

    def then(self, more: "Said") -> "Said":
        return Said(self.indonesian + more.indonesian, self.english + more.english)


class Wrong(ValueError):
    """What is wrong with one value. A ValueError, so that a schema's validators may raise it."""

    def __init__(self, indonesian: str, english: str) -> None:
        super().__init__(english)
        self.said = Said(indonesian, english)


def nearest(word: str, known: Iterable[str]) -> Said:
    """`; did you mean "x"?`, or the names there are."""
    names = sorted(known)
    folded = {name.lower(): name for name in names}
    if close := get_close_matches(word.lower(), folded, n=1, cutoff=0.6):
        return Said(f'; maksudnya "{folded[close[0]]}"?', f'; did you mean "{folded[close[0]]}"?')
    if not names:
        return Said("; belum ada satu pun", "; there are none yet")
    return Said(f"; yang dikenal di sini: {', '.join(names)}", f"; known here: {', '.join(names)}")
