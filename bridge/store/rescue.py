"""What can still be read in a damaged journal, as facts for the new one. Nothing here changes the damaged file."""

import hashlib
import json
import math
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

from bridge.domain.alarm import Alarm, Moment, Stage
from bridge.domain.commands import Fact, OutboxRow, SaveAlarm, SaveMark, SaveWord
from bridge.domain.desk import Answer, Mark, Word
from bridge.domain.press import Kind, Trust, Via
from bridge.store import schema
from bridge.store.faults import FAULTS
from bridge.store.rows import GARBLED, alarm_from_state, word_from_row

_FARTHEST = 1 << 43  # beyond every sequence
_ALARMS = "SELECT sequence, state, stage FROM alarm WHERE sequence > ? ORDER BY sequence"
_OUTBOX = """
    SELECT sequence, revision, body, sha256, first_start, first_mono_s, first_wall_s, first_trusted,
    first_boot
    FROM outbox WHERE sequence > ? ORDER BY sequence"""
_WORDS = "SELECT rowid AS sequence, * FROM word WHERE rowid > ? ORDER BY rowid"
_MARKS = "SELECT rowid AS sequence, desk, database, number, token FROM mark WHERE rowid > ? ORDER BY rowid"
T = TypeVar("T")


def rescue(damaged: Path) -> list[Fact]:
    """Alarms with their rows for the desk (all pending again), words and marks. Empty where nothing can be read."""
    try:
        connection = schema.reading_raw(damaged)
    except FAULTS:
        return []
    try:
        rows = {row.sequence: row for row in _read(connection, _OUTBOX, _outbox_row)}
        alarms = {alarm.sequence: alarm for alarm in _read(connection, _ALARMS, _alarm)}
        orphans = {key: _alarm_of(row) for key, row in rows.items() if key not in alarms}
        saved = [SaveAlarm(alarm, rows.get(key)) for key, alarm in sorted((alarms | orphans).items())]
        words = [SaveWord(word, answer) for word, answer in _read(connection, _WORDS, _word)]
        return [*saved, *words, *map(SaveMark, _read(connection, _MARKS, _mark))]
    finally:
        connection.close()


def latest_start(facts: list[Fact]) -> int:
    """The highest start counter that any rescued alarm knows; 0 if there is none."""
    return max((fact.alarm.latest.start for fact in facts if isinstance(fact, SaveAlarm)), default=0)


def _read(connection: sqlite3.Connection, query: str, read: Callable[[sqlite3.Row], T]) -> Iterator[T]:
    """Row by row; over a page that cannot be read in ever longer steps. A garbled row is left out."""
    position, step = 0, 1
    while position < _FARTHEST:
        try:
            for row in connection.execute(query, (position,)):
                if row["sequence"] > position:
                    position, step = row["sequence"], 1
                try:
                    yield read(row)
                except GARBLED:
                    continue
            return
        except FAULTS:
            position, step = position + step, step * 2


def _alarm(row: sqlite3.Row) -> Alarm:
    alarm = alarm_from_state(row["state"], row["stage"])
    return replace(alarm, sequence=row["sequence"], first=_sane(alarm.first), latest=_sane(alarm.latest))


def _outbox_row(row: sqlite3.Row) -> OutboxRow:
    """Its hash says whether it is whole."""
    body = str(row["body"])
    if hashlib.sha256(body.encode()).hexdigest() != row["sha256"]:
        raise ValueError("the hash differs")
    when = (row["first_start"], row["first_mono_s"], row["first_wall_s"], bool(row["first_trusted"]), row["first_boot"])
    first = Moment(*when)
    if not isinstance(row["revision"], int):
        raise ValueError("no revision")
    return OutboxRow(json.loads(body)["id"], row["sequence"], row["revision"], body, row["sha256"], _sane(first))


def _alarm_of(row: OutboxRow) -> Alarm:
    """The alarm whose own row is garbled, from what is told to the desk: enough to send it and to know its presses."""
    told: dict[str, Any] = json.loads(row.body)
    return Alarm(
        row.alarm, row.sequence, told["source"], Kind(told["kind"]), Trust[told["trust"]], Via(told["via"]),
        row.first, row.first, tuple(told["ids"]), words=tuple(told["words"]), channel=told["channel"],
        revision=row.revision, stage=Stage.JOURNALED,
    )  # fmt: skip


def _word(row: sqlite3.Row) -> tuple[Word, Answer]:
    return word_from_row(SimpleNamespace(**dict(row)))


def _mark(row: sqlite3.Row) -> Mark:
    return Mark(row["desk"], row["database"], row["number"], row["token"])


def _sane(moment: Moment) -> Moment:
    named = isinstance(moment.start, int) and isinstance(moment.boot, str)
    if not (named and math.isfinite(moment.mono_s) and math.isfinite(moment.wall_s)):
        raise ValueError("no moment")
    return moment
