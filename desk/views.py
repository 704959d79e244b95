"""Cases as officers see them. Nothing is shown that is not true: what is not known is None."""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from bridge.domain.alarm import Stage
from bridge.domain.desk import OrderKind
from bridge.domain.press import Kind, Remark, Trust
from desk.filing import ACTS, CASES
from desk.intake import PRESENCE
from desk.reading import plain
from desk.store import KEYS, POSTS, PRESSES, REPORTS, chunks
from desk.words import WORDS

LATE_AFTER_S = 120.0  # older than this when it came: backlog, no sound for each


@dataclass(frozen=True, slots=True)
class Delivery:
    """An officer's word on its way to one post. `told_at`: seconds UTC, None while it is not known to be told."""

    number: int
    post: str
    kind: str
    stage: str | None
    by: str
    text: str
    said_at: float
    fate: str | None
    is_final: bool
    told_at: float | None
    answered_at: float | None
    detail: str


@dataclass(frozen=True, slots=True)
class Account:
    """One post's report, `reason` when it is quarantined."""

    post: str
    alarm: str
    revision: int
    kind: str
    reason: str
    unsafe: bool
    arrived_at: float
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CaseView:
    """`struck_at` None: no clock can tell. `place` None: unknown. `age_s` is the age when it reached this desk."""

    case: int
    alarm: str
    kind: str
    stage: str
    by: str
    place: str | None
    trust: str
    source: str
    ids: tuple[str, ...]
    posts: tuple[str, ...]
    words: tuple[str, ...]
    remarks: tuple[str, ...]
    struck_at: float | None
    arrived_at: float
    age_s: float | None
    late: bool
    drill: bool
    unsafe: bool
    unreadable: bool
    again_at: float | None
    told: str | None
    told_at: float | None


@dataclass(frozen=True, slots=True)
class PostView:
    """`online` None: never heard. `since` seconds UTC by the desk's clock."""

    post: str
    kid: str | None
    online: bool | None
    since: float | None
    version: str | None


def cases(connection: Connection, everything: bool = False, limit: int = 1000) -> list[CaseView]:
    """Newest first: what is open, or struck again after it was closed; with `everything` the closed ones too."""
    wanted = select(CASES).where(CASES.c.joined_to.is_(None))
    if not everything:
        wanted = wanted.where((CASES.c.stage < int(Stage.CLOSED)) | CASES.c.again_at.is_not(None))
    return _views(connection, connection.execute(wanted.order_by(CASES.c.number.desc()).limit(limit)).all())


def case(connection: Connection, number: int) -> tuple[CaseView, list[Account], list[dict[str, Any]], list[Delivery]]:
    """Everything about one case: as listed, each post's report, what was done, and what was said to whom."""
    (view,) = _views(connection, connection.execute(select(CASES).where(CASES.c.number == number)).all())
    rows = connection.execute(select(REPORTS).where(REPORTS.c.case_number == number).order_by(REPORTS.c.id)).all()
    family = select(CASES.c.number).where((CASES.c.number == number) | (CASES.c.joined_to == number))
    acts = connection.execute(select(ACTS).where(ACTS.c.case_number.in_(family)).order_by(ACTS.c.id))
    words = connection.execute(select(WORDS).where(WORDS.c.case_number.in_(family)).order_by(WORDS.c.number))
    return (
        view,
        [_account(row, _said(row)) for row in rows],
        [{"what": act.what, "by": act.by, "at": act.at} for act in acts],
        [_delivery(word) for word in words],
    )


def posts(connection: Connection) -> list[PostView]:
    """Every registered post and whether it is there."""
    newest: dict[str, Row[Any]] = {}
    for row in connection.execute(select(PRESENCE).order_by(PRESENCE.c.number)):
        newest[row.post] = row
    kids = {row.post: row.kid for row in connection.execute(select(KEYS).where(KEYS.c.revoked_at.is_(None)))}
    return [
        _post(name, kids.get(name), newest.get(name))
        for name in connection.execute(select(POSTS.c.post).order_by(POSTS.c.post)).scalars()
    ]


def _post(name: str, kid: str | None, row: Row[Any] | None) -> PostView:
    if row is None:
        return PostView(name, kid, None, None, None)
    return PostView(name, kid, row.state == 0, row.since, plain(row.version))


def _views(connection: Connection, rows: Iterable[Row[Any]]) -> list[CaseView]:
    rows = list(rows)
    reports: dict[int, list[Row[Any]]] = defaultdict(list)
    words: dict[int, list[Row[Any]]] = defaultdict(list)
    presses: dict[int, dict[str, None]] = defaultdict(dict)
    for some in chunks([row.number for row in rows]):
        mine = REPORTS.c.case_number.in_(some)
        for report in connection.execute(select(REPORTS).where(mine).order_by(REPORTS.c.id)):
            reports[report.case_number].append(report)
        held = select(REPORTS.c.case_number, PRESSES.c.press).join(PRESSES, PRESSES.c.report == REPORTS.c.id)
        for number, press in connection.execute(held.where(mine).order_by(PRESSES.c.report)):
            presses[number][press] = None
        said = (WORDS.c.case_number.in_(some)) & (WORDS.c.kind == OrderKind.STAGE.value)
        for word in connection.execute(select(WORDS).where(said)):
            words[word.case_number].append(word)
    return [_view(row, reports[row.number], tuple(presses[row.number]), words[row.number]) for row in rows]


