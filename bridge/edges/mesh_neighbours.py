"""Whom the radio heard lately, and what they say of their batteries: for the status and the desk, bounded."""

from collections import OrderedDict

from bridge.domain.ids import node_id
from bridge.domain.policy import HOUR_S

NODES_MAX = 2_000
SHOWN = 20  # batteries, the emptiest first
MAINS = 101  # what firmware says of a node that hangs on a supply (PowerStatus.h); beyond it nothing has a meaning


class Neighbours:
    """One thread notes, any thread asks. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._heard: OrderedDict[int, float] = OrderedDict()
        self._batteries: dict[int, int] = {}

    def heard(self, sender: int, now_s: float, battery: int | None = None) -> None:
        """`battery` in per cent where the node has just told it; MAINS: it has a supply."""
        self._heard[sender] = now_s
        self._heard.move_to_end(sender)
        if battery is not None and 0 <= battery <= MAINS:
            self._batteries[sender] = battery
        if len(self._heard) > NODES_MAX:
            gone, _ = self._heard.popitem(last=False)
            self._batteries.pop(gone, None)

    def in_last_hour(self, now_s: float) -> int:
        return sum(1 for at in list(self._heard.values()) if now_s - at <= HOUR_S)

    def batteries(self) -> dict[str, int]:
        """The emptiest, by node."""
        emptiest = sorted(self._batteries.copy().items(), key=lambda told: told[1])[:SHOWN]
        return {node_id(sender): battery for sender, battery in emptiest}
