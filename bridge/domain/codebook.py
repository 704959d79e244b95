"""What a village's rhythms mean. Runs in the head too: MicroPython's subset.

A pattern: 3 three beats; 3.1 with a short stop; 3-3 two such groups; 1-7-1 groups between long stops; titir.
"""

from bridge.domain.rhythm import TITIR

KINDS = ("PANIC", "THEFT", "FIRE", "DISASTER", "MURDER", "LIVESTOCK", "ACCIDENT", "BRAWL", "MEDICAL")
SAFE = ("AMAN", "NOTICE")  # from a house these mark an alarm, they never make or clear one
UNKNOWN = "UNKNOWN"
CALL = "PANIC"  # titir where the village gives it no kind of its own: danger, whatever it is


class Reading:
    """What was read: `kind` as in domain.press.Kind, AMAN or NOTICE; '' while nothing is certain; confidence 0–100."""

    def __init__(self, kind: str, confidence: int) -> None:
        self.kind = kind
        self.confidence = confidence


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
        self._refuse_repeats()
        self.has_short = any([len(phrase) > 1 for phrases in self._rules for phrase in phrases])

    def _add(self, pattern: str, kind: str) -> None:
        phrases = parse(pattern)
        known = self._rules.get(phrases)
        if known is not None and known[1] != kind:
            raise ValueError(f"{known[0]} {known[1]} and {pattern} {kind} cannot be told apart")
        self._rules[phrases] = (pattern, kind)

    def _refuse_repeats(self) -> None:
        """Whoever strikes 1 strikes it again and again: 1-1-1 beside it would be the same."""
        for phrases in self._rules:
            once = phrases[:1]
            if len(phrases) > 2 and phrases == once * len(phrases) and once in self._rules:
                one, more = self._rules[once], self._rules[phrases]
                if one[1] != more[1]:
                    raise ValueError(f"{one[0]} {one[1]} and {more[0]} {more[1]} cannot be told apart")

    def read(self, phrases: list[tuple[int, ...]], is_whole: bool) -> Reading:
        """What these groups mean. `is_whole`: silence has followed, nothing more belongs to them.

        The last group counts only if it is over; the caller leaves it out while it may still grow.
        """
        said = tuple(phrases)
        if self._is_titir(said):
            return Reading(self._titir or CALL, 90)
        kind = self._figure(said) if is_whole else ""
        if kind:
            return Reading(kind, 90)
        kind = self._twice(said)
        if kind:
            return Reading(kind, 95 if said.count(said[-1]) > 2 else 90)
        if is_whole and len(said) == 1:
            kind = self._kind(said)
            return Reading(kind or UNKNOWN, 60 if kind else 0)
        return Reading(UNKNOWN if is_whole else "", 0)

    def once(self) -> str:
        """What a lone strike means; '' when it means nothing here."""
        return self._kind(((1,),))

    def _is_titir(self, said: tuple[tuple[int, ...], ...]) -> bool:
        """Eight or more; ten where one strike went before, for there it may be 1-7-1 with a bounce."""
        limit = TITIR + 2 if said[:1] == ((1,),) and ((1,), (7,), (1,)) in self._rules else TITIR
        return any([count >= limit for phrase in said for count in phrase])

    def _figure(self, said: tuple[tuple[int, ...], ...]) -> str:
        """Groups that differ, such as 1-7-1, struck whole, once or several times."""
        for phrases in self._rules:
            is_pair = phrases == phrases[:1] * len(phrases) and len(phrases) < 3
            if not is_pair and said == phrases * (len(said) // len(phrases)):
                return self._kind(phrases)
        return ""

    def _twice(self, said: tuple[tuple[int, ...], ...]) -> str:
        """The latest two neighbours that agree. Lone strikes only if there is nothing else: they frame figures."""
        for at in range(len(said) - 1, 0, -1):
            if said[at] == said[at - 1] and (said[at] != (1,) or said.count((1,)) == len(said)):
                kind = self._kind((said[at], said[at])) or self._kind((said[at],))
                if kind:
                    return kind
        return ""

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
