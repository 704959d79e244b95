"""Waiting for what must come, on a machine that may stand still meanwhile (a virtual one does, for seconds)."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")

PATIENCE_S = 20.0
STANDSTILL_S = 1.0  # between two looks; whatever is longer was the machine, not what is waited for


class Patience:
    """How long a test still waits: what the machine slept away is not counted."""

    def __init__(self, within_s: float = PATIENCE_S) -> None:
        self._left_s, self._then = within_s, time.monotonic()

    def left_s(self) -> float:
        """0.0 when it is at its end. Asked at least each STANDSTILL_S."""
        now = time.monotonic()
        self._left_s -= min(now - self._then, STANDSTILL_S)
        self._then = now
        return max(0.0, self._left_s)

    def nap_s(self) -> float:
        """How long to wait for something before it is asked again."""
        return min(self.left_s(), STANDSTILL_S / 2)


def until(
    look: Callable[[], Found],
    why: str | Callable[[], str] = "",
    within_s: float = PATIENCE_S,
    every_s: float = 0.01,
) -> Found:
    """The first true answer; AssertionError with `why` when there is none in time. A dear look is taken less often."""
    patience = Patience(within_s)
    began_s = time.monotonic()
    while not (found := look()):
        assert patience.left_s(), f"not within {within_s} s: {(why() if callable(why) else why) or look}"
        time.sleep(max(every_s, 2 * (time.monotonic() - began_s)))
        began_s = time.monotonic()
    return found
