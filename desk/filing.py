"""Which case a report belongs to: two reports are one case when their press ids intersect, and only then."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, Connection, bindparam, func, select, update

from bridge.domain.alarm import Stage
from desk.reading import Alarms, Answers, Item
from desk.store import PRESSES, REPORTS, Change, chunks, table
from desk.tables import Act, Case, Evidence

CASES, EVIDENCE, ACTS = table(Case), table(Evidence), table(Act)

Key = tuple[str, str, str]  # report key, post, journal
NEW_CASE = {"stage": int(Stage.STORED), "by": "", "again_at": None, "joined_to": None}
KEPT_FROM_FIRST = ("arrived_at", "age_s")
NEVER_REPLACED = ("id", "key", "post", "journal", *KEPT_FROM_FIRST)
REPLACED = [column.name for column in REPORTS.c if column.name not in NEVER_REPLACED]
REPLACE_REPORT = (
    update(REPORTS)
    .where(REPORTS.c.id == bindparam("this"))
    .values({name: bindparam(f"new_{name}") for name in REPLACED})
)


@dataclass(slots=True)
class Known:
    """A report as the database holds it, or will."""

    id: int
    case: int
    rank: tuple[int, int]  # start of the run that first heard it, revision
    sha: str
    unsafe: bool

    def is_outdone_by(self, item: Item) -> bool:
        """A lost memory of an unsafe report can be followed by a new revision 1: the later run knows better."""
        if (rank := (item.start, item.revision)) != self.rank:
            return rank > self.rank
        return item.sha != self.sha or (self.unsafe and not item.unsafe)


@dataclass(frozen=True, slots=True)
class Filed:
    """What became of one item that was news."""

    post: str
    item: Item
    case: int
    is_new_report: bool
    is_new_case: bool


@dataclass(slots=True)
class Filing:
    """One transaction's alarms. Reads at once all that they touch, decides in memory, writes in bulk."""

    change: Change
    news: list[Filed] = field(default_factory=list)
    grown: set[int] = field(default_factory=set)  # older cases that now hold a further report
    _known: dict[Key, Known] = field(default_factory=dict)
    _case_of: dict[str, int] = field(default_factory=dict)  # by press
    _pairs: set[tuple[str, int]] = field(default_factory=set)  # (press, report)
    _joined: dict[int, int] = field(default_factory=dict)  # case -> the older case it is now part of
    _struck: set[int] = field(default_factory=set)  # older cases with a press they did not have
    _opened: dict[int, dict[str, Any]] = field(default_factory=dict)
    _inserts: dict[int, dict[str, Any]] = field(default_factory=dict)
    _updates: dict[int, dict[str, Any]] = field(default_factory=dict)
    _presses: list[dict[str, Any]] = field(default_factory=list)
    _evidence: list[dict[str, Any]] = field(default_factory=list)
    _last: dict[str, int] = field(default_factory=dict)

    def file(self, messages: list[Alarms]) -> None:
        """File every item of these messages and write it. Raises SQLAlchemyError."""
        self._load(messages)
        for message in messages:
            self._file_message(message)
        self._write()

    def _load(self, messages: list[Alarms]) -> None:
        connection = self.change.connection
        items = [(message.post, item) for message in messages for item in message.items]
        wanted = {(item.key, post, item.journal) for post, item in items}
        columns = [REPORTS.c[name] for name in ("id", "key", "post", "journal", "start", "revision", "sha", "unsafe")]
        for keys in chunks({key for key, _, _ in wanted}):
            for row in connection.execute(select(*columns, REPORTS.c.case_number).where(REPORTS.c.key.in_(keys))):
                if (key := (row.key, row.post, row.journal)) in wanted:
                    self._known[key] = Known(
                        row.id, row.case_number, (row.start, row.revision), row.sha, bool(row.unsafe)
                    )
        self._load_presses(connection, {press for _, item in items for press in item.presses})
        self._last = {
            "report": _highest(connection, REPORTS.c.id),
            "case": _highest(connection, CASES.c.number),
            "envelope": _highest(connection, EVIDENCE.c.id),
        }

    def _load_presses(self, connection: Connection, presses: set[str]) -> None:
        held = select(PRESSES.c.press, PRESSES.c.report, REPORTS.c.case_number)
        held = held.join(REPORTS, REPORTS.c.id == PRESSES.c.report)
        for some in chunks(presses):
            for press, report, case in connection.execute(held.where(PRESSES.c.press.in_(some))):
                self._pairs.add((press, report))
                self._case_of[press] = case

    def _file_message(self, message: Alarms) -> None:
        envelope = self._last["envelope"] + 1
        before = len(self.news)
        for item in message.items:
            self._file_item(message.post, item, envelope)
        if len(self.news) > before:
            self._last["envelope"] = envelope
            self._evidence.append(evidence(envelope, message, self.change.at))

    def _file_item(self, post: str, item: Item, envelope: int) -> None:
        known = self._known.get((item.key, post, item.journal))
        newest_case = self._last["case"]
        case = self._case_for(item, known)
        is_new_case, is_new_report = case > newest_case, known is None
        if known is None:
            known = Known(self._new("report"), case, (item.start, item.revision), item.sha, item.unsafe)
            self._known[item.key, post, item.journal] = known
            self._inserts[known.id] = self._row(known.id, post, item, case, envelope)
        elif known.is_outdone_by(item):
            known.rank, known.sha, known.unsafe = (item.start, item.revision), item.sha, item.unsafe
            self._replace(known.id, self._row(known.id, post, item, case, envelope))
        else:
            self._hold(item.presses, known.id, case)  # an older copy may name a press that the newer one does not
            return
        if is_new_report and not is_new_case:
            self.grown.add(case)
        self._hold(item.presses, known.id, case)
        self.news.append(Filed(post, item, case, is_new_report, is_new_case))

    def _case_for(self, item: Item, known: Known | None) -> int:
        """The oldest case that any of its presses, or it itself, is in; they all become that one. Else a new one."""
        found = {self._root(self._case_of[press]) for press in item.presses if press in self._case_of}
        if known is not None:
            found.add(self._root(known.case))
        if not found:
            number = self._new("case")
            self._opened[number] = {"number": number, "opened_at": self.change.at} | NEW_CASE
            return number
        oldest = min(found)
        self._joined.update(dict.fromkeys(found - {oldest}, oldest))
        return oldest

    def _root(self, case: int) -> int:
        while case in self._joined:
            case = self._joined[case]
        return case

    def _hold(self, presses: tuple[str, ...], report: int, case: int) -> None:
        for press in presses:
            if press not in self._case_of and case not in self._opened:
                self._struck.add(case)
            self._case_of[press] = case
            if (press, report) not in self._pairs:
                self._pairs.add((press, report))
                self._presses.append({"press": press, "report": report})

    def _row(self, report: int, post: str, item: Item, case: int, envelope: int) -> dict[str, Any]:
        return {
            "id": report,
            "key": item.key,
            "post": post,
            "journal": item.journal,
            "alarm": item.alarm,
            "start": item.start,
            "revision": item.revision,
            "sha": item.sha,
            "body": item.body.encode(),
            "reason": item.reason,
            "source": item.source,
            "kind": item.kind,
            "place": item.place,
            "unsafe": item.unsafe,
            "arrived_at": self.change.at,
            "updated_at": self.change.at,
            "age_s": item.age_s,
            "case_number": case,
            "envelope": envelope,
        }

    def _replace(self, report: int, row: dict[str, Any]) -> None:
        if report in self._inserts:
            first = self._inserts[report]
            self._inserts[report] = row | {name: first[name] for name in KEPT_FROM_FIRST}
        else:
            self._updates[report] = {"this": report} | {f"new_{name}": row[name] for name in REPLACED}

    def _new(self, what: str) -> int:
        self._last[what] += 1
        return self._last[what]

    def _write(self) -> None:
        change = self.change
        change.insert(CASES, list(self._opened.values()))
        change.insert(EVIDENCE, self._evidence)
        change.insert(REPORTS, list(self._inserts.values()))
        if self._updates:
            change.connection.execute(REPLACE_REPORT, list(self._updates.values()))
            change.touch()
        change.insert(PRESSES, self._presses)
        for case in self._joined:
            _join(change, case, self._root(case))
        self.grown = {self._root(case) for case in (*self.grown, *self._joined)}
        _strike_again(change, {self._root(case) for case in self._struck})


