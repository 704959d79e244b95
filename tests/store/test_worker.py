"""The journal's worker, and real disks that are full, read-only, failing, hung or not there."""

import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.domain.commands import Fact, SaveMark
from bridge.domain.desk import Mark
from bridge.domain.errors import JournalFailed
from bridge.domain.events import Committed, Event, Fault, JournalReplaced, JournalTrouble, JournalWell, Unwritable
from bridge.store import Journal, JournalReader, JournalWorker, without_disk
from tests.patience import until
from tests.store.village import (
    BITS,
    DAY_S,
    NOW,
    TODAY_S,
    Ear,
    StillClock,
    alarm,
    heard,
    press_id,
    receipt,
    rises,
    saved,
)

ROOT = Path(__file__).resolve().parents[2]
COUNT = 120  # presses of the small bridge


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
def worker(journal: Journal, ear: Ear) -> Iterator[JournalWorker]:
    working = JournalWorker(journal, StillClock(), checkpoint_commits=5)
    working.start(ear)
    yield working
    working.stop()


def is_trouble(event: Event) -> bool:
    return isinstance(event, JournalTrouble)


def test_everything_is_committed_in_its_order_and_in_groups(path: Path, worker: JournalWorker, ear: Ear) -> None:
    for number in range(1, 2001):
        worker.put(number, heard(number))
    ear.until_committed(2000)
    assert rises(ear.committed()) and ear.committed()[-1] == 2000
    assert len(ear.committed()) < 2000
    assert JournalReader(path).pending() == 2000
    assert worker.progress.waiting == 0
    assert [event for event in ear.heard if is_trouble(event)] == []


def test_a_stop_writes_what_still_waits(path: Path, worker: JournalWorker) -> None:
    for number in range(1, 501):
        worker.put(number, heard(number))
    worker.stop()
    assert JournalReader(path).pending() == 500
    Journal.open(path, run_bits=BITS, moment=NOW).close()  # and gives up the lock


def test_the_log_goes_into_the_file_when_nothing_waits(path: Path, worker: JournalWorker, ear: Ear) -> None:
    before = path.stat().st_size
    for number in range(1, 41):
        worker.put(number, heard(number))
        ear.until_committed(number)
    until(lambda: path.stat().st_size != before)


def test_it_keeps_the_house(path: Path, journal: Journal, ear: Ear) -> None:
    """An hour later the old alarm is gone, once it is in custody."""

    class Later(StillClock):
        ahead_s = 0.0

        def monotonic(self) -> float:
            return super().monotonic() + self.ahead_s

    old = [alarm(number, first=replace(NOW, wall_s=TODAY_S - 100 * DAY_S)) for number in (1, 2)]
    clock = Later()
    worker = JournalWorker(journal, clock)
    worker.start(ear)
    try:
        worker.put(1, (*map(saved, old), receipt(old[0])))
        ear.until_committed(1)
        clock.ahead_s = 3600.0
        worker.put(2, heard(3))
        until(lambda: {line["id"] for line in JournalReader(path).alarms(10)} == {press_id(2), press_id(3)})
    finally:
        worker.stop()


def test_a_disk_that_comes_late_gets_everything(tmp_path: Path, ear: Ear) -> None:
    """The card was missing at start: the bridge began without it, and its memory fills the journal afterwards."""
    folder = tmp_path / "card"
    folder.write_text("no folder yet", encoding="utf-8")
    path = folder / "journal.db"
    run, _ = without_disk(BITS, NOW)
    worker = JournalWorker(
        None, StillClock(), open_journal=lambda: Journal.open(path, run_bits=BITS, moment=NOW)
    )  # fmt: skip
    worker.start(ear)
    try:
        for number in range(1, 101):
            worker.put(number, heard(number))
        trouble = ear.until(is_trouble)
        assert isinstance(trouble, JournalTrouble) and "\n" not in trouble.why and str(path) in trouble.why
        assert ear.committed() == []
        folder.unlink()
        ear.until_committed(100)
        (replaced,) = [event for event in ear.heard if isinstance(event, JournalReplaced)]
        assert replaced.run.journal != run.journal and replaced.run.start == 1
        assert JournalReader(path).pending() == 100
    finally:
        worker.stop()


def test_a_full_memory_promises_nothing_more(tmp_path: Path, ear: Ear) -> None:
    path = tmp_path / "card" / "journal.db"
    path.parent.write_text("no folder yet", encoding="utf-8")
    worker = JournalWorker(
        None, StillClock(), open_journal=lambda: Journal.open(path, run_bits=BITS, moment=NOW), room=20
    )
    worker.start(ear)
    try:
        for number in range(1, 16):  # two facts each: the eleventh finds no room
            worker.put(number, heard(number))
        ear.until(lambda event: isinstance(event, Fault) and event.what == "journal memory")
        path.parent.unlink()
        ear.until_committed(10)
        worker.put(16, heard(16))
        until(lambda: JournalReader(path).pending() == 11)
    finally:
        worker.stop()
    assert max(ear.committed()) == 10  # the sixteenth is on the disk, but the eleventh is not


