"""Whether the police can be reached, over any of the ways to them."""

from collections.abc import Iterable

STARTING_S = 30.0  # a desk that has had no time to answer is not yet "not connected"
STARTING = "starting"


class Reach:
    """Each way by its name: why the desk does not answer there, or that it does. Seconds are monotonic."""

    def __init__(self, uplinks: Iterable[str], started_s: float) -> None:
        self._why: dict[str, str | None] = dict.fromkeys(uplinks, STARTING)
        self._starting_until_s = started_s + STARTING_S
        self._has_started = False

    def back(self, uplink: str) -> None:
        self._why[uplink] = None

    def lost(self, uplink: str, why: str) -> None:
        self._why[uplink] = why

    def is_away(self, now_s: float) -> bool:
        if None in self._why.values():
            return False
        return not (now_s < self._starting_until_s and STARTING in self._why.values())

    def has_just_started(self, now_s: float) -> bool:
        """True once: from now on a desk that never answered is away."""
        if self._has_started or now_s < self._starting_until_s:
            return False
        self._has_started = True
        return True

    def next_due_s(self, now_s: float) -> float | None:
        """Seconds until the start is over; None when it is."""
        return None if self._has_started else max(0.0, self._starting_until_s - now_s)

    def shown(self) -> dict[str, str]:
        """For the status: '' where the desk answers."""
        return {name: why or "" for name, why in self._why.items()}
