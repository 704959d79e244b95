"""What is read of what was struck: the table of docs/rhythm.md (`python -m tests.rhythm.confusion`)."""

import random
from collections import Counter
from functools import cache
from pathlib import Path

from bridge.codebook_files import known_codebooks, load_codebook, load_rules
from bridge.domain.codebook import UNKNOWN
from tests.rhythm.strikers import Hand

PAGE = Path(__file__).parents[2] / "docs" / "rhythm.md"
BEGIN, END = "<!-- table -->", "<!-- end of table -->"
TIMES = 400
CLEAN, FAULTY = Hand(), Hand(faults=0.05)
DRIFTING, DRIFTING_FAULTY = Hand(drifts=True), Hand(drifts=True, faults=0.05)
SHORT_OF_BREATH, ONCE, ONCE_FAULTY = Hand(rest=(3.5, 4.5)), Hand(once=True), Hand(once=True, faults=0.05)
Seen = dict[tuple[str, str, str], Counter[str]]


@cache
def measure(hand: Hand, times: int = TIMES) -> Seen:
    """Kinds read, by (codebook, pattern, kind struck). Chance is seeded by the names alone."""
    seen: Seen = {}
    for name in known_codebooks():
        book, rules = load_codebook(name), load_rules(name)
        for pattern, kind in rules.items():
            chance = random.Random(f"{name} {pattern} {hand}")
            struck = (hand.strike(pattern, _repeats(pattern, rules, hand, chance), chance) for _ in range(times))
            seen[name, pattern, kind] = Counter(book.hear(moments).kind for moments in struck)
    return seen


def _repeats(pattern: str, rules: dict[str, str], hand: Hand, chance: random.Random) -> int:
    """How often a hand strikes it: once where twice would mean something else, or nothing."""
    if hand.once and pattern != f"{pattern[0]}-{pattern[0]}":
        return 1
    if pattern == "1" and rules[pattern] in ("AMAN", "NOTICE"):
        return 1
    if f"{pattern}-{pattern}" in rules:
        return 1
    return chance.choice((1, 2)) if pattern in ("1-7-1", "1-1-1", "1-3") else chance.choice((2, 3))


def shares(seen: Seen) -> tuple[float, float, float]:
    """Right, unknown and wrong, of 1."""
    total = sum(counts.total() for counts in seen.values())
    right = sum(counts[kind] for (_, _, kind), counts in seen.items())
    unknown = sum(counts[UNKNOWN] for counts in seen.values())
    return right / total, unknown / total, (total - right - unknown) / total


def table() -> str:
    """Markdown: per cent of each rhythm that were read as what was struck, as unknown, and as something else."""
    clean, faulty = measure(CLEAN), measure(FAULTY)
    lines = [
        "| codebook | rhythm | means | right | right, with faults | unknown | wrong, and as what |",
        "|---|---|---|---|---|---|---|",
    ]
    for key, counts in faulty.items():
        name, pattern, kind = key
        others = {read: count for read, count in counts.most_common() if read not in (kind, UNKNOWN)}
        wrong = ", ".join(f"{read} {_share(count)}" for read, count in others.items()) or "–"
        right, unknown = _share(counts[kind]), _share(counts[UNKNOWN])
        lines.append(f"| {name} | {pattern} | {kind} | {_share(clean[key][kind])} | {right} | {unknown} | {wrong} |")
    for what, seen in (
        ("all, without faults", clean),
        ("all, with faults", faulty),
        ("each gap a quarter off, without faults", measure(DRIFTING)),
        ("each gap a quarter off, with faults", measure(DRIFTING_FAULTY)),
        ("rests of 3.5–4.5 beats, without faults", measure(SHORT_OF_BREATH)),
        ("struck once, without faults", measure(ONCE)),
        ("struck once, with faults", measure(ONCE_FAULTY)),
    ):
        right, unknown, wrong = shares(seen)
        lines.append(f"| **{what}** | | | {right:.1%} | | {unknown:.1%} | {wrong:.1%} |")
    return "\n".join(lines)


def _share(count: int) -> str:
    return f"{count / TIMES:.1%}"


def main() -> None:
    """Put the table into the page."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main()
