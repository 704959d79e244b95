"""One way to the desk: whole alarms out of the outbox, a window of them, until the desk's signed receipt is back.

One thread owns everything here; paho's callbacks and the engine only put letters into its mailbox.
"""

import queue
import secrets
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import structlog

from bridge.domain.alarm import Moment
from bridge.domain.commands import OutboxRow, Relay
from bridge.domain.desk import Answer, Mark, Stored
from bridge.domain.errors import BridgeError
from bridge.domain.events import Brokered, DeskAway, DeskReachable, DeskSpoke, Fault, Receipted
from bridge.domain.ids import PostId, Run
from bridge.domain.ports import Clock, Deliver, Page
from mqtt import contract
from mqtt.contract import Leaf
from mqtt.downlink import Heard, hear
from mqtt.session import FAILURE, NO_SUBSCRIBERS, Session, SessionConfig, Will
from mqtt.signature import Keyring, NotVerified, Signer

log = structlog.get_logger()

REMEMBERED = 20_000  # receipted rows that the journal may not have written yet
ANSWERS_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class Timing:
    """How long things may take, seconds; and how many publishes may be unacknowledged (Mosquitto's Receive Maximum)."""

    hello_every_s: float = contract.HELLO_EVERY_S
    hello_timeout_s: float = contract.HELLO_TIMEOUT_S
    away_after_s: float = contract.DESK_AWAY_AFTER_S
    receipt_s: float = contract.RECEIPT_TIMEOUT_S
    retry_s: float = contract.RETRY_S
    health_every_s: float = 300.0
    window: int = 20
    page: int = 320


@dataclass(slots=True)
class _Batch:
    rows: tuple[OutboxRow, ...]
    token: int
    sent_s: float
    brokered_s: float | None = None


@dataclass(slots=True)
class _Connection:
    """What is true of one connection only."""

    window: int
    since_s: float
    batches: dict[str, _Batch] = field(default_factory=dict)
    tokens: dict[int, str] = field(default_factory=dict)
    flying: dict[str, int] = field(default_factory=dict)
    nonces: deque[str] = field(default_factory=lambda: deque(maxlen=16))
    hello_s: float = float("-inf")
    answered_s: float | None = None
    accounts: dict[int, list[Answer]] = field(default_factory=dict)


