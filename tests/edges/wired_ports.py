"""What a contact hangs on in the stories: a port behind pyserial's own rfc2217 server, a UART, a head's terminal."""

import errno
import fcntl
import os
import pty
import socket
import struct
import termios
import threading
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from serial import rfc2217
from serial.urlhandler import protocol_loop

from bridge.edges import cts
from tests.patience import until


class _FarPort(protocol_loop.Serial):  # type: ignore[misc]
    """A serial port whose CTS follows RTS through a switch, and DSR follows DTR through another."""

    is_struck = is_notice = False
    looks = 0

    @property
    def cts(self) -> bool:
        self.looks += 1
        return self.is_struck and bool(self._rts_state)

    @property
    def dsr(self) -> bool:
        return self.is_notice and bool(self._dtr_state)


class FarSwitch:
    """A port on another machine, served by pyserial's PortManager; it can be unplugged and plugged in again."""

    def __init__(self) -> None:
        self._port = _FarPort("loop://", timeout=0)
        self._number = 0
        self._is_unplugged, self._is_serving = threading.Event(), False
        self.plug()

    @property
    def url(self) -> str:
        return f"rfc2217://127.0.0.1:{self._number}"

    def switch(self, closed: bool) -> None:
        """Held until its server has looked, where somebody is served."""
        looks = self._port.looks
        self._port.is_struck = closed
        until(lambda: self._port.looks > looks + 1 or not self._is_serving, every_s=0.001)

    firmly = switch

    def notice(self, on: bool) -> None:
        self._port.is_notice = on

    @contextmanager
    def bunched(self) -> Iterator[None]:
        """The network keeps what the server says, and brings it all at once."""
        kept, say = list[bytes](), self.write
        self.write = kept.append
        yield
        self.write = say
        say(b"".join(kept))

    def noise(self, octets: bytes) -> None:
        """What the port would read."""
        self._port.write(octets)

    def plug(self) -> None:
        self._is_unplugged.clear()
        listener = socket.create_server(("127.0.0.1", self._number))
        listener.settimeout(0.01)
        self._number = listener.getsockname()[1]
        self._thread = threading.Thread(target=self._listen, args=(listener,), daemon=True)
        self._thread.start()

    def unplug(self) -> None:
        """The connection goes, and nobody answers."""
        self._is_unplugged.set()
        self._thread.join(5)

    def leave(self) -> None:
        self.unplug()
        self._port.close()

    def _listen(self, listener: socket.socket) -> None:
        with listener:
            while not self._is_unplugged.is_set():
                with suppress(TimeoutError, OSError):
                    client, _ = listener.accept()
                    with client:
                        self._is_serving = True
                        try:
                            self._serve(client)
                        finally:
                            self._is_serving = False

    def _serve(self, client: socket.socket) -> None:
        client.settimeout(0.001)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.write: Callable[[bytes], object] = client.sendall
        manager = rfc2217.PortManager(self._port, self)
        while not self._is_unplugged.is_set():
            with suppress(TimeoutError):
                if not (octets := client.recv(1024)):
                    return
                list(manager.filter(octets))
            manager.check_modem_lines()
            if octets := self._port.read(100):
                client.sendall(b"".join(manager.escape(octets)))


