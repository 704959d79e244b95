"""A wired kentongan: one thread watches the contact, another hears it out and tells the engine.

What a strike means is the pad's to say (bridge.domain.pad); what the contact is made of is the driver's.
"""

import queue
import threading
from collections.abc import Callable
from typing import Any, Protocol

import structlog

from bridge.domain.codebook import SAFE
from bridge.domain.commands import Beacon, Light
from bridge.domain.errors import BridgeError
from bridge.domain.events import Event, Fault, PressHeard, SilenceAsked, Tap, Tapped, TextFailed
from bridge.domain.ids import wired_press, wired_source
from bridge.domain.pad import Pad
from bridge.domain.ports import Clock, Deliver
from bridge.domain.press import Kind, Press, Remark, Via

log = structlog.get_logger()

BACKOFF_S = (1.0, 15.0)
PLAIN: frozenset[Remark] = frozenset()
PERHAPS_SAFE = frozenset({Remark.PERHAPS_NO_DANGER})


class ContactLost(BridgeError):
    """The contact cannot be watched any more; one line that says what to do."""


Changed = Callable[[bool, int], None]  # closed?, monotonic ms


class Contact(Protocol):
    """A switch. `watch` calls `ready` once it sees it, then `changed` at every change until `stopping` is set.

    Raises ContactLost. `is_notice`: whether the notice switch beside it is on.
    """

    def watch(self, ready: Callable[[], None], changed: Changed, stopping: threading.Event) -> None: ...

    def is_notice(self) -> bool: ...


class Striker:
    """Turns a pad's acts into events. Called by one thread. `count` numbers the presses of this run."""

    def __init__(
        self, name: str, post: str, run_bits: str, pad: Pad, *, at_post: bool, is_notice: Callable[[], bool]
    ) -> None:
        self._name, self._post, self._run_bits = name, post, run_bits
        self._pad, self._at_post, self._is_notice = pad, at_post, is_notice
        self.source = wired_source(post, name)
        self._count = 0
        self._is_told_notice = False

    def edge(self, closed: bool, now_ms: int) -> list[Event]:
        return self._told(self._pad.edge(closed, now_ms), now_ms)

    def tick(self, now_ms: int) -> list[Event]:
        return self._told(self._pad.tick(now_ms), now_ms)

    def next_ms(self) -> int | None:
        return self._pad.next_ms()

    def _told(self, acts: list[tuple[str, str]], now_ms: int) -> list[Event]:
        return [event for what, kind in acts if (event := self._event(what, kind, now_ms / 1000)) is not None]

    def _event(self, what: str, kind: str, now_s: float) -> Event | None:
        match what:
            case "PRESS":
                return self._begin(now_s)
            case "KIND" if not self._is_told_notice:
                return PressHeard(self._press(kind), now_s)
            case "LONE" | "AMAN" | "NOTICE":
                return Tapped(self.source, Tap(what.lower()), now_s)
            case "STUCK":
                return Fault(
                    f"input:{self._name}", "kontak tertutup terus: lepaskan atau periksa (stays closed: free it)"
                )
            case "FREED":
                return Fault(f"input:{self._name}", "")
        return None

    def _begin(self, now_s: float) -> Event:
        """The notice switch counts at the post only: at a house a strike is an alarm whatever else is switched."""
        self._count += 1
        self._is_told_notice = self._at_post and self._is_notice()
        return (
            Tapped(self.source, Tap.NOTICE, now_s) if self._is_told_notice else PressHeard(self._press("PANIC"), now_s)
        )

    def _press(self, kind: str) -> Press:
        is_safe = kind in SAFE or (not self._at_post and self._is_notice())
        return Press(
            wired_press(self._post, self._name, self._run_bits, self._count),
            self.source,
            Kind.UNKNOWN if kind in SAFE else Kind(kind),
            Via.WIRED,
            trusted=True,
            remarks=PERHAPS_SAFE if is_safe else PLAIN,
        )


class Button:
    """A contact that only silences the siren: once for each closing."""

    def __init__(self, name: str) -> None:
        self._name, self._is_closed = name, False

    def edge(self, closed: bool, _now_ms: int) -> list[Event]:
        is_news, self._is_closed = closed and not self._is_closed, closed
        return [SilenceAsked(self._name)] if is_news else []

    def tick(self, _now_ms: int) -> list[Event]:
        return []

    def next_ms(self) -> int | None:
        return None


class ContactInput:
    """The input port over a contact. `hand`: a Striker, or a Button."""

    def __init__(
        self,
        name: str,
        contact: Contact,
        hand: Striker | Button,
        clock: Clock,
        backoff_s: tuple[float, float] = BACKOFF_S,
    ) -> None:
        self.name = name
        self._contact, self._hand, self._clock, self._backoff_s = contact, hand, clock, backoff_s
        self._changes: queue.SimpleQueue[tuple[bool, int] | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._deliver: Deliver = lambda _event: None
        self._is_up, self._why, self._strikes = False, "", 0
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
        return {"state": "up" if self._is_up else "down", "why": self._why, "closings": self._strikes}

    def stop(self) -> None:
        """What was struck until now is still told."""
        self._stopping.set()
        self._changes.put(None)
        if self._threads[1].is_alive():
            self._threads[1].join(2.0)

    # --- watching -----------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        wait_s = self._backoff_s[0]
        while not self._stopping.is_set():
            try:
                self._contact.watch(self._ready, self._changed, self._stopping)
            except ContactLost as lost:
                why = str(lost)
            except Exception as error:  # the top of this thread: a kentongan that nobody hears must be known
                log.exception("input failed", input=self.name)
                why = f"{type(error).__name__}; report this"
            else:
                return
            wait_s = self._backoff_s[0] if self._is_up else min(wait_s * 2, self._backoff_s[1])
            self._lose(why)
            self._stopping.wait(wait_s)

    def _ready(self) -> None:
        self._is_up = True
        if self._why:
            self._why = ""
            self._deliver(Fault(f"input:{self.name}", ""))

    def _lose(self, why: str) -> None:
        """Told once. A contact that nobody sees counts as open: closed when it is seen again is a strike."""
        self._is_up = False
        self._changes.put((False, self._now_ms()))
        if why != self._why:
            self._why = why
            log.warning("input lost", input=self.name, why=why)
            self._deliver(Fault(f"input:{self.name}", why))

    def _changed(self, closed: bool, at_ms: int) -> None:
        self._strikes += closed
        self._changes.put((closed, at_ms))

    # --- hearing ------------------------------------------------------------------------------------------------

    def _hear(self) -> None:
        while True:
            try:
                change = self._changes.get(timeout=self._wait_s())
            except queue.Empty:
                events = self._hand.tick(self._now_ms())
            else:
                if change is None:
                    return
                events = self._hand.edge(*change)
            for event in events:
                self._deliver(event)

    def _wait_s(self) -> float | None:
        due_ms = self._hand.next_ms()
        return None if due_ms is None else max(0.0, (due_ms - self._clock.monotonic() * 1000) / 1000)

    def _now_ms(self) -> int:
        return int(self._clock.monotonic() * 1000)
