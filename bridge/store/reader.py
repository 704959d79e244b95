"""Looks into the journal from any thread or process, also while no bridge runs. Each look is a connection of its own:

nothing is shared between threads, a journal that was set aside is not read on by mistake, and the log of the writer is
never held up for longer than one page.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from bridge.domain.alarm import Alarm, Moment
from bridge.domain.commands import OutboxRow
from bridge.domain.errors import JournalFailed
from bridge.store import schema
from bridge.store.faults import FAULTS, JournalDamaged, translate
from bridge.store.loading import PENDING, legible
from bridge.store.rows import alarm_from_state

_NEWEST = (1 << 63) - 1
_PAGE = """
    SELECT alarm.id, outbox.sequence, revision, body, sha256, first_start, first_mono_s, first_wall_s, first_trusted,
    first_boot
    FROM outbox INDEXED BY outbox_pending JOIN alarm ON alarm.sequence = outbox.sequence
    WHERE receipted < revision AND outbox.sequence < ? ORDER BY outbox.sequence DESC LIMIT ?"""
_ALARMS = """
    SELECT state, stage, revision, receipted, reason FROM alarm LEFT JOIN outbox USING (sequence)
    WHERE stage < ? ORDER BY sequence DESC LIMIT ?"""
_ALARM = "SELECT sequence, state, stage FROM alarm WHERE id = ?"
_OUTBOX = "SELECT revision, receipted, reason, sha256, body FROM outbox WHERE sequence = ?"
_SIGHTINGS = "SELECT press, radio, at, snr_db, rssi_dbm, hops FROM sighting WHERE alarm = ? ORDER BY at"
_REPLIES = "SELECT step, outcome, at FROM reply WHERE alarm = ? ORDER BY at"
_WORDS = 'SELECT desk, number, kind, stage, "by", text, fate, at, detail FROM word WHERE alarm = ? ORDER BY number'
_CLOSED, _ANY = 7, 8  # stages below which an alarm is open, and every alarm is


class JournalReader:
    """Raises JournalFailed with one clear line from every method. `on_damage` is called where the file is damaged.

    While `is_hung` nothing is read: whoever asked would wait for the disk too, and an uplink has alarms to send.
    """

    def __init__(
        self, path: Path, on_damage: Callable[[], None] = lambda: None, is_hung: Callable[[], bool] = lambda: False
    ) -> None:
        self._path, self._on_damage, self._is_hung = path, on_damage, is_hung

    def page(self, before: int | None, limit: int) -> list[OutboxRow]:
        """Rows that wait for the desk with a sequence below `before` (None: all), newest first."""
        with self._look() as connection:
            rows = connection.exec_driver_sql(_PAGE, (_NEWEST if before is None else before, limit)).all()
        return [
            OutboxRow(alarm, sequence, revision, body, sha256, Moment(start, mono_s, wall_s, bool(trusted), boot))
            for alarm, sequence, revision, body, sha256, start, mono_s, wall_s, trusted, boot in rows
        ]

    def pending(self) -> int:
        """How many alarms wait for the desk."""
        with self._look() as connection:
            return int(connection.exec_driver_sql(PENDING).scalar_one())

    def alarms(self, limit: int, open_only: bool = False) -> list[dict[str, Any]]:
        """The newest alarms first, each a JSON-able line of a list."""
        with self._look() as connection:
            rows = connection.exec_driver_sql(_ALARMS, (_CLOSED if open_only else _ANY, limit)).all()
        return list(legible(_with_custody, rows))

    def alarm(self, alarm_id: str) -> dict[str, Any]:
        """Everything about one alarm, JSON-able."""
        with self._look() as connection:
            found = connection.exec_driver_sql(_ALARM, (alarm_id,)).first()
            if found is None:
                raise JournalFailed(
                    f"journal {self._path}: tidak ada (no alarm) {alarm_id!r}; lihat (see): kentongan journal list"
                )
            sequence, line = found.sequence, next(legible(_line_of, [found]), {"id": alarm_id})
            outbox = _dicts(connection, _OUTBOX, sequence)
            return line | {
                "desk": _custody(*(outbox[0][name] for name in ("revision", "receipted", "reason"))) if outbox else "",
                "outbox": outbox[0] if outbox else None,
                "sightings": _dicts(connection, _SIGHTINGS, sequence),
                "replies": _dicts(connection, _REPLIES, sequence),
                "words": _dicts(connection, _WORDS, alarm_id),
            }

    @contextmanager
    def _look(self) -> Iterator[Connection]:
        if self._is_hung():
            raise JournalFailed(f"journal {self._path}: the disk does not answer; what is in it is not read meanwhile")
        if not self._path.exists():
            raise JournalFailed(
                f"journal {self._path}: belum ada; jembatan membuatnya saat pertama berjalan "
                "(no such file; the bridge makes it when it first runs)"
            )
        try:
            with schema.reading(self._path) as connection:
                yield connection
        except FAULTS as error:
            failure = translate(error, self._path)
            if isinstance(failure, JournalDamaged):
                self._on_damage()
            raise failure from error


def _line_of(row: Any) -> dict[str, Any]:
    return _line(alarm_from_state(row.state, row.stage))


def _with_custody(row: Any) -> dict[str, Any]:
    return _line_of(row) | {"desk": _custody(row.revision, row.receipted, row.reason)}


def _line(alarm: Alarm) -> dict[str, Any]:
    return {
        "id": alarm.id,
        "sequence": alarm.sequence,
        "source": alarm.source,
        "kind": alarm.kind.value,
        "trust": alarm.trust.name,
        "via": alarm.via.value,
        "place": str(alarm.place or ""),
        "stage": alarm.stage.name,
        "by": alarm.by,
        "first_at": alarm.first.wall_s,
        "latest_at": alarm.latest.wall_s,
        "clock_trusted": alarm.first.trusted,
        "presses": list(alarm.presses),
        "heard": list(alarm.words),
        "remarks": sorted(alarm.remarks),
        "channel": alarm.channel,
        "revision": alarm.revision,
        "told": alarm.told and {"stage": alarm.told.stage.name, "outcome": alarm.told.outcome, "at": alarm.told.at},
    }


def _custody(revision: int | None, receipted: int | None, reason: str | None) -> str:
    """Whether the desk has it: `waiting`, `stored`, `quarantined`, or '' where nothing is to be sent."""
    if revision is None or receipted is None:
        return ""
    if receipted < revision:
        return "waiting"
    return "quarantined" if reason else "stored"


def _dicts(connection: Connection, query: str, key: int | str) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.exec_driver_sql(query, (key,)).mappings()]
