"""A wired kentongan: one thread watches the contact, another hears it out and tells the engine.

What a closing means is the hand's to say (wired_hand); what the contact is made of is the driver's (cts, gpio_pad).
"""

import os
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from bridge.domain.commands import Beacon, Light
from bridge.domain.errors import BridgeError
from bridge.domain.events import Event, Fault, TextFailed
from bridge.domain.ports import Clock, Deliver

log = structlog.get_logger()

BACKOFF_S = (0.5, 3.0)  # a try costs next to nothing, and whoever strikes before the next one is not heard
LEAVE_S = 2.0
TO_THE_END_MS = 5000  # more than any silence that a pad waits for

See = Callable[[bool, bool, int], None]  # closed?, notice switch on?, monotonic ms


class ContactLost(BridgeError):
    """The contact cannot be watched any more; one line that says what to do."""


class Contact(Protocol):
    """A switch, perhaps with a notice switch beside it.

    `watch` opens it, calls `see` with what it finds, then at every change until `stopping`. Raises ContactLost.
    """

    def watch(self, see: See, stopping: threading.Event) -> None: ...


class Hand(Protocol):
    """What closings mean. Only one thread calls it; times are monotonic ms.

    `trouble`: one clear line while the contact itself is not well, else ''.
    """

    @property
    def trouble(self) -> str: ...

    def see(self, closed: bool, notice: bool, now_ms: int) -> list[Event]: ...

    def lose(self, now_ms: int) -> list[Event]: ...

    def tick(self, now_ms: int) -> list[Event]: ...

    def next_ms(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class _Seen:
    closed: bool
    notice: bool
    at_ms: int


@dataclass(frozen=True, slots=True)
class _Lost:
    why: str
    at_ms: int


class ContactInput:
    """The input port over a contact."""

    def __init__(
        self, name: str, contact: Contact, hand: Hand, clock: Clock, backoff_s: tuple[float, float] = BACKOFF_S
    ) -> None:
        self.name = name
        self._contact, self._hand, self._clock, self._backoff_s = contact, hand, clock, backoff_s
        self._news: queue.SimpleQueue[_Seen | _Lost | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._deliver: Deliver = lambda _event: None
        self._is_up, self._is_closed, self._closings = False, False, 0
        self._lost, self._told = "", ""
        self._threads = [
            threading.Thread(target=self._watch, name=f"input-{name}", daemon=True),
            threading.Thread(target=self._hear, name=f"input-{name}-hear", daemon=True),
        ]

    def start(self, deliver: Deliver) -> None:
        self._deliver = deliver
        for thread in self._threads:
            thread.start()

    def show(self, words: Light | Beacon) -> None:
        """A bare contact has no lamps."""
        self._deliver(TextFailed(words.ticket, "a contact has no lamps"))

    def picture(self) -> dict[str, Any]:
        """`closings`: how often the contact was seen to close, bounces too: what a technician watches as he taps."""
        return {"state": "up" if self._is_up else "down", "why": self._told, "closings": self._closings}

    def stop(self) -> None:
        """What was struck until now is still told."""
        self._stopping.set()
        self._news.put(None)
        for thread in self._threads:
            if thread.is_alive():
                thread.join(LEAVE_S)

    # --- watching -----------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        wait_s, last_s = self._backoff_s
        while not self._stopping.is_set():
            why = self._watch_once()
            if self._stopping.is_set():
                return
            wait_s = self._backoff_s[0] if self._is_up else wait_s
            self._is_up = False
            self._news.put(_Lost(why, self._now_ms()))
            self._stopping.wait(wait_s)
            wait_s = min(wait_s * 2, last_s)

    def _watch_once(self) -> str:
        """Why the contact is lost; '' when we left it."""
        try:
            self._contact.watch(self._see, self._stopping)
        except ContactLost as lost:
            return str(lost)
        except Exception as error:  # the top of this thread: a kentongan that nobody hears must be known
            log.exception("input failed", input=self.name)
            return f"{type(error).__name__}: kesalahan program, lihat log (a fault of the program, see the log)"
        return ""

    def _see(self, closed: bool, notice: bool, at_ms: int) -> None:
        self._closings += closed and not self._is_closed
        self._is_up, self._is_closed = True, closed
        self._news.put(_Seen(closed, notice, at_ms))

    # --- hearing ------------------------------------------------------------------------------------------------

    def _hear(self) -> None:
        while True:
            try:
                news = self._news.get(timeout=self._wait_s())
            except queue.Empty:
                self._tell(lambda: self._hand.tick(self._now_ms()))
                continue
            if news is None:
                self._tell(lambda: self._hand.tick(self._now_ms() + TO_THE_END_MS))
                return
            self._tell(lambda news=news: self._take(news))  # type: ignore[misc]

    def _take(self, news: _Seen | _Lost) -> list[Event]:
        match news:
            case _Seen(closed, notice, at_ms):
                self._lost = ""
                return self._hand.see(closed, notice, at_ms)
            case _Lost(why, at_ms):
                self._lost = why
                return self._hand.lose(at_ms)

    def _tell(self, happened: Callable[[], list[Event]]) -> None:
        try:
            for event in happened():
                self._deliver(event)
        except Exception as error:  # the top of this thread: the next strike must be heard
            log.exception("input failed", input=self.name)
            self._lost = f"{type(error).__name__}: kesalahan program, lihat log (a fault of the program, see the log)"
        self._tell_fault(self._lost or self._hand.trouble)

    def _tell_fault(self, why: str) -> None:
        """What is new, once."""
        if why != self._told:
            self._told = why
            log.warning("input fails" if why else "input is well", input=self.name, why=why)
            self._deliver(Fault(f"input:{self.name}", why))

    def _wait_s(self) -> float | None:
        due_ms = self._hand.next_ms()
        return None if due_ms is None else max(0.0, due_ms / 1000 - self._clock.monotonic())

    def _now_ms(self) -> int:
        return int(self._clock.monotonic() * 1000)


def port_trouble(path: str, error: Exception) -> str:
    """Why a serial port cannot be opened, and what to do."""
    if not os.path.exists(path):
        return gone(path)
    if not os.access(path, os.R_OK | os.W_OK):
        return f"{path} tidak boleh dibuka: masukkan pengguna ke grup dialout ({path} not allowed: join group dialout)"
    if "lock" in str(error) or "in use" in str(error):
        return f"{path} sedang dipakai program lain ({path} is in use by another program)"
    return f"{path} tidak bisa dibuka: {error} ({path} cannot be opened: {error})"


def gone(path: str) -> str:
    return f"{path} tidak ada: periksa kabel USB ({path} is not there: check the USB cable)"
