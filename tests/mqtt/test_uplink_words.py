"""The desk's words at a post: what became of them; and how the post's status is kept true."""

import json
import time

from bridge.domain import events as ev
from bridge.domain.alarm import Stage
from bridge.domain.desk import Answer, Fate, OrderKind
from mqtt.contract import (
    AnswerBody,
    HealthBody,
    Leaf,
    ReceiptBody,
    StatusBody,
    WordBody,
    topic,
)
from mqtt.session import Session, SessionConfig
from mqtt.signature import Keyring
from tests.brokers import Iotcore
from tests.mqtt.people import IMPATIENT, POST, POST_KEY, QUICK, RUN, EchoDesk, Post, meeting, order, row
from tests.mqtt.tiny_broker import Habits, TinyBroker
from tests.patience import until

# --- words, orders and what became of them ----------------------------------------------------------------------------


def test_an_officers_word_and_an_order_arrive(broker: Iotcore) -> None:
    with meeting(broker.url) as (post, desk):
        word = WordBody(number=7, kind=OrderKind.STAGE, alarm="a/1", source="node:00000001", stage="DISPATCHED", at=1.0)
        desk.say(Leaf.RECEIPT, ReceiptBody(desk="polsek-1", mark=desk.mark(), words=[word]))
        desk.say(Leaf.ORDER, order(8))
        until(lambda: len(post.all(ev.DeskSpoke)) == 2)
        stage, siren = (spoke.word for spoke in post.all(ev.DeskSpoke))
        assert (stage.desk, stage.number, stage.stage, stage.source) == (
            "polsek-1",
            7,
            Stage.DISPATCHED,
            "node:00000001",
        )
        assert (siren.number, siren.kind, siren.by) == (8, OrderKind.SIREN_OFF, "Budi")


def answers_heard(desk: EchoDesk) -> list[tuple[int, str]]:
    ring = Keyring.of([POST_KEY.public_text])
    bodies = [ring.open(topic(POST, leaf), payload).body for leaf, payload in list(desk.heard) if leaf is Leaf.ANSWER]
    return [(item.number, item.fate.value) for body in bodies for item in AnswerBody.model_validate_json(body).answers]


def test_answers_wait_for_the_broker_and_only_the_latest_of_each_word_is_told(broker: Iotcore) -> None:
    with meeting(broker.url) as (post, desk):
        post.uplink.account((Answer("polsek-1", 1, Fate.DONE, 1.0, "x" * 500),))
        until(lambda: answers_heard(desk) == [(1, "done")])
        broker.kill()
        post.wait(ev.DeskAway)
        post.uplink.account((Answer("polsek-1", 2, Fate.RECEIVED, 1.0), Answer("polsek-1", 3, Fate.REFUSED, 1.0)))
        post.uplink.account((Answer("polsek-1", 2, Fate.TOLD, 2.0),))
        broker.start()
        until(lambda: sorted(answers_heard(desk)[1:]) == [(2, "told"), (3, "refused")])
        until(lambda: not post.uplink._accounts)


def test_health_on_request(broker: Iotcore) -> None:
    with meeting(broker.url) as (post, desk):
        post.outbox.keep(row(1))
        post.uplink.report_health()
        payload = until(lambda: [payload for leaf, payload in desk.heard if leaf is Leaf.HEALTH])[0]
        body = Keyring.of([POST_KEY.public_text]).open(topic(POST, Leaf.HEALTH), payload).body
        health = HealthBody.model_validate_json(body)
        assert (health.waiting, health.run.start, health.now.trusted) == (1, RUN.start, True)
        assert health.faults["siren"] == "cannot start aplay" and health.radio["gw1"]["nodes_last_hour"] == 7


def test_the_picture_is_plain_values(broker: Iotcore) -> None:
    with meeting(broker.url) as (post, _):
        picture = json.loads(json.dumps(post.uplink.picture()))
        assert picture["connected"] and picture["desk_reachable"] and picture["window"] == 20
        broker.kill()
        why = post.wait(ev.DeskAway).why
        picture = post.uplink.picture()
        assert not picture["connected"] and not picture["desk_reachable"] and picture["why_away"] == why


# --- status -----------------------------------------------------------------------------------------------------------


def retained_status(url: str) -> StatusBody:
    """What a desk that comes now would be told."""
    heard: list[bytes] = []
    name = topic(POST, Leaf.STATUS)
    late = Session(
        SessionConfig(url, "late-desk"),
        on_up=lambda _: None,
        on_down=lambda _: None,
        on_message=lambda _, payload: heard.append(payload),
        subscriptions=[name],
        timing=QUICK,
    )
    late.start()
    try:
        payload = until(lambda: heard)[0]
    finally:
        late.stop()
    return StatusBody.model_validate_json(Keyring.of([POST_KEY.public_text]).open(name, payload).body)


def test_a_late_will_of_an_earlier_connection_is_overwritten(broker: Iotcore) -> None:
    with meeting(broker.url, timing=IMPATIENT) as (post, desk):
        until(lambda: desk.statuses)
        late = post.uplink._letters.status(0, online=False)
        until(lambda: desk.session.publish(late.topic, late.payload, 1, True))
        until(lambda: [status.online for status in desk.statuses] == [True, False, True])
        assert retained_status(broker.url).online


def test_two_that_fight_over_one_status_do_not_flood_the_broker(broker: Iotcore) -> None:
    with meeting(broker.url, timing=IMPATIENT) as (post, desk):
        late = post.uplink._letters.status(0, online=False)
        for _ in range(100):
            until(lambda: desk.session.publish(late.topic, late.payload, 1, True))
            time.sleep(0.005)
        until(lambda: sum(not status.online for status in desk.statuses) == 100)
        until(lambda: desk.statuses[-1].online)
        assert sum(status.online for status in desk.statuses) < 20


def test_a_clean_stop_says_offline_in_the_same_connection(broker: Iotcore) -> None:
    with EchoDesk(broker.url) as desk:
        with Post(broker.url) as post:
            post.wait_reachable()
            until(lambda: desk.statuses)
        until(lambda: len(desk.statuses) == 2)
        online, offline = desk.statuses
        assert online.online and not offline.online
        assert offline.order == (*online.order[:2], 1)
        assert not retained_status(broker.url).online


def test_an_uplink_that_never_started_or_never_connected_stops() -> None:
    Post("mqtt://127.0.0.1:1").uplink.stop()
    with TinyBroker(Habits(says_hello=False)) as tiny, Post(tiny.url):
        until(lambda: tiny.seen.connects)