class MqttUplink:
    """A bridge.domain.ports.Uplink: delivers DeskReachable/DeskAway, Brokered, Receipted, DeskSpoke and Fault."""

    def __init__(
        self,
        name: str,
        post: PostId,
        run: Run,
        config: SessionConfig,
        signer: Signer,
        desks: Keyring,
        page: Page,
        clock: Clock,
        version: str,
        *,
        seen: Callable[[], dict[str, Mark]] = dict,
        health: Callable[[], dict[str, Any]] = dict,
        timing: Timing = Timing(),
    ) -> None:
        self.name, self._post, self._run, self._signer, self._desks = name, post, run, signer, desks
        self._page, self._clock, self._version, self._timing = page, clock, version, timing
        self._seen, self._health = seen, health
        self._mail: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._session = Session(
            config,
            on_up=lambda window: self._mail.put(("up", window)),
            on_down=lambda why: self._mail.put(("down", why)),
            on_message=lambda topic, payload: self._mail.put(("message", (topic, payload))),
            on_published=lambda token, reason: self._mail.put(("published", (token, reason))),
            on_fault=lambda why: self._mail.put(("fault", why)),
            will=self._will,
        )
        self._thread = threading.Thread(target=self._work, name=f"uplink {name}", daemon=True)
        self._deliver: Deliver = lambda event: None
        self._live: OrderedDict[str, Relay] = OrderedDict()
        self._backlog: deque[OutboxRow] = deque()
        self._cursor: int | None = None
        self._sweeping = True
        self._sweep_s = 0.0
        self._receipted: OrderedDict[str, int] = OrderedDict()
        self._answers: OrderedDict[tuple[str, int], Answer] = OrderedDict()
        self._connection: _Connection | None = None
        self._connections = 0
        self._faults: dict[str, str] = {}
        self._ignored = 0
        self._away = False

    # --- what others call -------------------------------------------------------------------------------------

    def start(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self._thread.start()
        self._session.start()

    def relay(self, relay: Relay) -> None:
        self._mail.put(("relay", relay))

    def sweep(self) -> None:
        self._mail.put(("sweep", None))

    def account(self, answers: tuple[Answer, ...]) -> None:
        self._mail.put(("account", answers))

    def stop(self) -> None:
        self._mail.put(("stop", None))
        if self._thread.is_alive():
            self._thread.join(10.0)

    def picture(self) -> dict[str, Any]:
        """For `status`; a glance, not a snapshot."""
        connection = self._connection
        return {
            "connected": connection is not None,
            "desk": connection is not None and connection.answered_s is not None,
            "in_flight": len(connection.flying) if connection else 0,
            "waiting": len(self._live) + len(self._backlog),
            "ignored": self._ignored,
            "faults": dict(self._faults),
        }

    # --- the one thread ---------------------------------------------------------------------------------------

    def _work(self) -> None:
        going = True
        while going:
            try:
                going = self._turn()
            except Exception as error:  # the top of this thread: say it and go on with a new connection
                log.exception("uplink stumbled", uplink=self.name)
                self._fault("uplink", f"a fault of our own: {error}")
                self._session.drop("a fault of our own")
        self._session.stop(self._farewell())

    def _turn(self) -> bool:
        """Take every letter that waits, then look at the time, then send. False when told to stop."""
        try:
            letters = [self._mail.get(timeout=self._wait_s())]
        except queue.Empty:
            letters = []
        while letters:
            kind, content = letters.pop()
            if kind == "stop":
                return False
            self._take(kind, content)
            if not self._mail.empty():
                letters.append(self._mail.get())
        self._look_at_the_time()
        self._pump()
        return True

    def _wait_s(self) -> float:
        return 1.0 if self._connection else 30.0

    def _take(self, kind: str, content: Any) -> None:
        match kind:
            case "relay":
                self._offer(content)
            case "sweep":
                self._begin_sweep()
                self._receipted.clear()
            case "account":
                self._keep(content)
            case "up":
                self._come_up(content)
            case "down":
                self._go_down(content)
            case "message":
                self._hear(*content)
            case "published":
                self._published(*content)
            case "fault":
                self._fault("broker", content)

    def _offer(self, relay: Relay) -> None:
        row = relay.row
        if self._receipted.get(row.alarm, 0) >= row.revision:
            return
        self._live[row.alarm] = relay
        self._live.move_to_end(row.alarm)
        if len(self._live) > REMEMBERED:  # the journal has them; memory need not
            self._live.popitem(last=False)
            self._begin_sweep()

    def _keep(self, answers: tuple[Answer, ...]) -> None:
        for answer in answers:
            self._answers[answer.desk, answer.number] = answer
        while len(self._answers) > ANSWERS_KEPT:
            self._answers.popitem(last=False)  # the desk asks again
        self._send_answers()

    # --- connection -------------------------------------------------------------------------------------------

    def _come_up(self, receive_maximum: int) -> None:
        self._connections += 1
        now = self._clock.monotonic()
        self._connection = _Connection(min(self._timing.window, receive_maximum), now)
        self._session.subscribe([self._topic(leaf) for leaf in (Leaf.RECEIPT, Leaf.ORDER, Leaf.STATUS)])
        self._say(Leaf.STATUS, self._status(online=True))
        self._say_hello(now)
        self._begin_sweep()
        self._send_answers()
        log.info("broker reached", uplink=self.name, window=self._connection.window)

    def _go_down(self, why: str) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            for batch in connection.batches.values():
                for row in batch.rows:
                    self._live.setdefault(row.alarm, Relay(row))
            log.warning("broker lost", uplink=self.name, why=why)
        self._be_away(why)

    def _be_away(self, why: str) -> None:
        self._away = True
        self._deliver(DeskAway(self.name, why))

    def _say_hello(self, now: float) -> None:
        connection = self._connection
        if connection is None:
            return
        nonce = secrets.token_hex(8)
        connection.nonces.append(nonce)
        connection.hello_s = now
        seen = {
            desk: contract.MarkBody(database=mark.database, commit=mark.commit, token=mark.token)
            for desk, mark in self._seen().items()
        }
        self._say(Leaf.HELLO, contract.HelloBody(nonce=nonce, run=self._run_body(), seen=seen))

    def _look_at_the_time(self) -> None:
        connection, now = self._connection, self._clock.monotonic()
        if connection is None:
            return
        silent_s = now - max(connection.since_s, connection.answered_s or 0.0)
        asked_in_vain = connection.answered_s is None or connection.answered_s < connection.hello_s
        every = self._timing.hello_timeout_s if asked_in_vain else self._timing.hello_every_s
        if now - connection.hello_s >= every:
            self._say_hello(now)
        if asked_in_vain and silent_s >= self._timing.away_after_s and not self._away:
            self._be_away("the broker answers, the police desk does not; is it running, and may we subscribe?")
        self._let_rows_go(connection, now)
        if now - self._sweep_s >= self._timing.retry_s:
            self._begin_sweep()

    def _let_rows_go(self, connection: _Connection, now: float) -> None:
        """Without a receipt they leave the window; the next sweep tries them again."""
        for batch in list(connection.batches.values()):
            since = batch.brokered_s if batch.brokered_s is not None else None
            if since is not None and now - since >= self._timing.receipt_s:
                for row in batch.rows:
                    if connection.flying.get(row.alarm) == row.revision:
                        del connection.flying[row.alarm]
                batch.brokered_s = float("inf")  # a late receipt still counts

    # --- sending ----------------------------------------------------------------------------------------------

    def _begin_sweep(self) -> None:
        self._sweeping, self._cursor, self._sweep_s = True, None, self._clock.monotonic()
        self._backlog.clear()

    def _pump(self) -> None:
        connection = self._connection
        if connection is None:
            return
        while len(connection.tokens) < connection.window:
            relays = self._next_rows(connection)
            if not relays or not self._publish_rows(connection, relays):
                return

    def _next_rows(self, connection: _Connection) -> list[Relay]:
        """Live alarms first, newest first; the backlog only once the desk has shown itself."""
        relays: list[Relay] = []
        while self._live and len(relays) < contract.MAX_ALARMS:
            _, relay = self._live.popitem(last=True)
            if self._is_due(connection, relay.row):
                relays.append(relay)
        while len(relays) < contract.MAX_ALARMS and connection.answered_s is not None and self._fill_backlog():
            row = self._backlog.popleft()
            if self._is_due(connection, row):
                relays.append(Relay(row))
        return relays

    def _is_due(self, connection: _Connection, row: OutboxRow) -> bool:
        known = max(connection.flying.get(row.alarm, 0), self._receipted.get(row.alarm, 0))
        return row.revision > known

    def _fill_backlog(self) -> bool:
        if self._backlog or not self._sweeping:
            return bool(self._backlog)
        try:
            rows = self._page(self._cursor, self._timing.page)
        except BridgeError as error:
            self._fault("backlog", str(error))
            self._sweeping = False
            return False
        self._fault("backlog", "")
        if rows:
            self._cursor = rows[-1].sequence
        self._sweeping = len(rows) == self._timing.page
        self._backlog.extend(rows)
        return bool(rows)

    def _publish_rows(self, connection: _Connection, relays: list[Relay]) -> bool:
        now, batch = self._clock.now(), secrets.token_hex(8)
        items = [_item(relay, now) for relay in relays]
        body = contract.AlarmBody(
            batch=batch,
            run=self._run_body(),
            now=contract.MomentBody(at=now.wall_s, trusted=now.trusted),
            items=items,
        )
        token = self._say(Leaf.ALARM, body)
        if token is None:
            for relay in relays:
                self._live.setdefault(relay.row.alarm, relay)
            return False
        rows = tuple(relay.row for relay in relays)
        connection.batches[batch] = _Batch(rows, token, now.mono_s)
        connection.tokens[token] = batch
        connection.flying.update((row.alarm, row.revision) for row in rows)
        return True

    def _send_answers(self) -> None:
        connection = self._connection
        if connection is None or not self._answers:
            return
        flying = {(a.desk, a.number, a.fate) for answers in connection.accounts.values() for a in answers}
        answers = [a for a in self._answers.values() if (a.desk, a.number, a.fate) not in flying][:64]
        if not answers:
            return
        body = contract.AnswerBody(
            answers=[
                contract.AnswerItem(desk=a.desk, number=a.number, fate=a.fate, at=a.at, detail=a.detail[:200])
                for a in answers
            ]
        )
        token = self._say(Leaf.ANSWER, body)
        if token is not None:
            connection.accounts[token] = answers

    def _say(self, leaf: Leaf, body: contract.Model) -> int | None:
        name = self._topic(leaf)
        payload = self._signer.seal(name, body.to_body()).encode()
        return self._session.publish(name, payload, leaf.qos, leaf.is_retained)

    # --- what comes back --------------------------------------------------------------------------------------

    def _published(self, token: int, reason: int) -> None:
        connection = self._connection
        if connection is None:
            return
        well = reason < FAILURE and reason != NO_SUBSCRIBERS
        if (answers := connection.accounts.pop(token, None)) is not None:
            for answer in answers if well else ():
                if self._answers.get((answer.desk, answer.number)) == answer:
                    del self._answers[answer.desk, answer.number]
            self._send_answers()
        if (batch_id := connection.tokens.pop(token, None)) is None:
            return
        batch = connection.batches.get(batch_id)
        if batch is None:
            return  # its receipt was faster than the PUBACK
        batch.brokered_s = self._clock.monotonic()
        if well:
            self._fault("publish", "")
            self._deliver(Brokered(tuple((row.alarm, row.revision) for row in batch.rows)))
        else:
            why = "nobody at the desk listens" if reason == NO_SUBSCRIBERS else f"the broker refuses alarms ({reason})"
            self._fault("publish", f"{why}; check the desk and the broker's ACL")

    def _hear(self, topic: str, payload: bytes) -> None:
        leaf = next((leaf for leaf in (Leaf.RECEIPT, Leaf.ORDER, Leaf.STATUS) if topic == self._topic(leaf)), None)
        if leaf is Leaf.STATUS:
            self._watch_status(topic, payload)
        elif leaf is not None:
            try:
                heard = hear(leaf, topic, payload, self._desks)
            except NotVerified as error:
                self._ignore(str(error))
            else:
                self._believe(heard)

    def _believe(self, heard: Heard) -> None:
        connection, now = self._connection, self._clock.monotonic()
        if connection is None:
            return
        if heard.re:
            self._take_receipt(connection, heard)
        if heard.words:
            self._answered(connection, now)
        for word in heard.words:
            self._deliver(DeskSpoke(word))

    def _take_receipt(self, connection: _Connection, heard: Heard) -> None:
        """Only an answer to something of ours that still waits counts: so a replay changes nothing."""
        batch = connection.batches.get(heard.re)
        if heard.mark is None or (batch is None and heard.re not in connection.nonces):
            self._ignore("a receipt that answers nothing of ours")
            return
        self._answered(connection, self._clock.monotonic())
        held = {(row.alarm, row.revision, row.sha256) for row in batch.rows} if batch else set()
        named = [_named(item, batch.rows if batch else ()) for item in heard.stored]
        items = [item for item in named if (item.alarm, item.revision, item.sha256) in held]
        if len(items) < len(named):
            self._ignore("a receipt for what was not sent")
        if batch is None:
            connection.nonces.remove(heard.re)
        else:
            self._clear(connection, heard.re, batch, items)
        self._deliver(Receipted(heard.mark, tuple(items)))

    def _clear(self, connection: _Connection, batch_id: str, batch: _Batch, items: list[Stored]) -> None:
        for item in items:
            if connection.flying.get(item.alarm) == item.revision:
                del connection.flying[item.alarm]
            self._receipted[item.alarm] = max(item.revision, self._receipted.get(item.alarm, 0))
        while len(self._receipted) > REMEMBERED:
            self._receipted.popitem(last=False)
        got = {(item.alarm, item.revision) for item in items}
        batch.rows = tuple(row for row in batch.rows if (row.alarm, row.revision) not in got)
        if not batch.rows:
            del connection.batches[batch_id]

    def _answered(self, connection: _Connection, now: float) -> None:
        first = connection.answered_s is None
        connection.answered_s = now
        if first or self._away:
            self._away = False
            self._deliver(DeskReachable(self.name))
            self._begin_sweep()

    def _watch_status(self, topic: str, payload: bytes) -> None:
        """A late will of an earlier connection must not leave us shown as offline."""
        try:
            own = Keyring.of([self._signer.public_text])
            status = contract.StatusBody.model_validate_json(own.open(topic, payload).body)
        except (NotVerified, ValueError):
            self._ignore("a status that is not ours")
            return
        if status.run.journal == self._run.journal and status.order < self._status(online=True).order:
            self._say(Leaf.STATUS, self._status(online=True))

    # --- small things -----------------------------------------------------------------------------------------

    def _ignore(self, why: str) -> None:
        self._ignored += 1
        if self._ignored == 1 or self._ignored % 100 == 0:
            log.warning("ignored", uplink=self.name, why=why, count=self._ignored)
        self._fault("signature", f"{self._ignored} messages ignored: {why}")

    def _fault(self, part: str, why: str) -> None:
        if self._faults.get(part, "") == why:
            return
        self._faults[part] = why
        if why:
            log.warning("uplink fault", uplink=self.name, part=part, why=why)
        self._deliver(Fault(f"{part}:{self.name}", why))

    def _status(self, online: bool) -> contract.StatusBody:
        now = self._clock.now()
        return contract.StatusBody(
            online=online,
            version=self._version,
            run=self._run_body(),
            connection=self._connections,
            at=contract.MomentBody(at=now.wall_s, trusted=now.trusted),
        )

    def _will(self) -> Will:
        """For the connection that is about to be made."""
        name = self._topic(Leaf.STATUS)
        status = self._status(online=False).model_copy(update={"connection": self._connections + 1})
        return Will(name, self._signer.seal(name, status.to_body()).encode())

    def _farewell(self) -> tuple[str, bytes, int, bool]:
        name = self._topic(Leaf.STATUS)
        return name, self._signer.seal(name, self._status(online=False).to_body()).encode(), 1, True

    def _run_body(self) -> contract.RunBody:
        return contract.RunBody(journal=self._run.journal, start=self._run.start, bits=self._run.bits)

    def _topic(self, leaf: Leaf) -> str:
        return contract.topic(self._post, leaf)


def _item(relay: Relay, now: Moment) -> contract.AlarmItem:
    return contract.AlarmItem(alarm=relay.row.body, age_s=relay.row.first.age_s(now), unsafe=relay.unsafe)


def _named(item: Stored, rows: tuple[OutboxRow, ...]) -> Stored:
    """What the desk could not read it cannot name: a quarantined row is known by its hash."""
    row = next((row for row in rows if item.reason and row.sha256 == item.sha256), None)
    return Stored(row.alarm, row.revision, row.sha256, item.reason) if row else item
