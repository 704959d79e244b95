"""Facts as statements: one transaction, table by table, each with executemany. Every statement may be repeated.

A commit whose outcome is unknown (the disk failed while it was made) is simply written again.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, assert_never

from sqlalchemy import Connection

from bridge.domain.alarm import Alarm
from bridge.domain.commands import (
    Fact,
    OutboxRow,
    Reopen,
    SaveAlarm,
    SaveMark,
    SaveReceipts,
    SaveReply,
    SaveSighting,
    SaveWord,
)
from bridge.domain.desk import Mark
from bridge.store.rows import alarm_to_state, word_to_row

# What hangs on an alarm finds its key by the alarm's id: where the alarm is not in this journal, nothing is added.
ALARM = """
    INSERT INTO alarm (sequence, id, source, kind, stage, latest_wall_s, kept_from_s, state)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET kind = excluded.kind,
    stage = max(stage, excluded.stage), latest_wall_s = excluded.latest_wall_s,
    kept_from_s = coalesce(kept_from_s, excluded.kept_from_s), state = excluded.state"""
PRESS = "INSERT OR IGNORE INTO press (id, alarm) SELECT ?, sequence FROM alarm WHERE id = ?"
OUTBOX = """
    INSERT INTO outbox (sequence, revision, receipted, body, sha256, first_start, first_mono_s, first_wall_s,
    first_trusted, first_boot, reason) SELECT sequence, ?, 0, ?, ?, ?, ?, ?, ?, ?, '' FROM alarm WHERE id = ?
    ON CONFLICT (sequence) DO UPDATE SET revision = excluded.revision, body = excluded.body, sha256 = excluded.sha256
    WHERE excluded.revision > revision"""
SIGHTING = """
    INSERT OR IGNORE INTO sighting (alarm, press, radio, at, snr_db, rssi_dbm, hops)
    SELECT sequence, ?, ?, ?, ?, ?, ? FROM alarm WHERE id = ?"""
REPLY = "INSERT OR IGNORE INTO reply (alarm, step, at, outcome) SELECT sequence, ?, ?, ? FROM alarm WHERE id = ?"
WORD = """
    INSERT INTO word (desk, number, kind, alarm, source, stage, "by", text, fate, at, detail)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (desk, number) DO UPDATE
    SET fate = excluded.fate, at = excluded.at, detail = excluded.detail"""
MARK = """
    INSERT INTO mark (desk, database, number, token) VALUES (?, ?, ?, ?) ON CONFLICT (desk) DO UPDATE
    SET database = excluded.database, number = excluded.number, token = excluded.token"""
RECEIPT = """
    UPDATE outbox SET receipted = revision, reason = ?
    WHERE sequence = (SELECT sequence FROM alarm WHERE id = ?) AND revision = ? AND sha256 = ?"""
STORED = "UPDATE alarm SET stage = 3 WHERE id = ? AND stage < 3"  # Stage.STORED: the desk has some revision of it
REOPEN = "UPDATE outbox SET receipted = 0, reason = '' WHERE receipted <> 0"


class Rows:
    """The rows of some facts, by statement. The statements run in the order in which they stand here."""

    def __init__(self, facts: Iterable[Fact]) -> None:
        order = (ALARM, PRESS, OUTBOX, SIGHTING, REPLY, RECEIPT, STORED, WORD, MARK, REOPEN)
        self._rows: dict[str, list[tuple[Any, ...]]] = {statement: [] for statement in order}
        for fact in facts:
            self._add(fact)

    def write(self, connection: Connection) -> None:
        for statement, rows in self._rows.items():
            if rows:
                connection.exec_driver_sql(statement, rows)

    def _add(self, fact: Fact) -> None:
        match fact:
            case SaveAlarm(alarm, row, _):
                self._alarm(alarm, row)
            case SaveSighting(alarm_id, press, seen):
                self._rows[SIGHTING].append(
                    (press, seen.radio, seen.at, seen.snr_db, seen.rssi_dbm, seen.hops, alarm_id)
                )
            case SaveReceipts(mark, items):
                self._mark(mark)
                self._rows[RECEIPT] += [(item.reason, item.alarm, item.revision, item.sha256) for item in items]
                self._rows[STORED] += [(item.alarm,) for item in items]
            case SaveReply(alarm_id, step, outcome, at):
                self._rows[REPLY].append((step.value, at, outcome.value, alarm_id))
            case SaveWord(word, answer):
                self._rows[WORD].append(word_to_row(word, answer))
            case SaveMark(mark):
                self._mark(mark)
            case Reopen():
                self._rows[REOPEN] = [()]
            case _:
                assert_never(fact)

    def _alarm(self, alarm: Alarm, row: OutboxRow | None) -> None:
        kept_from = alarm.first.wall_s if alarm.first.trusted else None
        key = (alarm.sequence, alarm.id, alarm.source, alarm.kind.value, alarm.stage.value)
        self._rows[ALARM].append((*key, alarm.latest.wall_s, kept_from, alarm_to_state(alarm)))
        # All its presses, not only the new ones: a journal that was begun anew learns the old ones this way.
        self._rows[PRESS] += [(press, alarm.id) for press in alarm.presses]
        if row is not None:
            first = row.first
            when = (first.start, first.mono_s, first.wall_s, first.trusted, first.boot)
            self._rows[OUTBOX].append((row.revision, row.body, row.sha256, *when, row.alarm))

    def _mark(self, mark: Mark) -> None:
        self._rows[MARK].append((mark.desk, mark.database, mark.commit, mark.token))


def write_facts(connection: Connection, facts: Sequence[Fact]) -> None:
    """All facts, inside the caller's transaction. A Reopen keeps its place: receipts before it are undone by it."""
    for _, group in groupby(facts, key=lambda fact: isinstance(fact, Reopen)):
        Rows(group).write(connection)
