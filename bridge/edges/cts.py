"""A bare switch between RTS and CTS of a serial port, and perhaps a notice switch between DTR and DSR.

A real tty tells of a change by itself (TIOCMIWAIT), so that waiting costs nothing. Where the driver cannot, and over
rfc2217, the line is looked at: each 10 ms, and each 2 ms for some seconds after a change.
"""

import errno
import fcntl
import termios
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import serial

from bridge.edges.wired import Changed, ContactLost

TIOCMIWAIT = 0x545C  # asm-generic/ioctls.h
IDLE_S, BUSY_S, BUSY_FOR_S = 0.010, 0.002, 5.0
CANNOT_WAIT = (errno.ENOTTY, errno.EINVAL, errno.ENOSYS)
OPEN_S = 5.0


class CtsContact:
    """`url`: serial:///dev/… or rfc2217://host:port. Opened anew at each `watch`, so a by-id path finds a new tty."""

    def __init__(self, url: str, *, has_notice: bool = False, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._url, self._has_notice, self._monotonic = url, has_notice, monotonic
        self._is_notice = False

    def is_notice(self) -> bool:
        return self._is_notice

    def watch(self, ready: Callable[[], None], changed: Changed, stopping: threading.Event) -> None:
        """Until `stopping`. Raises ContactLost when the port is gone."""
        try:
            port = self._open()
        except (OSError, ValueError, termios.error) as error:
            raise ContactLost(f"{self._url} tidak bisa dibuka, periksa kabel (cannot be opened): {error}") from error
        try:
            self._follow(port, ready, changed, stopping)
        except (OSError, TypeError, termios.error) as error:  # pyserial: a closed port's number is None
            raise ContactLost(f"{self._url} hilang, periksa kabel (gone, check its cable): {error}") from error
        finally:
            with suppress(OSError, termios.error):
                port.close()

    def _open(self) -> Any:
        """pyserial opens with O_NOCTTY, so that unplugging hangs up nobody. RTS and DTR feed the switches."""
        port = serial.serial_for_url(self._url.removeprefix("serial://"), do_not_open=True, timeout=OPEN_S)
        port.rts = port.dtr = True
        port.open()
        return port

    def _follow(
        self, port: Any, ready: Callable[[], None], changed: Changed, stopping: threading.Event
    ) -> None:
        closed, busy_until = False, 0.0
        can_wait = isinstance(port, serial.Serial)
        ready()
        while not stopping.is_set():
            now_closed, self._is_notice = port.cts, self._has_notice and port.dsr
            now = self._monotonic()
            if now_closed != closed:
                closed, busy_until = now_closed, now + BUSY_FOR_S
                changed(closed, int(now * 1000))
            elif can_wait:
                can_wait = _wait(port)
            if not can_wait:
                stopping.wait(BUSY_S if now < busy_until else IDLE_S)


def _wait(port: Any) -> bool:
    """Until CTS or DSR change; whether this port can be waited for. Raises OSError when it is gone."""
    lines = termios.TIOCM_CTS | termios.TIOCM_DSR
    try:
        fcntl.ioctl(port.fileno(), TIOCMIWAIT, lines)
    except OSError as error:
        if error.errno in CANNOT_WAIT:
            return False
        raise
    return True
