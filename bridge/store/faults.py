"""What SQLite and the disk complain of, as one line that says what to do."""

import sqlite3
from pathlib import Path

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from bridge.domain.errors import JournalFailed

_CORRUPT = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_ADVICE = {
    sqlite3.SQLITE_FULL: "the disk is full; free some space on it",
    sqlite3.SQLITE_READONLY: "it cannot be written; check its rights and whether the disk is mounted read-only",
    sqlite3.SQLITE_PERM: "it cannot be written; check its rights and whether the disk is mounted read-only",
    sqlite3.SQLITE_IOERR: "the disk fails; check its space and its cable, and replace it soon",
    sqlite3.SQLITE_BUSY: "another program holds it; close whatever else has it open",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; check that its folder is there and may be written by this user",
}


class JournalDamaged(JournalFailed):
    """The file is not what was written."""


class JournalGone(JournalFailed):
    """The file was moved or deleted under us: what is committed to it now, nobody will ever find."""


def translate(error: SQLAlchemyError | OSError | sqlite3.Error, path: Path) -> JournalFailed:
    """A JournalFailed with one clear line; JournalDamaged where the file itself is broken."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    code = getattr(cause, "sqlite_errorcode", 0) & 0xFF  # the primary code; the rest is detail
    if code in _CORRUPT:
        return JournalDamaged(f"journal {path} is damaged ({cause})")
    said = (str(cause).splitlines() or [type(cause).__name__])[0]
    if isinstance(cause, OSError):
        said = cause.strerror or said
    return JournalFailed(f"journal {path}: {_ADVICE.get(code, 'check the disk and the rights')} ({said})")
