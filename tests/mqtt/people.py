"""Who takes part in the MQTT stories: alarms, a journal in memory, a desk that echoes, and a post to be watched."""

import contextlib
import hashlib
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bridge.domain import events as ev
from bridge.domain.alarm import Alarm, Moment, Outcome, Stage, Told
from bridge.domain.commands import OutboxRow, Relay
from bridge.domain.desk import Mark, OrderKind
from bridge.domain.ids import PostId, Run, node_source, packet_press
from bridge.domain.place import Place
from bridge.domain.press import Kind, Remark, Sighting, Trust, Via
from bridge.domain.report import freeze
from mqtt import contract
from mqtt.contract import (
    AlarmBody,
    HelloBody,
    Leaf,
    MarkBody,
    OrderBody,
    ReceiptBody,
    StatusBody,
    StoredBody,
    WordBody,
    topic,
)
from mqtt.session import Session, SessionConfig, SessionTiming, Subscription
from mqtt.signature import Keyring, Signer
from mqtt.uplink import MqttUplink, Timing
from tests.patience import until

POST = PostId("35.09.14.2005", "pos-1")
OTHER_POST = PostId("35.09.14.2005", "pos-2")
RUN = Run("0b5f7c1e-6d0c-4a55-9d6e-1f2a3b4c5d6e", 3, "00112233445566ff")
SOON_S = 15.0
QUICK = SessionTiming(keepalive_s=1, connect_s=2.0, silent_s=3.0, shortest_wait_s=0.1, longest_wait_s=0.4)

Found = TypeVar("Found")


def key(seed: int) -> Signer:
    """The same key at every run."""
    return Signer(Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32))


POST_KEY, DESK_KEY, THIEF_KEY = key(1), key(2), key(3)


class WallClock:
    """A clock of one run."""

    def __init__(self, start: int = RUN.start, trusted: bool = True) -> None:
        self.start, self.trusted = start, trusted

    def monotonic(self) -> float:
        return time.monotonic()

    def now(self) -> Moment:
        return Moment(self.start, time.monotonic(), time.time(), self.trusted)


def alarm(number: int, **more: Any) -> Alarm:
    """A whole alarm of node `number`."""
    now = WallClock().now()
    press = packet_press(number, number + 7)
    plain = Alarm(
        id=press,
        sequence=number,
        source=node_source(number),
        kind=Kind.FIRE,
        trust=Trust.CHANNEL,
        via=Via.TEXT,
        first=now,
        latest=now,
        presses=(press,),
        place=Place(house="12", rt="003", rw="004", landmark="dekat masjid", lat=-8.1, lon=113.7),
        words=('kebakaran "besar" di dapur – tolong',),
        remarks=frozenset({Remark.SECOND_SOURCE}),
        channel="desa",
        sightings=(Sighting("gw1", 6.25, -91, 2, now.wall_s),),
        told=Told(Stage.JOURNALED, Outcome.TOLD, now.wall_s),
    )
    return replace(plain, **more)


def row(number: int, revision: int = 1) -> OutboxRow:
    return freeze(alarm(number, revision=revision), POST, RUN)


@dataclass(slots=True)
class Outbox:
    """What the journal would do: rows by alarm, cleared by receipts of the right revision and hash."""

    rows: dict[str, OutboxRow] = field(default_factory=dict)
    pages: list[int | None] = field(default_factory=list)

    def keep(self, *rows: OutboxRow) -> None:
        self.rows |= {row.alarm: row for row in rows}

    def page(self, before: int | None, limit: int) -> list[OutboxRow]:
        self.pages.append(before)
        newest_first = sorted(list(self.rows.values()), key=lambda row: -row.sequence)
        return [row for row in newest_first if before is None or row.sequence < before][:limit]

    def clear(self, receipted: ev.Receipted) -> None:
        for item in receipted.items:
            row = self.rows.get(item.alarm)
            if row is not None and (row.revision, row.sha256) == (item.revision, item.sha256):
                del self.rows[item.alarm]


class Post:
    """A running uplink whose every event is kept; receipts clear its outbox."""

    def __init__(self, url: str, *, timing: Timing | None = None, outbox: Outbox | None = None, **more: Any) -> None:
        self.events: list[ev.Event] = []
        self.outbox = outbox if outbox is not None else Outbox()
        self.clock = more.pop("clock", WallClock())
        self.marks: dict[str, Mark] = {}
        self.uplink = MqttUplink(
            "u1",
            POST,
            more.pop("run", RUN),
            SessionConfig(url, "post-1", **more),
            POST_KEY,
            Keyring.of([DESK_KEY.public_text]),
            self.outbox.page,
            self.clock,
            "0.1.0",
            lambda: self.marks,
            lambda: len(self.outbox.rows),
            timing or Timing(session=QUICK),
            lambda: ({"siren": "cannot start aplay"}, {"gw1": {"nodes_last_hour": 7}}),
        )

    def __enter__(self) -> "Post":
        self.uplink.start(self._deliver)
        return self

    def __exit__(self, *_: object) -> None:
        self.uplink.stop()

    def _deliver(self, event: ev.Event) -> None:
        if isinstance(event, ev.Receipted):
            self.outbox.clear(event)
        self.events.append(event)

    def strike(self, *rows: OutboxRow, unsafe: bool = False) -> None:
        """Journaled (unless unsafe) and relayed."""
        if not unsafe:
            self.outbox.keep(*rows)
        for row in rows:
            self.uplink.relay(Relay(row, unsafe))

    def all(self, kind: type[Found]) -> list[Found]:
        return [event for event in list(self.events) if isinstance(event, kind)]

    def wait(
        self, kind: type[Found], matches: Callable[[Found], bool] = lambda _: True, within_s: float = SOON_S
    ) -> Found:
        """The first event of that kind that matches, also one that came before."""

        def look() -> Found | None:
            return next((event for event in self.all(kind) if matches(event)), None)

        found = until(look, lambda: f"{kind.__name__} among {self.events[-8:]}", within_s)
        assert found is not None
        return found

    def wait_reachable(self) -> None:
        self.wait(ev.DeskReachable)

    @property
    def receipted(self) -> list[tuple[str, int]]:
        return [(item.alarm, item.revision) for event in self.all(ev.Receipted) for item in event.items]


