"""Every officer's word this post has heard, and what became of it. A word is obeyed once, however often it comes."""

from collections.abc import Iterable

from bridge.domain.alarm import Stage
from bridge.domain.desk import Answer, Fate, Word

Key = tuple[str, int]
KEPT_MS = 90 * 24 * 3_600_000  # a desk's numbers are milliseconds of its clock


class WordBook:
    """Words by (desk, number), with the account given of each."""

    def __init__(self, words: Iterable[tuple[Word, Answer]] = ()) -> None:
        self._words: dict[Key, tuple[Word, Answer]] = {}
        self._unfinished: set[Key] = set()
        self._by_alarm: dict[str, set[Key]] = {}
        self._newest: dict[str, int] = {}
        for word, answer in words:
            self._keep(word, answer)

    def answer(self, key: Key) -> Answer | None:
        """What was said of this word so far; None when it is new."""
        known = self._words.get(key)
        return known[1] if known else None

    def is_old(self, word: Word, now_ms: float | None) -> bool:
        """Whether it is so old that we may have forgotten it; without a clock, by the desk's own numbers."""
        latest = max(self._newest.get(word.desk, 0), 0 if now_ms is None else now_ms)
        return word.number < latest - KEPT_MS

    def take(self, word: Word, at: float) -> None:
        """A new word; `at` is wall seconds UTC."""
        self._keep(word, Answer(word.desk, word.number, Fate.RECEIVED, at))

    def settle(self, key: Key, fate: Fate, at: float, detail: str = "") -> tuple[Word, Answer] | None:
        """The word with its new account; None when it is unknown."""
        if key not in self._words:
            return None
        word = self._words[key][0]
        answer = Answer(word.desk, word.number, fate, at, detail)
        self._keep(word, answer)
        return word, answer

    def unfinished(self, alarm: str | None = None) -> list[tuple[Key, Word]]:
        """Words whose fate is not final, in the order of their numbers; all, or those about one alarm."""
        keys = self._unfinished if alarm is None else self._by_alarm.get(alarm, set()) & self._unfinished
        return [(key, self._words[key][0]) for key in sorted(keys)]

    def highest(self, alarm: str, but: Key) -> Stage | None:
        """The highest stage that any other word has given this alarm."""
        keys = self._by_alarm.get(alarm, set()) - {but}
        return max((s for key in keys if (s := self._words[key][0].stage) is not None), default=None)

    def everything(self) -> list[tuple[Word, Answer]]:
        return list(self._words.values())

    def forget(self) -> None:
        """Final words that `is_old` would refuse by the desk's own numbers need not be remembered."""
        for key in [key for key, (word, _) in self._words.items() if self.is_old(word, None)]:
            if key not in self._unfinished:
                self._drop(key)

    def _keep(self, word: Word, answer: Answer) -> None:
        key = (word.desk, word.number)
        self._words[key] = (word, answer)
        self._newest[word.desk] = max(word.number, self._newest.get(word.desk, 0))
        if word.alarm:
            self._by_alarm.setdefault(word.alarm, set()).add(key)
        if answer.fate.is_final:
            self._unfinished.discard(key)
        else:
            self._unfinished.add(key)

    def _drop(self, key: Key) -> None:
        word, _ = self._words.pop(key)
        if word.alarm:
            about = self._by_alarm[word.alarm]
            about.discard(key)
            if not about:
                del self._by_alarm[word.alarm]
