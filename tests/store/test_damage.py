"""A damaged file is put aside, nothing crashes, and the post goes on with a new journal."""

import random
import sqlite3
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.domain.commands import SaveMark, SaveWord
from bridge.domain.desk import Answer, Fate, Mark, OrderKind, Word
from bridge.domain.errors import JournalFailed
from bridge.domain.events import JournalReplaced
from bridge.store import Journal, JournalReader, JournalWorker
from tests.store.village import BITS, NOW, Ear, StillClock, alarm, heard, press_id, row, saved

PAGE = 4096


def fill(path: Path, count: int = 300) -> Journal:
    journal = Journal.open(path, run_bits=BITS, moment=NOW)
    for number in range(1, count + 1):
        journal.write(heard(number))
    return journal


def scribble(path: Path, at: int, length: int = PAGE) -> None:
    """As a dying card does: what is read is not what was written."""
    with path.open("r+b") as file:
        file.seek(at)
        file.write(random.Random(at).randbytes(length))


def asides(path: Path) -> list[Path]:
    return sorted(path.parent.glob(path.name + ".corrupt-*"))


def test_a_broken_header_is_set_aside(path: Path) -> None:
    first = fill(path)
    first.close()
    scribble(path, 0, 100)
    broken = path.read_bytes()
    journal = Journal.open(path, run_bits=BITS, moment=NOW)
    assert journal.set_aside is not None and journal.set_aside.read_bytes() == broken
    assert asides(path) == [journal.set_aside]
    assert journal.run.journal != first.run.journal
    assert str(journal.set_aside.name) in journal.begun_anew and "\n" not in journal.begun_anew
    journal.write(heard(1))
    assert journal.load().pending == 1
    journal.close()


