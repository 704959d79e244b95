"""The post's journal: what is in it survives a power cut. One bridge holds it, one thread writes it."""

import os
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import structlog
from sqlalchemy import Connection

from bridge.domain.alarm import Moment
from bridge.domain.commands import Fact, SaveAlarm
from bridge.domain.errors import JournalFailed
from bridge.domain.ids import Run
from bridge.ledger import Memory
from bridge.store import folder, schema
from bridge.store.faults import FAULTS, JournalDamaged, JournalGone, translate
from bridge.store.loading import load_memory
from bridge.store.rescue import latest_start, rescue
from bridge.store.retention import KEPT_S, delete_old
from bridge.store.writing import write_facts

log = structlog.get_logger()

BEYOND = 1 << 42  # sequences given out without a journal begin here


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the engine needs in memory at start, and how many alarms wait for the desk."""

    memory: Memory
    pending: int


def without_disk(run_bits: str, moment: Moment) -> tuple[Run, Loaded]:
    """What a bridge begins with when its journal cannot be opened: it rings and relays from memory.

    Its sequences lie far above those that any journal has counted, so that they can be written there once the disk is
    back; later runs lie higher. A clock that wakes up in the same year each time tells no two runs apart: chance does.
    """
    place = int(moment.wall_s * 1000) if moment.trusted else int(run_bits[:10], 16)
    return Run(str(uuid.uuid4()), 0, run_bits), Loaded(Memory(sequence=BEYOND + place), 0)


class Journal:
    """The only writer. After a fault it reconnects by itself.

    `set_aside` is where a damaged file was put, None if none was; `begun_anew` says in a line why the file is new.
    """

    def __init__(self, path: Path, lock: int, run_bits: str, moment: Moment) -> None:
        """Use `open`."""
        self.path = path
        self.set_aside: Path | None = None
        self.begun_anew = ""
        self.run = Run("", 0, run_bits)
        self._lock, self._moment = lock, moment
        self._rescued: list[Fact] = []
        self._inode, self._is_begun = 0, False
        self._connection: Connection | None = None

    @classmethod
    def open(cls, path: Path, *, run_bits: str, moment: Moment) -> "Journal":
        """Lock it, bring its tables up to date and begin a run; a damaged file is set aside and a new one begun.

        Of `moment` only the wall clock is used. Raises JournalBusy, or JournalFailed with one clear line.
        """
        path = path.absolute()
        try:
            folder.make_folder(path.parent)
            lock = folder.lock(path)
        except OSError as error:
            raise translate(error, path) from error
        journal = cls(path, lock, run_bits, moment)
        try:
            journal._open()
        except BaseException:
            journal.close()
            raise
        return journal

    def load(self) -> Loaded:
        """Raises JournalFailed. A journal that turns out damaged is set aside; what was rescued is loaded."""
        try:
            with self._ready() as connection:
                return Loaded(*load_memory(connection, self._moment))
        except JournalDamaged as damage:
            self._begin_anew(damage)
            return self.load()

    def write(self, facts: Sequence[Fact]) -> None:
        """One transaction for all facts: on return they are on the disk. Raises JournalFailed; write them again then.

        A file that turns out damaged, or was deleted, is replaced by a new one, which gets these facts.
        """
        try:
            self._write(facts)
        except (JournalDamaged, JournalGone) as damage:
            self._begin_anew(damage)
            self._write(facts)

    def check(self) -> None:
        """Look at every page on the disk, and set the file aside when one is damaged. Raises JournalFailed."""
        self._disconnect()  # what SQLite still has in memory proves nothing
        try:
            with self._ready() as connection:
                schema.check(connection, self.path)
        except JournalDamaged as damage:
            self._begin_anew(damage)

    def retain(self, now_wall_s: float, kept_s: float = KEPT_S) -> int:
        """Delete a small batch of what the desk has in custody and is older than `kept_s`; how much it was.

        `now_wall_s` must come from a trusted clock. Call again until it is 0. Raises JournalFailed.
        """
        with self._ready() as connection:
            return delete_old(connection, now_wall_s, kept_s)

    def checkpoint(self) -> None:
        """Move the write-ahead log into the file. Raises JournalFailed."""
        with self._ready() as connection:
            schema.checkpoint(connection)

    def close(self) -> None:
        """Close the file and give up the lock. The lock's file stays: its name is what others lock."""
        self._disconnect()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _write(self, facts: Sequence[Fact]) -> None:
        with self._ready() as connection:
            with connection.begin():
                write_facts(connection, facts)
            self._still_there()

    def _still_there(self) -> None:
        """SQLite commits happily to a file that was deleted. Raises JournalGone, JournalFailed."""
        if (found := folder.inode(self.path)) == self._inode:
            return
        if found:
            raise JournalFailed(f"journal {self.path} was replaced by another file; restart the bridge")
        raise JournalGone(f"journal {self.path} was deleted while the bridge ran")

    # --- the file -----------------------------------------------------------------------------------------------

    def _open(self) -> None:
        try:
            with self._ready():
                pass
        except JournalDamaged as damage:
            self._begin_anew(damage)

    def _begin_run(self, connection: Connection) -> None:
        """The start counter rises, and that is on the disk before anything else happens in this run."""
        with connection.begin():
            if connection.exec_driver_sql("SELECT 1 FROM journal").first() is None:
                new = (str(uuid.uuid4()), max(0, self.run.start - 1))
                connection.exec_driver_sql("INSERT INTO journal (id, uuid, starts) VALUES (1, ?, ?)", new)
            journal, starts = connection.exec_driver_sql("SELECT uuid, starts FROM journal").one()
            self.run = Run(journal, starts + 1, self.run.bits)
            connection.exec_driver_sql("UPDATE journal SET starts = ?", (self.run.start,))
            started = (self.run.start, self.run.bits, self._moment.wall_s, self._moment.trusted)
            connection.exec_driver_sql("INSERT INTO run (start, bits, wall_s, trusted) VALUES (?, ?, ?, ?)", started)
            write_facts(connection, self._rescued)
        self._rescued = []
        folder.fsync_folder(self.path.parent)

    def _begin_anew(self, damage: JournalFailed) -> None:
        """A new file with a new UUID. Its starts go on from ours: moments of this run must not look like another's."""
        self._disconnect()
        self._inode, self._is_begun = 0, False
        try:
            if folder.inode(self.path):
                self.set_aside = folder.put_aside(self.path)
                self._rescued += rescue(self.set_aside)
        except OSError as error:
            raise translate(error, self.path) from error
        if self.run.start == 0:
            self.run = replace(self.run, start=latest_start(self._rescued) + 1)
        kept = f", with {_alarms(self._rescued)} alarms rescued from {self.set_aside.name}" if self.set_aside else ""
        self.begun_anew = f"{damage}; a new one was begun{kept}; look at the disk, it may be dying"
        log.error("journal begun anew", why=self.begun_anew)
        with self._ready():
            pass  # a disk that fails just now is tried again: the next to need the file begins it

    @contextmanager
    def _ready(self) -> Iterator[Connection]:
        """The connection, new where it must be. What the disk or SQLite raises comes out as JournalFailed."""
        try:
            connection = self._connection = self._connection or self._connect()
            if not self._is_begun:
                schema.bring_up_to_date(connection, self.path)
                schema.check(connection, self.path)
                self._begin_run(connection)
                self._is_begun = True
            yield connection
            connection.rollback()
        except FAULTS as error:
            self._disconnect()
            raise translate(error, self.path) from error
        except BaseException:
            self._disconnect()
            raise

    def _connect(self) -> Connection:
        if self._inode:
            self._still_there()
        else:
            folder.make_file(self.path)
            self._inode = folder.inode(self.path)
        return schema.writing(self.path)

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except FAULTS as error:
                log.warning("journal not closed cleanly", why=str(translate(error, self.path)))


def _alarms(facts: list[Fact]) -> int:
    return sum(isinstance(fact, SaveAlarm) for fact in facts)
