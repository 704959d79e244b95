"""Rhythms as sound: knocks on wood, made with the standard library. Mono, 16 bits, 8 kHz."""

import array
import functools
import io
import math
import random
import sys
import wave
from collections.abc import Mapping

from bridge.domain.codebook import parse
from bridge.domain.press import Kind

RATE = 8000
BEAT_S, SHORT_STOP_S, LONG_STOP_S = 0.30, 0.75, 1.5
TITIR_BEAT_S, TITIR_BEATS = 0.18, 16
TITIR = "titir"
KNOCK_S = 0.14
PITCH_HZ, OVERTONE = 410.0, 2.76  # a slit drum of jackfruit wood, roughly

Samples = array.array  # of "h"


def pattern_of(kind: Kind, rules: Mapping[str, str]) -> str:
    """How this village strikes a kind; titir for what has no rhythm here."""
    return next((pattern for pattern, known in rules.items() if known == kind.value), TITIR)


def rhythm(pattern: str, for_s: float) -> "Samples[int]":
    """`pattern` over and over, whole figures only, at least one and at most `for_s`."""
    once = _beats(_pauses(pattern))
    return once * max(1, int(for_s * RATE) // len(once))


@functools.cache
def knock() -> "Samples[int]":
    """One knock: a short, dying tone with a click at its beginning."""
    chance = random.Random(0)
    return array.array("h", (_sample(at / RATE, chance.uniform(-1, 1)) for at in range(int(KNOCK_S * RATE))))


def wav(samples: "Samples[int]") -> bytes:
    """A whole WAV file."""
    if sys.byteorder == "big":
        samples = samples[:]
        samples.byteswap()
    octets = io.BytesIO()
    with wave.open(octets, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())
    return octets.getvalue()


def seconds(samples: "Samples[int]") -> float:
    return len(samples) / RATE


def _pauses(pattern: str) -> list[float]:
    """Seconds from each knock to the next."""
    if pattern == TITIR:
        return [TITIR_BEAT_S] * TITIR_BEATS
    pauses: list[float] = []
    for phrase in parse(pattern):
        for count in phrase:
            pauses += [BEAT_S] * (count - 1) + [SHORT_STOP_S]
        pauses[-1] = LONG_STOP_S
    return pauses


def _beats(pauses: list[float]) -> "Samples[int]":
    samples = array.array("h")
    for pause_s in pauses:
        samples += knock() + array.array("h", bytes(2 * (int(pause_s * RATE) - len(knock()))))
    return samples


def _sample(at_s: float, click: float) -> int:
    tone = math.sin(2 * math.pi * PITCH_HZ * at_s) + 0.5 * math.sin(2 * math.pi * OVERTONE * PITCH_HZ * at_s)
    return int(20_000 * (0.6 * tone * math.exp(-at_s / 0.035) + 0.5 * click * math.exp(-at_s / 0.004)) / 1.4)
