"""What SQLite and the disk complain of, as one line that says what to do."""

import sqlite3
from pathlib import Path

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from bridge.domain.errors import JournalFailed

_CORRUPT = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_NO_FORMAT = "unsupported file format"  # a broken header, for which SQLite has no code of its own
_UNWRITABLE = (
    "tidak dapat ditulis; periksa izin dan apakah disk hanya-baca "
    "(it cannot be written; check its rights and whether the disk is mounted read-only)"
)
_ADVICE = {
    sqlite3.SQLITE_FULL: "disk penuh; kosongkan sebagian (the disk is full; free some space on it)",
    sqlite3.SQLITE_READONLY: _UNWRITABLE,
    sqlite3.SQLITE_PERM: _UNWRITABLE,
    sqlite3.SQLITE_IOERR: "disk menolak; periksa ruang, izin tulis dan pemasangannya "
    "(the disk refuses; see that it has room, is not mounted read-only and sits firmly)",
    sqlite3.SQLITE_BUSY: "dipakai program lain; tutup program itu "
    "(another program holds it; close whatever else has it open)",
    sqlite3.SQLITE_CANTOPEN: "tidak dapat dibuka; periksa foldernya dan izin tulisnya "
    "(it cannot be opened; check that its folder is there and may be written by this user)",
}


class JournalDamaged(JournalFailed):
    """The file is not what was written."""


class JournalGone(JournalFailed):
    """The file was moved or deleted under us: what is committed to it now, nobody will ever find."""


class JournalRefuses(JournalFailed):
    """The disk is well, but SQLite does not take these facts: another try will not help."""


_REFUSALS = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError, sqlite3.ProgrammingError)
# What writing facts may raise that are at fault themselves: SQLite's refusal, or a value that it cannot hold.
UNWRITABLE = (JournalRefuses, OverflowError, ValueError, TypeError)

# What a connection may raise. UnicodeDecodeError: SQLite quotes a damaged schema, whose bytes are no text any more.
FAULTS = (SQLAlchemyError, sqlite3.Error, OSError, UnicodeDecodeError)


def translate(error: Exception, path: Path) -> JournalFailed:
    """One of FAULTS as a JournalFailed with one clear line; JournalDamaged where the file itself is broken."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    code = getattr(cause, "sqlite_errorcode", 0) & 0xFF  # the primary code; the rest is detail
    said = " ".join(str(cause).split()) or type(cause).__name__
    if code in _CORRUPT or isinstance(cause, UnicodeDecodeError) or said == _NO_FORMAT:
        return JournalDamaged(f"journal {path} is damaged ({said})")
    if isinstance(cause, _REFUSALS):
        return JournalRefuses(f"journal {path} refuses what it should keep ({said}); report this fault")
    if isinstance(cause, OSError):
        said = cause.strerror or said
    return JournalFailed(
        f"journal {path}: {_ADVICE.get(code, 'periksa disk dan izin (check the disk and the rights)')} ({said})"
    )
