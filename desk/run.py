"""The running desk: one thread hears, stores, signs and speaks; the session's threads only fill its queue."""

import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Protocol

import structlog
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from bridge.domain.ids import PostId
from desk.intake import Intake
from desk.outbox import Outbox, order_of, receipt_of
from desk.reading import Alarms, Message, Unfit, plain, read
from desk.store import Store
from desk.telling import tell
from desk.words import pending
from mqtt.contract import Leaf, MarkBody, Model, topic
from mqtt.signature import Keyring, NotVerified, Signer

log = structlog.get_logger()

POLL_S = 0.2  # how soon an officer's word, typed beside the running desk, is on its way
GROUP = 512  # alarms in one commit
WAITING = 1000  # messages in memory; beyond, they are dropped and their posts send them again
REPORT_EVERY_S = 10.0
TIDY_EVERY_S = 3600.0
SICK_WAIT_S = 1.0
FAULTS_KEPT = 50  # kinds of refusal between two reports: a stranger must not fill our memory


class Voice(Protocol):
    """What the desk needs of a session to speak."""

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool) -> object: ...


class Desk:
    """Custody and outbox, without the connection: `hear` may be called from any thread and never blocks."""

    def __init__(self, store: Store, signer: Signer, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._store, self._signer, self._monotonic = store, signer, monotonic
        self._intake = Intake(store)
        self._outbox = Outbox()
        self._waiting: queue.Queue[tuple[str, bytes]] = queue.Queue(WAITING)
        self._rings: Mapping[str, Keyring] = {}
        self._last = -1
        self._refused: Counter[str] = Counter()
        self._dropped = self._told_dropped = 0  # counted on the session's thread, the only one that adds
        self._polled_s = self._reported_s = self._tidied_s = float("-inf")
        self._stopping, self._is_back = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._live, name="desk")
        self.voice: Voice | None = None

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Finish the group in hand. What waits in memory was not receipted: its posts send it again."""
        self._stopping.set()
        self._thread.join()

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def hear(self, topic: str, payload: bytes) -> None:
        """A message from the broker."""
        try:
            self._waiting.put_nowait((topic, payload))
        except queue.Full:
            self._dropped += 1

    def came_up(self, _number: int) -> None:
        """The broker is back: what was said meanwhile reached nobody."""
        self._is_back.set()

    def _live(self) -> None:
        while not self._stopping.is_set():
            try:
                self.once()
            except SQLAlchemyError as error:
                log.error("database does not take it; nothing is receipted", why=_line(error))
                self._stopping.wait(SICK_WAIT_S)
            except Exception:
                log.exception("desk thread failed; it goes on")
                self._stopping.wait(SICK_WAIT_S)

    def once(self, patience_s: float = POLL_S) -> None:
        """One turn of the thread: a group that waits or comes soon, the outbox, the faults to report."""
        self._look_around_if_due()
        if messages := self._group(patience_s):
            self._take(messages)
        self._look_around_if_due()
        if self._is_back.is_set():
            self._is_back.clear()
            self._outbox.hurry_all()
        self._speak(self._monotonic())
        self._report(self._monotonic())

    def _group(self, patience_s: float) -> list[Message]:
        """What waits already, up to GROUP alarms: grouping adds no delay."""
        messages: list[Message] = []
        weight = 0
        try:
            waiting = self._waiting.get(timeout=patience_s)
            while True:
                if (message := self._read(*waiting)) is not None:
                    messages.append(message)
                weight += len(message.items) if isinstance(message, Alarms) else 1  # rubbish must not hold it open
                if weight >= GROUP:
                    return messages
                waiting = self._waiting.get_nowait()
        except queue.Empty:
            return messages

    def _read(self, topic: str, payload: bytes) -> Message | None:
        try:
            message = read(topic, payload, self._rings)
        except NotVerified as error:
            self._refuse(f"{topic[:80]}: {error}")
            return None
        if isinstance(message, Unfit):
            self._refuse(f"{message.post}: {message.why}")
            return None
        return message

    def _take(self, messages: list[Message]) -> None:
        """One commit for all; when that fails, each alone, so that one bad message harms no other."""
        try:
            taken = self._intake.take(messages)
        except OperationalError:
            raise  # the database as a whole is away, full or busy
        except SQLAlchemyError as error:
            if len(messages) == 1:
                log.error("database refuses a message; it is not receipted", post=messages[0].post, why=_line(error))
            else:
                for message in messages:
                    self._take([message])
            return
        for post, receipt in taken.receipts:
            self._say(post, Leaf.RECEIPT, receipt)
        for post in taken.present:
            self._outbox.hurry(post)
        if taken.fates or taken.resend:
            self._polled_s = float("-inf")  # the outbox is not what it was
        tell(taken, messages)

    def _look_around_if_due(self) -> None:
        if self._monotonic() - self._polled_s >= POLL_S:
            self._polled_s = self._monotonic()
            self._look_around()

    def _look_around(self) -> None:
        """Whatever anybody changed: keys, words, answers. Costs one small question when nothing was."""
        last = self._store.last()
        if last != self._last:
            self._rings = self._store.keyrings()
            with self._store.reading() as connection:
                self._outbox.load(pending(connection, self._store.desk))
            self._last = last

    def _speak(self, now_s: float) -> None:
        if not (due := self._outbox.due(now_s)):
            return
        mark = self._store.mark()
        for post, words in due.items():
            body = MarkBody(database=mark.database, commit=mark.commit, token=mark.token)
            if (receipt := receipt_of(words, mark.desk, body)) is not None:
                self._say(post, Leaf.RECEIPT, receipt)
            if (order := order_of(words, mark.desk)) is not None:
                self._say(post, Leaf.ORDER, order)
            log.info("words sent", post=post, numbers=[spoken.word.number for spoken in words])

    def _say(self, post: str, leaf: Leaf, body: Model) -> None:
        """QoS 0: what is lost is asked for, or said, again."""
        where = topic(PostId.parse(post), leaf)
        if self.voice is not None:
            self.voice.publish(where, self._signer.seal(where, body.to_body()).encode(), leaf.qos, leaf.is_retained)

    def _refuse(self, why: str) -> None:
        """What does not verify changes nothing and is reported, now and then."""
        self._refused[why if why in self._refused or len(self._refused) < FAULTS_KEPT else "others"] += 1

    def _report(self, now_s: float) -> None:
        if (dropped := self._dropped) > self._told_dropped:
            self._refused["too many at once; their posts send them again"] += dropped - self._told_dropped
            self._told_dropped = dropped
        if self._refused and now_s - self._reported_s >= REPORT_EVERY_S:
            refused, self._refused, self._reported_s = self._refused, Counter(), now_s
            for why, times in refused.items():
                log.warning("message refused", why=plain(why), times=times)
        if now_s - self._tidied_s >= TIDY_EVERY_S:
            self._tidied_s = now_s
            self._store.forget_old_commits()


def _line(error: SQLAlchemyError) -> str:
    return str(error).splitlines()[0]