def _view(row: Row[Any], reports: list[Row[Any]], ids: tuple[str, ...], words: list[Row[Any]]) -> CaseView:
    readable = [report for report in reports if not report.reason]
    said = [_said(report) for report in readable]
    main = readable[0] if readable else reports[0]
    struck_at = min((at for report in reports if (at := _struck_at(report, _said(report))) is not None), default=None)
    arrived_at = min(report.arrived_at for report in reports)
    age_s = None if struck_at is None else max(0.0, arrived_at - struck_at)
    remarks = sorted({remark for one in said for remark in one["remarks"]})
    is_drill = bool(said) and all(Remark.DRILL in one["remarks"] for one in said)
    told, told_at = _told(words, row.stage)
    return CaseView(
        case=row.number,
        alarm=main.alarm or main.key,
        kind=_plainest(report.kind for report in (*_latest(readable), *readable)),
        stage=Stage(row.stage).name,
        by=row.by,
        place=next((report.place for report in readable if report.place), None),
        trust=max((_trust(one["trust"]) for one in said), default=Trust.UNKNOWN).name,
        source=main.source,
        ids=ids,
        posts=tuple(dict.fromkeys(report.post for report in reports)),
        words=tuple(dict.fromkeys(plain(word) for one in said for word in one["words"])),
        remarks=tuple(remark for remark in remarks if remark != Remark.DRILL or is_drill),
        struck_at=struck_at,
        arrived_at=arrived_at,
        age_s=age_s,
        late=Remark.LATE in remarks or (age_s is not None and age_s > LATE_AFTER_S),
        drill=is_drill,
        unsafe=any(report.unsafe for report in reports),
        unreadable=len(readable) < len(reports),
        again_at=row.again_at,
        told=told,
        told_at=told_at,
    )


def _said(report: Row[Any]) -> dict[str, Any]:
    """The report's own words; what cannot be read says nothing."""
    said = {} if report.reason else json.loads(report.body)
    return {"words": [], "remarks": [], "trust": Trust.UNKNOWN.name, "first": {}} | said


def _struck_at(report: Row[Any], said: dict[str, Any]) -> float | None:
    if report.age_s is not None:
        return float(report.arrived_at - report.age_s)
    return float(said["first"]["at"]) if said["first"].get("trusted") else None


def _latest(reports: list[Row[Any]]) -> Iterable[Row[Any]]:
    """Of each post's accounts of one alarm the last: a restored journal tells what was struck since."""
    return {(report.post, report.alarm): report for report in reports}.values()


def _plainest(kinds: Iterable[str]) -> str:
    known = [Kind(kind) for kind in kinds]
    return next((kind for kind in known if not kind.is_vague), known[0] if known else Kind.UNKNOWN).value


def _trust(name: str) -> Trust:
    return Trust.__members__.get(name, Trust.UNKNOWN)


def _told(words: list[Row[Any]], stage: int) -> tuple[str | None, float | None]:
    """What became of the words of the present stage: told if any post told, else the best that is known."""
    mine = [_delivery(word) for word in words if word.stage == stage]
    if not mine:
        return None, None
    told = [word for word in mine if word.fate == "told"]
    if told:
        return "told", min((word.told_at for word in told if word.told_at is not None), default=None)
    waiting = [word for word in mine if not word.is_final]
    if waiting:
        return ("received" if any(word.fate for word in waiting) else "waiting"), None
    return mine[-1].fate, None


def _delivery(word: Row[Any]) -> Delivery:
    """A post's clock is believed only between the word and its answer."""
    told_at = word.fate_at if word.fate == "told" else None
    if told_at is not None and not word.at - 1 <= told_at <= word.answered_at + 1:
        told_at = None
    stage = None if word.stage is None else Stage(word.stage).name
    return Delivery(
        number=word.number,
        post=word.post,
        kind=word.kind,
        stage=stage,
        by=word.by,
        text=word.text,
        said_at=word.at,
        fate=word.fate or None,
        is_final=bool(word.is_final),
        told_at=told_at,
        answered_at=word.answered_at,
        detail=word.detail,
    )


def _account(report: Row[Any], said: dict[str, Any]) -> Account:
    return Account(
        post=report.post,
        alarm=report.alarm,
        revision=report.revision,
        kind=report.kind,
        reason=report.reason,
        unsafe=bool(report.unsafe),
        arrived_at=report.arrived_at,
        words=tuple(plain(word) for word in said["words"]),
    )
