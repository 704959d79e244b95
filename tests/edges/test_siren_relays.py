"""Relays: on for a set time, off at silence, off at the start, found again after a fault. Real ptys, pretended pins."""

import queue
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import gpiozero
import pytest
from gpiozero.pins.mock import MockFactory

from bridge.domain.commands import Chirp, Silence, Sound
from bridge.domain.events import Event, Fault
from bridge.domain.press import Kind
from bridge.edges import siren_relay
from bridge.edges.siren_relay import GpioRelay, SerialRelay, relay_siren
from bridge.edges.siren_worker import SirenWorker
from tests.edges.relay_board import OFF, ON, Board, sounded
from tests.patience import until

FIRE = Sound("node:1/1", Kind.FIRE, None)

Events = queue.SimpleQueue[Event]
Start = Callable[[SirenWorker], SirenWorker]


@pytest.fixture
def heard() -> Events:
    return queue.SimpleQueue()


@pytest.fixture
def start(heard: Events) -> Iterator[Start]:
    """Starts sirens, and stops them whatever happens."""
    sirens: list[SirenWorker] = []

    def go(siren: SirenWorker) -> SirenWorker:
        sirens.append(siren)
        siren.start(heard.put)
        return siren

    yield go
    for siren in sirens:
        siren.stop()


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    board = Board(tmp_path / "board")
    yield board
    board.unplug()


def on_board(tmp_path: Path, sound_s: float = 60.0) -> SirenWorker:
    return relay_siren("board", SerialRelay(f"serial://{tmp_path}/board", ON, OFF), sound_s)


def test_a_pin_is_on_for_a_set_time_and_that_is_no_fault(pins: MockFactory, heard: Events, start: Start) -> None:
    siren = start(relay_siren("horn", GpioRelay("GPIO17"), 1.0))
    pin = pins.pin("GPIO17")
    siren.do(FIRE)
    until(lambda: pin.state)
    began = time.monotonic()
    until(lambda: not pin.state)
    assert 0.5 < time.monotonic() - began < 8
    siren.do(FIRE)
    until(lambda: pin.state)
    siren.stop()
    assert not pin.state and heard.empty()


def test_a_press_while_it_sounds_makes_it_last(pins: MockFactory, start: Start) -> None:
    siren = start(relay_siren("horn", GpioRelay("GPIO17"), 1.5))
    siren.do(FIRE)
    until(lambda: pins.pin("GPIO17").state)
    began = time.monotonic()
    time.sleep(0.5)
    siren.do(FIRE)
    until(lambda: not pins.pin("GPIO17").state)
    assert time.monotonic() - began >= 1.9


def test_silence_at_the_post(pins: MockFactory, start: Start) -> None:
    siren = start(relay_siren("horn", GpioRelay("GPIO17"), 60))
    siren.do(FIRE)
    until(lambda: pins.pin("GPIO17").state)
    siren.do(Silence("pak RT"))
    until(lambda: not pins.pin("GPIO17").state)
    siren.do(FIRE)
    until(lambda: pins.pin("GPIO17").state)


def test_a_relay_that_is_on_at_0_volts(pins: MockFactory, start: Start) -> None:
    siren = start(relay_siren("horn", GpioRelay("GPIO17", active_low=True), 30))
    until(lambda: pins.pin("GPIO17").state)  # off, and therefore high
    siren.do(FIRE)
    until(lambda: not pins.pin("GPIO17").state)


def test_a_chirp_is_short_and_does_not_end_an_alarm(pins: MockFactory, start: Start) -> None:
    siren = start(relay_siren("horn", GpioRelay("GPIO17"), 30))
    pin = pins.pin("GPIO17")
    siren.do(Chirp("lone"))
    until(lambda: sounded(pin) and not pin.state)
    siren.do(FIRE)
    siren.do(Chirp("lone"))
    until(lambda: pin.state)
    time.sleep(3 * siren_relay.CHIRP_S)
    assert pin.state


def test_a_pin_that_does_not_exist_is_one_clear_fault(pins: MockFactory, heard: Events, start: Start) -> None:
    start(relay_siren("horn", GpioRelay("GPIO99"), 60))
    fault = heard.get(timeout=15)
    assert isinstance(fault, Fault) and fault.what == "siren:horn"
    assert "\n" not in fault.why
    assert fault.why.startswith("pin GPIO99 tidak bisa dipakai, periksa [[output]] pin (cannot be used)")


def test_a_pin_that_somebody_else_had_is_used_once_it_is_free(pins: MockFactory, heard: Events, start: Start) -> None:
    other = gpiozero.OutputDevice("GPIO17")
    siren = start(relay_siren("horn", GpioRelay("GPIO17"), 60))
    siren.do(FIRE)
    assert "GPIO17" in str(heard.get(timeout=15))
    other.close()
    assert heard.get(timeout=15) == Fault("siren:horn", "")
    assert pins.pin("GPIO17").state


def test_what_a_killed_bridge_left_on_is_switched_off_at_the_start(
    tmp_path: Path, board: Board, heard: Events, start: Start
) -> None:
    siren = start(on_board(tmp_path))
    until(lambda: board.got == OFF)
    assert board.speed == termios.B9600
    board.answer(b"CH1: OFF\r\n")
    siren.do(FIRE)
    until(lambda: board.got == OFF + ON)
    siren.stop()
    until(lambda: board.got == OFF + ON + OFF)
    assert heard.empty()


def test_a_board_that_is_not_there_rings_once_it_is(tmp_path: Path, heard: Events, start: Start) -> None:
    siren = start(on_board(tmp_path))
    assert heard.get(timeout=15) == Fault(
        "siren:board",
        f"papan relai {tmp_path}/board tidak menjawab: periksa kabelnya (relay board lost: check its cable)",
    )
    siren.do(FIRE)
    board = Board(tmp_path / "board")
    until(lambda: board.is_on)
    assert heard.get(timeout=15) == Fault("siren:board", "")
    siren.stop()
    until(lambda: not board.is_on)
    board.unplug()


def test_a_board_unplugged_in_the_middle_of_an_alarm_rings_on_when_it_is_back(
    tmp_path: Path, heard: Events, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SerialRelay, "refresh_s", 0.2)
    first = Board(tmp_path / "board")
    siren = start(on_board(tmp_path))
    siren.do(FIRE)
    until(lambda: first.is_on)
    first.unplug()
    assert "check its cable" in str(heard.get(timeout=15))
    second = Board(tmp_path / "board")
    until(lambda: second.is_on)
    assert heard.get(timeout=15) == Fault("siren:board", "")
    siren.do(Silence("pak RT"))
    until(lambda: not second.is_on)
    second.unplug()
    assert "check its cable" in str(heard.get(timeout=15)), "known before the next alarm"
