"""A bare switch between RTS and CTS of a serial port, and perhaps a notice switch between DTR and DSR.

A real tty tells of a change by itself (TIOCMIWAIT) and so does rfc2217, so that waiting costs nothing. For some seconds
after a change the lines of a tty are read each 2 ms: a change between two waits would go unseen. Where a driver cannot
wait they are read each 10 ms. Whoever looks late, or hears over a network, cannot tell how short a closing was: it is
taken for a strike.
"""

import errno
import fcntl
import os
import queue
import termios
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import serial
import structlog

from bridge.edges.mesh_link import keep_alive
from bridge.edges.wired import ContactLost, See, gone, port_trouble

log = structlog.get_logger()

TTY, REMOTE = "serial://", "rfc2217://"
TIOCMIWAIT = 0x545C  # asm-generic/ioctls.h; the module termios does not name it
LOOK_S, IDLE_S, BUSY_S, BUSY_FOR_S = 0.5, 0.010, 0.002, 5.0
TAP_S = 0.015  # no hand closes a contact for less
NOISE_BYTES = 10_000  # read and forgotten at a time; more than any port brings between two looks


class CtsContact:
    """`url`: serial:///dev/… or rfc2217://host:port. Opened anew at each `watch`, so a by-id path finds a new tty."""

    def __init__(self, url: str, *, has_notice: bool = False, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._url, self._has_notice, self._monotonic = url, has_notice, monotonic

    def watch(self, see: See, stopping: threading.Event) -> None:
        """Until `stopping`. Raises ContactLost when the port is gone."""

        def tell(cts: bool, dsr: bool, at_s: float) -> None:
            see(cts, dsr and self._has_notice, int(at_s * 1000))

        if self._url.startswith(REMOTE):
            self._watch_remote(tell, stopping)
        else:
            self._watch_tty(self._url.removeprefix(TTY), tell, stopping)

    def _watch_tty(self, path: str, tell: Callable[[bool, bool, float], None], stopping: threading.Event) -> None:
        port = _open_tty(path)
        try:
            self._follow(port, tell, stopping)
        except (OSError, termios.error) as error:
            if error.args[0] in (errno.ENOTTY, errno.EINVAL):
                why = f"{path} tidak punya CTS: ganti adaptor ({path} has no CTS: use another adapter)"
                raise ContactLost(why) from error
            raise ContactLost(gone(path)) from error
        finally:
            with suppress(OSError, termios.error):  # a waiter that still holds the port must not lock out the next try
                fcntl.flock(port.fileno(), fcntl.LOCK_UN)
            with suppress(OSError, termios.error):
                port.close()

    def _follow(self, port: Any, tell: Callable[[bool, bool, float], None], stopping: threading.Event) -> None:
        before: tuple[bool, bool] | None = None
        asked = termios.TIOCM_CTS | (termios.TIOCM_DSR if self._has_notice else 0)  # an open DSR is full of noise
        busy_until, waiter = 0.0, _Waiter(port.fileno(), asked, self._monotonic)
        looked_s = self._monotonic()
        while not stopping.is_set():
            woken_s, lines, now = waiter.woken(), (port.cts, self._has_notice and port.dsr), self._monotonic()
            if lines != before:
                busy_until, before = now + BUSY_FOR_S, lines
                since_s = woken_s if waiter.is_able else looked_s
                is_late = since_s is not None and now - since_s >= TAP_S
                tell(*lines, now - TAP_S if lines[0] and is_late else now)
            elif woken_s is not None:
                busy_until = now + BUSY_FOR_S
                _between(*lines, woken_s, now, tell)
            looked_s = now
            if waiter.is_able and now >= busy_until:
                waiter.wait(LOOK_S)
            else:  # no wait on `stopping`: a hundred of them a second cost half as much again as a sleep (measured)
                time.sleep(BUSY_S if now < busy_until else IDLE_S)

    def _watch_remote(self, tell: Callable[[bool, bool, float], None], stopping: threading.Event) -> None:
        import serial.rfc2217

        changes: queue.SimpleQueue[tuple[int, float]] = queue.SimpleQueue()

        class Port(serial.rfc2217.Serial):
            """pyserial keeps only the latest state; a short strike must not be gone before anybody looks."""

            def _telnet_process_subnegotiation(port, suboption: bytes) -> None:
                super()._telnet_process_subnegotiation(suboption)
                if suboption[1:2] == serial.rfc2217.SERVER_NOTIFY_MODEMSTATE and len(suboption) >= 3:
                    changes.put((suboption[2], self._monotonic()))

        port = Port(None, timeout=0)
        try:
            _open_remote(port, self._url)
            told_s, was_closed = self._monotonic(), False
            if changes.empty():
                tell(False, False, told_s)  # a server that says nothing has nothing to say
            while not stopping.is_set():
                with suppress(queue.Empty):
                    state, at_s = changes.get(timeout=LOOK_S)
                    cts, dsr = serial.rfc2217.MODEMSTATE_MASK_CTS, serial.rfc2217.MODEMSTATE_MASK_DSR
                    is_closed = bool(state & cts)
                    told_s = max(at_s, told_s + (TAP_S if was_closed and not is_closed else 0.0))
                    tell(is_closed, bool(state & dsr), told_s)
                    was_closed = is_closed
                _forget_what_came(port)
        except (OSError, ValueError, TypeError, AttributeError) as error:  # pyserial, where a socket went away under it
            log.debug("no answer", url=self._url, why=str(error))
            raise ContactLost(
                f"{self._url} tidak menjawab: periksa jaringan ({self._url} does not answer: check the network)"
            ) from error
        finally:
            with suppress(OSError, RuntimeError):  # its reading thread may never have begun
                port.close()


def _forget_what_came(port: Any) -> None:
    """Nobody needs it, but pyserial would keep it for ever. Raises when the connection has ended."""
    for _ in range(NOISE_BYTES):  # without waiting pyserial gives one byte at a time
        if not port.read():
            return


def _between(cts: bool, dsr: bool, woken_s: float, now: float, tell: Callable[[bool, bool, float], None]) -> None:
    """The contact has changed since the last look and is again as it was.

    Closed: it was open meanwhile, so that chatter never looks like one long closing. Open: noise, unless we came so
    late that it may have been a strike.
    """
    if cts:
        tell(False, dsr, now)
        tell(True, dsr, now)
    elif now - woken_s >= TAP_S:
        tell(True, dsr, woken_s)
        tell(False, dsr, now)


def _open_tty(path: str) -> Any:
    """pyserial opens with O_NOCTTY, so that unplugging hangs up nobody. RTS and DTR feed the switches."""
    port = serial.Serial(None, timeout=0, exclusive=True)
    port.port, port.rts, port.dtr = path, True, True
    try:
        port.open()
    except (OSError, ValueError, termios.error) as error:
        raise ContactLost(port_trouble(path, error)) from error
    return port


def _open_remote(port: Any, url: str) -> None:
    port.port, port.rts, port.dtr = url, True, True
    port.open()
    keep_alive(port._socket)


class _Waiter:
    """A thread that stands in TIOCMIWAIT, which nothing but a change or an unplugged port can end.

    It has a descriptor of its own: the number of a closed one may be somebody else's file by now.
    """

    def __init__(self, fd: int, lines: int, monotonic: Callable[[], float]) -> None:
        self.is_able = True
        self._fd, self._lines, self._monotonic, self._woken_s = os.dup(fd), lines, monotonic, 0.0
        self._is_woken = threading.Event()
        threading.Thread(target=self._run, name="cts-wait", daemon=True).start()

    def wait(self, limit_s: float) -> None:
        self._is_woken.wait(limit_s)

    def woken(self) -> float | None:
        """When a change came first since this was last asked; never where the driver cannot wait."""
        if not self._is_woken.is_set() or not self.is_able:
            return None
        woken_s = self._woken_s
        self._is_woken.clear()
        return woken_s

    def _run(self) -> None:
        try:
            while True:
                fcntl.ioctl(self._fd, TIOCMIWAIT, self._lines)
                if not self._is_woken.is_set():
                    self._woken_s = self._monotonic()
                    self._is_woken.set()
        except OSError:
            self.is_able = False  # cannot wait, or gone: whoever reads the lines will know
            self._is_woken.set()
        finally:
            os.close(self._fd)
