"""A journal's copy: taken while a bridge writes, and given a life of its own when it is restored.

A copy is older than what it was copied from: the desk knows later revisions under the same journal's name, and would
take new ones for old. So a restored journal gets a new name, and tells its open alarms again under it; the desk joins
them to their cases by their presses, and tells the post what officers have said of them since.
"""

import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Connection

from bridge.domain.alarm import Stage
from bridge.domain.commands import SaveAlarm
from bridge.domain.ids import PostId, Run
from bridge.domain.report import freeze
from bridge.store import schema
from bridge.store.faults import FAULTS, JournalDamaged, translate
from bridge.store.loading import legible
from bridge.store.rows import alarm_from_state
from bridge.store.writing import write_facts

_OPEN = "SELECT state, stage FROM alarm WHERE stage < ? ORDER BY sequence"
# An officer's word that was still to be told. If its fate is not known at the desk, the desk says it again; if it is,
# the striker was told, and must not hear it a second time days later.
_UNFINISHED_WORDS = "DELETE FROM word WHERE fate = 'received'"


def copy_of(path: Path) -> bytes:
    """The whole file as of one moment, checked. A bridge may run. Raises JournalFailed."""
    try:
        with closing(schema.reading_raw(path)) as journal, closing(sqlite3.connect(":memory:")) as copy:
            journal.backup(copy)
            said = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
            if said != "ok":
                raise JournalDamaged(f"journal {path} is damaged ({said})")
            return copy.serialize()
    except FAULTS as error:
        raise translate(error, path) from error


def begin_anew(path: Path, post: PostId) -> int:
    """Make a copy a journal of its own; how many open alarms it will tell again. Raises JournalFailed."""
    try:
        with schema.writing(path) as connection:
            schema.bring_up_to_date(connection, path)
            schema.check(connection, path)
            with connection.begin():
                found = connection.exec_driver_sql("SELECT starts FROM journal").first()
                if found is None:
                    return 0  # no bridge ever began with it
                run = Run(str(uuid.uuid4()), found.starts, "")
                connection.exec_driver_sql("UPDATE journal SET uuid = ?", (run.journal,))
                connection.exec_driver_sql(_UNFINISHED_WORDS)
                again = list(_told_again(connection, post, run))
                write_facts(connection, again)
            schema.checkpoint(connection)
        return len(again)
    except FAULTS as error:
        raise translate(error, path) from error


def _told_again(connection: Connection, post: PostId, run: Run) -> Iterator[SaveAlarm]:
    rows = connection.exec_driver_sql(_OPEN, (Stage.CLOSED.value,)).all()
    for alarm in legible(lambda row: alarm_from_state(row.state, row.stage), rows):
        risen = replace(alarm, revision=alarm.revision + 1)
        yield SaveAlarm(risen, freeze(risen, post, run))
