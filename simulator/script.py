"""A scripted evening: which house strikes, when and how; the same seed gives the same evening."""

import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from simulator.node import Node

_WORDS = ("TOLONG maling", "Kebakaran!", "banjir di rumah", "tolong ada yang sakit", "sapi hilang")


class How(Enum):
    """By which of a stock node's ways a house calls."""

    TEXT = auto()
    BELL = auto()
    ALERT = auto()
    DETECTION = auto()


@dataclass(frozen=True, slots=True)
class Strike:
    """One call for help, `at_s` seconds after the evening began."""

    at_s: float
    house: str
    how: How
    words: str


def evening(houses: Sequence[str], seed: int = 0, minutes: float = 5.0, strikes: int = 10) -> tuple[Strike, ...]:
    """An evening in order of time; every house has had its turn before one calls twice."""
    chance = random.Random(seed)
    times = sorted(chance.uniform(0, minutes * 60) for _ in range(strikes))
    callers: list[str] = []
    while len(callers) < strikes:
        callers += chance.sample(list(houses), len(houses))
    ways = tuple(How)
    return tuple(
        Strike(at_s, house, chance.choice(ways), chance.choice(_WORDS))
        for at_s, house in zip(times, callers, strict=False)
    )


def strike(node: Node, how: How, words: str) -> int:
    """Let one house call; the packet's id."""
    match how:
        case How.TEXT:
            return node.text(words)
        case How.BELL:
            return node.text(words, bell=True)
        case How.ALERT:
            return node.alert(words)
        case How.DETECTION:
            return node.detect(f"Tombol {node.name}")


def play(
    script: Sequence[Strike], nodes: dict[str, Node], stop: threading.Event, tell: Callable[[Strike, int], None]
) -> None:
    """Play an evening in real time; `tell` gets each strike and its packet id. Returns early when `stop` is set."""
    so_far_s = 0.0
    for call in script:
        if stop.wait(call.at_s - so_far_s):
            return
        so_far_s = call.at_s
        tell(call, strike(nodes[call.house], call.how, call.words))
