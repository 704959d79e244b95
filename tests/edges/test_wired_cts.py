"""A bare switch on a serial port's CTS: what was struck is what is heard, each once, whatever the wire does."""

import gc
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from serial import rfc2217

from bridge.domain.commands import Beacon
from bridge.domain.events import Fault, PressHeard, Tap, Tapped, TextFailed
from bridge.domain.press import Kind
from bridge.edges import cts
from tests.edges.listening import Inbox
from tests.edges.wired_parts import (
    down,
    evenly,
    faults,
    least_share,
    listening,
    nobody,
    presses,
    quickest_ms,
    sparks,
    steadily,
    strike,
    up,
)
from tests.edges.wired_ports import FarSwitch, Uart
from tests.patience import until

pytestmark = pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning")  # pyserial's own

ROOT = Path(__file__).resolve().parent.parent.parent
Switch = FarSwitch | Uart
THEFT_AND_FIRE = [("1", Kind.PANIC), ("1", Kind.THEFT), ("2", Kind.PANIC), ("2", Kind.FIRE)]


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def uart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Uart]:
    made = Uart(tmp_path / "kentongan", monkeypatch)
    yield made
    made.leave()


@pytest.fixture
def deaf_uart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Uart]:
    """Its driver has no TIOCMIWAIT."""
    made = Uart(tmp_path / "kentongan", monkeypatch, waits=False)
    yield made
    made.leave()


@pytest.fixture
def far() -> Iterator[FarSwitch]:
    made = FarSwitch()
    yield made
    made.leave()


@pytest.fixture(params=["uart", "deaf_uart", "far"])
def switch(request: pytest.FixtureRequest) -> Switch:
    """Each way in which a switch hangs on CTS."""
    found: Switch = request.getfixturevalue(request.param)
    return found


def test_what_was_struck_is_what_is_heard(switch: Switch) -> None:
    def story() -> None:
        inbox = Inbox()
        with listening(inbox, driver="cts", url=switch.url, at="house") as one:
            up(one)
            evenly(switch.firmly, (2, 2))
            until(lambda: len(presses(inbox)) == 2)
            time.sleep(4.2)
            evenly(switch.firmly, (3, 3))
            until(lambda: len(presses(inbox)) == 4)
            assert one.picture()["closings"] >= 10  # on a busy machine a change that is seen twice counts as chatter
        assert presses(inbox) == THEFT_AND_FIRE
        assert faults(inbox) == []

    steadily(story)


def test_noise_on_a_long_wire_is_nobody(uart: Uart) -> None:
    def spark(inbox: Inbox) -> float:
        with listening(inbox, driver="cts", url=uart.url, at="house") as one:
            up(one)
            uart.noise(bytes(range(256)) * 8)
            return sparks(uart.switch, count=30)

    assert nobody(spark)


def test_the_post_hears_its_hourly_beat_and_the_notice_switch(far: FarSwitch, inbox: Inbox) -> None:
    with listening(inbox, "b", driver="cts", url=far.url, notice=True) as one:
        up(one)
        strike(far.switch)
        assert inbox.until(Tapped).tap is Tap.LONE
        assert inbox.until(Tapped).tap is Tap.AMAN
        far.notice(True)
        time.sleep(0.2)
        strike(far.switch, (3,))
        assert inbox.until(Tapped).tap is Tap.NOTICE
        far.notice(False)
        time.sleep(0.2)
        strike(far.switch, (2,))
        assert inbox.until(PressHeard).press.kind is Kind.PANIC
    assert [event.tap for event in inbox.all() if isinstance(event, Tapped)] == [
        Tap.LONE,
        Tap.AMAN,
        Tap.NOTICE,
        Tap.LONE,
    ]


def test_a_notice_line_that_nobody_configured_says_nothing(uart: Uart, inbox: Inbox) -> None:
    uart.notice(True)
    with listening(inbox, "b", driver="cts", url=uart.url) as one:
        up(one)
        time.sleep(0.2)
        strike(uart.switch, (2,))
        assert inbox.until(PressHeard).press.kind is Kind.PANIC


