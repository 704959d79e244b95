"""One siren, one thread, bounded memory. A driver that dies is begun anew; one that hangs is told by others."""

import threading
import time
from collections.abc import Callable
from typing import Protocol

import structlog

from bridge.domain.commands import Chirp, Silence, Sound
from bridge.domain.events import Fault
from bridge.domain.ports import Deliver
from bridge.domain.press import Kind

log = structlog.get_logger()

AGAIN_S = 2.0  # from a driver's death, or a fault of its device, to the next try
HUNG_S = 5.0  # a driver that has not come back for so long hangs
LEAVE_S = 5.0  # for a driver to end what it started
LIMIT_S = 180.0  # a sound that its driver could not take for so long is no longer news


class Driver(Protocol):
    """What makes the noise. Only its worker's thread calls it, and each call may take its time.

    `fault`: one clear line while it is not well, else ''.
    """

    @property
    def fault(self) -> str: ...

    def begin(self) -> None:
        """At the start, and again after this driver has died."""

    def sound(self, sound: Sound) -> None: ...

    def silence(self) -> None: ...

    def chirp(self) -> None: ...

    def look(self) -> float | None:
        """What time brings; seconds until the next look, None: not before the next command."""

    def end(self) -> None:
        """Off, and nothing left running."""


class SirenWorker:
    """Takes commands at once; a thread of its own gives them to the driver. What waits is one sound for each kind.

    `what` names it in faults: "siren", or "siren:horn".
    """

    def __init__(self, what: str, driver: Driver, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.what, self._driver, self._monotonic = what, driver, monotonic
        self._changed = threading.Condition()
        self._waiting: dict[Kind, tuple[Sound, float]] = {}
        self._in_hand: dict[Kind, tuple[Sound, float]] = {}  # given to the driver, which may die of them
        self._is_silenced = self._is_chirping = self._is_stopped = False
        self._busy_since: float | None = None
        self._fault = ""
        self._deliver: Deliver = lambda _event: None
        self._thread = threading.Thread(target=self._run, name=what, daemon=True)

    @property
    def fault(self) -> str:
        """As it was last told."""
        return self._fault

    def start(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self._thread.start()

    def do(self, command: Sound | Silence | Chirp) -> None:
        """Never waits for the driver."""
        with self._changed:
            match command:
                case Sound(kind=kind):
                    self._waiting[kind] = (command, self._monotonic())  # the newest: a hung driver must not make it old
                case Silence():
                    self._waiting.clear()
                    self._in_hand.clear()
                    self._is_silenced, self._is_chirping = True, False
                case Chirp():
                    self._is_chirping = True
            self._changed.notify()

    def check(self) -> None:
        """From another thread: one that hangs cannot say so itself."""
        since = self._busy_since
        if since is not None and self._monotonic() - since >= HUNG_S:
            self._report(f"does not answer since {HUNG_S:g} s; look at its device and its power")

    def leave(self) -> None:
        """Silence, then the end of the thread; returns at once."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify()

    def stop(self) -> None:
        """Leaves, and waits for it, but not for one that hangs."""
        self.leave()
        if self._thread.is_alive():
            self._thread.join(LEAVE_S)

    # --- the worker's thread ------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._is_stopped:
            try:
                self._serve()
            except Exception as error:  # the top of this thread: a dead siren must be known, and live again
                log.exception("siren driver died", siren=self.what)
                self._report(f"its driver died ({type(error).__name__}: {error}) and is started again; report this")
                self._rest(AGAIN_S, until_command=False)
        try:
            self._driver.end()
        except Exception:  # the same top; the others are still to be stopped
            log.exception("siren driver not ended", siren=self.what)

    def _serve(self) -> None:
        self._busy_since = self._monotonic()
        self._driver.begin()
        while not self._is_stopped:
            is_silenced, is_chirping, sounds = self._take()
            if is_silenced:
                self._driver.silence()
            for sound in sounds:
                self._driver.sound(sound)
            if is_chirping:
                self._driver.chirp()
            wait_s = self._driver.look()
            with self._changed:
                self._in_hand.clear()
            self._report(self._driver.fault)
            self._rest(wait_s)

    def _take(self) -> tuple[bool, bool, list[Sound]]:
        """Also what a driver held when it died, unless it is stale."""
        with self._changed:
            self._busy_since = now = self._monotonic()
            self._in_hand |= self._waiting
            self._waiting = {}
            is_silenced, is_chirping = self._is_silenced, self._is_chirping
            self._is_silenced = self._is_chirping = False
            return is_silenced, is_chirping, [sound for sound, at in self._in_hand.values() if now - at < LIMIT_S]

    def _rest(self, wait_s: float | None, until_command: bool = True) -> None:
        with self._changed:
            self._busy_since = None
            self._changed.wait_for(lambda: self._is_stopped or (until_command and self._has_command), wait_s)

    @property
    def _has_command(self) -> bool:
        return bool(self._waiting) or self._is_silenced or self._is_chirping

    def _report(self, why: str) -> None:
        """What is new, once."""
        with self._changed:
            if why == self._fault:
                return
            self._fault = why
            self._deliver(Fault(self.what, why))
        if why:  # without the lock: a log that nobody reads must not hold back the next command
            log.error("siren fails", siren=self.what, why=why)
        else:
            log.info("siren is well", siren=self.what)
