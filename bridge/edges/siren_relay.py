"""A siren behind a relay: on a Raspberry Pi's pin, or on a serial relay board.

A bridge that was killed while it rang may have left the relay on: the first thing written is off.
"""

import errno
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

import structlog

from bridge.domain.commands import Sound
from bridge.domain.errors import RadioLost
from bridge.edges.mesh_link import SERIAL, Link, open_link
from bridge.edges.pins import PinTrouble, open_pin, pin_errors
from bridge.edges.siren_worker import AGAIN_S, SirenWorker

log = structlog.get_logger()

TABLE = "[[output]]"
CHIRP_S = 0.15
WRITE_S = 1.0
GONE = (errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.EIO)
REFRESH_S = 10.0  # a board that lost its power, or was plugged in anew, does not know what it was told


class RelayFailed(OSError):
    """The relay cannot be switched; one clear line."""


class Relay(Protocol):
    """Something that is on or off. `switch` may raise RelayFailed; the next try begins anew.

    `refresh_s`: how often it is told again what it is, None: never.
    """

    @property
    def refresh_s(self) -> float | None: ...

    def switch(self, on: bool) -> None: ...

    def close(self) -> None: ...


class RelayDriver:
    """On for `sound_s` after each sound, off at silence. A sound while it is on makes it last."""

    def __init__(self, relay: Relay, sound_s: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.fault = ""
        self._relay, self._sound_s, self._monotonic = relay, sound_s, monotonic
        self._until = self._try_at = self._told_at = 0.0
        self._is_on: bool | None = None
        self._sound: Sound | None = None  # not yet in the log

    def begin(self) -> None:
        """Nobody knows what the last run left behind."""
        self._is_on, self._try_at = None, 0.0

    def sound(self, sound: Sound) -> None:
        self._until = self._monotonic() + self._sound_s
        self._try_at, self._sound = 0.0, sound

    def silence(self) -> None:
        self._until = self._try_at = 0.0

    def chirp(self) -> None:
        self._until = max(self._until, self._monotonic() + CHIRP_S)

    def look(self) -> float | None:
        """Bring the relay to what it should be, when it is time to try."""
        now = self._monotonic()
        wanted = now < self._until
        if now >= self._try_at and (wanted is not self._is_on or self._is_forgetful(now)):
            self._switch(wanted, now)
        return self._wait_s(self._monotonic())

    def end(self) -> None:
        with suppress(RelayFailed):
            self._relay.switch(False)
        self._relay.close()

    def _switch(self, wanted: bool, now: float) -> None:
        try:
            self._relay.switch(wanted)
        except RelayFailed as failed:
            self._is_on, self._try_at, self.fault = None, now + AGAIN_S, str(failed)
        else:
            self._is_on, self._told_at, self.fault = wanted, now, ""
            if wanted and self._sound is not None:
                log.info("siren rings", alarm=self._sound.alarm, kind=self._sound.kind.value)
                self._sound = None

    def _is_forgetful(self, now: float) -> bool:
        return self._relay.refresh_s is not None and now - self._told_at >= self._relay.refresh_s

    def _wait_s(self, now: float) -> float | None:
        if (now < self._until) is not self._is_on:
            return max(0.0, self._try_at - now)
        waits = [self._until - now] if self._is_on else []
        if self._relay.refresh_s is not None:
            waits.append(max(0.0, self._told_at + self._relay.refresh_s - now))
        return min(waits, default=None)


class GpioRelay:
    """A pin of a Raspberry Pi through gpiozero; `active_low` for boards that switch on at 0 V."""

    refresh_s = None

    def __init__(self, pin: str, active_low: bool = False) -> None:
        self._pin, self._active_low = pin, active_low
        self._device: Any = None

    def switch(self, on: bool) -> None:
        try:
            if self._device is None:
                how = {"active_high": not self._active_low, "initial_value": False}
                self._device = open_pin("OutputDevice", self._pin, TABLE, **how)
            with pin_errors(self._pin, TABLE):
                self._device.value = on
        except PinTrouble as trouble:
            self.close()
            raise RelayFailed(str(trouble)) from trouble

    def close(self) -> None:
        device, self._device = self._device, None
        if device is not None:
            device.close()


class SerialRelay:
    """A relay board on a serial port: `on` and `off` are the bytes it wants. Opened anew after every fault."""

    refresh_s = REFRESH_S

    def __init__(self, url: str, on: bytes, off: bytes, baud: int = 9600) -> None:
        self._url, self._on, self._off, self._baud = url, on, off, baud
        self._link: Link | None = None

    def switch(self, on: bool) -> None:
        try:
            if self._link is None:
                self._link = open_link(self._url, connect_s=WRITE_S, write_s=WRITE_S, baud=self._baud)
            self._link.read(0.0)  # some boards answer; nobody needs it
            self._link.write(self._on if on else self._off)
        except RadioLost as lost:
            raise RelayFailed(self._why(lost)) from lost

    def close(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.close()

    def _why(self, lost: RadioLost) -> str:
        path, was_open = self._url.removeprefix(SERIAL), self._link is not None
        self.close()
        if was_open or (isinstance(lost.__cause__, OSError) and lost.__cause__.errno in GONE):
            return f"papan relai {path} tidak menjawab: periksa kabelnya (relay board lost: check its cable)"
        return f"papan relai (relay board): {lost}"


def relay_siren(name: str, relay: Relay, sound_s: float) -> SirenWorker:
    """A siren behind a relay, with a worker of its own."""
    return SirenWorker(f"siren:{name}", RelayDriver(relay, sound_s))