class Uart:
    """A pty with the modem lines that a pty lacks: its driver's ioctls are pretended, all else is the kernel's.

    `waits`: whether the driver knows TIOCMIWAIT; `refuses_after_s`: how late a busy machine says that it does not.
    `slow_s`: how long it takes to read the lines. `is_touched`: let go as soon as somebody has looked.
    `spent_s`: CPU time of the pretence itself.
    """

    slow_s = refuses_after_s = spent_s = 0.0
    is_touched = False

    def __init__(self, alias: Path, monkeypatch: pytest.MonkeyPatch, waits: bool = True) -> None:
        self.alias, self.url = alias, f"serial://{alias}"
        self._waits, self._real = waits, fcntl.ioctl
        self._changed = threading.Condition()
        self._lines = self._outputs = self.reads = 0
        self._changes = {termios.TIOCM_CTS: 0, termios.TIOCM_DSR: 0}
        self._is_gone = True
        self.plug()
        monkeypatch.setattr(fcntl, "ioctl", self._ioctl)

    def switch(self, closed: bool) -> None:
        self._set(termios.TIOCM_CTS, closed)

    def firmly(self, closed: bool) -> None:
        """Held until somebody has looked."""
        self.switch(closed)
        reads = self.reads
        until(lambda: self.reads > reads, every_s=0.001)

    def notice(self, on: bool) -> None:
        self._set(termios.TIOCM_DSR, on)

    def plug(self) -> None:
        """A new number under the old name."""
        self._near, self._far = pty.openpty()
        tty.setraw(self._far)
        self._number, self._is_gone = os.fstat(self._far).st_rdev, False
        self._outputs = 0
        self.alias.symlink_to(os.ttyname(self._far))

    def leave(self) -> None:
        if not self._is_gone:
            self.unplug()

    def unplug(self) -> None:
        self.alias.unlink()
        os.close(self._far)
        os.close(self._near)
        with self._changed:
            self._is_gone = True
            self._changed.notify_all()

    def noise(self, octets: bytes) -> None:
        os.write(self._near, octets)

    def _set(self, line: int, on: bool) -> None:
        with self._changed:
            self._lines = self._lines | line if on else self._lines & ~line
            self._changes[line] += 1
            self._changed.notify_all()

    def _ioctl(self, fd: int, code: int, argument: Any = 0, *rest: Any) -> Any:
        asked = (termios.TIOCMGET, termios.TIOCMBIS, termios.TIOCMBIC, cts.TIOCMIWAIT)
        if code not in asked or os.fstat(fd).st_rdev != self._number:
            return self._real(fd, code, argument, *rest)
        if code == termios.TIOCMGET and self.slow_s:
            time.sleep(self.slow_s)  # not for nothing: even that cost as much CPU as a look itself
        if code == cts.TIOCMIWAIT and not self._waits:
            time.sleep(self.refuses_after_s)
        began_s = time.thread_time()
        try:
            return self._pretended(code, argument)
        finally:
            self.spent_s += time.thread_time() - began_s

    def _pretended(self, code: int, argument: Any) -> Any:
        with self._changed:
            if self._is_gone:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            match code:
                case termios.TIOCMGET:
                    self.reads += 1
                    fed = self._outputs & termios.TIOCM_RTS and termios.TIOCM_CTS
                    fed |= self._outputs & termios.TIOCM_DTR and termios.TIOCM_DSR
                    seen = self._lines & fed
                    if self.is_touched:
                        self._lines &= ~termios.TIOCM_CTS
                    return struct.pack("I", seen)
                case termios.TIOCMBIS:
                    self._outputs |= struct.unpack("I", argument)[0]
                case termios.TIOCMBIC:
                    self._outputs &= ~struct.unpack("I", argument)[0]
                case _:
                    self._wait(argument)
        return 0

    def _wait(self, lines: int) -> None:
        if not self._waits:
            raise OSError(errno.ENOTTY, os.strerror(errno.ENOTTY))
        before = self._changed_so_often(lines)
        self._changed.wait_for(lambda: self._is_gone or self._changed_so_often(lines) != before)
        if self._is_gone:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    def _changed_so_often(self, lines: int) -> int:
        return sum(count for line, count in self._changes.items() if line & lines)


class UsbHead:
    """A head's side of a pty, under a name that stays when the number changes."""

    def __init__(self, alias: Path) -> None:
        self._alias, self.url, self._is_gone = alias, f"serial://{alias}", True
        self.plug()

    def plug(self) -> None:
        self._near, self._far = pty.openpty()
        tty.setraw(self._far)
        self._alias.symlink_to(os.ttyname(self._far))
        self._is_gone = False

    def leave(self) -> None:
        if not self._is_gone:
            self.unplug()

    def unplug(self) -> None:
        self._is_gone = True
        self._alias.unlink()
        os.close(self._far)
        os.close(self._near)

    def say(self, octets: bytes) -> None:
        os.write(self._near, octets)

    def hear(self) -> bytes:
        return os.read(self._near, 1024)
