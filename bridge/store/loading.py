"""What the engine takes into memory at start."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection

from bridge.domain.alarm import Alarm, Moment, Stage
from bridge.domain.desk import Mark
from bridge.ledger import FORGET_S, Memory
from bridge.store.rows import GARBLED, alarm_from_state, word_from_row

log = structlog.get_logger()
T = TypeVar("T")

NEWEST = 2000  # alarms that are taken into memory at most
PENDING = "SELECT count(*) FROM outbox WHERE receipted < revision"
# Where the clock cannot be trusted nothing is too old.
_RECENT = """
    SELECT state, stage FROM alarm WHERE stage < ? OR latest_wall_s >= ? ORDER BY sequence DESC LIMIT ?"""
_WORDS = "SELECT * FROM word"
_MARKS = "SELECT desk, database, number, token FROM mark"
_PRESSES = "SELECT press.id, alarm.id FROM press JOIN alarm ON alarm.sequence = press.alarm"


def load_memory(connection: Connection, now: Moment) -> tuple[Memory, int]:
    """The memory and the number of alarms that wait for the desk. Raises SQLAlchemyError."""
    memory = Memory(
        alarms=_alarms(connection, now),
        presses=_presses(connection),
        words=tuple(legible(word_from_row, connection.exec_driver_sql(_WORDS))),
        marks=tuple(Mark(*row) for row in connection.exec_driver_sql(_MARKS)),
        sequence=connection.exec_driver_sql("SELECT coalesce(max(sequence), 0) FROM alarm").scalar_one(),
    )
    return memory, connection.exec_driver_sql(PENDING).scalar_one()


def _alarms(connection: Connection, now: Moment) -> tuple[Alarm, ...]:
    since = now.wall_s - FORGET_S if now.trusted else float("-inf")
    rows = connection.exec_driver_sql(_RECENT, (Stage.CLOSED.value, since, NEWEST)).all()
    return tuple(legible(lambda row: alarm_from_state(row.state, row.stage), reversed(rows)))


def _presses(connection: Connection) -> dict[str, str]:
    """Most presses are the first of their alarm and share its text, which halves the memory."""
    rows = connection.exec_driver_sql(_PRESSES)
    return {press: press if press == alarm else alarm for press, alarm in rows}


def legible(read: Callable[[Any], T], rows: Iterable[Any]) -> Iterator[T]:
    """A row that the disk has garbled in place is left out; what waits for the desk is sent from the outbox anyway."""
    for row in rows:
        try:
            yield read(row)
        except GARBLED as error:
            log.error("a row of the journal is garbled", row=str(row)[:200], why=repr(error))
