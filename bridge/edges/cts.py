"""A bare switch between RTS and CTS of a serial port, and perhaps a notice switch between DTR and DSR.

A real tty tells of a change by itself (TIOCMIWAIT) and so does rfc2217, so that waiting costs nothing. For some seconds
after a change the lines of a tty are read each 2 ms: a change between two waits would go unseen. Where a driver cannot
wait they are read each 10 ms.
"""

import errno
import fcntl
import os
import queue
import socket
import termios
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import serial

from bridge.edges.wired import ContactLost, See, port_trouble

TTY, REMOTE = "serial://", "rfc2217://"
TIOCMIWAIT = 0x545C  # asm-generic/ioctls.h; the module termios does not name it
LOOK_S, IDLE_S, BUSY_S, BUSY_FOR_S = 0.5, 0.010, 0.002, 5.0
CANNOT_WAIT = (errno.ENOTTY, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)
KEEPALIVE = ((socket.TCP_KEEPIDLE, 10), (socket.TCP_KEEPINTVL, 5), (socket.TCP_KEEPCNT, 3))
_ASKED = termios.TIOCM_CTS | termios.TIOCM_DSR


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
                raise ContactLost(f"{path} tidak punya CTS: ganti adaptor (has no CTS: use another one)") from error
            raise ContactLost(f"{path} hilang: periksa kabel USB (gone: check the USB cable)") from error
        finally:
            with suppress(OSError, termios.error):  # a waiter that still holds the port must not lock out the next try
                fcntl.flock(port.fileno(), fcntl.LOCK_UN)
            with suppress(OSError, termios.error):
                port.close()

    def _follow(self, port: Any, tell: Callable[[bool, bool, float], None], stopping: threading.Event) -> None:
        before: tuple[bool, bool] | None = None
        busy_until, waiter = 0.0, _Waiter(port.fileno())
        while not stopping.is_set():
            lines, now = (port.cts, port.dsr), self._monotonic()
            if lines != before:
                busy_until, before = now + BUSY_FOR_S, lines
                tell(*lines, now)
            if now < busy_until:
                stopping.wait(BUSY_S)
            elif waiter.is_able:
                waiter.wait(LOOK_S)
            else:
                stopping.wait(IDLE_S)

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
            tell(False, False, self._monotonic())  # a server that says nothing has nothing to say
            while not stopping.is_set():
                with suppress(queue.Empty):
                    state, at_s = changes.get(timeout=LOOK_S)
                    cts, dsr = serial.rfc2217.MODEMSTATE_MASK_CTS, serial.rfc2217.MODEMSTATE_MASK_DSR
                    tell(bool(state & cts), bool(state & dsr), at_s)
                port.read(1024)  # nobody needs it; raises when the connection has ended
        except (OSError, ValueError, TypeError, AttributeError) as error:  # pyserial, where a socket went away under it
            raise ContactLost(f"{self._url} tidak menjawab, periksa jaringan (does not answer): {error}") from error
        finally:
            port.close()


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
    for option, value in KEEPALIVE:  # a cable that was cut says nothing
        port._socket.setsockopt(socket.IPPROTO_TCP, option, value)
    port._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


class _Waiter:
    """A thread that stands in TIOCMIWAIT, which nothing but a change or an unplugged port can end.

    It has a descriptor of its own: the number of a closed one may be somebody else's file by now.
    """

    def __init__(self, fd: int) -> None:
        self.is_able = True
        self._fd, self._is_woken = os.dup(fd), threading.Event()
        threading.Thread(target=self._run, name="cts-wait", daemon=True).start()

    def wait(self, limit_s: float) -> None:
        self._is_woken.wait(limit_s)
        self._is_woken.clear()

    def _run(self) -> None:
        try:
            while True:
                fcntl.ioctl(self._fd, TIOCMIWAIT, _ASKED)
                self._is_woken.set()
        except OSError:
            self.is_able = False  # cannot wait, or gone: whoever reads the lines will know
            self._is_woken.set()
        finally:
            os.close(self._fd)
