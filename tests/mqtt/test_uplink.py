"""The uplink's stories with real brokers: nothing lost, nothing believed that the desk did not sign for us, now."""

import json
import time
from collections import Counter
from dataclasses import replace
from itertools import groupby

import pytest

from bridge.domain import events as ev
from bridge.domain.commands import OutboxRow
from bridge.domain.desk import Answer, Fate, Mark
from bridge.domain.errors import JournalFailed
from mqtt.contract import (
    AlarmBody,
    Leaf,
    QuarantinedBody,
    ReceiptBody,
    StoredBody,
    topic,
)
from tests.brokers import Iotcore
from tests.mqtt.people import IMPATIENT, POST, RUN, EchoDesk, Outbox, Post, WallClock, keys, meeting, row
from tests.mqtt.tiny_broker import Habits, TinyBroker
from tests.patience import until

# --- the way there and back -------------------------------------------------------------------------------------------


def test_one_alarm_goes_there_and_its_receipt_comes_back(broker: Iotcore) -> None:
    with meeting(broker.url) as (post, desk):
        one = row(1)
        post.strike(one)
        brokered = post.wait(ev.Brokered)
        receipted = post.wait(ev.Receipted, lambda event: bool(event.items))
        assert brokered.items == ((one.alarm, 1),)
        assert [(item.alarm, item.revision, item.sha256, item.reason) for item in receipted.items] == [
            (one.alarm, 1, one.sha256, "")
        ]
        assert receipted.mark.desk == "polsek-1" and receipted.mark.database == "db-1"
        assert post.outbox.rows == {}
        assert [item.alarm for item in desk.items] == [one.body], "the frozen string, byte for byte"


def test_the_first_thing_a_desk_hears_is_who_is_there(broker: Iotcore) -> None:
    with EchoDesk(broker.url) as desk, Post(broker.url) as post:
        post.marks = {"polsek-1": Mark("polsek-1", "db-0", 41, "t41")}
        post.wait_reachable()
        status = until(lambda: desk.statuses)[0]
        assert (status.online, status.version, status.connection) == (True, "0.1.0", 1)
        assert (status.run.journal, status.run.start, status.run.bits) == (RUN.journal, RUN.start, RUN.bits)
        assert len(desk.hellos) == 1
        empty = post.wait(ev.Receipted)
        assert empty.items == () and empty.mark.commit == 1, "the engine sees the mark though nothing is stored"


def test_a_hello_tells_the_last_mark_of_each_desk(broker: Iotcore) -> None:
    marks = {"polsek-1": Mark("polsek-1", "db-0", 41, "t41")}
    post = Post(broker.url)
    post.marks = marks
    with EchoDesk(broker.url) as desk, post:
        post.wait_reachable()
        (seen,) = desk.hellos[0].seen.values()
        assert (seen.database, seen.commit, seen.token) == ("db-0", 41, "t41")


def test_alarms_tell_the_last_mark_too_so_that_no_loss_hides_behind_their_receipts(broker: Iotcore) -> None:
    with meeting(broker.url) as (post, desk):
        post.marks = {"polsek-1": Mark("polsek-1", "db-0", 41, "t41")}
        post.strike(row(1))
        until(lambda: post.receipted)
        (payload,) = [payload for leaf, payload in desk.heard if leaf is Leaf.ALARM]
        said = AlarmBody.model_validate_json(json.loads(payload)["body"])
        assert [(mark.database, mark.commit, mark.token) for mark in said.seen.values()] == [("db-0", 41, "t41")]


def test_a_burst_shares_publishes_and_each_alarm_arrives_once(broker: Iotcore) -> None:
    rows = [row(number) for number in range(1, 501)]
    with meeting(broker.url) as (post, desk):
        post.strike(*rows)
        until(lambda: len(post.receipted) >= 500)
        assert Counter(desk.stored) == Counter(keys(*rows))
        assert Counter(post.receipted) == Counter(keys(*rows))
        assert max(len(batch) for batch in desk.batches) <= 32
        assert len(desk.batches) < 250


