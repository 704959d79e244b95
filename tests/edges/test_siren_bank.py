"""Several sirens at once: the dead and the hung do not stop the others, and are told; quiet hours; tests."""

import datetime
import queue
import threading
import time

import pytest
from gpiozero.pins.mock import MockFactory

from bridge.config_siren import Output, SirenRing
from bridge.domain.commands import Chirp, Silence, Sound
from bridge.domain.events import Event, Fault
from bridge.domain.press import Kind
from bridge.edges import siren_bank, siren_worker
from bridge.edges.siren_bank import SirenBank, SirenBusy
from bridge.edges.siren_relay import GpioRelay, relay_siren
from bridge.edges.siren_worker import LIMIT_S, SirenWorker
from bridge.edges.sirens import build_sirens
from tests.edges.relay_board import sounded
from tests.patience import until

FIRE = Sound("node:1/1", Kind.FIRE, None)

Events = queue.SimpleQueue[Event]


@pytest.fixture
def heard() -> Events:
    return queue.SimpleQueue()


class Stand:
    """A siren whose device hangs while `frees` is not set, and whose driver dies at its next `dies` sounds."""

    fault = ""

    def __init__(self, dies: int = 0) -> None:
        self.dies, self.begun, self.asked, self.is_off = dies, 0, 0, False
        self.rang: list[Sound] = []
        self.frees = threading.Event()
        self.frees.set()

    def begin(self) -> None:
        self.begun += 1

    def sound(self, sound: Sound) -> None:
        self.asked += 1
        self.frees.wait()
        if self.dies:
            self.dies -= 1
            raise ZeroDivisionError("division by zero")
        self.rang.append(sound)

    def silence(self) -> None:
        """It is."""

    def chirp(self) -> None:
        """None."""

    def look(self) -> float | None:
        return None

    def end(self) -> None:
        self.is_off = True


def horn(sound_s: float = 60.0) -> SirenWorker:
    return relay_siren("horn", GpioRelay("GPIO17"), sound_s)


def test_a_hung_and_a_dying_siren_do_not_delay_the_third(pins: MockFactory, heard: Events) -> None:
    hung, dying = Stand(), Stand(dies=10_000)
    hung.frees.clear()
    bank = SirenBank(
        {"hung": SirenWorker("siren:hung", hung), "dying": SirenWorker("siren:dying", dying), "horn": horn()}
    )
    bank.start(heard.put)
    pin = pins.pin("GPIO17")
    took_ms = []
    for _ in range(100):
        began = time.monotonic()
        bank.do(FIRE)
        until(lambda: pin.state, every_s=0.001)
        took_ms.append(1000 * (time.monotonic() - began))
        bank.do(Silence("test"))
        until(lambda: not pin.state)
    took_ms.sort()
    print(f"measured: one hung, one dying: p50 {took_ms[50]:.1f} ms, p99 {took_ms[98]:.1f} ms")
    assert took_ms[50] <= 100 and took_ms[98] <= 1000  # behind the hung one it were for ever
    hung.frees.set()
    bank.stop()
    assert hung.is_off and dying.is_off and not pin.state


