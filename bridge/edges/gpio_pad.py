"""A switch on a Raspberry Pi's pin."""

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from bridge.edges.pins import PinTrouble, open_pin
from bridge.edges.wired import ContactLost, See

LOOK_S = 1.0  # an edge that the kernel dropped is not lost for ever


class GpioContact:
    """`pin` and `notice_pin` as gpiozero names them; `active_low`: closed to ground, with the Pi's own pull-up."""

    def __init__(
        self,
        pin: str,
        *,
        active_low: bool = True,
        notice_pin: str = "",
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pin, self._active_low, self._notice_pin = pin, active_low, notice_pin
        self._monotonic = monotonic

    def watch(self, see: See, stopping: threading.Event) -> None:
        """Until `stopping`. Raises ContactLost when a pin cannot be used."""
        with ExitStack() as leave:
            switch = self._open(self._pin, leave)
            notice = self._open(self._notice_pin, leave) if self._notice_pin else None
            one_at_a_time = threading.Lock()  # a level read before an edge must not be told after it
            told_s = 0.0

            def tell(closed: bool | None) -> None:
                nonlocal told_s
                with one_at_a_time:
                    is_closed = switch.is_active if closed is None else closed
                    is_notice = notice is not None and notice.is_active
                    age_s = 0.0 if closed is None else _age_s(switch, closed)
                    told_s = max(told_s, self._monotonic() - age_s)
                    see(bool(is_closed), bool(is_notice), int(told_s * 1000))

            switch.when_activated, switch.when_deactivated = lambda: tell(True), lambda: tell(False)
            if notice is not None:
                notice.when_activated = notice.when_deactivated = lambda: tell(None)
            tell(None)
            while not stopping.wait(LOOK_S):
                tell(None)

    def _open(self, pin: str, leave: ExitStack) -> Any:
        try:
            return leave.enter_context(open_pin("DigitalInputDevice", pin, "[[input]]", pull_up=self._active_low))
        except PinTrouble as trouble:
            raise ContactLost(str(trouble)) from trouble


def _age_s(switch: Any, closed: bool) -> float:
    """How long ago the edge was that is told now: the kernel knows it, and a busy machine tells of two at once.

    0 where it cannot be: before Linux 5.7 the time of an edge was no monotonic one.
    """
    age_s = switch.active_time if closed else switch.inactive_time
    return age_s if age_s is not None and 0 < age_s < LOOK_S else 0.0
