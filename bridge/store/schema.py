"""Connections to a journal's file, and its tables at the newest revision. Alembic is imported only to upgrade."""

import sqlite3
import urllib.parse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.pool import NullPool

from bridge.domain.errors import JournalFailed
from bridge.store.faults import JournalDamaged

MIGRATIONS = Path(__file__).parent / "migrations"
NEW_FILE = MIGRATIONS / "all_revisions.sql"
HEAD = "journal_0001"  # the newest Alembic revision; known here so that Alembic is imported only to upgrade
BEFORE_ALL = "journal_0000"  # Alembic's own table stands, and no revision in it

BUSY_MS = 2000  # a technician's sqlite3 shell may look in; nobody else writes
# The worker moves the log into the file while nothing waits; this many pages only if it never comes to that.
AUTOCHECKPOINT_PAGES = 8000
_WRITING = (
    "synchronous = FULL",  # a commit survives a power cut: a striker was told so
    f"busy_timeout = {BUSY_MS}",
    "foreign_keys = ON",
    f"wal_autocheckpoint = {AUTOCHECKPOINT_PAGES}",
)
_READING = (f"busy_timeout = {BUSY_MS}", "query_only = ON")


def writing(path: Path) -> Connection:
    """The one writing connection. Each transaction takes the write lock at its begin. Raises SQLAlchemyError."""
    engine = create_engine("sqlite://", creator=lambda: _connect(path, "rw"), poolclass=NullPool)
    event.listen(engine, "connect", _pragmas(_WRITING))
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine.connect()


@contextmanager
def reading(path: Path) -> Iterator[Connection]:
    """A connection of its own for one look, on any thread. Raises SQLAlchemyError."""
    engine = create_engine("sqlite://", creator=lambda: _connect(path, "ro"), poolclass=NullPool)
    event.listen(engine, "connect", _pragmas(_READING))
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    with engine.connect() as connection:
        yield connection


def reading_raw(path: Path) -> sqlite3.Connection:
    """Without SQLAlchemy, rows by name: for a file that is damaged. Raises sqlite3.Error."""
    connection = _connect(path, "ro")
    connection.row_factory = sqlite3.Row
    return connection


def bring_up_to_date(connection: Connection, path: Path) -> None:
    """Raises JournalFailed for a file of a newer program or another one, and what SQLAlchemy and sqlite3 raise."""
    revision = _revision(connection, path)
    if revision is not None and revision > HEAD:
        raise JournalFailed(f"journal {path} was written by a newer kentongan ({revision}); upgrade this one")
    (mode,) = _outside_transactions(connection, "PRAGMA journal_mode = WAL")
    if mode != "wal":
        raise JournalFailed(f"journal {path}: this disk cannot hold a write-ahead log; choose a local disk")
    if revision is None:
        _make(connection)
    elif revision != HEAD:
        _upgrade(connection)


def check(connection: Connection, path: Path) -> None:
    """SQLite's own quick check of every page, and that the tables are ours to the letter.

    Raises JournalDamaged, SQLAlchemyError.
    """
    said = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    garbled = set(map(_words, _new_file()[:-1])) - set(map(_words, _made(connection)))
    connection.rollback()
    if said != "ok" or garbled:
        raise JournalDamaged(f"journal {path} is damaged ({_words(str(said)) if said != 'ok' else garbled.pop()})")


def checkpoint(connection: Connection) -> None:
    """Move the log into the file as far as no reader is in the way. Raises sqlite3.Error."""
    _outside_transactions(connection, "PRAGMA wal_checkpoint(PASSIVE)")


def _outside_transactions(connection: Connection, statement: str) -> tuple[Any, ...]:
    """The first row; SQLAlchemy would begin a transaction, in which these are refused. Raises sqlite3.Error."""
    connection.rollback()
    cursor = connection.connection.cursor()
    try:
        return tuple(cursor.execute(statement).fetchone())
    finally:
        cursor.close()


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    address = f"file:{urllib.parse.quote(str(path.absolute()))}?mode={mode}"
    connection = sqlite3.connect(address, uri=True, check_same_thread=False, isolation_level=None)
    connection.text_factory = _readable
    return connection


def _readable(text: bytes) -> str:
    """One bad byte in one row must not keep the others from being read."""
    return text.decode(errors="replace")


def _pragmas(pragmas: tuple[str, ...]) -> Any:
    """Pragmas belong to a connection."""

    def set_them(connection: sqlite3.Connection, _: object) -> None:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}").close()

    return set_them


def _revision(connection: Connection, path: Path) -> str | None:
    """The file's revision, read by hand; None for a new file."""
    tables = set(connection.exec_driver_sql("SELECT name FROM sqlite_schema WHERE type = 'table'").scalars())
    if not tables:
        revision = None
    elif "alembic_version" in tables:
        revision = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() or BEFORE_ALL
    else:
        revision = ""
    connection.rollback()
    if revision is not None and not revision.startswith("journal_"):
        raise JournalFailed(f"journal {path}: this file is another program's database; choose another path")
    return revision


def _make(connection: Connection) -> None:
    """A new file, by what Alembic's revisions come to: importing Alembic itself costs a bridge 11 MB."""
    with connection.begin():
        for statement in _new_file():
            connection.exec_driver_sql(statement)


def _new_file() -> list[str]:
    """The statements that make a new file; the last one names the revision."""
    statements = NEW_FILE.read_text(encoding="utf-8").split(";\n")
    return [statement for statement in statements if statement.strip()]


def _made(connection: Connection) -> Sequence[str]:
    """The statements that made the tables which are there."""
    return connection.exec_driver_sql("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL").scalars().all()


def _words(text: str) -> str:
    return " ".join(text.split())


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    with connection.begin():  # all of it or nothing: SQLite's tables are made in a transaction as well
        command.upgrade(config, "head")


def sql_of_all_revisions() -> str:
    """What belongs into NEW_FILE: the tables after every revision. A test compares, so the revisions stay the truth."""
    with create_engine("sqlite://").connect() as connection:
        _upgrade(connection)
        lines = [*_made(connection), f"INSERT INTO alembic_version (version_num) VALUES ('{HEAD}')"]
    return "\n".join(line.rstrip() for line in "".join(f"{line};\n" for line in lines).splitlines()) + "\n"
