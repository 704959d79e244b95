"""The journal's stories on a real SQLite file."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from bridge.domain.alarm import Moment, Outcome, Stage
from bridge.domain.commands import Reopen, SaveAlarm, SaveMark, SaveReply, SaveSighting, SaveWord
from bridge.domain.desk import Answer, Fate, Mark, OrderKind, Word
from bridge.domain.errors import JournalBusy, JournalFailed
from bridge.domain.press import Kind, Sighting
from bridge.domain.step import Step
from bridge.store import Journal, JournalReader, schema, without_disk
from bridge.store.tables import Row
from tests.store.village import BITS, DAY_S, NOW, TODAY_S, alarm, heard, press_id, receipt, row, saved

ROOT = Path(__file__).resolve().parents[2]
LONG_AGO = replace(NOW, wall_s=TODAY_S - 100 * DAY_S)
REOPEN = Reopen("polsek", "a new database")


def pending(path: Path) -> list[tuple[str, int]]:
    return [(each.alarm, each.revision) for each in JournalReader(path).page(None, 1000)]


# --- a run, and the next ------------------------------------------------------------------------------------------


def test_each_start_is_a_new_run_of_the_same_journal(opened: Callable[[], Journal]) -> None:
    runs = []
    for _ in range(3):
        journal = opened()
        runs.append(journal.run)
        journal.close()
    assert [run.start for run in runs] == [1, 2, 3]
    assert len({run.journal for run in runs}) == 1 and len(runs[0].journal) == 36
    assert runs[0].bits == BITS


def test_what_was_written_is_there_after_a_restart(opened: Callable[[], Journal]) -> None:
    journal = opened()
    again = replace(alarm(1).seen(Sighting("gw", 1.5, -80, 0, TODAY_S)), presses=(press_id(1), "other/1"), revision=2)
    word = Word("polsek", 5, OrderKind.STAGE, press_id(1), "", Stage.ACKNOWLEDGED, "Bripka Sari")
    answer = Answer("polsek", 5, Fate.TOLD, TODAY_S)
    mark = Mark("polsek", "database-1", 7, "token-7")
    journal.write([*heard(1), saved(again), *heard(2), SaveWord(word, answer), SaveMark(mark)])
    journal.close()
    loaded = opened().load()
    assert loaded.memory.alarms == (again, alarm(2))
    assert loaded.memory.presses == {press_id(1): press_id(1), "other/1": press_id(1), press_id(2): press_id(2)}
    assert loaded.memory.words == ((word, answer),)
    assert loaded.memory.marks == (mark,)
    assert (loaded.memory.sequence, loaded.pending) == (2, 2)


def test_a_writer_killed_at_once_has_kept_what_it_promised(path: Path, opened: Callable[[], Journal]) -> None:
    program = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom bridge.store import Journal\n"
        "from tests.store.village import BITS, NOW, heard\n"
        "journal = Journal.open(Path(sys.argv[1]), run_bits=BITS, moment=NOW)\n"
        "for number in range(1, 21): journal.write(heard(number))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program, path], cwd=ROOT, timeout=60, check=False)
    assert ended.returncode == -signal.SIGKILL
    journal = opened()
    assert journal.run.start == 2
    assert set(journal.load().memory.presses) == {press_id(number) for number in range(1, 21)}


def test_only_a_day_and_what_is_open_comes_into_memory(journal: Journal) -> None:
    old = replace(NOW, wall_s=TODAY_S - 2 * DAY_S)
    calls = [alarm(1, first=old, stage=Stage.CLOSED), alarm(2, first=old), alarm(3, stage=Stage.CLOSED)]
    journal.write([saved(call) for call in calls])
    loaded = journal.load()
    assert [call.sequence for call in loaded.memory.alarms] == [2, 3]
    assert len(loaded.memory.presses) == 3


def test_a_clock_that_is_not_trusted_makes_nothing_old(path: Path) -> None:
    moment = Moment(0, 0.0, 0.0, False)
    for _ in range(2):
        journal = Journal.open(path, run_bits=BITS, moment=moment)
        journal.write([saved(alarm(1, first=LONG_AGO, stage=Stage.CLOSED))])
        assert len(journal.load().memory.alarms) == 1
        journal.close()


# --- custody ------------------------------------------------------------------------------------------------------


def test_only_a_receipt_of_this_revision_and_hash_clears_the_row(path: Path, journal: Journal) -> None:
    first, second = alarm(1), replace(alarm(1), kind=Kind.THEFT, revision=2)
    journal.write([saved(first)])
    forged = receipt(first)
    journal.write([replace(forged, items=(replace(forged.items[0], sha256="0" * 64),))])
    assert pending(path) == [(first.id, 1)]
    journal.write([saved(second), receipt(first)])
    assert pending(path) == [(first.id, 2)]
    journal.write([receipt(second, commit=2)])
    assert (pending(path), journal.load().pending) == ([], 0)
    assert journal.load().memory.alarms[0].stage is Stage.STORED


def test_a_receipt_for_an_alarm_nobody_knows_changes_only_the_mark(path: Path, journal: Journal) -> None:
    journal.write([*heard(1), receipt(alarm(9), commit=4)])
    assert pending(path) == [(press_id(1), 1)]
    assert journal.load().memory.marks == (Mark("polsek", "database-1", 4, "token-4"),)


def test_a_quarantined_alarm_is_in_custody_and_keeps_its_reason(path: Path, journal: Journal) -> None:
    journal.write([*heard(1), receipt(alarm(1), reason="kind unknown here")])
    shown = JournalReader(path).alarm(press_id(1))
    assert (pending(path), shown["desk"], shown["outbox"]["reason"]) == ([], "quarantined", "kind unknown here")


def test_a_row_keeps_its_highest_revision(path: Path, journal: Journal) -> None:
    high, low = alarm(1, revision=3), alarm(1, revision=2)
    journal.write([saved(high)])
    journal.write([saved(low)])
    (kept,) = JournalReader(path).page(None, 10)
    assert kept == row(high)


def test_the_stage_only_climbs(journal: Journal) -> None:
    journal.write([saved(alarm(1)), SaveAlarm(replace(alarm(1), stage=Stage.DISPATCHED))])
    journal.write([receipt(alarm(1)), saved(alarm(1, revision=2))])
    (call,) = journal.load().memory.alarms
    assert (call.stage, call.revision) == (Stage.DISPATCHED, 2)


def test_when_the_desk_lost_something_everything_is_pending_again(path: Path, journal: Journal) -> None:
    journal.write([*heard(1), *heard(2), receipt(alarm(1), alarm(2))])
    assert pending(path) == []
    journal.write([REOPEN])
    assert pending(path) == [(press_id(2), 1), (press_id(1), 1)]


def test_a_receipt_before_the_loss_is_undone_and_one_after_it_counts(path: Path, journal: Journal) -> None:
    journal.write([*heard(1), *heard(2), receipt(alarm(1)), REOPEN, receipt(alarm(2), commit=2)])
    assert pending(path) == [(press_id(1), 1)]


def test_writing_the_same_facts_again_changes_nothing(path: Path, journal: Journal) -> None:
    facts = [*heard(1), SaveReply(press_id(1), Step.JOURNALED, Outcome.TOLD, TODAY_S), receipt(alarm(1))]
    journal.write(facts)
    before = JournalReader(path).alarm(press_id(1))
    journal.write(facts)
    assert JournalReader(path).alarm(press_id(1)) == before
    assert (len(before["sightings"]), len(before["replies"])) == (1, 1)


def test_facts_about_an_alarm_that_is_not_here_do_no_harm(journal: Journal) -> None:
    seen = SaveSighting("lost", "lost", Sighting("gw"))
    journal.write([seen, SaveReply("lost", Step.STORED, Outcome.TOLD, TODAY_S), *heard(1)])
    assert journal.load().memory.presses == {press_id(1): press_id(1)}


# --- retention ----------------------------------------------------------------------------------------------------


def test_what_waits_for_the_desk_is_never_forgotten(path: Path, journal: Journal) -> None:
    old = [alarm(number, first=LONG_AGO, stage=Stage.CLOSED) for number in range(1, 452)]
    journal.write([*map(saved, old), receipt(*old[1:]), *heard(500), receipt(alarm(500), commit=2)])
    batches = [journal.retain(TODAY_S) for _ in range(4)]
    assert batches == [200, 200, 50, 0]
    assert set(journal.load().memory.presses) == {press_id(1), press_id(500)}
    assert pending(path) == [(press_id(1), 1)]


def test_an_alarm_takes_all_that_hangs_on_it_along(path: Path, journal: Journal) -> None:
    call = alarm(1, first=LONG_AGO)
    sighting = SaveSighting(call.id, call.id, Sighting("gw"))
    journal.write([saved(call), sighting, SaveReply(call.id, Step.STORED, Outcome.TOLD, 1.0), receipt(call)])
    assert journal.retain(TODAY_S) == 1
    with sqlite3.connect(path) as look:
        tables = ("alarm", "press", "sighting", "reply", "outbox")
        assert [look.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables] == [0] * 5
    look.close()


def test_who_called_under_a_wrong_clock_is_kept_as_long_as_everybody(journal: Journal) -> None:
    call = alarm(1, first=Moment(1, 5.0, 12.0, False))
    journal.write([saved(call), receipt(call)])
    assert journal.retain(TODAY_S) == 0
    assert journal.retain(TODAY_S + 89 * DAY_S) == 0
    assert journal.retain(TODAY_S + 91 * DAY_S) == 1


def test_old_words_are_forgotten_once_the_engine_refuses_them(journal: Journal) -> None:
    def said(days_ago: float, fate: Fate) -> SaveWord:
        number = int((TODAY_S - days_ago * DAY_S) * 1000)
        word = Word("polsek", number, OrderKind.DRILL)
        return SaveWord(word, Answer("polsek", number, fate, TODAY_S))

    journal.write([said(91, Fate.DONE), said(92, Fate.RECEIVED), said(89, Fate.DONE)])
    assert journal.retain(TODAY_S, kept_s=DAY_S) == 1
    assert {answer.fate for _, answer in journal.load().memory.words} == {Fate.RECEIVED, Fate.DONE}


def test_keeping_house_writes_nothing_when_nothing_is_old(path: Path, journal: Journal) -> None:
    journal.write([*heard(1), receipt(alarm(1))])
    log = path.with_name("journal.db-wal")
    before = log.stat().st_mtime_ns, log.stat().st_size
    assert journal.retain(TODAY_S) == 0
    assert (log.stat().st_mtime_ns, log.stat().st_size) == before


# --- one bridge, one schema ---------------------------------------------------------------------------------------


def test_a_second_bridge_is_told_who_holds_the_journal(path: Path, journal: Journal) -> None:
    journal.write(heard(1))
    with pytest.raises(JournalBusy) as refused:
        Journal.open(path, run_bits=BITS, moment=NOW)
    assert f"process {os.getpid()}" in str(refused.value) and "\n" not in str(refused.value)
    journal.write(heard(2))
    assert journal.load().pending == 2


def test_the_lock_goes_with_its_holder(path: Path, opened: Callable[[], Journal]) -> None:
    program = (
        "import sys, time\nfrom pathlib import Path\nfrom bridge.store import Journal\n"
        "from tests.store.village import BITS, NOW\n"
        "journal = Journal.open(Path(sys.argv[1]), run_bits=BITS, moment=NOW)\n"
        "print('held', flush=True)\ntime.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, path], cwd=ROOT, stdout=subprocess.PIPE) as holder:
        try:
            assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
            with pytest.raises(JournalBusy, match=f"process {holder.pid}"):
                opened()
        finally:
            holder.kill()
    assert opened().run.start == 2


def test_a_newer_journal_is_refused_and_left_as_it_is(path: Path, opened: Callable[[], Journal]) -> None:
    opened().close()
    alter(path, "UPDATE alembic_version SET version_num = 'journal_0999'")
    before = path.read_bytes()
    with pytest.raises(JournalFailed, match="written by a newer kentongan"):
        opened()
    assert path.read_bytes() == before


def test_another_programs_database_is_refused_and_left_as_it_is(path: Path, opened: Callable[[], Journal]) -> None:
    alter(path, "CREATE TABLE alembic_version (version_num TEXT)", "INSERT INTO alembic_version VALUES ('0001')")
    before = path.read_bytes()
    with pytest.raises(JournalFailed, match="another program's database"):
        opened()
    assert path.read_bytes() == before


def alter(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    with connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def test_a_new_file_holds_what_all_revisions_come_to(path: Path, journal: Journal) -> None:
    """Written anew with: schema.NEW_FILE.write_text(schema.sql_of_all_revisions())."""
    assert schema.NEW_FILE.read_text(encoding="utf-8") == schema.sql_of_all_revisions()
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_current_head() == schema.HEAD


def test_the_revisions_make_exactly_the_tables_that_are_declared(path: Path, opened: Callable[[], Journal]) -> None:
    opened().close()
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Row.metadata) == []
    engine.dispose()


def test_an_older_journal_is_brought_up_to_date_by_alembic(path: Path, opened: Callable[[], Journal]) -> None:
    """From before the first table: what a revision does, it does in one transaction or not at all."""
    alter(path, "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    journal = opened()
    journal.write(heard(1))
    assert (journal.run.start, journal.load().pending) == (1, 1)


@pytest.mark.parametrize("is_new", [True, False])
def test_a_start_costs_no_alembic(path: Path, opened: Callable[[], Journal], is_new: bool) -> None:
    if not is_new:
        opened().close()
    program = (
        "import sys\nfrom pathlib import Path\nfrom bridge.store import Journal\n"
        "from bridge.domain.alarm import Moment\n"
        "Journal.open(Path(sys.argv[1]), run_bits='ab', moment=Moment(0, 0.0, 0.0, False)).close()\n"
        "print([name for name in ('alembic', 'sqlmodel') if name in sys.modules])\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, path], cwd=ROOT, timeout=60, check=True, capture_output=True, text=True
    )
    assert ended.stdout == "[]\n"


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(JournalFailed) as failed:
        Journal.open(tmp_path / "file" / "journal.db", run_bits=BITS, moment=NOW)
    assert "\n" not in str(failed.value) and "Not a directory" in str(failed.value)


@pytest.mark.parametrize("trusted", [True, False])
def test_without_a_disk_the_sequences_fit_into_any_journal_later(journal: Journal, trusted: bool) -> None:
    """Also where the clock wakes up in 1970 each time, and the disk fails at two starts."""
    for number, bits in enumerate((BITS, "beef00beef00beef"), start=1):
        woke_up = replace(NOW, wall_s=TODAY_S + number if trusted else 25.0, trusted=trusted)
        run, loaded = without_disk(bits, woke_up)
        assert (run.start, loaded.pending, loaded.memory.alarms) == (0, 0, ())
        journal.write([saved(replace(alarm(10 * number), sequence=loaded.memory.sequence + 1))])
        assert loaded.memory.sequence + 1 < 1 << 43, "what a damaged journal is searched for"
    journal.write([*heard(1)])
    assert journal.load().pending == 3