class EchoDesk:
    """A desk without a database: keeps what it hears, receipts it at once. Its faults are switched on by a story."""

    def __init__(self, url: str, signer: Signer = DESK_KEY, **more: Any) -> None:
        self.signer = signer
        self.is_mute = False
        self.make: Callable[[str, list[StoredBody]], ReceiptBody] = self._receipt
        self.heard: list[tuple[Leaf, bytes]] = []
        self.sent: list[tuple[str, bytes]] = []
        self.items: list[contract.AlarmItem] = []
        self.batches: list[list[str]] = []
        self.statuses: list[StatusBody] = []
        self.hellos: list[HelloBody] = []
        self._posts = Keyring.of([POST_KEY.public_text])
        self._commits = itertools.count(1)
        self._up = threading.Event()
        self.session = Session(
            SessionConfig(url, more.pop("client_id", "desk-1"), **more),
            on_up=lambda _: self._up.set(),
            on_down=lambda _: self._up.clear(),
            on_message=self._hear,
            subscriptions=[Subscription(topic(POST, leaf), leaf.qos) for leaf in Leaf if not leaf.desk_speaks],
            timing=QUICK,
        )

    def __enter__(self) -> "EchoDesk":
        self.session.start()
        assert self._up.wait(SOON_S), "the desk does not reach its broker"
        return self

    def __exit__(self, *_: object) -> None:
        self.session.stop()

    def say(self, leaf: Leaf, body: contract.Model, signer: Signer | None = None, post: PostId = POST) -> bytes:
        """Sealed for `post`, always published on the topic of POST."""
        payload = (signer or self.signer).seal(topic(post, leaf), body.to_body()).encode()
        self.publish(leaf, payload)
        return payload

    def publish(self, leaf: Leaf, payload: bytes) -> None:
        self.sent.append((topic(POST, leaf), payload))
        until(lambda: self.session.publish(topic(POST, leaf), payload, leaf.qos) is not None, "desk publishes")

    def _hear(self, name: str, payload: bytes) -> None:
        _, leaf = contract.parse_topic(name)
        self.heard.append((leaf, payload))
        text = self._posts.open(name, payload).body
        match leaf:
            case Leaf.ALARM:
                self._store(AlarmBody.model_validate_json(text))
            case Leaf.HELLO:
                hello = HelloBody.model_validate_json(text)
                self.hellos.append(hello)
                self._answer(hello.nonce, [])
            case Leaf.STATUS:
                self.statuses.append(StatusBody.model_validate_json(text))

    def _store(self, body: AlarmBody) -> None:
        self.items += body.items
        self.batches.append([json.loads(item.alarm)["id"] for item in body.items])
        self._answer(body.batch, [stored(item.alarm) for item in body.items])

    def _answer(self, re: str, items: list[StoredBody]) -> None:
        if not self.is_mute:
            receipt = self.make(re, items)
            payload = self.signer.seal(topic(POST, Leaf.RECEIPT), receipt.to_body()).encode()
            self.sent.append((topic(POST, Leaf.RECEIPT), payload))
            self.session.publish(topic(POST, Leaf.RECEIPT), payload, 0)

    def _receipt(self, re: str, items: list[StoredBody]) -> ReceiptBody:
        return ReceiptBody(desk="polsek-1", mark=self.mark(), re=re, stored=items)

    def mark(self) -> MarkBody:
        commit = next(self._commits)
        return MarkBody(database="db-1", commit=commit, token=f"t{commit}")

    @property
    def stored(self) -> list[tuple[str, int]]:
        """Every copy, as (alarm, revision)."""
        fields = [json.loads(item.alarm) for item in list(self.items)]
        return [(field["id"], field["rev"]) for field in fields]


def stored(text: str) -> StoredBody:
    fields = json.loads(text)
    return StoredBody(alarm=fields["id"], rev=fields["rev"], sha=hashlib.sha256(text.encode()).hexdigest())


@contextlib.contextmanager
def meeting(url: str, **more: Any) -> Iterator[tuple[Post, EchoDesk]]:
    """A post and a desk that have found each other."""
    with EchoDesk(url) as desk, Post(url, **more) as post:
        post.wait_reachable()
        yield post, desk


def password_file(folder: Path, text: str, name: str = "password") -> Path:
    path = folder / name
    path.write_text(text + "\n")
    return path


def order(number: int, **more: Any) -> OrderBody:
    """The siren off, signed by the desk."""
    word = WordBody(number=number, kind=OrderKind.SIREN_OFF, by="Budi", at=1.0, **more)
    return OrderBody(desk="polsek-1", orders=[word])


IMPATIENT = Timing(
    hello_every_s=60.0,
    hello_timeout_s=0.2,
    away_after_s=0.5,
    receipt_s=0.3,
    retry_s=0.6,
    puback_s=0.8,
    status_gap_s=0.2,
    tick_s=0.02,
    session=QUICK,
)


def keys(*rows: OutboxRow) -> list[tuple[str, int]]:
    return [(row.alarm, row.revision) for row in rows]
