"""Hands that strike: any tempo, uneven, now and then a beat too few or too many; chance is seeded."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from bridge.domain.codebook import TITIR, parse

BEATS_PER_S = (1.5, 8.0)
SHORT_STOP, LONG_STOP = (2.2, 2.8), (4.8, 8.0)  # in beats
BREATH_MS = (1300, 3200)  # whoever strikes one and one pauses for at least a breath
DOUBLE = 0.4  # of a beat, until a bouncing hand strikes again


@dataclass(frozen=True, slots=True)
class Hand:
    """`jitter`: how far each strike may be off, in beats. `faults`: the chance of each beat to be missed or doubled.

    `rest`: how long its long stops are, in beats. `once`: strikes nothing twice over. `drifts`: each gap is off by up
    to that share of itself, and what follows comes earlier or later.
    """

    jitter: float = 0.25
    faults: float = 0.0
    rest: tuple[float, float] = LONG_STOP
    once: bool = False
    drifts: bool = False

    def strike(self, pattern: str, times: int, chance: random.Random) -> list[int]:
        """The moments in ms of `pattern` struck so often over; at least one strike."""
        beat_ms = 1000 / chance.uniform(*BEATS_PER_S)
        gaps = list(_titir(beat_ms, chance) if pattern == "titir" else self._gaps(pattern, times, beat_ms, chance))
        while True:
            if moments := self._moments(gaps, beat_ms, chance):
                return moments

    def _moments(self, gaps: list[float], beat_ms: float, chance: random.Random) -> list[int]:
        at_ms, moments = 10_000.0, []
        for gap in gaps:
            off = chance.uniform(-self.jitter, self.jitter)
            at_ms += gap * (1 + off) if self.drifts else gap
            moment = at_ms if self.drifts else at_ms + off * beat_ms
            fault = chance.random()
            if fault >= self.faults / 2:  # else it was missed
                moments.append(round(moment))
            if fault >= 1 - self.faults / 2:
                moments.append(round(moment + DOUBLE * beat_ms))
        return sorted(moments)

    def _gaps(self, pattern: str, times: int, beat_ms: float, chance: random.Random) -> Iterator[float]:
        """What passes before each beat."""
        phrases = parse(pattern) if "-" in pattern and len(set(parse(pattern))) > 1 else parse(pattern)[:1]
        if pattern == "1-1-1":
            phrases = parse(pattern)
        is_single = all(phrase == (1,) for phrase in phrases)
        for phrase in phrases * times:
            stop = chance.uniform(*BREATH_MS) if is_single else chance.uniform(*self.rest) * beat_ms
            for number, count in enumerate(phrase):
                yield chance.uniform(*SHORT_STOP) * beat_ms if number else stop
                yield from [beat_ms] * (count - 1)


def _titir(beat_ms: float, chance: random.Random) -> Iterator[float]:
    yield from [beat_ms] * chance.randint(TITIR + 4, 3 * TITIR)
