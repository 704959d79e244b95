"""The desk's database: opening it, its commits, the posts and their keys. Any URL that SQLAlchemy knows."""

import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Table, column, create_engine, event, func, insert, inspect, select, update
from sqlalchemy import table as sql_table
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlmodel import SQLModel

from bridge.domain.desk import Mark
from bridge.domain.errors import BridgeError
from bridge.domain.ids import PostId
from desk.tables import Commit, Ledger, Post, PostKey, PressRow, Report
from mqtt.signature import Keyring, key_id, read_public

COMMITS_KEPT_S = 100 * 86400.0  # posts keep what they sent for 90 days and compare within that time
CHUNK = 400  # values in one IN (…): far below every database's limit
BUSY_S = 10.0
REVISION = "0001"  # the newest step in desk/migrations
T = TypeVar("T")


class KeyRefused(BridgeError):
    """A post's key that may not be registered: it was revoked, or `old` is in force."""

    def __init__(self, post: PostId, old: str = "") -> None:
        super().__init__(f"{post} already has the key {old}" if old else f"{post}: this key was revoked")
        self.post, self.old = post, old


class StoreFailed(BridgeError):
    """The desk's database cannot be opened or written."""


def table(row: type[SQLModel]) -> Table:
    """The Core table of a row class: bulk statements go past the ORM, which costs ten times as much."""
    return row.__table__  # type: ignore[attr-defined]


LEDGER, COMMITS = table(Ledger), table(Commit)
VERSION = sql_table("alembic_version", column("version_num"))
POSTS, KEYS, REPORTS, PRESSES = table(Post), table(PostKey), table(Report), table(PressRow)


@dataclass(slots=True)
class Change:
    """One write transaction. Unless something says `touch`, it is undone and makes no commit."""

    connection: Connection
    number: int
    token: str
    at: float
    is_touched: bool = False

    def touch(self) -> None:
        self.is_touched = True

    def insert(self, target: Table, rows: Sequence[dict[str, Any]]) -> None:
        """All rows in one statement; an empty list is nothing."""
        if rows:
            self.connection.execute(insert(target), rows)
            self.touch()


