"""A switch on a pin, with gpiozero's own pretended pins: what was struck is what is heard, each once."""

import sys
import time

import pytest
from gpiozero.pins.mock import MockFactory, MockPin
from gpiozero.pins.pi import PiPin

from bridge.domain.events import Fault, PressHeard, SilenceAsked, Tap, Tapped
from bridge.domain.press import Kind
from tests.edges.listening import Inbox
from tests.edges.wired_parts import (
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
from tests.patience import until


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


class Wire:
    """A contact to ground."""

    def __init__(self, pin: MockPin) -> None:
        self._pin = pin

    def switch(self, closed: bool) -> None:
        (self._pin.drive_low if closed else self._pin.drive_high)()

    def bouncing(self, closed: bool) -> None:
        for _ in range(4):
            self.switch(closed)
            self.switch(not closed)
        self.switch(closed)


def test_three_bouncing_strikes_are_three(pins: MockFactory) -> None:
    def story() -> None:
        inbox = Inbox()
        with listening(inbox, driver="gpio", pin="GPIO27", at="house") as one:
            up(one)
            evenly(Wire(pins.pin("GPIO27")).bouncing, (3, 3))
            until(lambda: len(presses(inbox)) == 2)
        assert presses(inbox) == [("1", Kind.PANIC), ("1", Kind.FIRE)]
        assert faults(inbox) == []

    steadily(story)


def test_a_machine_that_tells_of_closed_and_open_at_once_loses_no_strike(pins: MockFactory, inbox: Inbox) -> None:
    """The kernel has noted when each of them was; so is a spark, told late, still none."""
    for held_s, heard in ((0.001, 0), (0.04, 1)):
        with listening(inbox, driver="gpio", pin="GPIO27", at="house") as one:
            up(one)
            closed_s = time.monotonic()
            time.sleep(0.1)
            pin = pins.pin("GPIO27")
            PiPin._call_when_changed(pin, closed_s, False)
            PiPin._call_when_changed(pin, closed_s + held_s, True)
            until(lambda one=one: one.picture()["closings"] == 1)  # type: ignore[misc]
            time.sleep(0.1)
        assert len({number for number, _ in presses(inbox)}) == heard


def test_sparks_are_nobody(pins: MockFactory) -> None:
    def spark(inbox: Inbox) -> float:
        with listening(inbox, driver="gpio", pin="GPIO27", at="house") as one:
            up(one)
            return sparks(Wire(pins.pin("GPIO27")).switch, count=30)

    assert nobody(spark)


def test_the_notice_switch_of_the_post(pins: MockFactory, inbox: Inbox) -> None:
    with listening(inbox, "b", driver="gpio", pin="GPIO27", notice_pin="GPIO22") as one:
        up(one)
        struck, notice = Wire(pins.pin("GPIO27")), Wire(pins.pin("GPIO22"))
        notice.switch(True)
        time.sleep(0.2)
        strike(struck.switch, (3,))
        assert inbox.until(Tapped).tap is Tap.NOTICE
        notice.switch(False)
        time.sleep(0.2)
        strike(struck.switch, (2,))
        assert inbox.until(PressHeard).press.kind is Kind.PANIC
    assert [number for number, _ in presses(inbox)][:1] == ["1"]


def test_a_switch_to_the_supply_instead_of_ground(pins: MockFactory, inbox: Inbox) -> None:
    with listening(inbox, driver="gpio", pin="GPIO27", active_low=False, at="house") as one:
        up(one)
        pin = pins.pin("GPIO27")
        time.sleep(0.1)
        assert presses(inbox) == []
        strike(lambda closed: (pin.drive_high if closed else pin.drive_low)())
        assert inbox.until(PressHeard).press.kind is Kind.PANIC


def test_a_button_silences_once_for_each_push(pins: MockFactory, inbox: Inbox) -> None:
    with listening(inbox, driver="gpio", pin="GPIO5", role="silence") as one:
        up(one)
        wire = Wire(pins.pin("GPIO5"))
        time.sleep(0.15)  # first it must be seen open
        for _ in range(2):
            wire.bouncing(True)
            assert inbox.until(SilenceAsked) == SilenceAsked("kentongan")
            wire.bouncing(False)
            time.sleep(0.15)
    assert [event for event in inbox.all() if not isinstance(event, SilenceAsked)] == []


def test_a_pin_that_does_not_exist_is_one_clear_fault(pins: MockFactory, inbox: Inbox) -> None:
    with listening(inbox, driver="gpio", pin="GPIO99"):
        why = inbox.until(Fault).why
        time.sleep(0.3)
    assert why.startswith("pin GPIO99 tidak bisa dipakai, periksa [[input]]")
    assert faults(inbox) == [why]


def test_without_gpiozero_the_fault_says_what_to_type(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gpiozero", None)
    with listening(inbox, driver="gpio", pin="GPIO27"):
        assert inbox.until(Fault).why.endswith("pip install 'kentongan[gpio]'")


def test_a_pin_is_given_back(pins: MockFactory, inbox: Inbox) -> None:
    for _ in range(2):
        with listening(inbox, driver="gpio", pin="GPIO27", notice_pin="GPIO22") as one:
            up(one)
    assert faults(inbox) == []


def test_a_strike_is_heard_within_milliseconds_and_waiting_costs_nothing(pins: MockFactory, inbox: Inbox) -> None:
    """Printed."""

    def measure() -> float:
        with listening(inbox, driver="gpio", pin="GPIO27", at="house") as one:
            up(one)
            began = time.monotonic()
            pins.pin("GPIO27").drive_low()
            inbox.until(PressHeard)
            took_s = time.monotonic() - began
            pins.pin("GPIO27").drive_high()
        return took_s

    took_ms = quickest_ms(measure, 25)
    with listening(inbox, driver="gpio", pin="GPIO27", at="house") as one:
        up(one)
        share = least_share(0.005)
    print(f"measured: closing to PressHeard {took_ms:.1f} ms, 4 against noise; idle {share:.2%} of a core")
    assert took_ms < 25
    assert share < 0.005
