"""The uplink against Debian's broker: users, rights, kills, freezes."""

import time
from pathlib import Path

import pytest

from bridge.domain import events as ev
from mqtt.uplink import Timing
from tests.brokers import mosquitto_broker
from tests.mqtt.people import IMPATIENT, QUICK, EchoDesk, Outbox, Post, meeting, password_file, row
from tests.patience import until

pytestmark = pytest.mark.mosquitto

OWN = "kentongan/v1/35/09/14/2005/pos-1"
DESK = "user polsek\ntopic readwrite kentongan/#\n"
USERS = {"pos-1": "rahasia", "polsek": "rahasia"}


def rights(*lines: str) -> str:
    return "\n".join(["user pos-1", *(f"topic {line}" for line in lines), DESK])


WHOLE = rights(f"readwrite {OWN}/#")


def test_with_its_own_user_and_rights_all_is_well(tmp_path: Path) -> None:
    secret = password_file(tmp_path, "rahasia")
    with (
        mosquitto_broker(tmp_path, acl=WHOLE, users=USERS) as broker,
        EchoDesk(broker.url, username="polsek", password_file=secret) as desk,
        Post(broker.url, username="pos-1", password_file=secret) as post,
    ):
        post.wait_reachable()
        post.strike(row(1))
        until(lambda: post.receipted)
        assert desk.stored == [(row(1).alarm, 1)]
        assert not post.all(ev.Fault) and not post.all(ev.DeskAway)


def test_a_wrong_password_is_told_and_nothing_is_lost(tmp_path: Path) -> None:
    secret = password_file(tmp_path, "salah")
    with (
        mosquitto_broker(tmp_path, acl=WHOLE, users=USERS) as broker,
        EchoDesk(broker.url, username="polsek", password_file=password_file(tmp_path, "rahasia", "desk")),
        Post(broker.url, username="pos-1", password_file=secret) as post,
    ):
        post.strike(row(1))
        assert "periksa username" in post.wait(ev.DeskAway).why
        secret.write_text("rahasia\n")
        until(lambda: post.receipted)


def test_a_denied_topic_is_a_loud_fault(tmp_path: Path) -> None:
    secret = password_file(tmp_path, "rahasia")
    acl = rights(f"read {OWN}/#", f"write {OWN}/hello", f"write {OWN}/status")
    with (
        mosquitto_broker(tmp_path, acl=acl, users=USERS) as broker,
        EchoDesk(broker.url, username="polsek", password_file=secret) as desk,
        Post(broker.url, username="pos-1", password_file=secret, timing=IMPATIENT) as post,
    ):
        post.wait_reachable()
        post.strike(row(1))
        fault = post.wait(ev.Fault, lambda fault: fault.what == "uplink:u1")
        assert f"{OWN}/alarm" in fault.why and "0x87" in fault.why and "ACL" in fault.why
        assert "was denied" in post.wait(ev.DeskAway).why
        assert not post.all(ev.Brokered) and not desk.items and len(post.outbox.rows) == 1


def test_a_denied_subscription_looks_granted_and_only_silence_tells(tmp_path: Path) -> None:
    secret = password_file(tmp_path, "rahasia")
    acl = rights(f"write {OWN}/#")
    with (
        mosquitto_broker(tmp_path, acl=acl, users=USERS) as broker,
        EchoDesk(broker.url, username="polsek", password_file=secret) as desk,
        Post(broker.url, username="pos-1", password_file=secret, timing=IMPATIENT) as post,
    ):
        post.strike(row(1))
        assert "tidak menjawab" in post.wait(ev.DeskAway).why
        assert not post.all(ev.DeskReachable) and not post.receipted
        assert post.wait(ev.Brokered), "the desk was given it, though we cannot know more"
        assert desk.stored


def test_nobody_at_the_desk_is_told_at_once_and_its_coming_is_noticed(tmp_path: Path) -> None:
    with mosquitto_broker(tmp_path) as broker, Post(broker.url, timing=IMPATIENT) as post:
        post.strike(row(1))
        assert "does not subscribe" in post.wait(ev.DeskAway).why
        assert not post.all(ev.Brokered)
        with EchoDesk(broker.url):
            post.wait_reachable()
            until(lambda: post.receipted)
            until(lambda: not post.uplink.picture()["faults"])


def test_a_broker_killed_in_the_middle_of_a_drain_costs_nothing(tmp_path: Path) -> None:
    outbox = Outbox()
    outbox.keep(*(row(number) for number in range(1, 3001)))
    with mosquitto_broker(tmp_path) as broker, EchoDesk(broker.url) as desk, Post(broker.url, outbox=outbox) as post:
        until(lambda: len(post.receipted) > 300)
        broker.kill()
        post.wait(ev.DeskAway)
        assert outbox.rows, "killed too late to tell anything"
        broker.start()
        until(lambda: not outbox.rows, lambda: f"{len(outbox.rows)} wait", 30)
        wanted = {(row(number).alarm, 1) for number in range(1, 3001)}
        assert set(post.receipted) == wanted
        assert set(desk.stored) == wanted


def test_a_frozen_broker_is_noticed_and_what_it_held_is_sent_again(tmp_path: Path) -> None:
    with mosquitto_broker(tmp_path) as broker, meeting(broker.url) as (post, _):
        broker.freeze()
        began = time.monotonic()
        post.strike(row(1))
        post.wait(ev.DeskAway)
        assert time.monotonic() - began < QUICK.silent_s + 10
        broker.thaw()
        until(lambda: post.receipted)


@pytest.mark.soak
def test_a_frozen_broker_is_noticed_within_thirty_seconds(tmp_path: Path) -> None:
    with mosquitto_broker(tmp_path) as broker, meeting(broker.url, timing=Timing()) as (post, _):
        broker.freeze()
        began = time.monotonic()
        post.strike(row(1))
        post.wait(ev.DeskAway, within_s=60)
        took_s = time.monotonic() - began
        print(f"measured: frozen broker noticed after {took_s:.1f} s")
        assert took_s <= 30.0


def test_a_broker_that_takes_only_small_messages_gets_small_ones(tmp_path: Path) -> None:
    outbox = Outbox()
    outbox.keep(*(row(number) for number in range(1, 41)))
    with (
        mosquitto_broker(tmp_path, more="message_size_limit 4000") as broker,
        EchoDesk(broker.url) as desk,
        Post(broker.url, outbox=outbox, timing=IMPATIENT) as post,
    ):
        until(lambda: not outbox.rows, lambda: f"{len(outbox.rows)} wait; {post.uplink.picture()}")
        assert max(len(batch) for batch in desk.batches) < 8