def test_the_backlog_comes_newest_first_and_a_live_alarm_passes_it(broker: Iotcore) -> None:
    outbox = Outbox()
    outbox.keep(*(row(number) for number in range(1, 1001)))
    with EchoDesk(broker.url) as desk, Post(broker.url, outbox=outbox) as post:
        until(lambda: len(desk.items) >= 64)
        live = row(5000)
        post.strike(live)
        until(lambda: not outbox.rows, lambda: f"{len(outbox.rows)} wait")
        order = [identity for batch in desk.batches for identity in batch]
        assert Counter(order) == Counter([live.alarm, *(row(number).alarm for number in range(1, 1001))])
        assert order[:32] == [row(number).alarm for number in range(1000, 968, -1)]
        assert order.index(live.alarm) < 1000, "it did not wait for the end"


def test_an_update_overtakes_what_it_replaces(broker: Iotcore) -> None:
    with meeting(broker.url) as (post, desk):
        post.strike(row(1))
        until(lambda: post.receipted)
        newer = row(1, revision=2)
        post.strike(newer)
        until(lambda: (newer.alarm, 2) in post.receipted)
        assert desk.stored == [(newer.alarm, 1), (newer.alarm, 2)]


def test_age_and_unsafe_stand_beside_the_frozen_string(broker: Iotcore) -> None:
    with meeting(broker.url) as (post, desk):
        one = row(1)
        time.sleep(0.2)
        post.strike(one, unsafe=True)
        item = until(lambda: desk.items)[0]
        assert item.unsafe and item.alarm == one.body
        assert item.age_s is not None and 0.2 <= item.age_s < 5


def test_an_age_that_no_clock_can_tell_is_left_out(broker: Iotcore) -> None:
    with meeting(broker.url, clock=WallClock(start=RUN.start + 1, trusted=False)) as (post, desk):
        post.strike(row(1))
        assert until(lambda: desk.items)[0].age_s is None


def test_a_quarantined_row_is_in_custody_and_known_by_its_hash(broker: Iotcore) -> None:
    with meeting(broker.url) as (post, desk):

        def quarantine(re: str, items: list[StoredBody]) -> ReceiptBody:
            bad = [QuarantinedBody(sha=item.sha, reason="tidak dimengerti") for item in items]
            return ReceiptBody(desk="polsek-1", mark=desk.mark(), re=re, quarantined=bad)

        desk.make = quarantine
        one = row(1)
        post.strike(one)
        (item,) = post.wait(ev.Receipted, lambda event: bool(event.items)).items
        assert (item.alarm, item.revision, item.reason) == (one.alarm, 1, "tidak dimengerti")
        assert post.outbox.rows == {}


# --- broker and desk away ---------------------------------------------------------------------------------------------


def test_a_broker_that_is_killed_costs_nothing(broker: Iotcore) -> None:
    with meeting(broker.url) as (post, desk):
        post.strike(*(row(number) for number in range(1, 21)))
        until(lambda: len(post.receipted) == 20)
        broker.kill()
        post.wait(ev.DeskAway)
        post.strike(*(row(number) for number in range(21, 61)))
        unsafe = row(70)
        post.strike(unsafe, unsafe=True)
        broker.start()
        wanted = set(keys(*(row(number) for number in range(1, 61)), unsafe))
        until(lambda: set(post.receipted) == wanted, lambda: f"{wanted - set(post.receipted)} missing")
        assert not post.outbox.rows
        assert set(desk.stored) == wanted
        changes = [type(event) for event in post.events if isinstance(event, ev.DeskAway | ev.DeskReachable)]
        assert [kind for kind, _ in groupby(changes)] == [ev.DeskReachable, ev.DeskAway, ev.DeskReachable]
        statuses = [status.order for status in desk.statuses if status.online]
        assert statuses == sorted(set(statuses)), "the connection counter rises"


def test_what_was_on_its_way_when_the_line_broke_is_pending_again() -> None:
    habits = Habits(puback_after_s=None)
    with TinyBroker(habits) as tiny, Post(tiny.url) as post:
        post.strike(row(1))
        until(lambda: topic(POST, Leaf.ALARM) in tiny.seen.topics)
        tiny.hang_up()
        post.wait(ev.DeskAway)
        habits.puback_after_s = 0.0
        until(lambda: tiny.seen.topics.count(topic(POST, Leaf.ALARM)) >= 2)
        assert post.wait(ev.Brokered).items == ((row(1).alarm, 1),)


