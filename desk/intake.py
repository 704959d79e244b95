"""Custody: a group of messages becomes one commit, and only then receipts. Every copy is receipted."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import func, insert, select, update

from bridge.domain.desk import Mark
from desk.filing import EVIDENCE, Filed, Filing, evidence
from desk.reading import Alarms, Answers, Hello, Message, Status
from desk.store import Change, Store, table
from desk.tables import Presence
from desk.words import catch_up, note_answer, order_resend
from mqtt.contract import MarkBody, QuarantinedBody, ReceiptBody, StatusBody, StoredBody

PRESENCE = table(Presence)


@dataclass(slots=True)
class Taken:
    """What a group came to, once it is on disk."""

    receipts: list[tuple[str, ReceiptBody]] = field(default_factory=list)  # (post, what to sign)
    news: list[Filed] = field(default_factory=list)
    fates: list[tuple[str, int, str]] = field(default_factory=list)  # (post, word, fate)
    turned: list[tuple[str, bool]] = field(default_factory=list)  # (post, online?)
    present: set[str] = field(default_factory=set)  # posts that have just shown that they listen
    resend: list[str] = field(default_factory=list)  # posts that were asked for everything


class Intake:
    """The only place that takes custody. One thread calls it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def take(self, messages: Sequence[Message]) -> Taken:
        """Store all, or nothing: raises SQLAlchemyError, and then no receipt may go out."""
        taken = Taken()
        strangers = self._strangers([message for message in messages if isinstance(message, Alarms | Hello)])
        if strangers or any(isinstance(message, Alarms | Answers | Status) for message in messages):
            with self._store.changing() as change:
                self._store_alarms(change, [message for message in messages if isinstance(message, Alarms)], taken)
                self._store_answers(change, [message for message in messages if isinstance(message, Answers)], taken)
                for message in messages:
                    if isinstance(message, Status):
                        _store_status(change, message, taken)
                taken.resend = [post for post in strangers if order_resend(change, post)]
        self._write_receipts(messages, taken)
        return taken

    def _strangers(self, messages: Sequence[Alarms | Hello]) -> list[str]:
        """Posts that have seen a commit of ours which this database never made: it is an older copy, or another one."""
        seen = {(message.post, message.seen.get(self._store.desk)) for message in messages}
        return sorted({post for post, mark in seen if mark is not None and not self._holds(mark)})

    def _holds(self, seen: MarkBody) -> bool:
        return self._store.holds(Mark(self._store.desk, seen.database, seen.commit, seen.token))

    def _store_alarms(self, change: Change, messages: list[Alarms], taken: Taken) -> None:
        if messages:
            filing = Filing(change)
            filing.file(messages)
            catch_up(change, filing.grown)
            taken.news = filing.news

    def _store_answers(self, change: Change, messages: list[Answers], taken: Taken) -> None:
        for message in messages:
            before = len(taken.fates)
            for answer in message.answers:
                is_ours = answer.desk == self._store.desk
                if is_ours and note_answer(change, message.post, answer) is not None:
                    taken.fates.append((message.post, answer.number, answer.fate.value))
            if len(taken.fates) > before:
                newest = change.connection.execute(select(func.max(EVIDENCE.c.id))).scalar() or 0
                change.insert(EVIDENCE, [evidence(newest + 1, message, change.at)])

    def _write_receipts(self, messages: Sequence[Message], taken: Taken) -> None:
        mark = self._store.mark()
        body = MarkBody(database=mark.database, commit=mark.commit, token=mark.token)
        for message in messages:
            match message:
                case Alarms(post=post, batch=batch) if batch:
                    taken.receipts.append((post, self._receipt(body, message)))
                case Hello(post=post, nonce=nonce):
                    taken.receipts.append((post, ReceiptBody(desk=mark.desk, mark=body, re=nonce)))
                    taken.present.add(post)
                case Status(post=post, status=StatusBody(online=True)):
                    taken.present.add(post)

    def _receipt(self, mark: MarkBody, message: Alarms) -> ReceiptBody:
        """Names every string of the batch: stored, or quarantined and why."""
        good = [item for item in message.items if not item.reason]
        bad = [item for item in message.items if item.reason]
        return ReceiptBody(
            desk=self._store.desk,
            mark=mark,
            re=message.batch,
            stored=[StoredBody(alarm=item.alarm, rev=item.revision, sha=item.sha) for item in good],
            quarantined=[
                QuarantinedBody(sha=item.sha, reason=item.reason, alarm=item.alarm, rev=item.revision) for item in bad
            ],
        )


def _store_status(change: Change, message: Status, taken: Taken) -> None:
    """Counters decide within a journal, and the journal that last said "online" is the post's own: a post whose disk
    was away goes back to an older journal. A late will of another journal says nothing about the post.
    """
    status, run = message.status, change.connection.execute
    mine = (PRESENCE.c.post == message.post) & (PRESENCE.c.journal == status.run.journal)
    known = run(select(PRESENCE).where(mine)).first()
    newest = run(select(func.max(PRESENCE.c.number)).where(PRESENCE.c.post == message.post)).scalar() or 0
    takes_over = known is None or (status.online and known.number < newest)
    if known is not None:
        before = (known.start, known.connection, known.state)
        if status.order < before or (status.order == before and not takes_over):
            return
    number = newest + 1 if known is None or takes_over else known.number
    start, connection, state = status.order
    row = {"start": start, "connection": connection, "state": state, "version": status.version, "since": change.at}
    row["number"] = number
    if known is not None:
        run(update(PRESENCE).where(mine).values(row))
    else:
        run(insert(PRESENCE).values(row | {"post": message.post, "journal": status.run.journal}))
    change.touch()
    taken.turned.append((message.post, status.online))
