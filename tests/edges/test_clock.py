"""Wall time is believed only when a time service vouched for it, in this run, and nobody moved it since."""

import time
from dataclasses import dataclass

import pytest

from bridge.domain.alarm import Moment
from bridge.edges.clock import FLOOR_S, LOOK_EVERY_S, SystemClock, boot_id, kernel_synchronised

TODAY_S = FLOOR_S + 50_000_000.0


@dataclass
class Times:
    """Two clocks and a time service, turned by hand."""

    mono_s: float = 100.0
    wall_s: float = TODAY_S
    is_synchronised: bool = False
    looks: int = 0

    def clock(self, start: int = 3) -> SystemClock:
        return SystemClock(start, synchronised=self._look, monotonic=lambda: self.mono_s, wall=lambda: self.wall_s)

    def pass_by(self, seconds: float) -> None:
        self.mono_s += seconds
        self.wall_s += seconds

    def _look(self) -> bool:
        self.looks += 1
        return self.is_synchronised


def test_a_moment_holds_the_run_and_both_clocks() -> None:
    times = Times(is_synchronised=True)
    assert times.clock(start=7).now() == Moment(7, 100.0, TODAY_S, trusted=True, boot=boot_id())


def test_without_a_time_service_wall_time_is_not_trusted() -> None:
    assert not Times().clock().now().trusted


def test_a_clock_of_1970_is_not_trusted_whatever_the_kernel_says() -> None:
    assert not Times(wall_s=1000.0, is_synchronised=True).clock().now().trusted


def test_the_clock_is_trusted_once_the_service_set_it() -> None:
    times = Times(wall_s=1000.0)
    clock = times.clock()
    assert not clock.now().trusted
    times.wall_s, times.is_synchronised = TODAY_S, True
    times.pass_by(LOOK_EVERY_S)
    assert clock.now().trusted


def test_a_confirmed_clock_stays_trusted_without_internet() -> None:
    times = Times(is_synchronised=True)
    clock = times.clock()
    assert clock.now().trusted
    times.is_synchronised = False
    for _ in range(200):
        times.pass_by(3600.0)
        assert clock.now().trusted


def test_a_clock_that_somebody_moved_is_not_trusted_until_confirmed_again() -> None:
    times = Times(is_synchronised=True)
    clock = times.clock()
    assert clock.now().trusted
    times.is_synchronised = False
    times.wall_s += 7200.0
    assert not clock.now().trusted
    times.is_synchronised = True
    times.pass_by(LOOK_EVERY_S)
    assert clock.now().trusted


def test_the_service_is_asked_once_in_a_while_only() -> None:
    times = Times(is_synchronised=True)
    clock = times.clock()
    for _ in range(1000):
        clock.now()
    assert times.looks == 1
    times.pass_by(LOOK_EVERY_S)
    clock.now()
    assert times.looks == 2


def test_drift_within_a_long_run_is_followed_while_the_service_steers() -> None:
    times = Times(is_synchronised=True)
    clock = times.clock()
    for _ in range(20):
        times.pass_by(LOOK_EVERY_S)
        times.wall_s += 1.0
        assert clock.now().trusted


def test_the_real_clock_agrees_with_the_machine() -> None:
    clock = SystemClock(1)
    before = time.monotonic()
    moment = clock.now()
    assert before <= moment.mono_s <= clock.monotonic()
    assert moment.wall_s == pytest.approx(time.time(), abs=5.0)
    assert isinstance(kernel_synchronised(), bool)


def test_two_runs_in_one_boot_share_their_monotonic_clock_even_when_the_wall_is_not_trusted() -> None:
    times = Times()
    before = times.clock(3).now()
    times.mono_s += 120.0
    after = times.clock(5).now()
    assert before.boot and not after.trusted
    assert before.age_s(after) == 120.0
    elsewhere = SystemClock(5, synchronised=lambda: False, boot=lambda: "another").now()
    assert before.age_s(elsewhere) is None