def test_noise_on_a_line_that_nobody_configured_is_no_strike(uart: Uart, inbox: Inbox) -> None:
    """A machine that comes too late to see what changed takes it for a strike; but not what was no kentongan's."""
    with listening(inbox, driver="cts", url=uart.url, at="house") as one:
        up(one)
        uart.slow_s = 2 * cts.TAP_S
        for _ in range(10):
            uart.notice(True)
            uart.notice(False)
            time.sleep(0.05)
        assert presses(inbox) == []
        uart.switch(True)
        uart.switch(False)
        assert inbox.until(PressHeard).press.kind is Kind.PANIC
        uart.slow_s = 0.0


def test_a_network_that_bunches_what_it_carries_loses_no_strike(far: FarSwitch, inbox: Inbox) -> None:
    """Closed and open come in the same packet: nobody knows how short it was, so it was no noise."""
    with listening(inbox, driver="cts", url=far.url, at="house") as one:
        up(one)
        with far.bunched():
            strike(far.switch)
        assert inbox.until(PressHeard).press.kind is Kind.PANIC
    assert {number for number, _ in presses(inbox)} == {"1"}


def test_a_port_looked_at_late_loses_no_strike(deaf_uart: Uart, inbox: Inbox) -> None:
    """The hand had let go before the next look; what was closed since the last one may have been for long."""
    with listening(inbox, driver="cts", url=deaf_uart.url, at="house") as one:
        up(one)
        deaf_uart.slow_s = 0.3
        time.sleep(0.1)  # a look is under way
        deaf_uart.slow_s, deaf_uart.is_touched = 0.0, True
        deaf_uart.switch(True)
        assert inbox.until(PressHeard).press.kind is Kind.PANIC
    assert {number for number, _ in presses(inbox)} == {"1"}


def test_a_driver_that_says_late_that_it_cannot_wait_strikes_nothing(deaf_uart: Uart, inbox: Inbox) -> None:
    deaf_uart.refuses_after_s = 0.1
    with listening(inbox, driver="cts", url=deaf_uart.url, at="house") as one:
        up(one)
        time.sleep(0.5)
    assert (presses(inbox), faults(inbox)) == ([], [])


def test_what_a_far_port_reads_is_forgotten(far: FarSwitch, inbox: Inbox) -> None:
    with listening(inbox, driver="cts", url=far.url, at="house") as one:
        up(one)
        (port,) = (one for one in gc.get_objects() if isinstance(one, rfc2217.Serial) and one.port == far.url)
        far.noise(bytes(range(255)) * 40)
        until(lambda: port._read_buffer.qsize() > 100)
        until(lambda: port._read_buffer.qsize() == 0)
        far.switch(True)  # held: the far server may still be busy with the noise
        assert inbox.until(PressHeard).press.kind is Kind.PANIC
        far.switch(False)


def test_a_pulled_cable_is_one_fault_and_a_strike_held_meanwhile_counts(switch: Switch, inbox: Inbox) -> None:
    with listening(inbox, driver="cts", url=switch.url, at="house") as one:
        up(one)
        switch.unplug()
        assert "periksa" in inbox.until(Fault).why
        time.sleep(0.3)  # some vain tries
        switch.switch(True)
        switch.plug()
        assert inbox.until(PressHeard).press.kind is Kind.PANIC
        switch.switch(False)
        strike(switch.switch, (1, 1))
        until(lambda: [bool(why) for why in faults(inbox)] == [True, False])
    assert {number for number, _ in presses(inbox)} == {"1"}
    assert [bool(why) for why in faults(inbox)] == [True, False]


def test_a_port_that_comes_back_under_another_number_is_found_by_its_name(uart: Uart, inbox: Inbox) -> None:
    before = os.readlink(uart.alias)
    blocker = os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY)
    with listening(inbox, driver="cts", url=uart.url, at="house") as one:
        up(one)
        uart.unplug()
        down(one)
        others = [os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY) for _ in range(2)]  # they take the old number
        uart.plug()
        up(one)
        assert os.readlink(uart.alias) != before
        strike(uart.switch, (1,))
        assert inbox.until(PressHeard).press.kind is Kind.PANIC
    for fd in (blocker, *others):
        os.close(fd)


