"""A relay board on a pty: keeps what it was told, and has lost everything once it is unplugged."""

import os
import pty
import termios
import threading
import time
import tty
from pathlib import Path

from gpiozero.pins.mock import MockPin

from bridge.config_siren import Output

ON, OFF = Output(name="board", driver="serial", url="serial:///dev/null").octets


def sounded(pin: MockPin) -> bool:
    """Whether it was ever on, however shortly."""
    return any(was.state for was in pin.states)


class Board:
    """At `alias`, as a by-id path would be."""

    def __init__(self, alias: Path) -> None:
        self._near, self._far = pty.openpty()
        tty.setraw(self._far)
        self._alias = alias
        alias.symlink_to(os.ttyname(self._far))
        self.got = b""
        self.told_ns = 0
        self._is_plugged = True
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        os.set_blocking(self._near, False)
        while self._is_plugged:
            try:
                self.got += os.read(self._near, 100)
                self.told_ns = time.monotonic_ns()
            except BlockingIOError:
                time.sleep(0.0005)

    @property
    def is_on(self) -> bool:
        return self.got.rfind(ON) > self.got.rfind(OFF)

    @property
    def speed(self) -> int:
        """As the other side has set it: a number of termios."""
        return int(termios.tcgetattr(self._far)[5])

    def answer(self, octets: bytes) -> None:
        os.write(self._near, octets)

    def unplug(self) -> None:
        self._is_plugged = False
        self._thread.join(5)
        self._alias.unlink()
        os.close(self._far)
        os.close(self._near)
