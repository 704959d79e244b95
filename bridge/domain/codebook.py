"""What a village's rhythms mean. Runs in the head too: MicroPython's subset.

A pattern: 3 three beats; 3.1 with a short stop; 3-3 two such groups; 1-7-1 groups between long stops; titir.
"""

from bridge.domain.rhythm import TITIR, apart, fits, gaps_of, may_hold_bounce, phrases_of

KINDS = ("PANIC", "THEFT", "FIRE", "DISASTER", "MURDER", "LIVESTOCK", "ACCIDENT", "BRAWL", "MEDICAL")
SAFE = ("AMAN", "NOTICE")  # from a house these mark an alarm, they never make or clear one
UNKNOWN = "UNKNOWN"
CALL = "PANIC"  # titir where the village gives it no kind of its own: danger, whatever it is


class Reading:
    """What was read: `kind` as in domain.press.Kind, AMAN or NOTICE; '' while nothing is certain; confidence 0–100."""

    def __init__(self, kind: str, confidence: int, phrases: list[tuple[int, ...]]) -> None:
        self.kind = kind
        self.confidence = confidence
        self.phrases = phrases


class Codebook:
    """Rules by pattern. `rules`: {pattern: kind}. Raises ValueError, naming what is wrong."""

    def __init__(self, name: str, rules: dict[str, str]) -> None:
        self.name = name
        self._titir = rules.get("titir", "")
        self._rules = {}  # type: dict[tuple[tuple[int, ...], ...], tuple[str, str]]
        for pattern, kind in rules.items():
            if kind not in KINDS and kind not in SAFE:
                raise ValueError(f"{pattern}: {kind} is no kind; known: {', '.join(KINDS + SAFE)}")
            if pattern != "titir":
                self._add(pattern, kind)
        for one in self._rules:
            for other in self._rules:
                self._refuse_alike(one, other)
        # Neither the order of a dictionary nor that of equals in a sort is sure in MicroPython.
        self._by_need = sorted(self._rules, key=lambda phrases: (-max([len(phrase) for phrase in phrases]), phrases))
        self._counts = [{count for phrase in phrases for count in phrase} for phrases in self._rules]
        self.has_short = any([len(phrase) > 1 for phrases in self._rules for phrase in phrases])

    def _add(self, pattern: str, kind: str) -> None:
        phrases = parse(pattern)
        known = self._rules.get(phrases)
        if known is not None and known[1] != kind:
            raise ValueError(f"{known[0]} {known[1]} and {pattern} {kind} cannot be told apart")
        self._rules[phrases] = (pattern, kind)

    def _refuse_alike(self, one: tuple[tuple[int, ...], ...], more: tuple[tuple[int, ...], ...]) -> None:
        """Whoever strikes 1 strikes it again and again: 1-1-1 beside it would be the same.

        Once and twice can be told apart, as 3 and 3-3 are in Brebes; but not where twice would say that all is well.
        """
        root, repeats = _root(one)
        same, times = _root(more)
        if root != same or self._rules[one][1] == self._rules[more][1] or repeats > times:
            return
        if (len(one), len(more)) != (1, 2) or self._rules[more][1] in SAFE:
            first, second = self._rules[one], self._rules[more]
            raise ValueError(f"{first[0]} {first[1]} and {second[0]} {second[1]} cannot be told apart")

    def hear(self, times: list[int], is_over: bool = True, is_whole: bool = True) -> Reading:
        """What strikes at `times` (ms) mean. `is_over`: the last group can grow no more; `is_whole`: nor can the whole.

        First what was struck exactly, however short the striker's stops are; then what can be made of parts of it. That
        all is well is read only where it was struck exactly.
        """
        times = apart(times)
        if is_over:
            exact = self._exact(gaps_of(times), is_whole)
            if exact is not None:
                return exact
        phrases = phrases_of(times, self.has_short)
        if not is_over and phrases[-1][-1] < TITIR:
            phrases = phrases[:-1]
        reading = self.read(phrases, is_whole)
        if reading.kind in SAFE and phrases.count((1,)) < len(phrases):
            return Reading(UNKNOWN if is_whole else "", 0, phrases)
        return reading

    def read(self, phrases: list[tuple[int, ...]], is_whole: bool) -> Reading:
        """What these groups mean. `is_whole`: silence has followed, nothing more belongs to them.

        The last group counts only if it is over; the caller leaves it out while it may still grow.
        """
        said = tuple(phrases)
        if self._is_titir(said):
            return Reading(self._titir or CALL, 90, phrases)
        kind = self._figure(said) if is_whole else ""
        if kind:
            return Reading(kind, 90, phrases)
        kind = self._twice(said)
        if kind:
            return Reading(kind, 95 if said.count(said[-1]) > 2 else 90, phrases)
        if is_whole and len(said) == 1:
            kind = self._kind(said)
            return Reading(kind or UNKNOWN, 60 if kind else 0, phrases)
        return Reading(UNKNOWN if is_whole else "", 0, phrases)

    def once(self) -> str:
        """What a lone strike means; '' when it means nothing here."""
        return self._kind(((1,),))

    def _is_titir(self, said: tuple[tuple[int, ...], ...]) -> bool:
        """Eight or more; ten where one strike went before, for there it may be 1-7-1 with a bounce."""
        limit = TITIR + 2 if said[:1] == ((1,),) and ((1,), (7,), (1,)) in self._rules else TITIR
        return any([count >= limit for phrase in said for count in phrase])

    def _exact(self, gaps: list[int], is_whole: bool) -> Reading | None:
        """A pattern struck so often over that it makes these very gaps; those with short stops ask for more: first."""
        for phrases in self._by_need:
            unit, least = _root(phrases)
            repeats, rest = divmod(len(gaps) + 1, sum([sum(phrase) for phrase in unit]))
            struck = unit * repeats
            if rest or repeats < least or not self._is_meant(phrases, struck) or not self._fits(gaps, struck, phrases):
                continue
            kind = self._kind(phrases)
            if is_whole or (repeats > 1 and kind not in SAFE):
                confidence = 60 if len(struck) == 1 else 90 if repeats < 3 else 95
                return Reading(kind, confidence, list(struck))
        return None

    def _is_meant(self, phrases: tuple[tuple[int, ...], ...], struck: tuple[tuple[int, ...], ...]) -> bool:
        """3 struck twice is not 3 where 3-3 has a kind of its own."""
        return phrases == struck or phrases * 2 not in self._rules

    def _fits(self, gaps: list[int], struck: tuple[tuple[int, ...], ...], phrases: tuple[tuple[int, ...], ...]) -> bool:
        """1-3, the round, must stop clearly longer than 1.3, which is danger; and six are not five and a bounce."""
        is_safe = self._kind(phrases) in SAFE
        return fits(gaps, struck, self.has_short and is_safe) and not (is_safe and may_hold_bounce(gaps, struck))

    def _figure(self, said: tuple[tuple[int, ...], ...]) -> str:
        """Groups that differ, such as 1-7-1, struck whole, once or several times."""
        for phrases in self._by_need:
            is_pair = phrases == phrases[:1] * len(phrases) and len(phrases) < 3
            if not is_pair and said == phrases * (len(said) // len(phrases)):
                return self._kind(phrases)
        return ""

    def _twice(self, said: tuple[tuple[int, ...], ...]) -> str:
        """The latest two neighbours that agree; but several slow strikes are not the one that says all is well."""
        for at in range(len(said) - 1, 0, -1):
            if said[at] == said[at - 1] and not self._is_part(said[at], said):
                kind = self._kind((said[at], said[at])) or self._kind((said[at],))
                if kind and not (kind in SAFE and said[at] == (1,)):
                    return kind
        return ""

    def _is_part(self, phrase: tuple[int, ...], said: tuple[tuple[int, ...], ...]) -> bool:
        """Whether it may be what is left of something longer that was struck beside it: two and two, of five."""
        others = [other for other in said if other != phrase]
        if any([sum(other) > 2 * sum(phrase) for other in others]):
            return True
        if phrase == (1,):
            return bool(others)
        longer = [counts for counts in self._counts if len(counts) > 1 and phrase[0] in counts]
        return any([set(other) <= counts for counts in longer for other in others])

    def _kind(self, phrases: tuple[tuple[int, ...], ...]) -> str:
        rule = self._rules.get(phrases)
        return rule[1] if rule is not None else ""


def parse(pattern: str) -> tuple[tuple[int, ...], ...]:
    """A pattern as groups: 3.1 → ((3, 1),), 1-7-1 → ((1,), (7,), (1,)). Raises ValueError."""
    phrases = []
    for part in pattern.split("-"):
        counts = part.split(".")
        if not all([count.isdigit() and 0 < int(count) < TITIR for count in counts]):
            raise ValueError(f"{pattern!r} is no rhythm: write 3, 3.1, 3-3, 1-7-1 or titir, groups of 1 to 7")
        phrases.append(tuple([int(count) for count in counts]))
    return tuple(phrases)


def _root(phrases: tuple[tuple[int, ...], ...]) -> tuple[tuple[tuple[int, ...], ...], int]:
    """What is struck over and over, and how often: 3-3 is 3 twice."""
    for size in range(1, len(phrases)):
        if phrases == phrases[:size] * (len(phrases) // size):
            return phrases[:size], len(phrases) // size
    return phrases, 1
