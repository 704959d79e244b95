"""What an officer may do: find a case, say a word about it, give an order. A stage only climbs."""

import difflib

from sqlalchemy import Connection, select, update

from bridge.domain.alarm import Stage
from bridge.domain.desk import OrderKind
from bridge.domain.errors import BridgeError
from bridge.domain.ids import PostId
from desk.filing import CASES, log_act
from desk.store import POSTS, PRESSES, REPORTS, Store
from desk.words import tell_stage, utter

NEAR = 3


class UnknownAlarm(BridgeError):
    """No case by that name. `near`: what may have been meant."""

    def __init__(self, said: str, near: list[str]) -> None:
        super().__init__(f"no alarm {said!r}" + (f"; nearest: {', '.join(near)}" if near else ""))
        self.said, self.near = said, near


class UnknownPost(BridgeError):
    def __init__(self, post: PostId) -> None:
        super().__init__(f"post {post} is not registered here")
        self.post = post


class NotHigher(BridgeError):
    """The case is at that stage already, or above it."""

    def __init__(self, case: int, stage: Stage, by: str) -> None:
        super().__init__(f"case {case} is {stage.name} already" + (f" by {by}" if by else ""))
        self.case, self.stage, self.by = case, stage, by


def find(connection: Connection, said: str) -> int:
    """A case by its number, an alarm's id, a press, or the one alarm that begins so. Raises UnknownAlarm."""
    number = said.removeprefix("#")
    if number.isascii() and number.isdecimal() and len(number) < 16:
        row = connection.execute(select(CASES.c.joined_to).where(CASES.c.number == int(number))).first()
        if row is not None:
            return int(row.joined_to or number)
    holds = select(PRESSES.c.report).where(PRESSES.c.press == said)
    named = (REPORTS.c.alarm == said) | (REPORTS.c.key == said) | REPORTS.c.id.in_(holds)
    case = connection.execute(select(REPORTS.c.case_number).where(named).limit(1)).scalar()
    if case is not None:
        return int(case)
    begins = select(REPORTS.c.case_number).where(REPORTS.c.key.startswith(said, autoescape=True)).distinct().limit(2)
    begun = connection.execute(begins).scalars().all()
    if len(begun) == 1 and said:
        return int(begun[0])
    names = connection.execute(select(REPORTS.c.key).order_by(REPORTS.c.id.desc()).limit(5000)).scalars()
    raise UnknownAlarm(said, difflib.get_close_matches(said, dict.fromkeys(names), NEAR, cutoff=0.5))


def say_stage(store: Store, said: str, stage: Stage, by: str) -> tuple[int, list[int]]:
    """The case and the numbers of the words that now wait for its posts (none: no post knows it by an id).

    Raises UnknownAlarm or NotHigher.
    """
    with store.changing() as change:
        case = find(change.connection, said)
        row = change.connection.execute(select(CASES).where(CASES.c.number == case)).one()
        if stage <= row.stage and row.again_at is None:
            raise NotHigher(case, Stage(row.stage), row.by)
        if stage > row.stage:
            values = {"stage": int(stage), "by": by, "again_at": None}
            numbers = tell_stage(change, case, stage, by)
        else:  # struck again after it was closed: read, but nothing new can be told
            values, numbers = {"again_at": None}, []
        change.connection.execute(update(CASES).where(CASES.c.number == case).values(values))
        log_act(change, case, stage.name, by)
    return case, numbers


def order(store: Store, kind: OrderKind, post: PostId, by: str = "", text: str = "") -> int:
    """An order to one post; its number. Raises UnknownPost."""
    with store.changing() as change:
        if change.connection.execute(select(POSTS.c.post).where(POSTS.c.post == str(post))).first() is None:
            raise UnknownPost(post)
        (number,) = utter(change, [{"post": str(post), "kind": kind.value, "by": by, "text": text}])
    return number


def message(store: Store, said: str, text: str, by: str = "") -> tuple[int, list[int]]:
    """An officer's own words to the striker, through the first post that reported. Raises UnknownAlarm."""
    with store.changing() as change:
        case = find(change.connection, said)
        known = (REPORTS.c.case_number == case) & (REPORTS.c.alarm != "")
        report = change.connection.execute(select(REPORTS).where(known).order_by(REPORTS.c.id).limit(1)).first()
        if report is None:
            return case, []
        about = {"case_number": case, "alarm": report.alarm, "source": report.source}
        word = {"post": report.post, "kind": OrderKind.MESSAGE.value, "by": by, "text": text}
        log_act(change, case, "MESSAGE", by)
        return case, utter(change, [about | word])
