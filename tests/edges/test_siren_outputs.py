"""Relays, loudspeakers and several sirens at once: real processes, a real pty, gpiozero's own pretended pins."""

import array
import datetime
import os
import pty
import queue
import stat
import threading
import time
import tty
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import gpiozero
import pytest
from gpiozero.pins.mock import MockFactory

from bridge.config_siren import Output, SirenRing
from bridge.domain.commands import Chirp, Silence, Sound
from bridge.domain.events import Event, Fault
from bridge.domain.press import Kind
from bridge.edges import siren_audio
from bridge.edges.siren_bank import SirenBank
from bridge.edges.siren_relay import BOARDS, GpioRelay, RelaySiren, SerialRelay
from bridge.edges.sirens import build_sirens

ON, OFF = BOARDS["lcus1"]
FIRE = Sound("node:1/1", Kind.FIRE, None)


def until(true: Callable[[], object], limit_s: float = 5.0) -> None:
    end = time.monotonic() + limit_s
    while not true():
        assert time.monotonic() < end
        time.sleep(0.002)


class Board:
    """A relay board on a pty: keeps what it was told."""

    def __init__(self, alias: Path) -> None:
        self.near, far = pty.openpty()
        tty.setraw(far)
        self.path = os.ttyname(far)
        os.close(far)
        alias.symlink_to(self.path)
        self.got = b""
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while True:
            try:
                self.got += os.read(self.near, 100)
            except OSError:
                time.sleep(0.005)  # nobody has it open

    @property
    def is_on(self) -> bool:
        return self.got.rfind(ON) > self.got.rfind(OFF)


@pytest.fixture
def pins() -> Iterator[MockFactory]:
    before, gpiozero.Device.pin_factory = gpiozero.Device.pin_factory, MockFactory()
    yield gpiozero.Device.pin_factory
    gpiozero.Device.pin_factory.reset()
    gpiozero.Device.pin_factory = before


@pytest.fixture
def heard() -> "queue.SimpleQueue[Event]":
    return queue.SimpleQueue()


def test_a_pin_is_on_for_a_set_time_and_off_at_silence(pins: MockFactory, heard: "queue.SimpleQueue[Event]") -> None:
    siren = RelaySiren("horn", GpioRelay("GPIO17"), sound_s=0.3)
    siren.start(heard.put)
    pin = pins.pin("GPIO17")
    siren.do(FIRE)
    until(lambda: pin.state)
    until(lambda: not pin.state)  # the set time is over
    siren.do(FIRE)
    until(lambda: pin.state)
    siren.do(Silence("pak RT"))
    until(lambda: not pin.state)
    siren.do(FIRE)
    until(lambda: pin.state)
    siren.stop()
    assert not pin.state and heard.empty()


def test_a_relay_that_is_on_at_0_volts(pins: MockFactory, heard: "queue.SimpleQueue[Event]") -> None:
    siren = RelaySiren("horn", GpioRelay("GPIO17", active_low=True), sound_s=30)
    siren.start(heard.put)
    until(lambda: pins.pin("GPIO17").state)  # off, and therefore high
    siren.do(FIRE)
    until(lambda: not pins.pin("GPIO17").state)
    siren.stop()


def test_a_chirp_is_short_and_does_not_end_an_alarm(pins: MockFactory, heard: "queue.SimpleQueue[Event]") -> None:
    siren = RelaySiren("horn", GpioRelay("GPIO17"), sound_s=1.0)
    siren.start(heard.put)
    pin = pins.pin("GPIO17")
    siren.do(Chirp("lone"))
    until(lambda: pin.state)
    until(lambda: not pin.state, 1.0)
    siren.do(FIRE)
    siren.do(Chirp("lone"))
    until(lambda: pin.state)
    time.sleep(0.4)
    assert pin.state
    siren.stop()


def test_what_a_killed_bridge_left_on_is_switched_off_at_the_start(
    tmp_path: Path, heard: "queue.SimpleQueue[Event]"
) -> None:
    board = Board(tmp_path / "board")
    siren = RelaySiren("board", SerialRelay(f"serial://{tmp_path}/board", ON, OFF))
    siren.start(heard.put)
    until(lambda: board.got == OFF)
    siren.stop()


def test_a_board_that_is_unplugged_is_a_fault_and_rings_once_it_is_back(
    tmp_path: Path, heard: "queue.SimpleQueue[Event]"
) -> None:
    siren = RelaySiren("board", SerialRelay(f"serial://{tmp_path}/board", ON, OFF))
    siren.start(heard.put)
    fault = heard.get(timeout=5)
    assert isinstance(fault, Fault) and fault.what == "siren:board" and "look at its cable" in fault.why
    siren.do(FIRE)
    board = Board(tmp_path / "board")
    until(lambda: board.is_on)
    assert heard.get(timeout=5) == Fault("siren:board", "")
    siren.stop()
    until(lambda: not board.is_on)


def test_a_pin_that_does_not_exist_is_one_clear_fault(pins: MockFactory, heard: "queue.SimpleQueue[Event]") -> None:
    siren = RelaySiren("horn", GpioRelay("GPIO99"))
    siren.start(heard.put)
    fault = heard.get(timeout=5)
    assert isinstance(fault, Fault) and "look at [[output]] pin" in fault.why
    siren.stop()


