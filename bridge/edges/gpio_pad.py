"""A switch on a Raspberry Pi's pin, through gpiozero; the package is needed only where a pin is configured."""

import threading
import time
from collections.abc import Callable
from typing import Any

from bridge.edges.wired import Changed, ContactLost


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
        self._notice: Any = None

    def is_notice(self) -> bool:
        return self._notice is not None and bool(self._notice.is_active)

    def watch(self, ready: Callable[[], None], changed: Changed, stopping: threading.Event) -> None:
        """Until `stopping`. Raises ContactLost when the pin cannot be used."""
        try:
            from gpiozero import DigitalInputDevice

            switch = DigitalInputDevice(self._pin, pull_up=self._active_low)
            if self._notice_pin:
                self._notice = DigitalInputDevice(self._notice_pin, pull_up=self._active_low)
        except ImportError as error:
            raise ContactLost("gpiozero is not installed: pip install 'kentongan[gpio]'") from error
        except Exception as error:
            raise ContactLost(
                f"pin {self._pin} tidak bisa dipakai, periksa [[input]] pin (unusable): {error}"
            ) from error
        try:
            switch.when_activated = lambda: changed(True, self._now_ms())
            switch.when_deactivated = lambda: changed(False, self._now_ms())
            ready()
            if switch.is_active:
                changed(True, self._now_ms())
            stopping.wait()
        finally:
            for device in filter(None, (switch, self._notice)):
                device.close()

    def _now_ms(self) -> int:
        return int(self._monotonic() * 1000)