@pytest.mark.parametrize(
    "poison",
    [
        (SaveMark(Mark("polsek", "database-1", 1 << 70, "token")),),
        (saved(replace(alarm(999), sequence=1)),),  # another alarm's place
    ],
    ids=["a number too big", "a place that is taken"],
)
def test_what_can_never_be_written_holds_up_nothing_else(
    path: Path, worker: JournalWorker, ear: Ear, poison: tuple[Fact, ...]
) -> None:
    worker.put(1, heard(1))
    ear.until_committed(1)
    for number in range(2, 101):
        worker.put(number, poison if number == 50 else heard(number))
    ear.until_committed(100)
    (left_out,) = [event for event in ear.heard if isinstance(event, Unwritable)]
    assert left_out.number == 50 and "\n" not in left_out.why
    assert 50 not in ear.committed() and rises(ear.committed())
    assert ear.heard.index(left_out) < ear.heard.index(Committed(100))
    assert [event for event in ear.heard if is_trouble(event)] == []
    assert JournalReader(path).pending() == 99


def test_nobody_else_waits_for_a_disk_that_keeps_the_worker_waiting(
    path: Path, journal: Journal, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An uplink that looked for its backlog would hang as well, with alarms to send from memory."""
    disk_answers = threading.Event()
    write = journal.write
    monkeypatch.setattr(journal, "write", lambda facts: (disk_answers.wait(30), write(facts)))
    worker = JournalWorker(journal, StillClock())
    reader = JournalReader(path, worker.suspect, worker.is_hung)
    worker.start(ear)
    try:
        assert reader.pending() == 0
        worker.put(1, heard(1))
        ear.until(is_trouble)
        for look in (reader.pending, lambda: reader.page(None, 10)):
            with pytest.raises(JournalFailed, match="does not answer"):
                look()
        disk_answers.set()
        ear.until_committed(1)
        ear.until(lambda event: isinstance(event, JournalWell))
        assert reader.pending() == 1
    finally:
        disk_answers.set()
        worker.stop()


def test_a_dead_disk_does_not_hold_up_a_stop(ear: Ear, tmp_path: Path) -> None:
    worker = JournalWorker(
        None, StillClock(), open_journal=lambda: Journal.open(tmp_path, run_bits=BITS, moment=NOW)
    )  # fmt: skip
    worker.start(ear)
    worker.put(1, heard(1))
    ear.until(is_trouble)
    began = time.monotonic()
    worker.stop(wait_s=0.5)
    assert time.monotonic() - began < 10.0
    assert ear.committed() == []


# --- disks that are sick while the bridge runs --------------------------------------------------------------------


def bridge(path: Path, *last: str, under: tuple[str, ...] = ()) -> list[str]:
    """The lines of the small bridge; the journal's file is there before, so that its first writes are few."""
    Journal.open(path, run_bits=BITS, moment=NOW).close()
    command = [*under, sys.executable, "-m", "tests.store.sick_disk", str(path), str(COUNT), *last]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert ended.returncode == 0, ended.stderr[-2000:]
    return ended.stdout.splitlines()


def assert_nothing_lost(path: Path, lines: list[str]) -> None:
    """Trouble, then well again; commits only rise and all of them came; every press is in the journal once."""
    words = [line.split()[0] for line in lines]
    assert "TROUBLE" in words and words.index("WELL") > words.index("TROUBLE")
    committed = [int(line.split()[1]) for line in lines if line.startswith("COMMITTED")]
    assert rises(committed) and committed[-1] == COUNT
    journal = Journal.open(path, run_bits=BITS, moment=NOW)
    assert journal.set_aside is None
    assert set(journal.load().memory.presses) == {press_id(number) for number in range(1, COUNT + 1)}
    journal.close()


def test_a_full_disk_loses_nothing(path: Path) -> None:
    lines = bridge(path, "full")
    assert_nothing_lost(path, lines)
    before = lines[: next(at for at, line in enumerate(lines) if line.startswith("TROUBLE"))]
    assert [line for line in before if line.startswith("COMMITTED")][-1] == "COMMITTED 9"


@pytest.mark.mosquitto
@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("pwrite64:error=ENOSPC:when=40..41", "disk is full"),
        ("pwrite64:error=EROFS:when=40..41", "the disk refuses"),
        ("pwrite64:error=EIO:when=40..41", "the disk refuses"),
        ("fdatasync,fsync:error=EIO:when=8..9", "the disk refuses"),
    ],
)
def test_a_disk_that_refuses_for_a_while_loses_nothing(path: Path, fault: str, says: str) -> None:
    lines = bridge(path, under=("strace", "-f", "-qq", "-o", "/dev/null", "-e", f"inject={fault}"))
    assert_nothing_lost(path, lines)
    assert says in next(line for line in lines if line.startswith("TROUBLE"))


@pytest.mark.mosquitto
def test_a_hung_disk_is_told_and_holds_up_nobody(path: Path) -> None:
    fault = "inject=fdatasync,fsync:delay_enter=5000000:when=8"
    lines = bridge(path, under=("strace", "-f", "-qq", "-o", "/dev/null", "-e", fault))
    assert_nothing_lost(path, lines)
    assert "has not answered" in next(line for line in lines if line.startswith("TROUBLE"))
    slowest = re.fullmatch(r"SLOWEST PUT (\S+)", lines[-1])
    assert slowest is not None and float(slowest[1]) < 0.5