def test_a_broker_that_never_answers_is_a_desk_that_is_away() -> None:
    with TinyBroker(Habits(says_hello=False)) as tiny, Post(tiny.url) as post:
        away = post.wait(ev.DeskAway)
        assert away.uplink == "u1" and "no answer" in away.why
        assert not post.all(ev.DeskReachable)


def test_a_desk_that_does_not_answer_is_away_after_its_time_and_comes_back(broker: Iotcore) -> None:
    with EchoDesk(broker.url) as desk:
        desk.is_mute = True
        began = time.monotonic()
        with Post(broker.url, timing=IMPATIENT) as post:
            away = post.wait(ev.DeskAway)
            assert time.monotonic() - began >= IMPATIENT.away_after_s
            assert "meja polisi tidak menjawab" in away.why
            until(lambda: len(desk.hellos) >= 3, "asked again")
            assert len({hello.nonce for hello in desk.hellos}) == len(desk.hellos)
            post.strike(row(1))
            until(lambda: desk.stored.count((row(1).alarm, 1)) >= 3, "tried once a minute")
            assert not post.receipted and len(post.outbox.rows) == 1
            desk.is_mute = False
            post.wait_reachable()
            until(lambda: post.receipted)
            assert not post.outbox.rows


def test_a_desk_that_falls_silent_is_noticed_by_the_missing_receipt(broker: Iotcore) -> None:
    """Not only at the next hello, minutes later."""
    with meeting(broker.url, timing=IMPATIENT) as (post, desk):
        desk.is_mute = True
        post.strike(row(1))
        assert "tidak menjawab" in post.wait(ev.DeskAway).why


def test_a_broker_that_falls_silent_about_an_alarm_is_noticed_before_the_line_is_given_up(broker: Iotcore) -> None:
    """It pings, and acknowledges nothing more: who struck must hear soon that the police are not connected."""
    patient = replace(IMPATIENT, puback_s=60.0)
    with meeting(broker.url, timing=patient) as (post, desk):
        desk.is_mute = True
        post.uplink._session.on_published = lambda *_: None
        post.strike(row(1))
        assert "tidak menjawab" in post.wait(ev.DeskAway).why


def test_a_mute_desk_gets_of_a_backlog_one_publish_a_minute(broker: Iotcore) -> None:
    outbox = Outbox()
    outbox.keep(*(row(number) for number in range(1, 201)))
    with EchoDesk(broker.url) as desk:
        desk.is_mute = True
        with Post(broker.url, timing=IMPATIENT, outbox=outbox) as post:
            until(lambda: len(desk.batches) >= 2)
            assert len(desk.batches[0]) == 32
            desk.is_mute = False
            until(lambda: not outbox.rows)
            assert {identity for identity, _ in post.receipted} == {row(number).alarm for number in range(1, 201)}


def test_a_row_without_receipt_does_not_hold_up_the_others(broker: Iotcore) -> None:
    with meeting(broker.url, timing=IMPATIENT) as (post, desk):

        def all_but_one(re: str, items: list[StoredBody]) -> ReceiptBody:
            kept = [item for item in items if item.alarm != row(1).alarm]
            return ReceiptBody(desk="polsek-1", mark=desk.mark(), re=re, stored=kept)

        desk.make = all_but_one
        post.strike(row(1), row(2))
        post.strike(row(3))
        until(lambda: len(post.receipted) == 2)
        until(lambda: desk.stored.count((row(1).alarm, 1)) >= 3, "tried again")
        assert set(post.outbox.rows) == {row(1).alarm}
        assert desk.stored.count((row(2).alarm, 1)) == 1


def test_what_the_desk_lost_is_sent_again_after_a_sweep(broker: Iotcore) -> None:
    with meeting(broker.url) as (post, desk):
        one = row(1)
        post.strike(one)
        until(lambda: post.receipted)
        post.outbox.keep(one)  # the engine reopened it
        post.uplink.sweep()
        until(lambda: len(desk.stored) == 2)
        until(lambda: not post.outbox.rows)


