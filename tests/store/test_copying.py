"""A journal's copy is whole while a bridge writes, and restored it is a journal of its own."""

import json
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.domain.alarm import Stage
from bridge.domain.commands import SaveWord
from bridge.domain.desk import Answer, Fate, OrderKind, Word
from bridge.domain.errors import JournalFailed
from bridge.store import Journal, JournalReader
from bridge.store.copying import begin_anew, copy_of
from tests.store.village import BITS, NOW, POST, alarm, receipt, saved


def restored(copy: bytes, path: Path) -> Path:
    path.write_bytes(copy)
    return path


def asked(path: Path, question: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as journal:
        return journal.execute(question).fetchall()


def test_a_copy_taken_while_a_bridge_writes_is_one_moment(journal: Journal, path: Path, tmp_path: Path) -> None:
    """Each commit holds two alarms; no copy may hold an odd number, nor fewer than one before it."""
    is_over = threading.Event()

    def strike() -> None:
        number = 0
        while not is_over.is_set() and number < 400:
            journal.write([saved(alarm(number + 1)), saved(alarm(number + 2))])
            number += 2

    striking = threading.Thread(target=strike)
    striking.start()
    try:
        counts = []
        for turn in range(10):
            copy = restored(copy_of(path), tmp_path / f"copy-{turn}.db")
            counts += [JournalReader(copy).pending()]
    finally:
        is_over.set()
        striking.join()
    assert counts == sorted(counts)
    assert all(count % 2 == 0 for count in counts)


def test_a_restored_journal_tells_its_open_alarms_again_under_its_own_name(
    journal: Journal, path: Path, tmp_path: Path
) -> None:
    stored, over, fresh = alarm(1, revision=3), alarm(2, stage=Stage.CLOSED), alarm(3)
    journal.write([saved(stored), saved(over), saved(fresh), receipt(stored, over)])
    copy = restored(copy_of(path), tmp_path / "copy.db")
    assert begin_anew(copy, POST) == 2
    rows = {row.alarm: row for row in JournalReader(copy).page(None, 10)}
    assert {name: row.revision for name, row in rows.items()} == {stored.id: 4, fresh.id: 2}
    ((name, starts),) = asked(copy, "SELECT uuid, starts FROM journal")
    assert {json.loads(row.body)["journal"] for row in rows.values()} == {name}
    assert (name, starts) != (journal.run.journal, journal.run.start) and starts == journal.run.start
    assert not copy.with_name("copy.db-wal").exists(), "the file alone is the journal"


def test_every_press_that_was_known_is_known_to_the_next_bridge(journal: Journal, path: Path, tmp_path: Path) -> None:
    journal.write([saved(alarm(1)), saved(alarm(2, stage=Stage.CLOSED))])
    copy = restored(copy_of(path), tmp_path / "copy.db")
    begin_anew(copy, POST)
    with closing(Journal.open(copy, run_bits=BITS, moment=NOW)) as again:
        assert set(again.load().memory.presses) == {alarm(1).id, alarm(2).id}
        assert again.run.start == journal.run.start + 1
        assert again.run.journal != journal.run.journal


def test_two_cards_from_one_backup_are_two_journals(journal: Journal, path: Path, tmp_path: Path) -> None:
    copy = copy_of(path)
    names = set()
    for card in ("one.db", "two.db"):
        begin_anew(restored(copy, tmp_path / card), POST)
        names |= {name for (name,) in asked(tmp_path / card, "SELECT uuid FROM journal")}
    assert len(names | {journal.run.journal}) == 3


def test_a_word_that_was_still_to_be_told_is_left_to_the_desk(journal: Journal, path: Path, tmp_path: Path) -> None:
    words = [
        (Word("polsek", number, OrderKind.MESSAGE, alarm(1).id, alarm(1).source, None, "Budi", "kami datang"), fate)
        for number, fate in enumerate((Fate.RECEIVED, Fate.TOLD), start=1)
    ]
    journal.write(
        [saved(alarm(1)), *(SaveWord(word, Answer("polsek", word.number, fate, 1.0, "")) for word, fate in words)]
    )
    copy = restored(copy_of(path), tmp_path / "copy.db")
    begin_anew(copy, POST)
    assert asked(copy, "SELECT number, fate FROM word") == [(2, "told")]


def test_a_damaged_journal_is_not_copied_as_if_it_were_whole(opened: Callable[[], Journal], path: Path) -> None:
    journal = opened()
    journal.write([saved(replace(alarm(number), words=("api " * 50,))) for number in range(1, 60)])
    journal.checkpoint()
    journal.close()
    raw = bytearray(path.read_bytes())
    raw[8192 : len(raw) - 4096] = b"\xff" * (len(raw) - 12288)
    path.write_bytes(raw)
    with pytest.raises(JournalFailed, match="damaged"):
        copy_of(path)


def test_a_file_that_is_no_journal_becomes_none(tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(JournalFailed, match="damaged"):
        begin_anew(tmp_path / "copy.db", POST)
