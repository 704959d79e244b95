"""Sirens behind a relay: on a Raspberry Pi's pin, or on a serial relay board. A worker each.

A bridge that was killed while it rang may have left the relay on: the first thing written is off.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

import structlog

from bridge.domain.commands import Chirp, Silence, Sound
from bridge.domain.errors import RadioLost
from bridge.domain.events import Fault
from bridge.domain.ports import Deliver
from bridge.edges.mesh_link import Link, open_link

log = structlog.get_logger()

CHIRP_S = 0.15
AGAIN_S = 2.0  # until a relay that did not answer is tried again
WRITE_S = 1.0
BOARDS = {
    # name: (on, off); one-channel boards, first relay
    "lcus1": (bytes.fromhex("a00101a2"), bytes.fromhex("a00100a1")),
}


class RelayFailed(OSError):
    """The relay cannot be switched; one clear line."""


class Relay(Protocol):
    """Something that is on or off. `switch` and `close` may raise RelayFailed; after that the next try begins anew."""

    def switch(self, on: bool) -> None: ...

    def close(self) -> None: ...


class RelaySiren:
    """On for `sound_s` at each sound, off at silence. `relay` is used by the worker only."""

    def __init__(
        self, name: str, relay: Relay, *, sound_s: float = 60.0, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.name = name
        self._relay, self._sound_s, self._monotonic = relay, sound_s, monotonic
        self._changed = threading.Condition()
        self._until = 0.0
        self._is_on: bool | None = None  # nobody knows what the last run left behind
        self._is_stopped = self._is_faulty = False
        self._try_at = 0.0
        self._deliver: Deliver = lambda _event: None
        self._worker = threading.Thread(target=self._run, name=f"siren-{name}", daemon=True)

    def start(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self._worker.start()

    def do(self, command: Sound | Silence | Chirp) -> None:
        """Taken at once; the worker switches."""
        now = self._monotonic()
        with self._changed:
            match command:
                case Sound():
                    self._until = now + self._sound_s
                case Silence():
                    self._until = now
                case Chirp():
                    self._until = max(self._until, now + CHIRP_S)
            self._try_at = now
            self._changed.notify()

    def stop(self) -> None:
        """Off, then the end of the worker."""
        with self._changed:
            self._is_stopped, self._until = True, 0.0
            self._changed.notify()
        if self._worker.is_alive():
            self._worker.join(timeout=2 * WRITE_S)

    def _run(self) -> None:
        try:
            while not self._is_stopped:
                self._follow()
                with self._changed:
                    if not self._is_stopped and (wait_s := self._wait_s()) != 0.0:
                        self._changed.wait(wait_s)
            with suppress(RelayFailed):
                self._relay.switch(False)
                self._relay.close()
        except Exception as error:  # the top of this thread: a dead siren must be known
            log.exception("siren worker died", siren=self.name)
            self._deliver(Fault(f"siren:{self.name}", f"the siren's worker died ({error}); restart the bridge"))

    def _follow(self) -> None:
        """Bring the relay to what it should be, if it is time to try."""
        now = self._monotonic()
        wanted = now < self._until
        if wanted is self._is_on or now < self._try_at:
            return
        try:
            self._relay.switch(wanted)
        except RelayFailed as error:
            self._is_on, self._try_at = None, now + AGAIN_S
            self._fail(str(error))
        else:
            self._is_on = wanted
            self._well()

    def _wait_s(self) -> float | None:
        """Until the relay may need another look; None: until somebody commands."""
        now = self._monotonic()
        wanted = now < self._until
        if wanted is not self._is_on:
            return max(0.0, self._try_at - now)
        return self._until - now if wanted else None

    def _fail(self, why: str) -> None:
        log.error("siren fails", siren=self.name, why=why)
        if not self._is_faulty:
            self._is_faulty = True
            self._deliver(Fault(f"siren:{self.name}", why))

    def _well(self) -> None:
        if self._is_faulty:
            self._is_faulty = False
            self._deliver(Fault(f"siren:{self.name}", ""))


class GpioRelay:
    """A pin of a Raspberry Pi through gpiozero; `active_low` for boards that switch on at 0 V."""

    def __init__(self, pin: str, active_low: bool = False) -> None:
        self._pin, self._active_low = pin, active_low
        self._device: Any = None

    def switch(self, on: bool) -> None:
        try:
            if self._device is None:
                from gpiozero import OutputDevice  # only where a pin is used

                self._device = OutputDevice(self._pin, active_high=not self._active_low, initial_value=False)
            self._device.value = on
        except ImportError as error:
            raise RelayFailed("gpiozero is not installed: pip install 'kentongan[gpio]'") from error
        except Exception as error:
            self._device = None
            raise RelayFailed(f"pin {self._pin} cannot be switched: {error}; look at [[output]] pin") from error

    def close(self) -> None:
        if self._device is not None:
            self._device.close()
            self._device = None


class SerialRelay:
    """A relay board on a serial port: `on` and `off` are the bytes it wants. Opened anew after every fault."""

    def __init__(self, url: str, on: bytes, off: bytes) -> None:
        self._url, self._on, self._off = url, on, off
        self._link: Link | None = None

    def switch(self, on: bool) -> None:
        try:
            if self._link is None:
                self._link = open_link(self._url, connect_s=WRITE_S, write_s=WRITE_S)
            self._link.write(self._on if on else self._off)
        except RadioLost as lost:
            self._drop()
            raise RelayFailed(f"relay board {self._url}: {lost}; look at its cable") from lost

    def close(self) -> None:
        self._drop()

    def _drop(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.close()
