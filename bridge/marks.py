"""How far each desk's database had got, and whether it went back in time: then it has lost alarms.

Receipts may come late, by a second uplink or from a second replica. So a lower commit is doubted for some seconds: if a
higher one follows it was late, if none does the desk was restored. While we are not sure, the hello goes on showing the
old mark, and the desk itself says whether it knows that commit.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

from bridge.domain.desk import Mark

DOUBT_S = 10.0
PINNED_S = 900.0  # three hellos
TOKENS = 256


@dataclass(slots=True)
class _Known:
    newest: Mark
    shown: Mark
    tokens: OrderedDict[int, str] = field(default_factory=OrderedDict)
    doubt: Mark | None = None
    doubted_s: float = 0.0
    pinned_until_s: float = 0.0

    def note(self, mark: Mark) -> None:
        self.tokens[mark.commit] = mark.token
        while len(self.tokens) > TOKENS:
            self.tokens.popitem(last=False)


class Marks:
    """Of all desks. Times are monotonic seconds."""

    def __init__(self, marks: Iterable[Mark]) -> None:
        self._known: dict[str, _Known] = {}
        for mark in marks:
            self._begin(mark)

    def shown(self) -> dict[str, Mark]:
        """What the desk is asked about, and what is journaled; a copy, safe to take on any thread."""
        return {desk: known.shown for desk, known in tuple(self._known.items())}

    def take(self, mark: Mark, now_s: float) -> str:
        """A mark on a verified receipt; why everything must be sent again, or ''."""
        known = self._known.get(mark.desk)
        if known is None:
            self._begin(mark)
            return ""
        if mark.database != known.newest.database:
            self._begin(mark)
            return "a new database"
        if (token := known.tokens.get(mark.commit)) is not None and token != mark.token:
            self._begin(mark)
            return f"another commit {mark.commit} than the one we knew"
        if mark.commit > known.newest.commit:
            self._rise(known, mark, now_s)
        elif token is None:
            self._doubt(known, mark, now_s)
        return ""

    def forget(self, desk: str) -> None:
        """It has noticed by itself what it lost, and asked for everything: its next mark begins anew."""
        self._known.pop(desk, None)

    def restored(self, now_s: float) -> list[tuple[str, str]]:
        """Desks whose lower commit was followed by no higher one, and why everything must be sent again."""
        sure: list[tuple[str, str]] = []
        for desk, known in tuple(self._known.items()):
            if known.doubt is not None and now_s - known.doubted_s >= DOUBT_S:
                sure.append((desk, f"commit {known.doubt.commit} after {known.newest.commit}"))
                self._begin(known.doubt)
        return sure

    def next_due_s(self, now_s: float) -> float | None:
        """Seconds until a doubt becomes certainty; None when there is none."""
        dues = [known.doubted_s + DOUBT_S - now_s for known in self._known.values() if known.doubt is not None]
        return max(0.0, min(dues)) if dues else None

    def _begin(self, mark: Mark) -> None:
        known = self._known[mark.desk] = _Known(mark, mark)
        known.note(mark)

    def _rise(self, known: _Known, mark: Mark, now_s: float) -> None:
        if known.doubt is not None:
            known.doubt, known.pinned_until_s = None, now_s + PINNED_S
        known.note(mark)
        known.newest = mark
        if now_s >= known.pinned_until_s:
            known.shown = mark

    def _doubt(self, known: _Known, mark: Mark, now_s: float) -> None:
        if known.doubt is None:
            known.doubted_s = now_s
        if known.doubt is None or mark.commit > known.doubt.commit:
            known.doubt = mark
