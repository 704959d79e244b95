"""The way to the desk over MQTT: one worker thread feeds a window of publishes and believes only signed receipts."""

import secrets
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, assert_never

import structlog

from bridge.domain import events as ev
from bridge.domain.alarm import Moment
from bridge.domain.commands import Relay
from bridge.domain.desk import Answer, Mark
from bridge.domain.errors import BridgeError
from bridge.domain.ids import PostId, Run
from bridge.domain.ports import Clock, Deliver, Page
from mqtt import contract
from mqtt.broker import (
    FAILURE,
    Message,
    SessionConfig,
    SessionTiming,
    Subscription,
    is_delivered,
    why_undelivered,
)
from mqtt.contract import Leaf
from mqtt.downlink import Downlink, Orders, Receipt, Unreadable
from mqtt.outgoing import HELD, Outgoing
from mqtt.session import Session
from mqtt.signature import Keyring, NotVerified, Signer

log = structlog.get_logger()

MAILBOX = 20_000
PAGE_ROWS = 320
ANSWERS = 1024  # kept until the broker took them; the desk asks again for any that is lost
ANSWERS_IN_ONE = 64
NONCES = 16
HELLO_AGAIN_S = 2.0  # doubled up to the time-out: after a broker's restart the desk may be back a little later than we


@dataclass(frozen=True, slots=True)
class Timing:
    """Shrunk by tests."""

    hello_every_s: float = contract.HELLO_EVERY_S
    hello_timeout_s: float = contract.HELLO_TIMEOUT_S
    away_after_s: float = contract.DESK_AWAY_AFTER_S
    receipt_s: float = contract.RECEIPT_TIMEOUT_S
    retry_s: float = contract.RETRY_S
    puback_s: float = 120.0  # a broker that pings and takes nothing
    health_s: float = 300.0
    status_gap_s: float = 5.0  # two programs that fight over one status must not flood the broker
    suspect_s: float = 60.0
    tick_s: float = 1.0
    session: SessionTiming = field(default_factory=SessionTiming)


@dataclass(frozen=True, slots=True)
class _Up:
    number: int


@dataclass(frozen=True, slots=True)
class _Down:
    why: str


@dataclass(frozen=True, slots=True)
class _Denied:
    why: str


@dataclass(frozen=True, slots=True)
class _Got:
    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class _Acked:
    token: int
    code: int


@dataclass(frozen=True, slots=True)
class _Sweep:
    pass


@dataclass(frozen=True, slots=True)
class _Account:
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class _HealthAsked:
    pass


_Note = _Up | _Down | _Denied | _Got | _Acked | _Sweep | _Account | _HealthAsked | Relay


@dataclass(frozen=True, slots=True)
class _Sent:
    """A publish of QoS 1 that waits for PUBACK. `batch` names alarms; `answers` what was accounted."""

    leaf: Leaf
    at_s: float
    batch: str = ""
    answers: tuple[Answer, ...] = ()


class _Mailbox:
    """Notes for the worker. It refuses what can be found again elsewhere, never the session's own news."""

    def __init__(self) -> None:
        self._notes: deque[_Note] = deque()
        self._news = threading.Condition()
        self._is_closed = False

    def put(self, note: _Note) -> bool:
        with self._news:
            if len(self._notes) >= MAILBOX and isinstance(note, Relay | _Got | _Account):
                return False
            self._notes.append(note)
            self._news.notify()
            return True

    def take(self, wait_s: float) -> list[_Note]:
        """All that wait, at most `wait_s` later."""
        with self._news:
            self._news.wait_for(lambda: self._notes or self._is_closed, wait_s)
            notes = list(self._notes)
            self._notes.clear()
            return notes

    def close(self) -> None:
        with self._news:
            self._is_closed = True
            self._news.notify()