def test_a_journal_that_cannot_be_read_now_is_read_later(broker: Iotcore) -> None:
    class Sick(Outbox):
        is_sick = True

        def page(self, before: int | None, limit: int) -> list[OutboxRow]:
            if self.is_sick:
                self.pages.append(before)
                raise JournalFailed("the disk hangs")
            return super().page(before, limit)

    outbox = Sick()
    outbox.keep(row(1))
    with meeting(broker.url, timing=IMPATIENT, outbox=outbox) as (post, _):
        until(lambda: len(outbox.pages) >= 2, "tried again")
        post.strike(row(2))
        until(lambda: post.receipted == [(row(2).alarm, 1)], "live alarms need no journal")
        outbox.is_sick = False
        until(lambda: not outbox.rows)


def test_an_inbox_that_fails_does_not_end_the_uplink(broker: Iotcore) -> None:
    with EchoDesk(broker.url), Post(broker.url) as post:
        post.wait_reachable()
        calls: list[ev.Event] = []

        def fail(event: ev.Event) -> None:
            calls.append(event)
            raise RuntimeError("a fault of ours")

        deliver, post.uplink._deliver = post.uplink._deliver, fail
        post.strike(row(1))
        until(lambda: calls)
        post.uplink._deliver = deliver
        post.strike(row(2))
        until(lambda: (row(2).alarm, 1) in post.receipted)


# --- the window and the broker's refusals -----------------------------------------------------------------------------


@pytest.mark.parametrize(("given", "window"), [(1, 1), (5, 5), (None, 20)])
def test_the_window_is_never_exceeded(given: int | None, window: int) -> None:
    rows = [row(number) for number in range(1, 1001)]
    habits = Habits(receive_maximum=given, puback_after_s=0.03 if window < 20 else 0.5)
    with TinyBroker(habits) as tiny, Post(tiny.url) as post:
        until(lambda: tiny.seen.publishes)
        post.strike(*rows)
        post.uplink.account(tuple(Answer("polsek-1", number, Fate.DONE, 1.0) for number in range(1, 200)))
        until(lambda: len({key for event in post.all(ev.Brokered) for key in event.items}) == len(rows))
        assert tiny.seen.most_unacked == window, "used to the full, and not more"


@pytest.mark.parametrize(("code", "said"), [(0x10, "does not subscribe"), (0x87, "was denied"), (0x97, "kode 0x97")])
def test_an_alarm_that_nobody_was_given_is_not_brokered(code: int, said: str) -> None:
    habits = Habits(puback=code)
    with TinyBroker(habits) as tiny, Post(tiny.url, timing=IMPATIENT) as post:
        post.strike(row(1))
        fault = post.wait(ev.Fault, lambda fault: fault.what == "uplink:u1" and bool(fault.why))
        assert said in fault.why and "\n" not in fault.why
        assert post.wait(ev.DeskAway).why
        until(lambda: tiny.seen.topics.count(topic(POST, Leaf.ALARM)) >= 3, "tried again")
        assert not post.all(ev.Brokered)
        habits.puback = 0
        assert post.wait(ev.Brokered).items == ((row(1).alarm, 1),)
        post.wait(ev.Fault, lambda fault: fault.what == "uplink:u1" and not fault.why)


def test_a_broker_that_pings_and_takes_nothing_is_left() -> None:
    with TinyBroker(Habits(puback_after_s=None)) as tiny, Post(tiny.url, timing=IMPATIENT) as post:
        post.strike(row(1))
        assert "no PUBACK" in post.wait(ev.DeskAway, lambda away: "PUBACK" in away.why).why
        until(lambda: tiny.seen.connections >= 2)


def test_a_denied_subscription_that_is_told_is_a_fault() -> None:
    with TinyBroker(Habits(suback=0x87)) as tiny, Post(tiny.url, timing=IMPATIENT) as post:
        fault = post.wait(ev.Fault, lambda fault: fault.what == "uplink:u1/subscribe")
        assert "was denied" in fault.why
        post.wait(ev.DeskAway)