def test_one_broken_page_costs_next_to_nothing(path: Path, opened: Callable[[], Journal]) -> None:
    """Page after page, each alone: the file is set aside, and the alarms are rescued from their row or the desk's."""
    fill(path).close()
    good = path.read_bytes()
    known: Counter[int] = Counter()
    for page in range(1, len(good) // PAGE, 3):
        path.write_bytes(good)
        scribble(path, page * PAGE)
        journal = opened()
        loaded = journal.load()
        known[len(loaded.memory.presses)] += 1
        assert {call.id for call in loaded.memory.alarms} == set(loaded.memory.presses)
        assert loaded.pending <= len(loaded.memory.presses)
        rows = JournalReader(path).page(None, 1000)
        assert [each for each in rows if each != row(alarm(each.sequence))] == []
        assert loaded.memory.sequence == max((call.sequence for call in loaded.memory.alarms), default=0)
        journal.write(heard(301))
        journal.close()
    print(f"measured: alarms known of 300, and after how many broken pages: {dict(known)}")
    assert known[300] > 0.9 * known.total()


def test_what_is_rescued_belongs_to_earlier_runs(path: Path) -> None:
    """Seconds of two runs must not be compared: the new journal's runs count on from what was rescued."""
    for _ in range(3):
        Journal.open(path, run_bits=BITS, moment=NOW).close()
    journal = Journal.open(path, run_bits=BITS, moment=NOW)
    journal.write([saved(alarm(1, first=replace(NOW, start=4)))])
    journal.close()
    with sqlite3.connect(path) as damage:
        (page,) = damage.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'journal'").fetchone()
    damage.close()
    scribble(path, (page - 1) * PAGE)
    again = Journal.open(path, run_bits=BITS, moment=NOW)
    assert again.set_aside is not None
    assert (again.run.start, again.load().pending) == (5, 1)
    again.close()


def test_a_journal_that_was_new_at_start_is_told_at_once(path: Path) -> None:
    fill(path).close()
    scribble(path, 0, 100)
    journal, ear = Journal.open(path, run_bits=BITS, moment=NOW), Ear()
    worker = JournalWorker(journal, StillClock())
    worker.start(ear)
    try:
        told = ear.until(lambda event: isinstance(event, JournalReplaced))
        assert told == JournalReplaced(journal.run, journal.begun_anew)
    finally:
        worker.stop()


def test_words_and_marks_are_rescued_so_that_nothing_is_done_twice(path: Path) -> None:
    journal = fill(path)
    word, mark = Word("polsek", 5, OrderKind.DRILL, by="Bripka Sari"), Mark("polsek", "database-1", 7, "token-7")
    answer = Answer("polsek", 5, Fate.DONE, 1.5, "rang")
    journal.write([SaveWord(word, answer), SaveMark(mark)])
    journal.close()
    with sqlite3.connect(path) as damage:
        (page,) = damage.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'ix_press_alarm'").fetchone()
    damage.close()
    scribble(path, (page - 1) * PAGE)
    journal = Journal.open(path, run_bits=BITS, moment=NOW)
    memory = journal.load().memory
    assert journal.set_aside is not None
    assert (memory.words, memory.marks) == (((word, answer),), (mark,))
    journal.close()


def test_a_short_log_gives_back_what_is_whole_in_it(path: Path) -> None:
    """The log's tail was lost: the commits before it are there, and nothing is set aside."""
    journal = fill(path, 30)
    file, log = path.read_bytes(), path.with_name("journal.db-wal").read_bytes()
    journal.close()
    copy = path.with_name("copy.db")
    counts = []
    for twentieth in range(21):
        copy.write_bytes(file)
        copy.with_name("copy.db-wal").write_bytes(log[: len(log) * twentieth // 20])
        opened = Journal.open(copy, run_bits=BITS, moment=NOW)
        assert opened.set_aside is None
        counts.append(len(opened.load().memory.presses))
        opened.close()
    assert counts == sorted(counts) and counts[0] == 0 and counts[-1] == 30


def test_damage_found_while_writing_loses_no_fact_in_hand(path: Path) -> None:
    journal = fill(path)
    journal.checkpoint()
    before = journal.run
    for page in range(1, path.stat().st_size // PAGE):
        scribble(path, page * PAGE)
    journal._disconnect()  # the pages that SQLite still holds in memory are gone, as after a reconnect
    journal.write(heard(301))
    assert journal.set_aside is not None and asides(path)
    assert journal.run.journal != before.journal
    assert journal.run.start == before.start  # moments of this run stay this run's
    assert journal.load().memory.presses == {press_id(301): press_id(301)}
    journal.close()


def test_a_deleted_file_is_noticed_before_anything_is_promised(path: Path) -> None:
    journal = fill(path, 3)
    for end in ("", "-wal", "-shm"):
        path.with_name(path.name + end).unlink()
    journal.write(heard(4))
    assert (journal.set_aside, journal.begun_anew != "") == (None, True)
    journal.close()
    again = Journal.open(path, run_bits=BITS, moment=NOW)
    assert again.load().memory.presses == {press_id(4): press_id(4)}
    again.close()


def test_a_file_put_in_the_journals_place_is_not_written(path: Path) -> None:
    journal = fill(path, 3)
    other = path.with_name("other.db")
    sqlite3.connect(other).close()
    other.write_bytes(b"")
    other.rename(path)
    with pytest.raises(JournalFailed, match="replaced by another file"):
        journal.write(heard(4))
    assert path.read_bytes() == b""
    journal.close()


def test_a_reader_that_meets_damage_has_the_whole_file_looked_at(path: Path) -> None:
    journal, ear = fill(path), Ear()
    journal.checkpoint()
    worker = JournalWorker(journal, StillClock())
    worker.start(ear)
    try:
        for page in range(1, path.stat().st_size // PAGE):
            scribble(path, page * PAGE)
        with pytest.raises(JournalFailed) as failed:
            JournalReader(path, on_damage=worker.suspect).page(None, 1000)
        assert "damaged" in str(failed.value) and "\n" not in str(failed.value)
        replaced = ear.until(lambda event: isinstance(event, JournalReplaced))
        assert isinstance(replaced, JournalReplaced) and replaced.run == journal.run
        worker.put(1, heard(301))
        ear.until_committed(1)
        assert JournalReader(path).pending() == 1
    finally:
        worker.stop()


def test_every_kind_of_damage_leaves_a_journal_that_takes_alarms(path: Path, opened: Callable[[], Journal]) -> None:
    """Bytes anywhere in any of the files, cut short anywhere: whatever comes, the post can write."""
    fill(path, 60).close()
    good = path.read_bytes()
    outcomes = {"kept": 0, "set aside": 0}
    for seed in range(60):
        chance = random.Random(seed)
        bad = bytearray(good)
        if chance.random() < 0.3:
            del bad[chance.randrange(len(bad)) :]
        for _ in range(chance.randrange(1, 40)):
            if bad:
                bad[chance.randrange(len(bad))] = chance.randrange(256)
        path.write_bytes(bytes(bad))
        journal = opened()
        journal.load()
        journal.write(heard(1000 + seed))
        outcomes["kept" if journal.set_aside is None else "set aside"] += 1
        assert press_id(1000 + seed) in journal.load().memory.presses
        journal.close()
    print(outcomes)
    assert outcomes["set aside"] > 0
