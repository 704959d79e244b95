"""How well each node of a village is reached: tries in, standings out. Pure.

Firmware reports the signal of the last hop only; how far a node's call gets is told by the share of answers.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from types import MappingProxyType

MARGIN_DB = 6.0  # rain, leaves and a parked truck take so much
SHARE = 0.9  # of the tries that must be answered
QUESTION_BYTES = 30  # an admin question sealed for its reader
ANSWER_TRIES = 3  # an unanswered packet is sent so often by firmware

# The weakest signal that can be read, by spreading factor 7 to 12 (Semtech SX1261/2 data sheet, table 6-1).
FLOOR_DB: Mapping[str, float] = MappingProxyType(
    {
        "SHORT_TURBO": -7.5,
        "SHORT_FAST": -7.5,
        "SHORT_SLOW": -10.0,
        "MEDIUM_FAST": -12.5,
        "MEDIUM_SLOW": -15.0,
        "LONG_TURBO": -17.5,
        "LONG_FAST": -17.5,
        "LONG_MODERATE": -17.5,
        "LONG_SLOW": -20.0,
    }
)


class Verdict(StrEnum):
    """WEAK: it is reached today, with nothing to spare. UNASKED: no try was made yet."""

    GOOD = "good"
    WEAK = "weak"
    SILENT = "silent"
    UNASKED = "unasked"


@dataclass(frozen=True, slots=True)
class Target:
    """A node to be asked. `at`: degrees, or None."""

    name: str
    node: int
    at: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Try:
    """One question. `took_s` None: no answer; `why` then says more, where something is known."""

    node: int
    took_s: float | None
    snr_db: float | None = None
    hops: int | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """All tries of one node. Medians; `hops`: the most that an answer needed."""

    target: Target
    asked: int
    answered: int
    snr_db: float | None
    hops: int | None
    took_s: float | None
    verdict: Verdict
    why: str = ""

    @property
    def share(self) -> float:
        return self.answered / self.asked if self.asked else 0.0


def standings(targets: Sequence[Target], tries: Iterable[Try], preset: str) -> list[Standing]:
    """One for each node, in the order given."""
    by_node: dict[int, list[Try]] = {}
    for one in tries:
        by_node.setdefault(one.node, []).append(one)
    return [_standing(target, by_node.get(target.node, []), preset) for target in targets]


def is_done(standings: Iterable[Standing], tries: int) -> bool:
    return all(standing.asked >= tries for standing in standings)


def _standing(target: Target, tries: list[Try], preset: str) -> Standing:
    answers = [one for one in tries if one.took_s is not None]
    snr_db = _median(one.snr_db for one in answers)
    hops = max((one.hops for one in answers if one.hops is not None), default=None)
    why = next((one.why for one in reversed(tries) if one.why), "")
    took_s = _median(one.took_s for one in answers)
    verdict = _verdict(len(tries), len(answers), snr_db, preset)
    return Standing(target, len(tries), len(answers), snr_db, hops, took_s, verdict, why)


def _verdict(asked: int, answered: int, snr_db: float | None, preset: str) -> Verdict:
    if not asked:
        return Verdict.UNASKED
    if not answered:
        return Verdict.SILENT
    spare_db = math.inf if snr_db is None else snr_db - FLOOR_DB.get(preset, FLOOR_DB["MEDIUM_FAST"])
    return Verdict.GOOD if answered / asked >= SHARE and spare_db >= MARGIN_DB else Verdict.WEAK


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(median(known), 2) if known else None
