"""The desk's outbox as it is written: an officer's words and orders, each to one post, each with its own number."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from bridge.domain.alarm import Stage
from bridge.domain.desk import OrderKind, Word
from desk.filing import CASES
from desk.reading import plain
from desk.store import REPORTS, Change, chunks, table
from desk.tables import Spoken
from mqtt.contract import AnswerItem

WORDS = table(Spoken)
RESEND_AGAIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Pending:
    """A word whose post has not yet said what finally became of it."""

    post: str
    word: Word
    at: float


def utter(change: Change, posts_words: Iterable[dict[str, Any]]) -> list[int]:
    """Put words into the outbox; each needs `post` and `kind`. Numbers rise even if the database was once restored."""
    rows = [dict(SILENT, at=change.at) | given for given in posts_words]
    last = change.connection.execute(select(func.max(WORDS.c.number))).scalar() or 0
    first = max(last + 1, int(change.at * 1000))
    for number, row in enumerate(rows, first):
        row["number"] = number
    change.insert(WORDS, rows)
    return [row["number"] for row in rows]


SILENT: dict[str, Any] = {
    "case_number": None,
    "alarm": "",
    "source": "",
    "stage": None,
    "by": "",
    "text": "",
    "fate": "",
    "is_final": False,
    "fate_at": None,
    "answered_at": None,
    "detail": "",
}


def tell_stage(change: Change, case: int, stage: Stage, by: str) -> list[int]:
    """Tell every post that reported this case, once for each alarm it knows it by, unless it was told already.

    A post that reports it anew, from another journal, has lost what it was told before that.
    """
    reports = select(REPORTS.c.post, REPORTS.c.alarm, REPORTS.c.source, REPORTS.c.arrived_at)
    reports = reports.where(REPORTS.c.case_number == case, REPORTS.c.alarm != "").order_by(REPORTS.c.id)
    told = select(WORDS.c.post, WORDS.c.alarm, WORDS.c.at).where(WORDS.c.stage == int(stage), WORDS.c.alarm != "")
    rows = change.connection.execute(reports).all()
    known = {(row.post, row.alarm): row for row in reversed(rows)}
    begun: dict[tuple[str, str], float] = {}
    for row in rows:
        begun[row.post, row.alarm] = max(row.arrived_at, begun.get((row.post, row.alarm), row.arrived_at))
    for alarms in chunks({alarm for _, alarm in known}):
        for word in change.connection.execute(told.where(WORDS.c.alarm.in_(alarms))):
            if word.at >= begun.get((word.post, word.alarm), word.at):
                known.pop((word.post, word.alarm), None)
    return utter(
        change,
        (
            {
                "post": row.post,
                "kind": OrderKind.STAGE.value,
                "case_number": case,
                "alarm": row.alarm,
                "source": row.source,
                "stage": int(stage),
                "by": by,
            }
            for row in reversed(known.values())
        ),
    )


def catch_up(change: Change, cases: Iterable[int]) -> None:
    """Reports that came to a case after an officer spoke: their posts must hear it too."""
    for some in chunks(cases):
        spoken = select(CASES.c.number, CASES.c.stage, CASES.c.by)
        spoken = spoken.where(CASES.c.number.in_(some), CASES.c.stage > int(Stage.STORED))
        for case in change.connection.execute(spoken).all():
            tell_stage(change, case.number, Stage(case.stage), case.by)


def note_answer(change: Change, post: str, answer: AnswerItem) -> Row[Any] | None:
    """Store what became of a word; None when it says nothing new, or is not about a word to this post."""
    mine = (WORDS.c.number == answer.number) & (WORDS.c.post == post)
    word = change.connection.execute(select(WORDS).where(mine)).first()
    if word is None or not _is_news(word, answer):
        return None
    change.connection.execute(
        update(WORDS)
        .where(mine)
        .values(
            fate=answer.fate.value,
            is_final=answer.fate.is_final,
            fate_at=answer.at,
            answered_at=change.at,
            detail=plain(answer.detail),
        )
    )
    change.touch()
    return word


def _is_news(word: Row[Any], answer: AnswerItem) -> bool:
    """A final account stands, unless the post gives a later one: a replayed old one changes nothing."""
    if word.is_final:
        return answer.fate.is_final and answer.fate.value != word.fate and answer.at > word.fate_at
    return answer.fate.value != word.fate


def order_resend(change: Change, post: str) -> bool:
    """Ask a post for everything again, unless it is being asked, or was within the last minute."""
    asked = (WORDS.c.post == post) & (WORDS.c.kind == OrderKind.RESEND.value)
    asked &= WORDS.c.is_final.is_(False) | (WORDS.c.at > change.at - RESEND_AGAIN_S)
    if change.connection.execute(select(WORDS.c.number).where(asked).limit(1)).first():
        return False
    utter(change, [{"post": post, "kind": OrderKind.RESEND.value}])
    return True


def pending(connection: Connection, desk: str) -> list[Pending]:
    """The outbox, oldest word first."""
    rows = connection.execute(select(WORDS).where(WORDS.c.is_final.is_(False)).order_by(WORDS.c.number))
    return [Pending(row.post, _word(row, desk), row.at) for row in rows]


def _word(row: Row[Any], desk: str) -> Word:
    stage = None if row.stage is None else Stage(row.stage)
    return Word(desk, row.number, OrderKind(row.kind), row.alarm, row.source, stage, row.by, row.text)