class Hung:
    """A relay that never answers."""

    def switch(self, on: bool) -> None:
        threading.Event().wait(20)

    def close(self) -> None:
        """Nothing."""


class Broken:
    """A relay whose driver dies of a fault of ours."""

    def switch(self, on: bool) -> None:
        raise ZeroDivisionError

    def close(self) -> None:
        """Nothing."""


def test_dead_and_hung_sirens_do_not_stop_the_others(pins: MockFactory, heard: "queue.SimpleQueue[Event]") -> None:
    well = RelaySiren("well", GpioRelay("GPIO17"))
    bank = SirenBank((RelaySiren("hung", Hung()), RelaySiren("broken", Broken()), well))
    bank.start(heard.put)
    fault = heard.get(timeout=5)
    assert isinstance(fault, Fault) and fault.what == "siren:broken" and "died" in fault.why
    until(lambda: pins.pin("GPIO17").function == "output")
    took = []
    for _ in range(50):
        began = time.monotonic()
        bank.do(FIRE)
        until(lambda: pins.pin("GPIO17").state)
        took.append(time.monotonic() - began)
        bank.do(Silence("test"))
        until(lambda: not pins.pin("GPIO17").state)
    took.sort()
    print(f"bank of three, one hung, one dead: p50 {took[25] * 1000:.1f} ms, worst {took[-1] * 1000:.1f} ms")
    assert took[25] < 0.05
    well.stop()


def test_quiet_hours_mute_a_chirp_and_never_an_alarm(pins: MockFactory, heard: "queue.SimpleQueue[Event]") -> None:
    ring = SirenRing(quiet="22:00-04:30")
    output = Output(name="horn", driver="gpio", pin="GPIO17", sound_s=30)
    hours = [datetime.time(23, 0)]
    bank = build_sirens(ring, (output,), {}, lambda: hours[0])
    bank.start(heard.put)
    until(lambda: pins.pin("GPIO17").function == "output")
    bank.do(Chirp("lone"))
    time.sleep(0.05)
    assert not pins.pin("GPIO17").state
    bank.do(FIRE)
    until(lambda: pins.pin("GPIO17").state)
    bank.do(Silence("test"))
    until(lambda: not pins.pin("GPIO17").state)
    hours[0] = datetime.time(12, 0)
    bank.do(Chirp("lone"))
    until(lambda: pins.pin("GPIO17").state)
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


def knocks(path: Path) -> list[float]:
    """When the knocks of a WAV begin, in seconds: loud after silence."""
    with wave.open(str(path)) as file:
        samples, rate = array.array("h", file.readframes(file.getnframes())), file.getframerate()
    found, quiet_since = [], -rate
    for at, sample in enumerate(samples):
        if abs(sample) > 5000:
            if at - quiet_since > 0.08 * rate:
                found.append(at / rate)
            quiet_since = at
    return found


RULES = {"2": "THEFT", "3": "FIRE", "3.1": "DISASTER"}


def test_the_loudspeaker_strikes_the_villages_rhythm(tmp_path: Path, heard: "queue.SimpleQueue[Event]") -> None:
    """The player is a stand-in that keeps the file it was given; whoever listens hears what the codebook reads."""
    from bridge.domain.codebook import Codebook
    from bridge.domain.rhythm import phrases_of

    player = tmp_path / "player.sh"
    player.write_text(f'#!/bin/sh\ncp "$3" {tmp_path}/$(basename "$3")\necho "$1 $2" > {tmp_path}/args\n')
    player.chmod(player.stat().st_mode | stat.S_IXUSR)
    output = Output(name="speaker", driver="audio", player=str(player), device="plughw:1", sound_s=8)
    bank = build_sirens(SirenRing(), (output,), RULES, lambda: None)
    bank.start(heard.put)
    for kind in (Kind.FIRE, Kind.THEFT, Kind.DISASTER, Kind.MEDICAL):
        bank.do(Sound("node:1/1", kind, None))
        until(lambda kind=kind: (tmp_path / f"{kind}.wav").exists())
    until((tmp_path / "args").exists)
    bank.stop()
    assert (tmp_path / "args").read_text().split() == ["-D", "plughw:1"]
    book = Codebook("test", RULES)
    for kind in (Kind.FIRE, Kind.THEFT, Kind.DISASTER):
        times = [round(1000 * at) for at in knocks(tmp_path / f"{kind}.wav")]
        assert book.read(phrases_of(times, book.has_short), True).kind == kind
    assert len(knocks(tmp_path / "MEDICAL.wav")) > 16  # no rhythm of its own: titir
    assert heard.empty()


def test_sounds_that_cannot_be_written_are_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    from bridge.domain.errors import ConfigError

    monkeypatch.setattr(siren_audio.tempfile, "TemporaryDirectory", _full)
    with pytest.raises(ConfigError, match="speaker: its sounds cannot be written"):
        build_sirens(SirenRing(), (Output(name="speaker", driver="audio"),), RULES, lambda: None)


def _full(**_: object) -> None:
    raise OSError(28, "No space left on device")
