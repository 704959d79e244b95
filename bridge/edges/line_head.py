"""A head on a wire of the post: its lines in, the answers for its lamps out. Lost and found again like a radio."""

import itertools
import queue
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

import structlog

from bridge.codec.line import Heard, LineCodec
from bridge.domain.commands import Beacon, Light
from bridge.domain.errors import RadioLost
from bridge.domain.events import Fault, HeadCalled, PressHeard, TextFailed, TextSent
from bridge.domain.head import HeadCall
from bridge.domain.ids import wired_press, wired_source
from bridge.domain.ports import Clock, Deliver
from bridge.domain.press import Kind, Press, Via
from bridge.edges.mesh_link import SERIAL, Link, open_link
from bridge.edges.wired import BACKOFF_S, gone, port_trouble

log = structlog.get_logger()

LINE_BYTES = 512
LOOK_S = 0.5
OPEN_S, WRITE_S = 5.0, 2.0
GARBLED, GARBLED_WITHIN_S = 3, 90.0  # lines that cannot be read: a hand may be behind them
NOISES = 10  # of these within that time make a fault
UNREADABLE = "barisnya tidak terbaca: periksa kabel dan firmware (its lines cannot be read: look at cable and firmware)"
NOISY = "hanya derau di kabelnya: periksa kabel dan ground (only noise on its wire: look at cable and ground)"
QUEUE_MAX = 64
# The technician's answers, and another post's lines that a node let through.
NO_LINES = ("!", "P1 ")
# What MicroPython and an ESP32's loader print while they start: a head that was plugged in is no alarm.
CHATTER = (
    "MPY:", "MicroPython", 'Type "help', ">>>", "ets ", "ESP-ROM:", "Build:", "rst:", "configsip:", "clk_drv:",
    "mode:", "load:", "ho ", "entry ", "SPIWP:", "Saved PC", "waiting for download", "Traceback", "  File ",
)  # fmt: skip
WORDS_MIN = 8  # printable characters, and most of the line: less is noise, and no hand behind it

Compose = Callable[[Light | Beacon], str]


