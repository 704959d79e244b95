"""What a forger, a replay or a stranger says to the uplink changes nothing, and is told once."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bridge.domain import events as ev
from mqtt.contract import (
    Leaf,
    ReceiptBody,
    StoredBody,
    topic,
)
from tests.brokers import Iotcore
from tests.mqtt.people import (
    DESK_KEY,
    OTHER_POST,
    POST,
    POST_KEY,
    THIEF_KEY,
    EchoDesk,
    Post,
    meeting,
    order,
    row,
    stored,
)
from tests.patience import until


class Court:
    """A post with one alarm that a mute desk holds, and everything that a forger may know about it."""

    def __init__(self, post: Post, desk: EchoDesk) -> None:
        self.post, self.desk = post, desk
        desk.is_mute = True
        self.row = row(1)
        post.strike(self.row)
        until(lambda: desk.items)
        self.batch = self._batch()
        self.before = len(post.events)

    def _batch(self) -> str:
        payload = next(payload for leaf, payload in self.desk.heard if leaf is Leaf.ALARM)
        return str(json.loads(json.loads(payload)["body"])["batch"])

    def receipt(self, **changed: Any) -> ReceiptBody:
        given = {"desk": "polsek-1", "mark": self.desk.mark(), "re": self.batch, "stored": [stored(self.row.body)]}
        return ReceiptBody(**(given | changed))

    def nothing_happened(self) -> None:
        """Whatever was said before this was read, for an order said afterwards was obeyed."""
        number = 10_000 + len(self.post.events)
        self.desk.say(Leaf.ORDER, order(number))
        self.post.wait(ev.DeskSpoke, lambda spoke: spoke.word.number == number)
        new = [e for e in self.post.events[self.before :] if not isinstance(e, ev.Brokered | ev.Fault)]
        assert [e.word.number for e in new if isinstance(e, ev.DeskSpoke)] == [number], new
        assert len(new) == 1, new
        assert list(self.post.outbox.rows) == [self.row.alarm]

    def is_told(self) -> ev.Fault:
        return self.post.wait(ev.Fault, lambda fault: fault.what == "desk:signature")


@pytest.fixture
def court(broker: Iotcore) -> Iterator[Court]:
    with meeting(broker.url) as (post, desk):
        yield Court(post, desk)


def flip(payload: bytes) -> bytes:
    """One digit of the body changed."""
    return payload.replace(b'\\"rev\\":1', b'\\"rev\\":2')


FORGERIES: dict[str, Callable[[Court], bytes]] = {
    "another key": lambda c: c.desk.say(Leaf.RECEIPT, c.receipt(), THIEF_KEY),
    "the post's own key": lambda c: c.desk.say(Leaf.RECEIPT, c.receipt(), POST_KEY),
    "for another post": lambda c: c.desk.say(Leaf.RECEIPT, c.receipt(), post=OTHER_POST),
    "another batch": lambda c: c.desk.say(Leaf.RECEIPT, c.receipt(re="0" * 16)),
    "another hash": lambda c: c.desk.say(
        Leaf.RECEIPT, c.receipt(stored=[StoredBody(alarm=c.row.alarm, rev=1, sha="0" * 64)])
    ),
    "another revision": lambda c: c.desk.say(
        Leaf.RECEIPT, c.receipt(stored=[StoredBody(alarm=c.row.alarm, rev=2, sha=c.row.sha256)])
    ),
    "another alarm": lambda c: c.desk.say(Leaf.RECEIPT, c.receipt(stored=[stored(row(2).body)])),
    "an order by another key": lambda c: c.desk.say(Leaf.ORDER, order(9), THIEF_KEY),
    "an order for another post": lambda c: c.desk.say(Leaf.ORDER, order(9), post=OTHER_POST),
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=list(FORGERIES))
def test_a_forgery_changes_nothing_and_is_told(court: Court, forge: Callable[[Court], bytes]) -> None:
    forge(court)
    assert "\n" not in court.is_told().why
    court.nothing_happened()
    assert court.post.uplink.picture()["forged_or_replayed"] == 1


@pytest.mark.parametrize("alter", [flip, lambda p: p[:-3] + b'"}', lambda p: p[:-1], lambda p: b"", lambda p: b"{}"])
def test_an_altered_receipt_changes_nothing(court: Court, alter: Callable[[bytes], bytes]) -> None:
    genuine = DESK_KEY.seal(topic(POST, Leaf.RECEIPT), court.receipt().to_body()).encode()
    assert alter(genuine) != genuine
    court.desk.publish(Leaf.RECEIPT, alter(genuine))
    court.is_told()
    court.nothing_happened()


def test_a_receipt_on_the_order_topic_changes_nothing(court: Court) -> None:
    payload = DESK_KEY.seal(topic(POST, Leaf.RECEIPT), court.receipt().to_body()).encode()
    court.desk.publish(Leaf.ORDER, payload)
    court.is_told()
    court.nothing_happened()


def test_the_genuine_receipt_still_counts_after_all_that(court: Court) -> None:
    for forge in FORGERIES.values():
        forge(court)
    court.desk.say(Leaf.RECEIPT, court.receipt())
    until(lambda: court.post.receipted == [(court.row.alarm, 1)])
    assert not court.post.outbox.rows


def test_a_replay_in_the_same_connection_changes_nothing(court: Court) -> None:
    genuine = court.desk.say(Leaf.RECEIPT, court.receipt())
    until(lambda: court.post.receipted)
    court.post.outbox.keep(court.row)
    court.before = len(court.post.events)
    court.desk.publish(Leaf.RECEIPT, genuine)
    court.nothing_happened()


def test_a_replay_in_a_later_connection_changes_nothing_and_is_no_sign_of_life(broker: Iotcore) -> None:
    with meeting(broker.url) as (post, desk):
        post.strike(row(1))
        until(lambda: post.receipted)
        old = [payload for name, payload in desk.sent if name == topic(POST, Leaf.RECEIPT)]
        desk.is_mute = True
        broker.kill()
        post.wait(ev.DeskAway)
        broker.start()
        until(lambda: len(desk.hellos) >= 2)
        court = Court(post, desk)
        for payload in old:
            desk.publish(Leaf.RECEIPT, payload)
        court.is_told()
        court.nothing_happened()
        assert len(post.all(ev.DeskReachable)) == 1


def test_a_replay_after_a_restart_of_the_bridge_changes_nothing(broker: Iotcore) -> None:
    with EchoDesk(broker.url) as desk:
        with Post(broker.url) as first:
            first.wait_reachable()
            first.strike(row(1))
            until(lambda: first.receipted)
        old = [payload for name, payload in desk.sent if name == topic(POST, Leaf.RECEIPT)]
        desk.is_mute = True
        desk.items.clear()
        desk.heard.clear()
        with Post(broker.url) as post:
            court = Court(post, desk)
            for payload in old:
                desk.publish(Leaf.RECEIPT, payload)
            court.is_told()
            court.nothing_happened()
            assert not post.all(ev.DeskReachable)


def test_a_flood_of_forgeries_is_one_line_and_does_not_stop_the_alarms(court: Court) -> None:
    for _ in range(300):
        court.desk.say(Leaf.RECEIPT, court.receipt(), THIEF_KEY)
    court.nothing_happened()
    until(lambda: court.post.uplink.picture()["forged_or_replayed"] == 300)
    assert len([fault for fault in court.post.all(ev.Fault) if fault.what == "desk:signature"]) == 1


def test_a_message_of_a_newer_contract_is_told_and_the_next_is_read(court: Court) -> None:
    payload = DESK_KEY.seal(topic(POST, Leaf.ORDER), '{"desk":1}').encode()
    court.desk.publish(Leaf.ORDER, payload)
    assert "perbarui" in court.post.wait(ev.Fault, lambda fault: fault.what == "desk:message").why
    court.nothing_happened()
