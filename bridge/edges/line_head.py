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
from bridge.edges.mesh_link import Link, open_link

log = structlog.get_logger()

BACKOFF_S = (1.0, 15.0)
LINE_BYTES = 512
LOOK_S = 0.5
OPEN_S, WRITE_S = 5.0, 2.0
GARBLED, GARBLED_WITHIN_S = 3, 90.0  # lines that cannot be read: a hand may be behind them
NO_LINES = ("!", "P1 ")  # the technician's answers, and another post's lines that a node let through

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
        self._counts = itertools.count(1)
        self._link: Link | None = None
        self._waiting: queue.SimpleQueue[Light | Beacon | None] = queue.SimpleQueue()
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
        self._waiting.put(words)

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
        wait_s = self._backoff_s[0]
        while not self._stopping.is_set():
            was_up = False
            try:
                link = open_link(self._url, connect_s=OPEN_S, write_s=WRITE_S)
            except RadioLost as lost:
                why = str(lost)
            else:
                was_up, why = True, self._talk(link)
            if self._stopping.is_set():
                return
            wait_s = self._backoff_s[0] if was_up else min(wait_s * 2, self._backoff_s[1])
            self._lose(why)
            self._stopping.wait(wait_s)

    def _talk(self, link: Link) -> str:
        """One talk with the head; why it ended. A line cut by the end of a talk is nobody's."""
        self._link = link
        self._well()
        waiting = b""
        try:
            while not self._stopping.is_set():
                waiting += link.read(LOOK_S)
                *lines, waiting = waiting.split(b"\n")
                for line in lines:
                    self._take(line)
                if len(waiting) > LINE_BYTES:
                    self._take(waiting)
                    waiting = b""
        except RadioLost as lost:
            return str(lost)
        except Exception as error:  # the top of this thread: whatever a head sends must not end it
            log.exception("head failed", input=self.name)
            return f"{type(error).__name__}; report this"
        finally:
            self._link = None
            link.close()
        return ""

    def _take(self, octets: bytes) -> None:
        line, now = octets.decode("ascii", errors="replace").strip("\r"), self._clock.monotonic()
        if not line.strip() or line.startswith(NO_LINES):
            return
        calls = [
            said for said in self._lines.read(f"\n{line}\n", Heard(self.name, wired=True)) if isinstance(said, HeadCall)
        ]
        for call in calls:
            self._heard += 1
            self._garbled.clear()
            self._deliver(HeadCalled(call, now))
        if not calls:
            self._garble(now)

    def _garble(self, now: float) -> None:
        """Dropped; but three within 90 s ring, and are a fault to look at."""
        log.warning("line not understood", input=self.name)
        self._garbled.append(now)
        if len(self._garbled) < GARBLED or now - self._garbled[0] > GARBLED_WITHIN_S:
            return
        self._garbled.clear()
        press = wired_press(self._post, self.name, self._run_bits, next(self._counts))
        source = wired_source(self._post, self.name)
        self._deliver(PressHeard(Press(press, source, Kind.UNKNOWN, Via.WIRED, trusted=True), now))
        self._fault("barisnya tidak terbaca, periksa kabel dan firmware (its lines cannot be read: cable, firmware)")

    # --- out ----------------------------------------------------------------------------------------------------

    def _speak(self) -> None:
        while (words := self._waiting.get()) is not None:
            link = self._link
            try:
                if link is None:
                    raise RadioLost("no wire to the head")
                link.write(self._compose(words).encode("ascii"))
            except RadioLost as lost:
                self._deliver(TextFailed(words.ticket, str(lost)))
            except Exception as error:  # the top of this thread: a line that cannot be made must not end it
                log.exception("head's answer failed", input=self.name)
                self._deliver(TextFailed(words.ticket, f"{type(error).__name__}; report this"))
            else:
                self._deliver(TextSent(words.ticket))

    # --- how it is ----------------------------------------------------------------------------------------------

    def _lose(self, why: str) -> None:
        if why != self._why:
            log.warning("head lost", input=self.name, why=why)
            self._fault(why)

    def _fault(self, why: str) -> None:
        self._why = why
        self._deliver(Fault(f"input:{self.name}", why))

    def _well(self) -> None:
        if self._why:
            self._fault("")