class WiredHead:
    """The input port over a head's lines. `compose` renders what its lamps shall be told."""

    def __init__(
        self,
        name: str,
        url: str,
        *,
        post: str,
        run_bits: str,
        lines: LineCodec,
        compose: Compose,
        clock: Clock,
        backoff_s: tuple[float, float] = BACKOFF_S,
    ) -> None:
        self.name = name
        self._url, self._post, self._run_bits, self._backoff_s = url, post, run_bits, backoff_s
        self._lines, self._compose, self._clock = lines, compose, clock
        self._garbled: deque[float] = deque(maxlen=GARBLED)
        self._noises: deque[float] = deque(maxlen=NOISES)
        self._counts = itertools.count(1)
        self._link: Link | None = None
        self._waiting: queue.Queue[Light | Beacon | None] = queue.Queue()
        self._stopping = threading.Event()
        self._deliver: Deliver = lambda _event: None
        self._why, self._heard = "", 0
        self._threads = [
            threading.Thread(target=self._run, name=f"input-{name}", daemon=True),
            threading.Thread(target=self._speak, name=f"input-{name}-out", daemon=True),
        ]

    def start(self, deliver: Deliver) -> None:
        self._deliver = deliver
        for thread in self._threads:
            thread.start()

    def show(self, words: Light | Beacon) -> None:
        """Never blocks; TextSent or TextFailed follow under the ticket."""
        if self._waiting.qsize() < QUEUE_MAX:
            self._waiting.put(words)
        else:
            self._deliver(TextFailed(words.ticket, "too many answers wait for the wire"))

    def picture(self) -> dict[str, Any]:
        return {"state": "up" if self._link else "down", "why": self._why, "lines": self._heard}

    def stop(self) -> None:
        self._stopping.set()
        self._waiting.put(None)
        for thread in self._threads:
            if thread.is_alive():
                thread.join(2.0)

    # --- in -----------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        wait_s, last_s = self._backoff_s
        while not self._stopping.is_set():
            try:
                link = open_link(self._url, connect_s=OPEN_S, write_s=WRITE_S)
            except RadioLost as lost:
                why = self._not_opened(lost)
            else:
                wait_s, why = self._backoff_s[0], self._talk(link)
            if self._stopping.is_set():
                return
            self._fault(why)
            self._stopping.wait(wait_s)
            wait_s = min(wait_s * 2, last_s)

    def _not_opened(self, lost: RadioLost) -> str:
        path = self._url.removeprefix(SERIAL)
        return str(lost) if path == self._url else port_trouble(path, lost)

    def _talk(self, link: Link) -> str:
        """One talk with the head; why it ended, '' when we ended it."""
        self._link = link
        self._fault("")
        try:
            self._listen(link)
        except RadioLost:
            return gone(self._url.removeprefix(SERIAL))
        except Exception as error:  # the top of this thread: whatever a head sends must not end it
            log.exception("head failed", input=self.name)
            return f"{type(error).__name__}: kesalahan program, lihat log (a fault of the program, see the log)"
        finally:
            self._link = None
            link.close()
        return ""

    def _listen(self, link: Link) -> None:
        """A line that began before us counts if it is whole; a line cut by the end of a talk is nobody's."""
        waiting, is_first = b"", True
        while not self._stopping.is_set():
            waiting += link.read(LOOK_S)
            *lines, waiting = waiting.split(b"\n")
            for line in lines:
                self._take(line, may_be_half=is_first)
                is_first = False
            if len(waiting) > LINE_BYTES:  # its end, whatever it holds, is half a line
                self._take(waiting, may_be_half=is_first)
                waiting, is_first = b"", True

    def _take(self, octets: bytes, may_be_half: bool) -> None:
        line, now = octets.decode("ascii", errors="replace").strip("\r"), self._clock.monotonic()
        if not line.strip() or line.startswith(NO_LINES + CHATTER):
            return
        calls = [
            said for said in self._lines.read(f"\n{line}\n", Heard(self.name, wired=True)) if isinstance(said, HeadCall)
        ]
        for call in calls:
            self._heard += 1
            self._garbled.clear()
            self._deliver(HeadCalled(call, now))
        if calls:
            self._fault("")
        elif not may_be_half:
            self._garble(line, now)

    def _garble(self, line: str, now: float) -> None:
        """Dropped; but three within 90 s ring, for a hand may be behind them. Mere noise is a fault only."""
        log.warning("line not understood", input=self.name)
        words = sum(" " <= letter <= "~" for letter in line)
        if words < WORDS_MIN or words * 2 <= len(line):
            self._noises.append(now)
            if len(self._noises) == NOISES and now - self._noises[0] <= GARBLED_WITHIN_S:
                self._fault(NOISY)
            return
        self._garbled.append(now)
        if len(self._garbled) < GARBLED or now - self._garbled[0] > GARBLED_WITHIN_S:
            return
        self._garbled.clear()
        press = wired_press(self._post, self.name, self._run_bits, next(self._counts))
        source = wired_source(self._post, self.name)
        self._deliver(PressHeard(Press(press, source, Kind.UNKNOWN, Via.WIRED, trusted=True), now))
        self._fault(UNREADABLE)

    # --- out ----------------------------------------------------------------------------------------------------

    def _speak(self) -> None:
        while (words := self._waiting.get()) is not None:
            link = self._link
            try:
                if link is None:
                    raise RadioLost("no wire to the head")
                link.write(self._compose(words).encode("ascii"))
            except RadioLost as lost:
                if link is not None:
                    link.fault = str(lost)  # whoever reads it opens it anew
                self._deliver(TextFailed(words.ticket, str(lost)))
            except Exception as error:  # the top of this thread: a line that cannot be made must not end it
                log.exception("head's answer failed", input=self.name)
                self._deliver(TextFailed(words.ticket, f"{type(error).__name__}; report this"))
            else:
                self._deliver(TextSent(words.ticket))

    # --- how it is ----------------------------------------------------------------------------------------------

    def _fault(self, why: str) -> None:
        """What is new, once."""
        if why != self._why:
            self._why = why
            log.warning("input fails" if why else "input is well", input=self.name, why=why)
            self._deliver(Fault(f"input:{self.name}", why))
