"""The journal's rows. Rows are not the domain: they carry no rules, and SQLModel does not validate them.

An alarm's sequence is the key that everything else hangs on: an integer key costs SQLite no index of its own, and new
rows land at the end of their tables.
"""

from sqlalchemy import Index, Text, text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel


class Row(SQLModel, registry=registry()):
    """Tables of the journal only: a desk in the same process keeps its own."""


class JournalRow(Row, table=True):
    """One row: this file's identity, and how often a bridge began with it."""

    __tablename__ = "journal"
    id: int = Field(primary_key=True)
    uuid: str
    starts: int


class RunRow(Row, table=True):
    __tablename__ = "run"
    start: int = Field(primary_key=True)
    bits: str
    wall_s: float
    trusted: bool


class AlarmRow(Row, table=True):
    """`state` is the whole alarm as JSON; the columns beside it are what is asked for.

    `stage` may be ahead of `state`: a receipt raises it alone. `kept_from_s` is when the retention began to count,
    wall seconds UTC; NULL until a trusted clock was there.
    """

    __tablename__ = "alarm"
    sequence: int = Field(primary_key=True)
    id: str = Field(sa_type=Text, unique=True)
    source: str
    kind: str
    stage: int
    latest_wall_s: float
    kept_from_s: float | None = Field(default=None, index=True)
    state: str = Field(sa_type=Text)


class PressRow(Row, table=True):
    """Every press id that was heard and is retained: what makes a repeat a repeat, also after a restart."""

    __tablename__ = "press"
    __table_args__ = {"sqlite_with_rowid": False}
    id: str = Field(primary_key=True, sa_type=Text)
    alarm: int = Field(foreign_key="alarm.sequence", ondelete="CASCADE", index=True)


class SightingRow(Row, table=True):
    __tablename__ = "sighting"
    __table_args__ = {"sqlite_with_rowid": False}
    alarm: int = Field(primary_key=True, foreign_key="alarm.sequence", ondelete="CASCADE")
    press: str = Field(primary_key=True, sa_type=Text)
    radio: str = Field(primary_key=True)
    at: float = Field(primary_key=True)
    snr_db: float | None = None
    rssi_dbm: int | None = None
    hops: int | None = None


class Outbox(Row, table=True):
    """One row per alarm: pending while its revision is above the one receipted. `reason`: why it is quarantined."""

    __tablename__ = "outbox"
    __table_args__ = (Index("outbox_pending", "sequence", sqlite_where=text("receipted < revision")),)
    sequence: int = Field(primary_key=True, foreign_key="alarm.sequence", ondelete="CASCADE")
    revision: int
    receipted: int = 0
    body: str = Field(sa_type=Text)
    sha256: str
    first_start: int
    first_mono_s: float
    first_wall_s: float
    first_trusted: bool
    first_boot: str = ""
    reason: str = ""


class ReplyRow(Row, table=True):
    """What became of one answer to a striker."""

    __tablename__ = "reply"
    __table_args__ = {"sqlite_with_rowid": False}
    alarm: int = Field(primary_key=True, foreign_key="alarm.sequence", ondelete="CASCADE")
    step: str = Field(primary_key=True)
    at: float = Field(primary_key=True)
    outcome: str


class WordRow(Row, table=True):
    """An officer's word or an order, and the account given of it. It may be about an alarm this journal never held."""

    __tablename__ = "word"
    desk: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    kind: str
    alarm: str
    source: str
    stage: int | None = None
    by: str
    text: str = Field(sa_type=Text)
    fate: str
    at: float
    detail: str


class MarkRow(Row, table=True):
    """How far each desk's database had got when it last signed something for us."""

    __tablename__ = "mark"
    desk: str = Field(primary_key=True)
    database: str
    number: int
    token: str
