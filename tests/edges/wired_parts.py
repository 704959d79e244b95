"""Real parts around a wired input: a switch behind pyserial's own rfc2217 server, a serial port, a pin, a head."""

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

from bridge.codebook_files import load_codebook
from bridge.codec.answers import Answers
from bridge.codec.line import LineCodec, mac
from bridge.config_inputs import WiredInput
from bridge.domain.events import Fault, PressHeard
from bridge.domain.ids import PostId, Run
from bridge.domain.place import Source
from bridge.domain.ports import Input
from bridge.domain.press import Kind
from bridge.edges import cts
from bridge.edges.inputs import build_input
from bridge.edges.line_head import WiredHead
from bridge.edges.wired import ContactInput
from bridge.sources import Register
from tests.edges.listening import Inbox, RealClock
from tests.patience import until

POST = PostId("35.09.14.2005", "pos-1")
RUN = Run("journal", 1, "00112233445566aa")
KEY = bytes(range(16))
REGISTER = Register([Source("head:POS", head_key=KEY)])
QUICK_S = (0.05, 0.2)
HELD_S = 0.04  # longer than LATE_S, a look and what tells a tap from noise: else a miss is nobody's fault
SPARK_S = 0.003
LATE_S = 0.03  # a hand may be uneven by a quarter of a beat


@contextmanager
def listening(inbox: Inbox, codebook: str = "a", **settings: object) -> Iterator[Input]:
    """An input from its settings, quick to reconnect, stopped whatever happens."""
    one = build_input(
        WiredInput.model_validate({"name": "kentongan", **settings}),
        post=POST,
        run=RUN,
        codebook=load_codebook(codebook),
        lines=LineCodec(REGISTER, POST.post),
        compose=Answers("id", ("110",), POST.post, REGISTER).compose,
        clock=RealClock(),
    )
    assert isinstance(one, ContactInput | WiredHead)
    one._backoff_s = QUICK_S
    one.start(inbox.put)
    try:
        yield one
    finally:
        one.stop()
        assert [thread.name for thread in one._threads if thread.is_alive()] == []


def up(one: Input) -> None:
    until(lambda: one.picture()["state"] == "up")


def down(one: Input) -> None:
    until(lambda: one.picture()["state"] == "down")


def presses(inbox: Inbox) -> list[tuple[str, Kind]]:
    """The number of each press and the kind it was heard with, in order."""
    heard = [event.press for event in inbox.all() if isinstance(event, PressHeard)]
    return [(press.id.rpartition("/")[2], press.kind) for press in heard]


def faults(inbox: Inbox) -> list[str]:
    told = [event for event in inbox.all() if isinstance(event, Fault)]
    assert {fault.what for fault in told} <= {"input:kentongan"}
    return [fault.why for fault in told]


def strike(switch: Callable[[bool], None], groups: tuple[int, ...] = (1,), beat_s: float = 0.2) -> float:
    """Groups of strikes with a stop between them; a strike that came late makes none of the others late.

    Gives by how much the worst of them was late, in s.
    """
    due, worst_s = time.monotonic(), 0.0
    for at, beats in enumerate(groups):
        due += 3.5 * beat_s if at else 0.0
        for _ in range(beats):
            time.sleep(max(0.0, due - time.monotonic()))
            switch(True)
            worst_s = max(worst_s, time.monotonic() - due)
            time.sleep(HELD_S)
            switch(False)
            due += beat_s
    time.sleep(max(0.0, due - time.monotonic()))
    return worst_s


class TooBusy(AssertionError):
    """This machine did not keep time: what was struck was no rhythm."""


def evenly(switch: Callable[[bool], None], groups: tuple[int, ...], beat_s: float = 0.25) -> None:
    """The same as a rhythm that must be understood. Raises TooBusy."""
    if strike(switch, groups, beat_s) >= LATE_S:
        raise TooBusy


def steadily(story: Callable[[], None], tries: int = 8) -> None:
    """A rhythm needs a machine that keeps time: a story that failed is told again where it stood still meanwhile."""
    for _ in range(tries):
        with _metronome() as late_s:
            try:
                return story()
            except TooBusy:
                continue
            except AssertionError as wrong:
                failed = wrong
        if max(late_s) < LATE_S:
            raise failed
    raise TooBusy("this machine is too busy to strike a rhythm")


@contextmanager
def _metronome() -> Iterator[list[float]]:
    """How late this process was woken, each time."""
    late_s, over = list[float](), threading.Event()

    def beat() -> None:
        while not over.is_set():
            due = time.monotonic() + 0.005
            time.sleep(0.005)
            late_s.append(time.monotonic() - due)  # the last one too: a story may fail because of it

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield late_s
    finally:
        over.set()
        thread.join()


def least_share(limit: float, window_s: float = 1.5, pretended_s: Callable[[], float] = lambda: 0.0) -> float:
    """Of a core, in the quietest of some windows: what other threads of this process did once is not ours.

    Nor is what a pretended driver has spent.
    """
    least = 1.0
    for _ in range(5):
        spent, began = time.process_time() - pretended_s(), time.monotonic()
        time.sleep(window_s)
        least = min(least, (time.process_time() - pretended_s() - spent) / (time.monotonic() - began))
        if least < limit:
            break
    return least


def sleeper_share(sleep_s: float, count: int = 150) -> float:
    """Of a core, for whoever does nothing but sleep so long again and again: on a busy machine even that is dear."""
    spent, began = time.process_time(), time.monotonic()
    for _ in range(count):
        time.sleep(sleep_s)
    return (time.process_time() - spent) / (time.monotonic() - began)


def quickest_ms(measure: Callable[[], float], limit_ms: float) -> float:
    """The best of some tries, in ms: a machine that does more than this is no slowness of ours."""
    best_ms = 1000 * measure()
    for _ in range(9):
        if best_ms < limit_ms:
            break
        best_ms = min(best_ms, 1000 * measure())
    return best_ms


def sparks(switch: Callable[[bool], None], count: int) -> float:
    """Closings far too short for a hand; how long the longest was, for a busy machine may have held one."""
    longest_s = 0.0
    for _ in range(count):
        began = time.monotonic()
        switch(True)
        switch(False)
        longest_s = max(longest_s, time.monotonic() - began)
        time.sleep(0.008)  # closer together they were the chatter of a hand's contact
    time.sleep(0.05)
    return longest_s


def nobody(spark: Callable[[Inbox], float]) -> bool:
    """Whether true sparks are no press and no fault; tried again where the machine made strikes of them."""
    for _ in range(20):
        inbox = Inbox()
        with _metronome() as late_s:
            longest_s = spark(inbox)
        if (presses(inbox), faults(inbox)) == ([], []):
            if longest_s < SPARK_S:
                return True
        elif max(longest_s, *late_s) < SPARK_S:
            return False
    raise AssertionError("this machine is too busy to make a spark")


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


def line(said: str) -> bytes:
    """As a head says it, with its MAC and a newline at both ends."""
    return f"\n{said} {mac(KEY, said)}\n".encode()