class Store:
    """One database. Readers and writers may be several processes; `wall` is the clock, seconds UTC."""

    def __init__(self, url: str, desk: str, wall: Callable[[], float] = time.time) -> None:
        """Connects to nothing yet. Raises StoreFailed for a URL that is none."""
        self.desk = desk
        self._wall = wall
        try:
            self._engine = _engine(url)
        except (ArgumentError, ImportError) as error:
            raise StoreFailed(f"database {url!r}: {error}. Example: sqlite:///desk.sqlite3") from error
        self.database = ""

    def open(self) -> None:
        """Bring the tables up to date and learn the database's id. Raises StoreFailed."""
        with self.plainly():
            self._bring_up_to_date()
            with self._engine.connect() as connection:
                self.database = connection.execute(select(LEDGER.c.database)).scalar_one()

    def _bring_up_to_date(self) -> None:
        """Alembic costs time and memory: it is asked only when there is something to do."""
        with self._engine.connect() as connection:
            has_tables = inspect(connection).has_table(VERSION.name)
            version = connection.execute(select(VERSION.c.version_num)).scalar() if has_tables else None
        if version != REVISION:
            from desk.migrating import migrate

            migrate(self._engine)

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A look; nothing is changed."""
        with self._engine.connect() as connection:
            yield connection

    @contextmanager
    def changing(self) -> Iterator[Change]:
        """A write transaction, one at a time on any database. Raises SQLAlchemyError; then nothing has changed."""
        with self._engine.connect() as connection, connection.begin() as transaction:
            connection.execute(update(LEDGER).values(last=LEDGER.c.last + 1))  # first: takes the lock
            number = connection.execute(select(LEDGER.c.last)).scalar_one()
            change = Change(connection, number, secrets.token_hex(8), self._wall())
            yield change
            if not change.is_touched:
                transaction.rollback()
                return
            connection.execute(insert(COMMITS).values(number=number, token=change.token, at=change.at))

    @contextmanager
    def plainly(self) -> Iterator["Store"]:
        """For people: what the database refuses becomes one clear line (StoreFailed)."""
        try:
            yield self
        except SQLAlchemyError as error:
            raise StoreFailed(_plain_fault(self._engine, error)) from error

    def mark(self) -> Mark:
        """How far the database has got; commit 0 when nothing was ever stored."""
        with self.reading() as connection:
            newest = select(COMMITS.c.number, COMMITS.c.token).order_by(COMMITS.c.number.desc()).limit(1)
            row = connection.execute(newest).first()
        number, token = row or (0, "")
        return Mark(self.desk, self.database, number, token)

    def holds(self, mark: Mark) -> bool:
        """Whether this database made that commit; another database, or an older copy of this one, did not."""
        if mark.database != self.database:
            return False
        if mark.commit == 0:
            return True
        with self.reading() as connection:
            found = connection.execute(select(COMMITS.c.token).where(COMMITS.c.number == mark.commit)).scalar()
        return found == mark.token

    def last(self) -> int:
        """Rises whenever anybody changed anything."""
        with self.reading() as connection:
            return int(connection.execute(select(LEDGER.c.last)).scalar_one())

    def forget_old_commits(self) -> None:
        """Drop what no post can still remember; the newest always stays."""
        limit = self._wall() - COMMITS_KEPT_S
        with self._engine.begin() as connection:
            newest = connection.execute(select(func.max(COMMITS.c.number))).scalar() or 0
            connection.execute(COMMITS.delete().where(COMMITS.c.at < limit, COMMITS.c.number < newest))

    def keyrings(self) -> dict[str, Keyring]:
        """The keys in force, by post, and the names of those that were revoked."""
        texts: dict[str, list[str]] = {}
        revoked: dict[str, list[str]] = {}
        with self.reading() as connection:
            for key in connection.execute(select(KEYS)):
                if key.revoked_at is None:
                    texts.setdefault(key.post, []).append(key.public)
                else:
                    revoked.setdefault(key.post, []).append(key.kid)
        return {post: Keyring.of(keys, revoked.get(post, ())) for post, keys in texts.items()}

    def add_post(self, post: PostId, public: str, replace: bool = False) -> bool:
        """Register a post's key; False when it was registered already.

        Raises ValueError for a key that is none, KeyRefused for one that was revoked or would silently replace another.
        """
        kid = key_id(read_public(public))
        with self.changing() as change:
            known = change.connection.execute(select(KEYS).where(KEYS.c.post == str(post))).all()
            if any(key.kid == kid and key.revoked_at is None for key in known):
                return False
            if any(key.kid == kid for key in known):
                raise KeyRefused(post)
            in_force = [key.kid for key in known if key.revoked_at is None]
            if in_force and not replace:
                raise KeyRefused(post, in_force[0])
            _replace_key(change, str(post), kid, public.strip(), is_new=not known)
        return True

    def accounting(self) -> dict[str, int]:
        """Every press id that was ever reported, and how many cases hold it. More than one is a fault of ours."""
        held = select(PRESSES.c.press, func.count(REPORTS.c.case_number.distinct())).join(
            REPORTS, REPORTS.c.id == PRESSES.c.report
        )
        with self.reading() as connection:
            return {press: count for press, count in connection.execute(held.group_by(PRESSES.c.press))}

    def stored_presses(self) -> dict[str, int]:
        """Every press id and the number of the case that holds it."""
        held = select(PRESSES.c.press, REPORTS.c.case_number).join(REPORTS, REPORTS.c.id == PRESSES.c.report)
        with self.reading() as connection:
            return {press: case for press, case in connection.execute(held)}


def chunks(values: Iterable[T]) -> Iterator[list[T]]:
    """Lists short enough for one IN (…)."""
    everything = list(values)
    for begin in range(0, len(everything), CHUNK):
        yield everything[begin : begin + CHUNK]


def _replace_key(change: Change, post: str, kid: str, public: str, is_new: bool) -> None:
    if is_new:
        change.insert(POSTS, [{"post": post, "added_at": change.at}])
    revoke = update(KEYS).where(KEYS.c.post == post, KEYS.c.revoked_at.is_(None)).values(revoked_at=change.at)
    change.connection.execute(revoke)
    change.insert(KEYS, [{"post": post, "kid": kid, "public": public, "added_at": change.at, "revoked_at": None}])


def _engine(url: str) -> Engine:
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True)
    engine = create_engine(url, connect_args={"timeout": BUSY_S})
    event.listen(engine, "connect", _set_pragmas)
    return engine


def _set_pragmas(connection: Any, _: object) -> None:
    """Pragmas belong to a connection. FULL: a commit survives a power cut, and a receipt promises just that."""
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _plain_fault(engine: Engine, error: SQLAlchemyError) -> str:
    cause = getattr(error, "orig", None) or error
    where = engine.url.render_as_string(hide_password=True)
    return f"database {where}: {str(cause).splitlines()[0]}. Check the path, its rights and the free space"
