"""The desk's rows. Rows are not the domain: they carry no rules, and SQLModel does not validate them."""

from sqlalchemy import BigInteger, Integer, LargeBinary, Text, UniqueConstraint
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

Big = BigInteger().with_variant(Integer, "sqlite")  # SQLite's INTEGER holds 64 bits, and as a key costs no index


class Row(SQLModel, registry=registry()):
    """Tables of the desk only: a bridge's journal in the same process keeps its own."""


class Ledger(Row, table=True):
    """One row. Whoever writes raises `last` first, which also takes the write lock on any database."""

    __tablename__ = "ledger"
    id: int = Field(primary_key=True)
    database: str
    last: int = Field(sa_type=Big)


class Commit(Row, table=True):
    """Proof that this very database, and not an older copy, made commit `number`."""

    __tablename__ = "commits"
    number: int = Field(primary_key=True, sa_type=Big)
    token: str
    at: float


class Post(Row, table=True):
    __tablename__ = "posts"
    post: str = Field(primary_key=True)
    added_at: float


class PostKey(Row, table=True):
    """`public` is base64url of 32 bytes. A revoked key is kept: what it once signed must stay checkable."""

    __tablename__ = "post_keys"
    post: str = Field(primary_key=True, foreign_key="posts.post")
    kid: str = Field(primary_key=True)
    public: str
    added_at: float
    revoked_at: float | None = None


class Presence(Row, table=True):
    """Online or offline, by the counters within one journal; the journal that last said "online" is the post's own."""

    __tablename__ = "presence"
    post: str = Field(primary_key=True, foreign_key="posts.post")
    journal: str = Field(primary_key=True)
    number: int = Field(sa_type=Big, description="rises whenever another journal is the post's own")
    start: int = Field(sa_type=Big)
    connection: int = Field(sa_type=Big)
    state: int = Field(description="0 online, 1 offline")
    version: str
    since: float


class Evidence(Row, table=True):
    """A signed envelope that changed something here, whole."""

    __tablename__ = "envelopes"
    id: int = Field(primary_key=True, sa_type=Big)
    post: str = Field(foreign_key="posts.post")
    topic: str
    kid: str
    sig: str
    body: bytes = Field(sa_type=LargeBinary)
    at: float


class Case(Row, table=True):
    """One call for help as officers see it: reports of one or more posts that share a press."""

    __tablename__ = "cases"
    number: int = Field(primary_key=True, sa_type=Big)
    opened_at: float
    stage: int = Field(index=True)
    by: str = ""
    again_at: float | None = Field(default=None, description="struck again after it was closed")
    joined_to: int | None = Field(default=None, sa_type=Big)


class Report(Row, table=True):
    """One post's account of an alarm at its highest revision. `body` is the string as it travelled.

    `key` is the alarm's id, or `unreadable/…` when `reason` says why it is quarantined; then `alarm` may be empty.
    """

    __tablename__ = "reports"
    __table_args__ = (UniqueConstraint("key", "post", "journal"),)
    id: int = Field(primary_key=True, sa_type=Big)
    key: str
    post: str = Field(foreign_key="posts.post")
    journal: str
    alarm: str
    start: int = Field(sa_type=Big)
    revision: int = Field(sa_type=Big)
    sha: str
    body: bytes = Field(sa_type=LargeBinary)
    reason: str
    source: str
    kind: str
    place: str
    unsafe: bool
    arrived_at: float
    updated_at: float
    age_s: float | None = Field(description="age when it first arrived; None: no clock of the post could tell")
    case_number: int = Field(foreign_key="cases.number", sa_type=Big, index=True)
    envelope: int = Field(foreign_key="envelopes.id", sa_type=Big)


class PressRow(Row, table=True):
    """Which reports hold a press."""

    __tablename__ = "presses"
    press: str = Field(primary_key=True, sa_type=Text)
    report: int = Field(primary_key=True, foreign_key="reports.id", sa_type=Big)


class Act(Row, table=True):
    """What happened to a case and by whom; appended to, never changed."""

    __tablename__ = "acts"
    id: int = Field(primary_key=True, sa_type=Big)
    case_number: int = Field(foreign_key="cases.number", sa_type=Big, index=True)
    what: str
    by: str = ""
    at: float


class Spoken(Row, table=True):
    """The outbox: an officer's word or an order to one post, until `fate` is final."""

    __tablename__ = "words"
    number: int = Field(primary_key=True, sa_type=Big)
    post: str = Field(foreign_key="posts.post")
    kind: str
    case_number: int | None = Field(default=None, foreign_key="cases.number", sa_type=Big, index=True)
    alarm: str = ""
    source: str = ""
    stage: int | None = None
    by: str = ""
    text: str = Field(default="", sa_type=Text)
    at: float
    fate: str = ""
    is_final: bool = Field(default=False, index=True)
    fate_at: float | None = Field(default=None, description="by the post's clock")
    answered_at: float | None = Field(default=None, description="by the desk's clock")
    detail: str = ""
