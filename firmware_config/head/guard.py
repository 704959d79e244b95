"""The watchdog: it starts a hung head anew. While a technician holds the prompt, a timer feeds it for three minutes."""

import sys

import machine  # type: ignore[import-not-found]

TIMEOUT_MS = 8000  # the Pico's can wait for no more than 8388
HOLD_S = 180
_TIMERS = {"rp2": -1}  # a timer in software; the ESP32 has four in hardware


class Guard:
    def __init__(self) -> None:
        self._dog = machine.WDT(timeout=TIMEOUT_MS)
        self._timer = None  # type: machine.Timer | None
        self._left_s = 0

    def feed(self, _timer=None) -> None:
        self._dog.feed()

    def hold(self) -> None:
        """Feed it from a timer: nobody's loop runs, files are being copied."""
        self._left_s = HOLD_S
        if self._timer is None:
            self._timer = machine.Timer(_TIMERS.get(sys.platform, 0))
            self._timer.init(period=1000, callback=self._tick)

    def release(self) -> None:
        if self._timer is not None:
            self._timer.deinit()
            self._timer = None
        self.feed()

    def _tick(self, _timer) -> None:
        self._left_s -= 1
        if self._left_s > 0:
            self.feed()


guard = Guard()  # one, as the chip has one; boot.py holds it, main.py takes it over
