"""Every officer's word this post has heard, and what became of it. A word is obeyed once, however often it comes."""

from collections.abc import Iterable

from bridge.domain.desk import Answer, Fate, Word

Key = tuple[str, int]


class WordBook:
    """Words by (desk, number), with the account given of each."""

    def __init__(self, words: Iterable[tuple[Word, Answer]] = ()) -> None:
        self._words = {(word.desk, word.number): (word, answer) for word, answer in words}
        self._unfinished = {key for key, (_, answer) in self._words.items() if not answer.fate.is_final}

    def answer(self, key: Key) -> Answer | None:
        """What was said of this word so far; None when it is new."""
        known = self._words.get(key)
        return known[1] if known else None

    def take(self, word: Word, at: float) -> None:
        """A new word; `at` is wall seconds UTC."""
        self._words[word.desk, word.number] = (word, Answer(word.desk, word.number, Fate.RECEIVED, at))
        self._unfinished.add((word.desk, word.number))

    def settle(self, key: Key, fate: Fate, at: float, detail: str = "") -> tuple[Word, Answer] | None:
        """The word with its new account; None when it is unknown."""
        if key not in self._words:
            return None
        word = self._words[key][0]
        answer = Answer(word.desk, word.number, fate, at, detail)
        self._words[key] = (word, answer)
        if fate.is_final:
            self._unfinished.discard(key)
        return word, answer

    def unfinished(self) -> list[tuple[Key, Word]]:
        """Words whose fate is not final."""
        return [(key, self._words[key][0]) for key in sorted(self._unfinished)]
