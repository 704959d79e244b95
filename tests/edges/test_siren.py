"""The siren with real commands: rung at once, never doubled, silenced, and loud about its own faults."""

import queue
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bridge.domain.commands import Silence, Sound
from bridge.domain.events import Event, Fault
from bridge.domain.place import Place
from bridge.domain.press import Kind
from bridge.edges import siren_process
from bridge.edges.siren import NoSiren, command_siren
from bridge.edges.siren_worker import SirenWorker
from tests.patience import until

Start = Callable[..., SirenWorker]


@pytest.fixture
def events() -> "queue.SimpleQueue[Event]":
    return queue.SimpleQueue()


@pytest.fixture
def start(events: "queue.SimpleQueue[Event]") -> Iterator[Start]:
    """Starts sirens, and stops them whatever happens."""
    sirens: list[SirenWorker] = []

    def go(command: str, limit_s: float = 30.0) -> SirenWorker:
        siren = command_siren(command, limit_s=limit_s)
        sirens.append(siren)
        siren.start(events.put)
        return siren

    yield go
    for siren in sirens:
        siren.stop()


def script(folder: Path, name: str, *lines: str) -> Path:
    """A program of the technician's."""
    path = folder / name
    path.write_text("\n".join(["#!/bin/sh", f'log="{folder}/log"', *lines]) + "\n")
    path.chmod(0o755)
    return path


def log(folder: Path) -> list[str]:
    path = folder / "log"
    return path.read_text().splitlines() if path.exists() else []


def sound(kind: Kind, alarm: str = "node:00000a01/00000001", place: Place | None = None) -> Sound:
    return Sound(alarm, kind, place)


def test_the_command_learns_what_happens_and_where(tmp_path: Path, start: Start) -> None:
    ring = script(
        tmp_path, "ring me", 'echo "$1 $2 $KENTONGAN_KIND $KENTONGAN_ALARM $KENTONGAN_PLACE ${3-none}" >> "$log"'
    )
    siren = start(f"'{ring}' {{kind}}.wav '$HOME; two words'")
    siren.do(sound(Kind.FIRE, place=Place(house="RT03-12", rt="03", rw="02")))
    until(lambda: len(log(tmp_path)) == 1)
    assert log(tmp_path) == ["FIRE.wav $HOME; two words FIRE node:00000a01/00000001 RT03-12, RT 03/RW 02 none"]


def test_a_place_unknown_is_an_empty_word(tmp_path: Path, start: Start) -> None:
    start(str(script(tmp_path, "ring", 'echo "[$KENTONGAN_PLACE]" >> "$log"'))).do(sound(Kind.PANIC))
    until(lambda: log(tmp_path) == ["[]"])


def test_a_burst_of_2000_rings_each_kind_once_while_it_rings(tmp_path: Path, start: Start) -> None:
    ring = script(tmp_path, "ring", 'echo "$KENTONGAN_KIND" >> "$log"', "exec sleep 30")
    siren = start(str(ring))
    kinds = list(Kind)
    for number in range(2000):
        siren.do(sound(kinds[number % len(kinds)], f"node:{number:08x}/00000001"))
    until(lambda: len(log(tmp_path)) >= len(kinds))
    siren.do(sound(Kind.FIRE))  # the worker looks at this one after all of those
    siren.do(Silence("test"))
    siren.do(sound(Kind.MURDER))
    until(lambda: log(tmp_path).count("MURDER") == 2)
    assert sorted(log(tmp_path)) == sorted([*kinds, "MURDER"])


def test_a_second_alarm_of_the_same_kind_rings_when_the_first_has_rung(tmp_path: Path, start: Start) -> None:
    """The next house's fire must not fall silent with the first; what comes meanwhile waits as one."""
    rings_on = f'until test -e "{tmp_path}/rung"; do sleep 0.02; done'
    ring = script(tmp_path, "ring", 'echo "$KENTONGAN_ALARM" >> "$log"', rings_on)
    siren = start(str(ring))
    siren.do(sound(Kind.FIRE, "node:00000001/00000001"))
    until(lambda: len(log(tmp_path)) == 1)
    for number in range(2, 9):
        siren.do(sound(Kind.FIRE, f"node:0000000{number}/00000001"))
        time.sleep(0.02)
    assert len(log(tmp_path)) == 1
    (tmp_path / "rung").touch()
    until(lambda: log(tmp_path) == ["node:00000001/00000001", "node:00000008/00000001"])


def test_silence_ends_what_waits_too(tmp_path: Path, start: Start) -> None:
    siren = start(str(script(tmp_path, "ring", 'echo "$KENTONGAN_ALARM" >> "$log"', "exec sleep 30")))
    siren.do(sound(Kind.FIRE, "node:00000001/00000001"))
    until(lambda: len(log(tmp_path)) == 1)
    siren.do(sound(Kind.FIRE, "node:00000002/00000001"))
    time.sleep(0.05)
    siren.do(Silence("pak RT"))
    siren.do(sound(Kind.THEFT, "node:00000003/00000001"))
    until(lambda: len(log(tmp_path)) == 2)
    siren.stop()
    assert log(tmp_path) == ["node:00000001/00000001", "node:00000003/00000001"]


def test_do_never_waits_for_the_command(tmp_path: Path, start: Start) -> None:
    siren = start(str(script(tmp_path, "ring", "exec sleep 30")))
    began = time.monotonic()
    for number in range(2000):
        siren.do(sound(Kind.PANIC, f"node:{number:08x}/00000001"))
    assert time.monotonic() - began < 1.0