def test_a_driver_that_dies_is_told_begun_again_and_given_its_sound_again(
    heard: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(siren_worker, "AGAIN_S", 0.05)
    driver = Stand(dies=1)
    siren = SirenWorker("siren:horn", driver)
    siren.start(heard.put)
    siren.do(FIRE)
    fault = heard.get(timeout=15)
    assert isinstance(fault, Fault) and fault.what == "siren:horn"
    assert fault.why == "its driver died (ZeroDivisionError: division by zero) and is started again; report this"
    assert heard.get(timeout=15) == Fault("siren:horn", "")
    assert (driver.rang, driver.begun) == ([FIRE], 2)
    siren.stop()


def test_what_was_silenced_is_not_given_again(heard: Events, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(siren_worker, "AGAIN_S", 0.3)
    driver = Stand(dies=1)
    siren = SirenWorker("siren:horn", driver)
    siren.start(heard.put)
    siren.do(FIRE)
    heard.get(timeout=15)
    siren.do(Silence("pak RT"))
    theft = Sound("node:2/1", Kind.THEFT, None)
    siren.do(theft)
    until(lambda: driver.rang)
    assert driver.rang == [theft]
    siren.stop()


def test_2000_sounds_for_a_hung_siren_wait_as_one_for_each_kind(heard: Events) -> None:
    driver = Stand()
    driver.frees.clear()
    siren = SirenWorker("siren:horn", driver)
    siren.start(heard.put)
    kinds = list(Kind)
    for number in range(2000):
        siren.do(Sound(f"node:{number}/1", kinds[number % len(kinds)], None))
    driver.frees.set()
    until(lambda: len(driver.rang) >= len(kinds))
    siren.stop()
    assert len(driver.rang) <= 2 * len(kinds)  # those that it had in hand, and one more of each


def test_a_press_of_just_now_rings_though_its_kind_has_waited_too_long(heard: Events) -> None:
    """A device hung for minutes: the old sound is no news any more, the new one is."""
    times, driver = [0.0], Stand()
    siren = SirenWorker("siren:horn", driver, monotonic=lambda: times[0])
    driver.frees.clear()
    siren.start(heard.put)
    siren.do(Sound("node:9/1", Kind.THEFT, None))
    until(lambda: driver.asked)
    for times[0], alarm in ((1.0, "node:1/1"), (LIMIT_S - 10, "node:2/1")):
        siren.do(Sound(alarm, Kind.FIRE, None))
    times[0] = LIMIT_S + 20
    driver.frees.set()
    until(lambda: Sound("node:2/1", Kind.FIRE, None) in driver.rang)
    siren.stop()


def test_a_siren_that_hangs_is_told_and_told_well_again(heard: Events, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (siren_worker, siren_bank):
        monkeypatch.setattr(module, "HUNG_S", 0.1)
    driver = Stand()
    bank = SirenBank({"horn": SirenWorker("siren:horn", driver)})
    bank.start(heard.put)
    driver.frees.clear()
    bank.do(FIRE)
    assert heard.get(timeout=15) == Fault("siren:horn", "does not answer since 0.1 s; look at its device and its power")
    driver.frees.set()
    assert heard.get(timeout=15) == Fault("siren:horn", "")
    bank.stop()


def test_quiet_hours_mute_a_chirp_and_never_an_alarm(pins: MockFactory, heard: Events) -> None:
    hours = [datetime.time(23, 0)]
    output = Output(name="horn", driver="gpio", pin="GPIO17", sound_s=30)
    bank = build_sirens(SirenRing(quiet="22:00-04:30"), (output,), {}, lambda: hours[0])
    bank.start(heard.put)
    pin = pins.pin("GPIO17")
    until(lambda: pin.function == "output")
    bank.do(Chirp("lone"))
    time.sleep(0.1)
    assert not sounded(pin)
    bank.do(FIRE)
    until(lambda: pin.state)
    bank.do(Silence("test"))
    until(lambda: not pin.state)
    hours[0] = datetime.time(12, 0)
    pin.clear_states()
    bank.do(Chirp("lone"))
    until(lambda: sounded(pin))
    bank.stop()


def test_who_does_not_know_the_hour_chirps(pins: MockFactory, heard: Events) -> None:
    output = Output(name="horn", driver="gpio", pin="GPIO17")
    bank = build_sirens(SirenRing(quiet="00:00-23:59"), (output,), {}, lambda: None)
    bank.start(heard.put)
    bank.do(Chirp("lone"))
    until(lambda: sounded(pins.pin("GPIO17")))
    bank.stop()


@pytest.mark.parametrize(
    ("quiet", "at", "is_quiet"),
    [
        ("22:00-04:30", (22, 0), True),
        ("22:00-04:30", (4, 29), True),
        ("22:00-04:30", (4, 30), False),
        ("22:00-04:30", (12, 0), False),
        ("12:00-14:00", (13, 0), True),
        ("12:00-14:00", (14, 0), False),
        ("", (3, 0), False),
    ],
)
def test_quiet_hours_may_pass_midnight(quiet: str, at: tuple[int, int], is_quiet: bool) -> None:
    assert SirenRing(quiet=quiet).is_quiet(datetime.time(*at)) is is_quiet


def test_a_test_is_short_and_ends_no_alarm(pins: MockFactory, heard: Events) -> None:
    bank = SirenBank({"horn": horn()})
    bank.start(heard.put)
    pin = pins.pin("GPIO17")
    assert bank.test("horn", 0.1) == ""
    until(lambda: not pin.state)

    testing = threading.Thread(target=bank.test, args=("horn", 1.5))
    testing.start()
    until(lambda: pin.state)
    bank.do(FIRE)
    testing.join(15)
    with pytest.raises(SirenBusy):
        bank.test("horn", 0.1)
    time.sleep(0.05)
    assert pin.state, "the alarm sounds on"
    bank.do(Silence("pak RT"))
    until(lambda: not pin.state)
    assert bank.test("horn", 0.05) == ""
    bank.stop()


def test_a_test_tells_the_fault(pins: MockFactory, heard: Events) -> None:
    bank = SirenBank({"horn": relay_siren("horn", GpioRelay("GPIO99"), 60)})
    bank.start(heard.put)
    assert bank.test("horn", 0.3).startswith("pin GPIO99 tidak bisa dipakai, periksa [[output]] pin (cannot be used)")
    bank.stop()


def test_a_hung_siren_keeps_no_other_sounding_at_the_end(pins: MockFactory, heard: Events) -> None:
    hung = Stand()
    hung.frees.clear()
    bank = SirenBank({"horn": horn(), "hung": SirenWorker("siren:hung", hung)})
    bank.start(heard.put)
    bank.do(FIRE)
    until(lambda: pins.pin("GPIO17").state)
    leaving = threading.Thread(target=bank.stop)
    leaving.start()
    until(lambda: not pins.pin("GPIO17").state, within_s=siren_worker.LEAVE_S - 1)
    hung.frees.set()
    leaving.join(10)
    assert not leaving.is_alive()