class MqttUplink:
    """One way to the desk. Rows that wait are in the journal; here is only what is on its way.

    `seen` gives the last mark of each desk, `waiting` how many rows the journal holds for the desk.
    """

    def __init__(
        self,
        name: str,
        post: PostId,
        run: Run,
        session_config: SessionConfig,
        signer: Signer,
        desks: Keyring,
        page: Page,
        clock: Clock,
        version: str,
        seen: Callable[[], dict[str, Mark]],
        waiting: Callable[[], int],
        timing: Timing | None = None,
    ) -> None:
        self.name = name
        self._run, self._version, self._signer, self._clock = run, version, signer, clock
        self._page, self._seen, self._waiting = page, seen, waiting
        self._timing = timing or Timing()
        self._topics = {leaf: contract.topic(post, leaf) for leaf in Leaf}
        self._downlink = Downlink(post, desks)
        self._outgoing = Outgoing(self._timing.receipt_s, self._timing.retry_s)
        self._run_body = contract.RunBody(journal=run.journal, start=run.start, bits=run.bits)
        self._mailbox = _Mailbox()
        self._is_stopping = False
        self._thread = threading.Thread(target=self._work, name=f"uplink-{name}", daemon=True)
        self._session = Session(
            session_config,
            on_up=lambda number: self._note(_Up(number)),
            on_down=lambda why: self._note(_Down(why)),
            on_message=lambda topic, payload: self._note(_Got(topic, payload)),
            on_published=lambda token, code: self._note(_Acked(token, code)),
            on_fault=lambda why: self._note(_Denied(why)),
            subscriptions=(
                Subscription(self._topics[Leaf.RECEIPT]),
                Subscription(self._topics[Leaf.ORDER]),
                Subscription(self._topics[Leaf.STATUS], retained=False),
            ),
            will=lambda number: self._status(number, online=False),
            timing=self._timing.session,
        )
        self._answers: OrderedDict[tuple[str, int], Answer] = OrderedDict()
        self._faults: dict[str, str] = {}
        self._suspects = 0
        self._suspect_at: float | None = None
        self._is_answering = False
        self._why_away = ""
        self._since_s = clock.monotonic()
        self._was_full = False
        self._number: int | None = None
        self._forget_connection()

    # --- the port: any thread, never blocks ----------------------------------------------------------------------

    def start(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self._thread.start()
        self._session.start()

    def relay(self, relay: Relay) -> None:
        if not self._mailbox.put(relay):
            self._was_full = True  # the journal has it: swept up when there is room

    def sweep(self) -> None:
        self._note(_Sweep())

    def account(self, answers: tuple[Answer, ...]) -> None:
        self._note(_Account(answers))

    def report_health(self) -> None:
        """Publish `health` now."""
        self._note(_HealthAsked())

    def stop(self) -> None:
        """Says `offline` and takes leave of the broker."""
        number = self._number
        self._is_stopping = True
        self._session.stop(self._status(number, online=False) if number is not None else None)
        self._mailbox.close()
        if self._thread.ident is not None:
            self._thread.join(5.0)

    def picture(self) -> dict[str, Any]:
        """For the status: JSON-able; `since_s` is how long the desk has been reachable or away."""
        return {
            "broker": self._session.config.place,
            "connected": self._number is not None,
            "desk_reachable": self._is_answering,
            "why_away": self._why_away,
            "since_s": round(self._clock.monotonic() - self._since_s, 1),
            "waiting": self._waiting(),
            "in_flight": self._outgoing_rows,
            "window": self._session.window,
            "forged_or_replayed": self._suspects,
            "faults": dict(self._faults),
        }

    def _note(self, note: _Note) -> None:
        self._mailbox.put(note)

    # --- the worker ----------------------------------------------------------------------------------------------

    def _work(self) -> None:
        while not self._is_stopping:
            for note in self._mailbox.take(self._timing.tick_s):
                self._guard(lambda note=note: self._take(note))  # type: ignore[misc]
            if self._number is not None and not self._is_stopping:
                self._guard(self._let_time_pass)
                self._guard(self._pump)
            self._outgoing_rows = self._outgoing.in_flight

    def _guard(self, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception:  # the top of this thread: one bad message must not cost the others their way
            log.exception("uplink step failed", uplink=self.name)

    def _take(self, note: _Note) -> None:
        match note:
            case Relay():
                self._take_relay(note)
            case _Acked(token, code):
                self._acked(token, code)
            case _Got(topic, payload):
                self._got(topic, payload)
            case _Account(answers):
                self._keep_answers(answers)
            case _Up(number):
                self._up(number)
            case _Down(why):
                self._down(why)
            case _Denied(why):
                self._fault(f"uplink:{self.name}/subscribe", why)
            case _Sweep():
                self._outgoing.forget_receipts()
                self._begin_sweep()
            case _HealthAsked():
                self._health_at = 0.0
            case _:
                assert_never(note)

    def _take_relay(self, relay: Relay) -> None:
        if self._number is None and not relay.unsafe:
            return  # the journal has it, and is paged when we are connected
        if not self._outgoing.offer(relay):
            self._was_full = True
            if relay.unsafe:
                log.error("unsafe alarm dropped", alarm=relay.row.alarm, held=2 * HELD)

    # --- connection ----------------------------------------------------------------------------------------------

    def _forget_connection(self) -> None:
        self._unacked: dict[int, _Sent] = {}
        self._nonces: OrderedDict[str, float] = OrderedDict()
        self._status_payload = b""
        self._status_at: float | None = None
        self._hello_at = self._answers_at = 0.0
        self._in_vain = 0  # hellos without an answer
        self._asking_since: float | None = None
        self._page_before: int | None = None
        self._is_paging = False
        self._sweep_at = self._health_at = 0.0
        self._outgoing_rows = 0

    def _up(self, number: int) -> None:
        self._forget_connection()
        self._outgoing.disconnected()
        now_s = self._clock.monotonic()
        self._number, self._status_at = number, now_s
        self._health_at = now_s + min(10.0, self._timing.health_s)  # alarms and answers first
        self._begin_sweep()
        self._fault(f"uplink:{self.name}/subscribe", "")

    def _down(self, why: str) -> None:
        self._number = None
        self._forget_connection()
        self._outgoing.disconnected()
        self._lose_desk(why)

    def _status(self, number: int, online: bool) -> Message:
        at = self._moment(self._clock.now()) if online else None
        body = contract.StatusBody(online=online, version=self._version, run=self._run_body, connection=number, at=at)
        return self._seal(Leaf.STATUS, body)

    def _seal(self, leaf: Leaf, body: contract.Model) -> Message:
        topic = self._topics[leaf]
        payload = self._signer.seal(topic, body.to_body()).encode()
        return Message(topic, payload, leaf.qos, leaf.is_retained)

    def _sent(self, leaf: Leaf, batch: str = "", answers: tuple[Answer, ...] = ()) -> _Sent:
        return _Sent(leaf, self._clock.monotonic(), batch, answers)

    def _publish(self, message: Message, sent: _Sent) -> bool:
        token = self._session.publish(message.topic, message.payload, message.qos, message.retain)
        if token is None:
            return False  # the news that the connection was lost is on its way
        if message.qos:
            self._unacked[token] = sent
        return True

    # --- what is due ---------------------------------------------------------------------------------------------

    def _let_time_pass(self) -> None:
        now_s = self._clock.monotonic()
        if self._outgoing.overdue(now_s) and self._asking_since is None:
            self._asking_since, self._hello_at = now_s - self._timing.receipt_s, now_s
        if self._asking_since is not None and now_s - self._asking_since >= self._timing.away_after_s:
            self._lose_desk(f"meja polisi tidak menjawab {self._timing.away_after_s:g} s (no answer from the desk)")
        if any(now_s - sent.at_s >= self._timing.puback_s for sent in self._unacked.values()):
            self._session.renew("broker tidak menerima pesan (no PUBACK)")
        if now_s >= self._sweep_at and not self._is_paging:
            self._sweep_at = now_s + self._timing.retry_s
            if self._was_full or self._waiting() > 0:
                self._begin_sweep()
        self._forgive(now_s)

    def _pump(self) -> None:
        """Publish what the window allows: first what proves the way, then live alarms, then the rest."""
        now_s = self._clock.monotonic()
        if self._has_room and self._status_at is not None and now_s >= self._status_at:
            self._say_status()
        if self._has_room and now_s >= self._hello_at:
            self._say_hello(now_s)
        if self._has_room and self._answers and now_s >= self._answers_at:
            self._say_answers()
        while self._has_room and self._say_alarms():
            pass
        if now_s >= self._health_at:
            self._health_at = now_s + self._timing.health_s
            self._say_health()

    @property
    def _has_room(self) -> bool:
        return self._number is not None and len(self._unacked) < self._session.window

    def _say_status(self) -> None:
        if self._number is None:
            return
        message = self._status(self._number, online=True)
        if self._publish(message, self._sent(Leaf.STATUS)):
            self._status_payload, self._status_at = message.payload, None

    def _say_hello(self, now_s: float) -> None:
        nonce = secrets.token_hex(8)
        seen = {
            mark.desk: contract.MarkBody(database=mark.database, commit=mark.commit, token=mark.token)
            for mark in self._seen().values()
        }
        body = contract.HelloBody(nonce=nonce, run=self._run_body, seen=seen)
        if not self._publish(self._seal(Leaf.HELLO, body), self._sent(Leaf.HELLO)):
            return
        self._nonces[nonce] = now_s
        while len(self._nonces) > NONCES:
            self._nonces.popitem(last=False)
        self._hello_at = now_s + min(self._timing.hello_timeout_s, HELLO_AGAIN_S * 2**self._in_vain)
        self._in_vain = min(self._in_vain + 1, 10)
        if self._asking_since is None:
            self._asking_since = now_s

    def _say_answers(self) -> None:
        said = tuple(self._answers.values())[:ANSWERS_IN_ONE]
        items = [
            contract.AnswerItem(desk=a.desk, number=a.number, fate=a.fate, at=round(a.at, 3), detail=a.detail[:200])
            for a in said
        ]
        if self._publish(
            self._seal(Leaf.ANSWER, contract.AnswerBody(answers=items)), self._sent(Leaf.ANSWER, answers=said)
        ):
            self._answers_at = self._clock.monotonic() + self._timing.puback_s  # until PUBACK says more

    def _say_alarms(self) -> bool:
        """One publish of alarms; False when none may go now."""
        self._turn_page()
        now_s = self._clock.monotonic()
        unacked = sum(sent.leaf is Leaf.ALARM for sent in self._unacked.values())
        relays = self._outgoing.choose(now_s, unacked, self._session.window, self._is_answering)
        if not relays:
            return False
        batch, now = secrets.token_hex(8), self._clock.now()
        items = [_item(relay, now) for relay in relays]
        body = contract.AlarmBody(batch=batch, run=self._run_body, now=self._moment(now), items=items)
        if not self._publish(self._seal(Leaf.ALARM, body), self._sent(Leaf.ALARM, batch)):
            self._outgoing.put_back(relays)
            return False
        self._outgoing.sent(batch, relays, now_s)
        return True

    def _say_health(self) -> None:
        now = self._moment(self._clock.now())
        body = contract.HealthBody(run=self._run_body, now=now, waiting=self._waiting(), faults=dict(self._faults))
        self._publish(self._seal(Leaf.HEALTH, body), self._sent(Leaf.HEALTH))

    # --- the journal's rows ---------------------------------------------------------------------------------------

    def _begin_sweep(self) -> None:
        self._page_before, self._is_paging, self._was_full = None, True, False

    def _turn_page(self) -> None:
        """The next rows, newest first, when the last ones are nearly gone."""
        if not self._is_paging or len(self._outgoing.backlog) >= contract.MAX_ALARMS:
            return
        try:
            rows = self._page(self._page_before, PAGE_ROWS)
        except BridgeError as error:
            log.warning("journal not readable", uplink=self.name, why=str(error))
            rows = []
        self._outgoing.page_in(rows)
        if rows:
            self._page_before = rows[-1].sequence
        if len(rows) < PAGE_ROWS:
            self._is_paging, self._sweep_at = False, self._clock.monotonic() + self._timing.retry_s

    # --- the broker's word ----------------------------------------------------------------------------------------

    def _acked(self, token: int, code: int) -> None:
        sent = self._unacked.pop(token, None)
        if sent is None:
            return
        now_s = self._clock.monotonic()
        if not is_delivered(code):
            self._undelivered(sent, code, now_s)
            return
        self._fault(self._fault_name(sent.leaf), "")
        match sent.leaf:
            case Leaf.ALARM:
                if keys := self._outgoing.acked(sent.batch, now_s):
                    self._deliver(ev.Brokered(keys))
            case Leaf.ANSWER:
                self._answers_at = now_s
                for answer in sent.answers:
                    if self._answers.get((answer.desk, answer.number)) == answer:
                        del self._answers[(answer.desk, answer.number)]

    def _undelivered(self, sent: _Sent, code: int, now_s: float) -> None:
        why = why_undelivered(self._topics[sent.leaf], code)
        if code >= FAILURE or sent.leaf is Leaf.ALARM:
            self._fault(self._fault_name(sent.leaf), why)
        match sent.leaf:
            case Leaf.ALARM:
                self._outgoing.refused(sent.batch, now_s)
                self._lose_desk(why)
            case Leaf.HELLO:
                self._lose_desk(why)
            case Leaf.ANSWER:
                self._answers_at = now_s + self._timing.retry_s
            case Leaf.STATUS if code >= FAILURE:
                self._status_at = now_s + self._timing.retry_s

    def _fault_name(self, leaf: Leaf) -> str:
        return f"uplink:{self.name}" if leaf is Leaf.ALARM else f"uplink:{self.name}/{leaf}"

    # --- the desk's word ------------------------------------------------------------------------------------------

    def _got(self, topic: str, payload: bytes) -> None:
        if topic == self._topics[Leaf.STATUS]:
            self._watch_status(payload)
            return
        try:
            heard = self._downlink.read(topic, payload)
        except NotVerified as error:
            self._suspect(f"pesan palsu atau rusak di {topic} ({error})")
            return
        except Unreadable as error:
            self._fault("desk:message", str(error))
            return
        for odd in heard.odd:
            self._fault("desk:message", odd)
        match heard:
            case Receipt():
                self._take_receipt(heard)
            case Orders():
                pass
        for word in heard.words:
            self._deliver(ev.DeskSpoke(word))

    def _take_receipt(self, receipt: Receipt) -> None:
        """It counts only if it answers what we said in this connection; an old one proves nothing."""
        if receipt.re in self._nonces:
            self._find_desk(self._nonces.pop(receipt.re))
            self._deliver(ev.Receipted(receipt.mark, ()))
        elif receipt.re in self._outgoing.batches:
            asked_s = self._outgoing.batches[receipt.re].sent_s
            taken, strange = self._outgoing.receipt(receipt.re, receipt.items)
            if strange:
                self._suspect(
                    f"{strange} tanda terima tidak cocok dengan yang dikirim (receipts for what was not sent)"
                )
            if taken:
                self._find_desk(asked_s)
                self._deliver(ev.Receipted(receipt.mark, taken))
        elif receipt.re and not self._outgoing.was_answered(receipt.re):
            self._suspect("tanda terima lama atau asing diabaikan (an old or foreign receipt)")

    def _watch_status(self, payload: bytes) -> None:
        """A late will of an earlier connection, or another program, says that we are offline: say that we are not."""
        if payload != self._status_payload and self._status_payload and self._status_at is None:
            self._status_at = self._clock.monotonic() + self._timing.status_gap_s

    def _find_desk(self, asked_s: float) -> None:
        """It answered what was asked then."""
        now_s = self._clock.monotonic()
        self._asking_since, self._hello_at, self._in_vain = None, now_s + self._timing.hello_every_s, 0
        if not self._is_answering:
            self._is_answering, self._why_away, self._since_s = True, "", now_s
            self._answers_at = 0.0
            self._outgoing.desk_is_back(asked_s)
            log.info("desk reachable", uplink=self.name)
            self._deliver(ev.DeskReachable(self.name))

    def _lose_desk(self, why: str) -> None:
        if why == self._why_away:
            return
        if self._is_answering or not self._why_away:
            self._since_s = self._clock.monotonic()
        self._is_answering, self._why_away = False, why
        log.warning("desk away", uplink=self.name, why=why)
        self._deliver(ev.DeskAway(self.name, why))

    def _keep_answers(self, answers: tuple[Answer, ...]) -> None:
        for answer in answers:
            self._answers[(answer.desk, answer.number)] = answer
            self._answers.move_to_end((answer.desk, answer.number))
        while len(self._answers) > ANSWERS:
            self._answers.popitem(last=False)

    # --- faults ---------------------------------------------------------------------------------------------------

    def _fault(self, what: str, why: str) -> None:
        if self._faults.get(what, "") == why:
            return
        if why:
            self._faults[what] = why
        else:
            del self._faults[what]
        self._deliver(ev.Fault(what, why))

    def _suspect(self, why: str) -> None:
        """One line a minute, however much is forged."""
        self._suspects += 1
        now_s = self._clock.monotonic()
        if self._suspect_at is None or now_s - self._suspect_at >= self._timing.suspect_s:
            self._suspect_at = now_s
            log.warning("desk message ignored", uplink=self.name, why=why, count=self._suspects)
            self._fault("desk:signature", f"{why}; {self._suspects} kali sejak mulai (times since the start)")

    def _forgive(self, now_s: float) -> None:
        """What was an hour ago is in the log; the status shows what is."""
        if self._suspect_at is not None and now_s - self._suspect_at >= 60 * self._timing.suspect_s:
            self._suspect_at = None
            self._fault("desk:signature", "")

    @staticmethod
    def _moment(now: Moment) -> contract.MomentBody:
        return contract.MomentBody(at=round(now.wall_s, 3), trusted=now.trusted)


def _item(relay: Relay, now: Moment) -> contract.AlarmItem:
    age_s = relay.row.first.age_s(now)
    return contract.AlarmItem(
        alarm=relay.row.body, age_s=None if age_s is None else round(age_s, 3), unsafe=relay.unsafe
    )
