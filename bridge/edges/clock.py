"""The machine's clocks, and whether wall time may be believed: many posts have no clock chip and wake up in 1970."""

import ctypes
import time
from collections.abc import Callable
from pathlib import Path

from bridge.domain.alarm import Moment

FLOOR_S = 1_767_225_600.0  # 2026-01-01: no post ran before; a clock below it is certainly wrong
LOOK_EVERY_S = 10.0
STEP_S = 5.0  # a jump beyond this is somebody setting the clock, not drift

_TIME_MARKS = (Path("/run/systemd/timesync/synchronized"),)
_STA_UNSYNC = 0x0040


class _Timex(ctypes.Structure):
    """The head of `struct timex` (adjtimex(2)); the tail is room for what we do not read."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


def boot_id() -> str:
    """The kernel's random name for this boot (proc(5)); '' where there is none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def kernel_synchronised() -> bool:
    """Whether a time service steers the kernel's clock now; reads only, needs no right."""
    adjtimex = getattr(ctypes.CDLL(None), "adjtimex", None)
    if adjtimex is None:
        return False
    timex = _Timex()
    return adjtimex(ctypes.byref(timex)) >= 0 and not timex.status & _STA_UNSYNC


def synchronised() -> bool:
    """The kernel's word (chrony, ntpd, timesyncd), or timesyncd's mark of an earlier synchronisation in this boot."""
    return kernel_synchronised() or any(mark.exists() for mark in _TIME_MARKS)


class SystemClock:
    """Moments of one run. Wall time once confirmed stays trusted while it keeps pace with the monotonic clock."""

    def __init__(
        self,
        start: int,
        *,
        synchronised: Callable[[], bool] = synchronised,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        boot: Callable[[], str] = boot_id,
    ) -> None:
        self._start, self._boot = start, boot()
        self._synchronised, self._monotonic, self._wall = synchronised, monotonic, wall
        self._look_at = -float("inf")
        self._confirmed: float | None = None  # wall minus monotonic when a time service last vouched for it

    def monotonic(self) -> float:
        """Seconds that only rise."""
        return self._monotonic()

    def now(self) -> Moment:
        """This moment on every clock we have."""
        mono_s, wall_s = self._monotonic(), self._wall()
        return Moment(self._start, mono_s, wall_s, self._is_trusted(mono_s, wall_s), self._boot)

    def _is_trusted(self, mono_s: float, wall_s: float) -> bool:
        gap = wall_s - mono_s
        has_jumped = self._confirmed is not None and abs(gap - self._confirmed) > STEP_S
        if has_jumped:
            self._confirmed = None
        if has_jumped or mono_s >= self._look_at:
            self._look_at = mono_s + LOOK_EVERY_S
            if wall_s >= FLOOR_S and self._synchronised():
                self._confirmed = gap
        return self._confirmed is not None
