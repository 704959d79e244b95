"""The way to the desk over MQTT: one worker thread feeds a window of publishes and believes only signed receipts."""

import secrets
import threading
from collections.abc import Callable
from typing import Any, assert_never

import structlog

from bridge.domain import events as ev
from bridge.domain.commands import Relay
from bridge.domain.desk import Answer, Mark
from bridge.domain.ids import PostId, Run
from bridge.domain.ports import Clock, Deliver, Page
from mqtt import contract
from mqtt.accounts import Accounts
from mqtt.asking import Asking
from mqtt.broker import FAILURE, Message, SessionConfig, Subscription, is_delivered, why_undelivered
from mqtt.complaints import Complaints
from mqtt.contract import Leaf
from mqtt.downlink import Downlink, Receipt, Unreadable
from mqtt.letters import Letters
from mqtt.mailbox import Accounted, Acked, Denied, Down, Got, HealthAsked, Mailbox, Note, SweepAsked, Up
from mqtt.outgoing import Outgoing
from mqtt.pages import Pages
from mqtt.presence import Presence
from mqtt.session import Session
from mqtt.signature import Keyring, NotVerified, Signer
from mqtt.timing import Timing
from mqtt.window import Sent, Window

__all__ = ["MqttUplink", "Timing"]

log = structlog.get_logger()


