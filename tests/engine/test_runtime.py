"""Starting and stopping: the radio first out, the siren and the journal last, and no part takes the others with it."""

import socket
import threading
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bridge.domain import commands as cmd
from bridge.domain import events as ev
from bridge.domain.alarm import Moment
from bridge.domain.ports import Deliver
from bridge.domain.press import Kind
from bridge.engine import Engine
from bridge.ledger import Memory
from bridge.runtime import Inbox, Runtime, tell_systemd
from tests.engine.stage import POST, RUN, Village, press


class Clock:
    def __init__(self) -> None:
        self._now_s = 100.0

    def monotonic(self) -> float:
        self._now_s += 0.001
        return self._now_s

    def now(self) -> Moment:
        return Moment(1, self.monotonic(), 1_800_000_000.0, True)


class Part:
    """Any part: notes its comings and goings; may hear a press as it goes, or fail."""

    def __init__(self, name: str, book: list[str], *, hears: bool = False, fails: str = "") -> None:
        self.name, self._book, self._hears, self._fails = name, book, hears, fails

    def start(self, deliver: Deliver) -> None:
        self._book.append(f"{self.name} starts")
        self._deliver = deliver
        if self._fails == "start":
            raise OSError("broken")

    def stop(self) -> None:
        if self._hears:
            self._deliver(ev.PressHeard(press(1), 100.0))
        self._book.append(f"{self.name} stops")
        if self._fails == "stop":
            raise OSError("broken")

    def do(self, command: cmd.Sound | cmd.Silence) -> None:
        self._book.append(f"siren: {type(command).__name__}")

    def say(self, words: cmd.Tell | cmd.Announce) -> None:
        self._book.append("radio speaks")

    def put(self, number: int, facts: tuple[cmd.Fact, ...]) -> None:
        self._book.append(f"journal writes {len(facts)}")

    def stuck_s(self) -> float:
        return 0.0


def post(book: list[str], radio: Part, siren: Part | None = None) -> tuple[Runtime, Inbox]:
    clock, inbox = Clock(), Inbox()
    engine = Engine(POST, RUN, Memory(), Village(), clock.now())
    runtime = Runtime(
        engine=engine,
        inbox=inbox,
        clock=clock,
        journal=Part("journal", book),
        siren=siren or Part("siren", book),
        radios=(radio,),
    )
    return runtime, inbox


def test_a_press_heard_while_the_bridge_stops_still_rings_and_is_written() -> None:
    book: list[str] = []
    runtime, inbox = post(book, Part("radio", book, hears=True))
    inbox.put(ev.Stop("told"))
    runtime.run()
    assert book[-5:] == ["radio stops", "siren: Sound", "journal writes 2", "siren stops", "journal stops"]


@pytest.mark.parametrize("fails", ["start", "stop"])
def test_a_broken_part_does_not_keep_the_journal_open(fails: str) -> None:
    book: list[str] = []
    runtime, inbox = post(book, Part("radio", book, fails=fails))
    inbox.put(ev.Stop("told"))
    with capture_logs():
        if fails == "start":
            with pytest.raises(OSError, match="broken"):
                runtime.run()
        else:
            runtime.run()
    assert book[-2:] == ["siren stops", "journal stops"]


def test_an_event_that_cannot_be_borne_costs_the_next_press_nothing() -> None:
    book: list[str] = []
    runtime, inbox = post(book, Part("radio", book))
    inbox.put(ev.StatusAsked(reply=lambda _: 1 / 0))  # type: ignore[arg-type, return-value]
    inbox.put(ev.PressHeard(press(1), 100.0))
    inbox.put(ev.Stop("told"))
    with capture_logs() as logs:
        runtime.run()
    assert "siren: Sound" in book
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["event failed"]


def test_a_fault_in_the_answers_costs_no_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program error that shows itself whenever time passes: presses ring and are written, and nothing spins."""
    tries = 0

    def broken(*_: object) -> None:
        nonlocal tries
        tries += 1
        raise ZeroDivisionError

    monkeypatch.setattr("bridge.strikers.Strikers.due", broken)
    monkeypatch.setattr("bridge.strikers.Strikers.next_due_s", lambda *_: 0.0)
    book: list[str] = []
    runtime, inbox = post(book, Part("radio", book))
    inbox.put(ev.PressHeard(press(1), 100.0))
    inbox.put(ev.PressHeard(press(2, Kind.THEFT), 100.0))
    stop = threading.Timer(0.5, inbox.put, [ev.Stop("told")])
    stop.start()
    with capture_logs():
        runtime.run()
    stop.join()
    assert [line for line in book if "writes" in line or "Sound" in line] == [
        "siren: Sound",
        "siren: Sound",
        "journal writes 2",
        "journal writes 2",
    ]
    assert tries < 50


def test_the_log_tells_an_alarms_story() -> None:
    book: list[str] = []
    runtime, inbox = post(book, Part("radio", book))
    inbox.put(ev.PressHeard(press(1), 100.0))
    inbox.put(ev.Committed(1))
    inbox.put(ev.Stop("told"))
    with capture_logs() as logs:
        runtime.run()
    story = [line["event"] for line in logs if line.get("alarm") == press(1).id]
    assert story == ["press heard", "alarm journaled"]


def test_nobody_waits_for_a_busy_service_manager(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        telling = threading.Thread(target=lambda: [tell_systemd("WATCHDOG=1") for _ in range(2000)], daemon=True)
        with capture_logs() as logs:
            telling.start()
            telling.join(20)
        assert not telling.is_alive() and logs, "its queue was full"