def _highest(connection: Connection, column: Column[Any]) -> int:
    """Numbers are ours to give: the ledger's lock lets one writer in at a time."""
    return int(connection.execute(select(func.max(column))).scalar() or 0)


def _join(change: Change, case: int, oldest: int) -> None:
    """Two cases turned out to be one: reports move, and the further stage of the two holds."""
    rows = change.connection.execute(select(CASES).where(CASES.c.number.in_((case, oldest)))).all()
    further = max(rows, key=lambda row: row.stage)
    again = max((row.again_at for row in rows if row.again_at is not None), default=None)
    run = change.connection.execute
    run(update(CASES).where(CASES.c.number == oldest).values(stage=further.stage, by=further.by, again_at=again))
    run(update(CASES).where((CASES.c.number == case) | (CASES.c.joined_to == case)).values(joined_to=oldest))
    run(update(REPORTS).where(REPORTS.c.case_number == case).values(case_number=oldest))
    log_act(change, oldest, f"joined #{case}")


def _strike_again(change: Change, cases: set[int]) -> None:
    """Struck after an officer closed it: it must be seen, although a stage never falls."""
    for some in chunks(cases):
        closed = (CASES.c.number.in_(some)) & (CASES.c.stage == Stage.CLOSED) & (CASES.c.again_at.is_(None))
        for case in change.connection.execute(select(CASES.c.number).where(closed)).scalars().all():
            change.connection.execute(update(CASES).where(CASES.c.number == case).values(again_at=change.at))
            log_act(change, case, "struck again")


def log_act(change: Change, case: int, what: str, by: str = "") -> None:
    """Append to the log of a case."""
    number = _highest(change.connection, ACTS.c.id) + 1
    change.insert(ACTS, [{"id": number, "case_number": case, "what": what, "by": by, "at": change.at}])


def evidence(number: int, message: Alarms | Answers, at: float) -> dict[str, Any]:
    """The row of a signed envelope that changed something."""
    envelope = message.envelope
    return {
        "id": number,
        "post": message.post,
        "topic": message.topic,
        "kid": envelope.kid,
        "sig": envelope.sig,
        "body": envelope.body.encode(),
        "at": at,
    }