def test_silence_ends_what_rings_and_what_it_started(
    tmp_path: Path, start: Start, events: "queue.SimpleQueue[Event]"
) -> None:
    player = script(
        tmp_path, "player", "trap 'echo player ends >> \"$log\"; exit 0' TERM", 'echo plays >> "$log"', loop()
    )
    ring = script(tmp_path, "ring", f"{player} &", "trap 'wait; echo ring ends >> \"$log\"; exit 0' TERM", loop())
    siren = start(str(ring))
    siren.do(sound(Kind.FIRE))
    until(lambda: log(tmp_path) == ["plays"])
    siren.do(Silence("officer"))
    until(lambda: len(log(tmp_path)) == 3)
    assert sorted(log(tmp_path)) == ["player ends", "plays", "ring ends"]
    assert events.empty(), "an ordered silence is no fault"


def test_after_silence_the_next_press_rings_at_once(
    tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    stubborn = script(tmp_path, "ring", "trap '' TERM", 'echo "$KENTONGAN_KIND" >> "$log"', loop())
    siren = start(str(stubborn))
    siren.do(sound(Kind.FIRE))
    until(lambda: log(tmp_path) == ["FIRE"])
    with monkeypatch.context() as patch:
        patch.setattr(siren_process, "MERCY_S", 60.0)  # before the stubborn one is killed
        siren.do(Silence("officer"))
        siren.do(sound(Kind.FIRE))
        until(lambda: log(tmp_path) == ["FIRE", "FIRE"])


def test_a_failing_command_is_one_fault_and_one_recovery(
    tmp_path: Path, start: Start, events: "queue.SimpleQueue[Event]"
) -> None:
    broken = tmp_path / "broken"
    broken.touch()
    siren = start(str(script(tmp_path, "ring", 'echo rung >> "$log"', f'test ! -e "{broken}" || exit 3')))
    for count in (1, 2, 3):
        ring_until(siren, lambda count=count: len(log(tmp_path)) >= count)  # type: ignore[misc]
    assert events.get(timeout=10) == Fault("siren", f"{tmp_path}/ring ended with exit 3; run it by hand to see why")
    broken.unlink()
    ring_until(siren, lambda: not events.empty())
    assert events.get(timeout=10) == Fault("siren", "")
    assert events.empty()


def ring_until(siren: SirenWorker, is_true: Callable[[], bool]) -> None:
    """Strike on: a press while the last command still ends is not rung."""

    def strike() -> bool:
        siren.do(sound(Kind.FIRE))
        return is_true()

    until(strike)


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("/nowhere/siren {kind}", "cannot start /nowhere/siren: "),
        ("/dev/null", "cannot start /dev/null: "),
    ],
)
def test_a_program_that_cannot_start_is_a_fault(
    start: Start, events: "queue.SimpleQueue[Event]", command: str, says: str
) -> None:
    siren = start(command)
    siren.do(sound(Kind.FIRE))
    siren.do(sound(Kind.THEFT))
    match events.get(timeout=10):
        case Fault("siren", why):
            assert why.startswith(says)
            assert why.endswith("; correct [siren] command")
        case other:
            pytest.fail(f"not a fault of the siren: {other}")


def test_a_hanging_command_is_ended_and_told(tmp_path: Path, start: Start, events: "queue.SimpleQueue[Event]") -> None:
    ring = script(tmp_path, "ring", "trap 'echo ended >> \"$log\"; exit 0' TERM", loop())
    siren = start(str(ring), limit_s=0.3)
    siren.do(sound(Kind.FIRE))
    assert events.get(timeout=10) == Fault(
        "siren", f"{tmp_path}/ring still ran after 0.3 s and was ended; it must end by itself"
    )
    until(lambda: log(tmp_path) == ["ended"])
    siren.stop()
    assert events.empty(), "its end was ours, not one more fault"


def test_stop_leaves_nothing_sounding(tmp_path: Path, start: Start) -> None:
    ring = script(tmp_path, "ring", "trap 'echo ended >> \"$log\"; exit 0' TERM", 'echo rings >> "$log"', loop())
    siren = start(str(ring))
    siren.do(sound(Kind.FIRE))
    until(lambda: log(tmp_path) == ["rings"])
    siren.stop()
    assert log(tmp_path) == ["rings", "ended"]


def test_stop_ends_what_does_not_listen(tmp_path: Path, start: Start) -> None:
    ring = script(tmp_path, "ring", "trap '' TERM", 'echo $$ >> "$log"', loop())
    siren = start(str(ring))
    for kind in (Kind.FIRE, Kind.THEFT, Kind.FIRE, Kind.BRAWL):
        siren.do(sound(kind))
    until(lambda: len(log(tmp_path)) == 3)
    siren.stop()
    assert [pid for pid in log(tmp_path) if Path("/proc", pid).exists()] == []


def test_a_post_without_a_siren_says_so_in_its_log(capsys: pytest.CaptureFixture[str]) -> None:
    siren = NoSiren()
    siren.start(lambda _: pytest.fail("a missing siren is no fault"))
    siren.do(sound(Kind.FIRE, place=Place(house="RT03-12")))
    siren.do(Silence("officer"))
    siren.stop()
    out = capsys.readouterr().out
    assert "no siren to sound" in out
    assert "FIRE" in out
    assert "RT03-12" in out


def loop() -> str:
    """A script that waits, but hears signals: `sleep` alone would hold them back."""
    return "i=0; while [ $i -lt 600 ]; do sleep 0.05; i=$((i+1)); done"