class MqttUplink:
    """One way to the desk. Rows that wait are in the journal; here is only what is on its way.

    `seen` gives the last mark of each desk, `waiting` how many rows the journal holds for the desk, `well` the faults
    of the whole post and its radio's picture; the worker calls all of them, and `page`, on its own thread.
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
        well: Callable[[], tuple[dict[str, str], dict[str, Any]]] = lambda: ({}, {}),
    ) -> None:
        self.name = name
        self._clock, self._seen, self._waiting, self._well = clock, seen, waiting, well
        self._pages = Pages(page)
        self._timing = timing or Timing()
        self._letters = Letters(post, run, version, signer, clock)
        self._topics = self._letters.topics
        self._downlink = Downlink(post, desks)
        self._outgoing = Outgoing(self._timing.receipt_s, self._timing.retry_s)
        self._asking = Asking(self._timing.hello_every_s, self._timing.hello_timeout_s, self._timing.away_after_s)
        self._accounts = Accounts()
        self._window = Window()
        self._complaints = Complaints(name, self._timing.suspect_s)
        self._mailbox = Mailbox()
        self._session = self._make_session(session_config)
        self._thread = threading.Thread(target=self._work, name=f"uplink-{name}", daemon=True)
        self._is_stopping = self._was_full = False
        self._desk = Presence(clock.monotonic())
        self._number: int | None = None
        self._in_flight = 0
        self._forget_connection()

    def _make_session(self, config: SessionConfig) -> Session:
        put = self._mailbox.put
        return Session(
            config,
            on_up=lambda number: put(Up(number)),
            on_down=lambda why: put(Down(why)),
            on_message=lambda topic, payload: put(Got(topic, payload)),
            on_published=lambda token, code: put(Acked(token, code)),
            on_fault=lambda why: put(Denied(why)),
            subscriptions=(
                Subscription(self._topics[Leaf.RECEIPT]),
                Subscription(self._topics[Leaf.ORDER]),
                Subscription(self._topics[Leaf.STATUS], retained=False),
            ),
            will=lambda number: self._letters.status(number, online=False),
            timing=self._timing.session,
        )

    # --- the port: any thread, never waits -----------------------------------------------------------------------

    def start(self, deliver: Deliver) -> None:
        self._deliver = self._complaints.deliver = deliver
        self._thread.start()
        self._session.start()

    def relay(self, relay: Relay) -> None:
        if not self._mailbox.put(relay):
            self._was_full = True  # the journal has it: swept up when there is room

    def sweep(self) -> None:
        self._mailbox.put(SweepAsked())

    def account(self, answers: tuple[Answer, ...]) -> None:
        self._mailbox.put(Accounted(answers))

    def report_health(self) -> None:
        """Publish `health` now."""
        self._mailbox.put(HealthAsked())

    def stop(self) -> None:
        """Says `offline` and takes leave of the broker."""
        number = self._number
        self._is_stopping = True
        self._session.stop(self._letters.status(number, online=False) if number is not None else None)
        self._mailbox.close()
        if self._thread.ident is not None:
            self._thread.join(5.0)

    def picture(self) -> dict[str, Any]:
        """For the status: JSON-able; `since_s` is for how long the desk has been reachable or away."""
        return {
            "broker": self._session.config.place,
            "connected": self._number is not None,
            "desk_reachable": self._desk.is_there,
            "why_away": self._desk.why_away,
            "since_s": round(self._clock.monotonic() - self._desk.since_s, 1),
            "waiting": self._waiting(),
            "in_flight": self._in_flight,
            "window": self._session.window,
            "forged_or_replayed": self._complaints.suspects,
            "faults": dict(self._complaints.standing),
        }

    # --- the worker ----------------------------------------------------------------------------------------------

    def _work(self) -> None:
        while not self._is_stopping:
            for note in self._mailbox.take(self._timing.tick_s):
                self._guard(self._take, note)
            if self._number is not None and not self._is_stopping:
                self._guard(self._let_time_pass)
                self._guard(self._pump)
            self._in_flight = self._outgoing.in_flight

    def _guard(self, step: Callable[..., None], *args: Note) -> None:
        """The top of this thread: one bad message must not cost the others their way."""
        try:
            step(*args)
        except Exception:
            log.exception("uplink step failed", uplink=self.name)

    def _take(self, note: Note) -> None:
        match note:
            case Relay():
                self._take_relay(note)
            case Acked(token, code):
                self._acked(token, code)
            case Got(topic, payload):
                self._got(topic, payload)
            case Accounted(answers):
                self._accounts.keep(answers)
            case Up(number):
                self._up(number)
            case Down(why):
                self._down(why)
            case Denied(why):
                self._complaints.say(f"uplink:{self.name}/subscribe", why)
            case SweepAsked():
                self._outgoing.forget_receipts()
                self._begin_sweep()
            case HealthAsked():
                self._health_at = 0.0
            case _:
                assert_never(note)

    def _take_relay(self, relay: Relay) -> None:
        if self._number is None and not relay.unsafe:
            return  # the journal has it, and is paged when we are connected
        if not self._outgoing.offer(relay):
            self._was_full = True
            if relay.unsafe:
                log.error("unsafe alarm dropped: too many in memory", alarm=relay.row.alarm)

    # --- connection ----------------------------------------------------------------------------------------------

    def _forget_connection(self) -> None:
        self._window.clear()
        self._status_payload = b""
        self._status_at: float | None = None
        self._answers_at = self._sweep_at = self._health_at = 0.0
        self._pages.close()
        self._asking.begin()
        self._outgoing.disconnected()

    def _up(self, number: int) -> None:
        self._forget_connection()
        now_s = self._clock.monotonic()
        self._number, self._status_at = number, now_s
        self._health_at = now_s + self._timing.first_health_s
        self._begin_sweep()
        self._complaints.say(f"uplink:{self.name}/subscribe", "")

    def _down(self, why: str) -> None:
        self._number = None
        self._forget_connection()
        self._lose_desk(why)

    # --- what is due ---------------------------------------------------------------------------------------------

    def _let_time_pass(self) -> None:
        now_s = self._clock.monotonic()
        if self._outgoing.overdue(now_s):
            self._asking.doubt(now_s, now_s - self._timing.receipt_s)
        if self._outgoing.unacknowledged(now_s):  # perhaps the line is only slow: the patience begins now
            self._asking.doubt(now_s, now_s)
        if self._asking.is_in_vain(now_s):
            self._lose_desk(f"meja polisi tidak menjawab {self._timing.away_after_s:g} s (no answer from the desk)")
        if self._window.is_stuck(now_s, self._timing.puback_s):
            self._session.renew("broker tidak menerima pesan (no PUBACK)")
        if self._was_full and self._outgoing.has_room and not self._pages.is_open:
            self._begin_sweep()
        if now_s >= self._sweep_at and not self._pages.is_open:
            self._sweep_at = now_s + self._timing.retry_s
            if self._was_full or self._waiting() > 0:
                self._begin_sweep()
        self._complaints.forgive(now_s)

    def _pump(self) -> None:
        """Publish what the window allows: first what proves the way, then live alarms, then the rest."""
        now_s = self._clock.monotonic()
        if self._has_room and self._status_at is not None and now_s >= self._status_at:
            self._say_status()
        if self._has_room and self._asking.is_due(now_s):
            self._say_hello(now_s)
        if self._has_room and self._accounts and self._desk.is_there and now_s >= self._answers_at:
            self._say_answers(now_s)
        while self._has_room and self._say_alarms():
            pass
        if now_s >= self._health_at:
            self._health_at = now_s + self._timing.health_s
            faults, radio = self._well()
            letter = self._letters.health(self._waiting(), faults | self._complaints.standing, radio)
            self._publish(letter, Leaf.HEALTH)

    @property
    def _has_room(self) -> bool:
        return self._number is not None and len(self._window) < self._session.window

    def _publish(self, message: Message, leaf: Leaf, batch: str = "", answers: tuple[Answer, ...] = ()) -> bool:
        token = self._session.publish(message.topic, message.payload, message.qos, message.retain)
        if token is None:
            return False  # the news that the connection was lost is on its way
        if message.qos:
            self._window.add(token, Sent(leaf, self._clock.monotonic(), batch, answers))
        return True

    def _say_status(self) -> None:
        if self._number is not None:
            message = self._letters.status(self._number, online=True)
            if self._publish(message, Leaf.STATUS):
                self._status_payload, self._status_at = message.payload, None

    def _say_hello(self, now_s: float) -> None:
        nonce = secrets.token_hex(8)
        if self._publish(self._letters.hello(nonce, self._seen().values()), Leaf.HELLO):
            self._asking.asked(nonce, now_s)

    def _say_answers(self, now_s: float) -> None:
        said = self._accounts.first()
        if self._publish(self._letters.answers(said), Leaf.ANSWER, answers=said):
            self._answers_at = now_s + self._timing.puback_s  # one at a time: PUBACK lets the next go

    def _say_alarms(self) -> bool:
        """One publish of alarms; False when none may go now."""
        self._turn_page()
        now_s = self._clock.monotonic()
        relays = self._outgoing.choose(now_s, self._window.alarms, self._session.window, self._desk.is_there)
        if not relays:
            return False
        batch = secrets.token_hex(8)
        if not self._publish(self._letters.alarms(batch, relays, self._seen().values()), Leaf.ALARM, batch):
            self._outgoing.put_back(relays)
            return False
        self._outgoing.sent(batch, relays, now_s)
        return True

    # --- the journal's rows ---------------------------------------------------------------------------------------

    def _begin_sweep(self) -> None:
        self._pages.begin()
        self._was_full = False

    def _turn_page(self) -> None:
        """When the last rows are nearly gone."""
        if self._pages.is_open and len(self._outgoing.backlog) < contract.MAX_ALARMS:
            self._outgoing.page_in(self._pages.turn())
            if not self._pages.is_open:
                self._sweep_at = self._clock.monotonic() + self._timing.retry_s

    # --- the broker's word ----------------------------------------------------------------------------------------

    def _acked(self, token: int, code: int) -> None:
        if (sent := self._window.take(token)) is None:
            return
        now_s = self._clock.monotonic()
        if not is_delivered(code):
            self._undelivered(sent, code, now_s)
            return
        self._complaints.say(self._fault_name(sent.leaf), "")
        if sent.leaf is Leaf.ALARM and (keys := self._outgoing.acked(sent.batch, now_s)):
            self._deliver(ev.Brokered(keys))
        if sent.leaf is Leaf.ANSWER:
            self._answers_at = now_s
            self._accounts.taken(sent.answers)

    def _undelivered(self, sent: Sent, code: int, now_s: float) -> None:
        why = why_undelivered(self._topics[sent.leaf], code)
        if code >= FAILURE or sent.leaf is Leaf.ALARM:
            self._complaints.say(self._fault_name(sent.leaf), why)
        if sent.leaf in (Leaf.ALARM, Leaf.HELLO):
            self._lose_desk(why)
        if sent.leaf is Leaf.ALARM:
            self._outgoing.refused(sent.batch, now_s, is_denied=code >= FAILURE)
        if sent.leaf is Leaf.ANSWER:
            self._answers_at = now_s + self._timing.retry_s
        if sent.leaf is Leaf.STATUS and code >= FAILURE:
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
            self._complaints.say("desk:message", str(error))
            return
        for odd in heard.odd:
            self._complaints.say("desk:message", odd)
        if isinstance(heard, Receipt):
            self._take_receipt(heard)
        for word in heard.words:
            self._deliver(ev.DeskSpoke(word))

    def _take_receipt(self, receipt: Receipt) -> None:
        """It counts only if it answers what we said in this connection; an old one proves nothing."""
        if (asked_s := self._asking.asked_at(receipt.re)) is not None:
            self._find_desk(asked_s)
            self._deliver(ev.Receipted(receipt.mark, ()))
        elif (batch := self._outgoing.batches.get(receipt.re)) is not None:
            taken, strange = self._outgoing.receipt(receipt.re, receipt.items)
            if strange:
                self._suspect(
                    f"{strange} tanda terima tidak cocok dengan yang dikirim (receipts for what was not sent)"
                )
            if taken:
                self._find_desk(batch.sent_s)
                self._deliver(ev.Receipted(receipt.mark, taken))
        elif receipt.re and not self._outgoing.was_answered(receipt.re):
            self._suspect("tanda terima lama atau asing diabaikan (an old or foreign receipt)")

    def _suspect(self, why: str) -> None:
        self._complaints.suspect(why, self._clock.monotonic())

    def _watch_status(self, payload: bytes) -> None:
        """A late will of an earlier connection, or another program, says that we are offline: say that we are not."""
        if payload != self._status_payload and self._status_payload and self._status_at is None:
            self._status_at = self._clock.monotonic() + self._timing.status_gap_s

    def _find_desk(self, asked_s: float) -> None:
        """It answered what was asked then."""
        now_s = self._clock.monotonic()
        self._asking.answered(now_s)
        if self._desk.found(now_s):
            self._answers_at = 0.0
            self._outgoing.desk_is_back(asked_s)
            log.info("desk reachable", uplink=self.name)
            self._deliver(ev.DeskReachable(self.name))

    def _lose_desk(self, why: str) -> None:
        if self._desk.lost(why, self._clock.monotonic()):
            log.warning("desk away", uplink=self.name, why=why)
            self._deliver(ev.DeskAway(self.name, why))