def test_a_contact_that_stays_closed_is_one_alarm_however_often_the_cable_goes(uart: Uart, inbox: Inbox) -> None:
    with listening(inbox, driver="cts", url=uart.url, at="house") as one:
        up(one)
        uart.switch(True)
        assert "tertutup terus" in inbox.until(Fault).why
        for _ in range(3):
            uart.unplug()
            assert "periksa kabel" in inbox.until(Fault).why
            uart.plug()
            assert "tertutup terus" in inbox.until(Fault).why
        uart.switch(False)
        assert inbox.until(Fault).why == ""
        assert {number for number, _ in presses(inbox)} == {"1"}


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: path, "tidak ada: periksa kabel USB"),
        (lambda path: path.mkdir() or path, "tidak bisa dibuka"),
        (lambda path: path.symlink_to("/dev/ptmx") or path, "tidak punya CTS"),
    ],
    ids=["not there", "no port", "no CTS"],
)
def test_a_port_that_cannot_serve_is_one_clear_fault(
    make: Callable[[Path], Path], says: str, tmp_path: Path, inbox: Inbox
) -> None:
    with listening(inbox, driver="cts", url=f"serial://{make(tmp_path / 'port')}"):
        why = inbox.until(Fault).why
        time.sleep(0.3)
    assert says in why and "\n" not in why
    assert faults(inbox) == [why]


def test_a_port_that_another_program_reads_is_said_so(uart: Uart, inbox: Inbox) -> None:
    with listening(Inbox(), driver="cts", url=uart.url) as first:
        up(first)
        with listening(inbox, driver="cts", url=uart.url):
            assert "program lain" in inbox.until(Fault).why


LEADER = """
import os, sys
from bridge.edges.cts import _open_tty
port = _open_tty(sys.argv[1])
try:
    os.open("/dev/tty", os.O_RDWR)
except OSError:
    print("none")
"""


def test_the_port_never_becomes_the_daemons_terminal(uart: Uart) -> None:
    """It would hang up with the cable, and the daemon with it."""
    path = uart.url.removeprefix("serial://")
    ran = subprocess.run(
        [sys.executable, "-c", LEADER, path],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=20,
        start_new_session=True,
    )
    assert (ran.stdout, ran.stderr) == ("none\n", "")


def test_a_contact_has_no_lamps(uart: Uart, inbox: Inbox) -> None:
    with listening(inbox, driver="cts", url=uart.url) as one:
        one.show(Beacon(7, "kentongan", ""))
        assert inbox.until(TextFailed).ticket == 7


def test_a_lone_strike_is_told_also_when_the_bridge_stops(uart: Uart, inbox: Inbox) -> None:
    with listening(inbox, "a", driver="cts", url=uart.url, at="post") as one:
        up(one)
        strike(uart.switch)
        inbox.until(Tapped)
    assert [number for number, _ in presses(inbox)][:1] == ["1"]


LATENCY_MS = {"uart": 25, "deaf_uart": 40, "far": 60}


def test_a_strike_is_heard_within_milliseconds(
    switch: Switch, inbox: Inbox, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a port that has been idle. Printed."""
    monkeypatch.setattr(cts, "BUSY_FOR_S", 0.2)
    kind = request.node.callspec.params["switch"]

    def measure() -> float:
        with listening(inbox, driver="cts", url=switch.url, at="house") as one:
            up(one)
            time.sleep(0.7)
            began = time.monotonic()
            switch.switch(True)
            inbox.until(PressHeard)
            took_s = time.monotonic() - began
            switch.switch(False)
        return took_s

    took_ms = quickest_ms(measure, LATENCY_MS[kind])
    print(f"measured: {kind}: closing to PressHeard {took_ms:.1f} ms, 4 of them to tell a strike from noise")
    assert took_ms < LATENCY_MS[kind]


@pytest.mark.parametrize(("way", "limit"), [("uart", 0.005), ("deaf_uart", 0.02)])
def test_waiting_costs_next_to_nothing(
    way: str, limit: float, inbox: Inbox, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cts, "BUSY_FOR_S", 0.2)
    uart: Uart = request.getfixturevalue(way)
    with listening(inbox, driver="cts", url=uart.url) as one:
        up(one)
        time.sleep(0.5)
        reads, began = uart.reads, time.monotonic()
        share = least_share(limit, pretended_s=lambda: uart.spent_s)
        looks_per_s = (uart.reads - reads) / (time.monotonic() - began)
    print(f"measured: {way}: {share:.2%} of a core, {looks_per_s:.0f} looks a second")
    assert share < limit
    assert looks_per_s <= (8 if way == "uart" else 210)
