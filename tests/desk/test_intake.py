"""Custody: what is receipted is stored, every copy is receipted, and each press is in exactly one case."""

import json
import random
from typing import Any

import pytest
from sqlalchemy import func, select, text

from bridge.domain.alarm import Stage
from bridge.domain.desk import Mark, OrderKind
from desk.filing import EVIDENCE
from desk.store import REPORTS
from desk.views import posts
from mqtt.contract import Leaf, OrderBody, ReceiptBody
from mqtt.signature import from_text, read_public, signed_bytes
from tests.desk.conftest import DESK, Table
from tests.desk.post import NOW, Post, marks, press_id, sha

ONE, TWO = Post("pos-1", seed=1), Post("pos-2", seed=2, journal="b7d1c1b0-0000-4000-8000-000000000002")


@pytest.fixture(autouse=True)
def known(table: Table) -> None:
    table.know(ONE, TWO)
    table.turn()


def receipts(table: Table, *messages: tuple[str, bytes]) -> list[ReceiptBody]:
    said = [body for _, body in table.hear(*messages)]
    assert all(isinstance(body, ReceiptBody) for body in said)
    return [body for body in said if isinstance(body, ReceiptBody)]


def rows(table: Table) -> list[Any]:
    with table.store.reading() as connection:
        return list(connection.execute(select(REPORTS).order_by(REPORTS.c.id)))


def test_a_receipt_names_exactly_what_is_stored(table: Table) -> None:
    texts = [ONE.report(number) for number in (1, 2, 3)]
    (receipt,) = receipts(table, ONE.alarms(*texts, batch="00000000000000aa"))
    assert (receipt.desk, receipt.re) == (DESK, "00000000000000aa")
    assert [(one.alarm, one.rev, one.sha) for one in receipt.stored] == [
        (press_id(number), 1, sha(body)) for number, body in zip((1, 2, 3), texts, strict=True)
    ]
    mark = table.store.mark()
    assert (receipt.mark.database, receipt.mark.commit, receipt.mark.token) == (
        table.store.database,
        mark.commit,
        mark.token,
    )
    assert [row.body.decode() for row in rows(table)] == texts
    assert table.store.accounting() == {press_id(1): 1, press_id(2): 1, press_id(3): 1}


def test_what_was_signed_is_kept_and_can_be_checked_by_anybody(table: Table) -> None:
    receipts(table, ONE.alarms(ONE.report(1)))
    with table.store.reading() as connection:
        (kept,) = connection.execute(select(EVIDENCE)).all()
    assert kept.kid == ONE.signer.kid
    key = read_public(ONE.signer.public_text)
    key.verify(from_text(kept.sig), signed_bytes(kept.topic, kept.body.decode()))


def test_every_copy_is_receipted_and_only_the_first_is_a_commit(table: Table) -> None:
    message = ONE.alarms(ONE.report(1), batch="00000000000000aa")
    (first,) = receipts(table, message)
    for _ in range(3):
        (again,) = receipts(table, message)
        assert again == first
    assert len(receipts(table, message, message, message)) == 3
    assert len(rows(table)) == 1 and len(table.cases()) == 1


def test_a_group_is_one_commit_and_numbers_rise_by_one(table: Table) -> None:
    numbers = []
    for group in range(5):
        said = receipts(table, *(ONE.alarms(ONE.report(10 * group + number)) for number in range(1, 6)))
        assert len({receipt.mark.commit for receipt in said}) == 1
        numbers.append(said[0].mark.commit)
    assert numbers == list(range(numbers[0], numbers[0] + 5))
    assert len(table.store.accounting()) == 25


def test_the_highest_revision_stays_whatever_the_order(table: Table) -> None:
    revisions = {rev: ONE.report(1, rev, ids=[press_id(n) for n in range(1, rev + 1)]) for rev in range(1, 9)}
    order = [*revisions, *revisions, *revisions]
    random.Random(7).shuffle(order)
    for rev in order:
        (receipt,) = receipts(table, ONE.alarms(revisions[rev]))
        assert [(one.rev, one.sha) for one in receipt.stored] == [(rev, sha(revisions[rev]))]
    (row,) = rows(table)
    assert (row.revision, row.sha) == (8, sha(revisions[8]))
    assert table.store.accounting() == {press_id(n): 1 for n in range(1, 9)}
    assert table.cases()[0].ids == tuple(press_id(n) for n in range(1, 9))


def test_revisions_in_one_group_end_at_the_highest(table: Table) -> None:
    texts = [ONE.report(1, rev) for rev in (2, 3, 1)]
    receipts(table, *(ONE.alarms(body) for body in texts))
    (row,) = rows(table)
    assert (row.revision, row.sha) == (3, sha(texts[1]))


def test_a_report_from_a_memory_that_was_lost_gives_way_to_the_journal(table: Table) -> None:
    """The disk hung, revision 2 went out unsafe, the power failed; the next run hears the same packet anew."""
    before = ONE.report(1, 2, ids=[press_id(1), press_id(2)])
    receipts(table, ONE.say(Leaf.ALARM, alarm_body(ONE, before, unsafe=True)))
    assert table.cases()[0].unsafe
    later = Post("pos-1", seed=1, start=2)
    after = later.report(1, 1)
    receipts(table, later.alarms(after))
    (case,) = table.cases()
    assert rows(table)[0].sha == sha(after) and not case.unsafe
    assert case.ids == (press_id(1), press_id(2)), "a press once stored is never forgotten"


def alarm_body(post: Post, report: str, unsafe: bool) -> dict[str, Any]:
    items = [{"alarm": report, "age_s": 1.0, "unsafe": unsafe}]
    return {"batch": post.batch(), "run": post.run, "now": {"at": NOW, "trusted": True}, "items": items}


def test_the_same_report_made_safe_is_no_longer_unsafe(table: Table) -> None:
    report = ONE.report(1)
    receipts(table, ONE.say(Leaf.ALARM, alarm_body(ONE, report, unsafe=True)))
    receipts(table, ONE.say(Leaf.ALARM, alarm_body(ONE, report, unsafe=False)))
    assert not table.cases()[0].unsafe
    receipts(table, ONE.say(Leaf.ALARM, alarm_body(ONE, report, unsafe=True)))
    assert not table.cases()[0].unsafe


def test_two_posts_that_heard_one_packet_are_one_case_and_both_are_receipted(table: Table) -> None:
    first, second = ONE.report(1), TWO.report(1)
    said = receipts(table, ONE.alarms(first), TWO.alarms(second))
    assert [receipt.stored[0].sha for receipt in said] == [sha(first), sha(second)]
    (case,) = table.cases()
    assert case.posts == (str(ONE.id), str(TWO.id))
    assert len(rows(table)) == 2 and table.store.accounting() == {press_id(1): 1}


def test_posts_that_heard_different_packets_are_two_cases_until_one_is_common(table: Table) -> None:
    receipts(table, ONE.alarms(ONE.report(1)), TWO.alarms(TWO.report(2)))
    assert len(table.cases()) == 2
    receipts(table, TWO.alarms(TWO.report(2, 2, ids=[press_id(2), press_id(1)])))
    (case,) = table.cases()
    assert case.ids == (press_id(1), press_id(2))
    assert set(table.store.accounting().values()) == {1}


def test_three_cases_that_one_report_joins_in_one_group(table: Table) -> None:
    receipts(table, *(ONE.alarms(ONE.report(number)) for number in (1, 2, 3, 9)))
    table.say(press_id(2), Stage.DISPATCHED)
    receipts(
        table,
        TWO.alarms(TWO.report(3, ids=[press_id(3), press_id(2)])),
        TWO.alarms(TWO.report(5, ids=[press_id(5), press_id(2), press_id(1)])),
    )
    joined = next(case for case in table.cases() if press_id(5) in case.ids)
    assert set(joined.ids) == {press_id(number) for number in (1, 2, 3, 5)}
    assert (len(table.cases()), joined.case, joined.stage) == (2, 1, "DISPATCHED")
    assert set(table.store.accounting().values()) == {1}


@pytest.mark.parametrize("seed", range(6))
def test_any_disorder_ends_in_the_same_cases(table: Table, seed: int) -> None:
    """Sixty presses in groups; posts hear different ones; copies, old revisions and any order: groups stay groups."""
    chance = random.Random(seed)
    messages = []
    for group in range(12):
        presses = [press_id(1 + 5 * group + n) for n in range(5)]
        for post in (ONE, TWO):
            heard = [presses[0], *chance.sample(presses[1:], 3)]
            chance.shuffle(heard)
            for rev in range(1, len(heard) + 1):
                messages.append((post, post.report(heard[0], rev, ids=heard[:rev], source=f"node:{group}")))
    whole = dict.fromkeys(press for post, body in messages for press in ids_of(body))
    messages += chance.sample(messages, 40)
    chance.shuffle(messages)
    while messages:
        some, messages = messages[:9], messages[9:]
        said = receipts(table, *(post.alarms(body) for post, body in some))
        assert sum(len(receipt.stored) for receipt in said) == len(some)
    assert table.store.accounting() == dict.fromkeys(whole, 1)
    assert len(table.cases()) == 12


def ids_of(report: str) -> list[str]:
    return list(json.loads(report)["ids"])


def test_what_cannot_be_understood_is_shown_as_an_alarm_and_receipted_as_quarantined(table: Table) -> None:
    bad = ONE.report(1, 2, kind="FLOOD")
    (receipt,) = receipts(table, ONE.alarms(bad, "rubbish", batch="00000000000000aa"))
    assert receipt.stored == []
    assert [(one.sha, one.alarm, one.rev) for one in receipt.quarantined] == [
        (sha(bad), press_id(1), 2),
        (sha("rubbish"), "", 0),
    ]
    assert all(one.reason for one in receipt.quarantined)
    second, first = table.cases()
    assert [(case.kind, case.unreadable, case.place) for case in (first, second)] == [("UNKNOWN", True, None)] * 2
    receipts(table, ONE.alarms(bad, "rubbish"), ONE.alarms("rubbish"))
    assert len(table.cases()) == 2, "a copy is no second alarm"


def test_a_newer_unreadable_revision_hides_nothing_and_a_readable_one_joins_it(table: Table) -> None:
    receipts(table, ONE.alarms(ONE.report(1)))
    receipts(table, ONE.alarms(ONE.report(1, 2, kind="FLOOD")))
    (case,) = table.cases()
    assert (case.kind, case.place, case.unreadable) == ("FIRE", "RT03-12, RT 03/RW 02", True)
    receipts(table, ONE.alarms(ONE.report(5, 2, kind="FLOOD")))
    receipts(table, ONE.alarms(ONE.report(5, 3, kind="THEFT")))
    assert table.cases()[0].kind == "THEFT" and len(table.cases()) == 2


def test_a_report_under_another_posts_topic_is_no_report_of_that_post(table: Table) -> None:
    (receipt,) = receipts(table, TWO.alarms(ONE.report(1)))
    assert receipt.quarantined[0].reason.startswith("reported for 35.09.14.2005/pos-1")
    assert [case.posts for case in table.cases()] == [(str(TWO.id),)]


def test_a_body_without_batch_is_stored_though_it_cannot_be_receipted(table: Table) -> None:
    assert receipts(table, ONE.say(Leaf.ALARM, "rubbish")) == []
    assert [case.unreadable for case in table.cases()] == [True]


def test_forged_altered_and_foreign_envelopes_change_nothing(table: Table) -> None:
    before = table.store.mark()
    stranger = Post(seed=66)
    topic, payload = ONE.alarms(ONE.report(1))
    assert receipts(table, stranger.alarms(stranger.report(1)), (topic, payload.replace(b"FIRE", b"TEST"))) == []
    assert receipts(table, (TWO.topic(Leaf.ALARM), payload), (topic, b"{}"), (topic, b"\xff")) == []
    assert table.cases() == [] and table.store.mark() == before


def test_a_revoked_key_counts_no_more(table: Table) -> None:
    heir = Post(seed=3)
    table.store.add_post(ONE.id, heir.signer.public_text, replace=True)
    table.turn()
    assert receipts(table, ONE.alarms(ONE.report(1))) == []
    assert len(receipts(table, heir.alarms(heir.report(1)))) == 1


def test_a_database_that_refuses_gives_no_receipt_and_the_next_copy_is_taken(table: Table) -> None:
    with table.store.changing() as change:  # a trigger stands in for a sick disk: SQLite itself says no
        change.connection.execute(
            text(
                "CREATE TRIGGER sick BEFORE INSERT ON reports WHEN NEW.source = 'node:00000002' "
                "BEGIN SELECT RAISE(ABORT, 'sick'); END"
            )
        )
        change.touch()
    good, bad = ONE.alarms(ONE.report(1)), ONE.alarms(ONE.report(2))
    (receipt,) = receipts(table, bad, good)
    assert [one.alarm for one in receipt.stored] == [press_id(1)]
    assert [case.ids for case in table.cases()] == [(press_id(1),)], "one bad message harms no other"
    with table.store.changing() as change:
        change.connection.execute(text("DROP TRIGGER sick"))
        change.touch()
    assert len(receipts(table, bad)) == 1
    assert table.store.accounting() == {press_id(1): 1, press_id(2): 1}


def test_hello_is_answered_with_the_mark_and_costs_no_write(table: Table) -> None:
    before = table.store.last()
    (receipt,) = receipts(table, ONE.hello(nonce="00000000000000ee"))
    assert (receipt.re, receipt.stored, receipt.words) == ("00000000000000ee", [], [])
    assert receipt.mark.commit == table.store.mark().commit == before == table.store.last()


def test_yesterdays_copy_is_noticed_and_the_post_is_asked_for_everything(table: Table, tmp_path: Any) -> None:
    old = ONE.report(1)
    receipts(table, ONE.alarms(old))
    table.copy_to(tmp_path / "yesterday")
    table.turn()
    lost = ONE.alarms(ONE.report(2))
    (receipt,) = receipts(table, lost)
    seen = {DESK: Mark(DESK, receipt.mark.database, receipt.mark.commit, receipt.mark.token)}
    assert len(table.hear(ONE.hello(seen))) == 1, "all is well: no order"

    table.restore_from(tmp_path / "yesterday")
    table.turn()
    receipts(table, ONE.alarms(ONE.report(3)))  # the copy makes a commit of the same number, but not the same token
    assert table.store.mark().commit == receipt.mark.commit
    said = table.hear(ONE.hello(seen, nonce="00000000000000e1"))
    orders = [body for _, body in said if isinstance(body, OrderBody)]
    assert [order.kind for body in orders for order in body.orders] == [OrderKind.RESEND]
    number = orders[0].orders[0].number

    again = [body for _, body in table.hear(ONE.hello(seen, nonce="00000000000000e2")) if isinstance(body, OrderBody)]
    assert [order.number for body in again for order in body.orders] == [number], "the same order, not a second one"
    receipts(table, lost, ONE.alarms(old), ONE.answer(DESK, number, "done"))
    assert table.store.accounting() == {press_id(1): 1, press_id(2): 1, press_id(3): 1}
    assert [type(body) for _, body in table.hear(ONE.hello(seen))] == [ReceiptBody], "at most once a minute"
    table.turn(61)
    assert OrderBody in [type(body) for _, body in table.hear(ONE.hello(seen))]


def test_a_loss_is_noticed_at_the_next_alarm_though_others_have_driven_the_number_past_it(
    table: Table, tmp_path: Any
) -> None:
    """A replica took over that had not yet heard of the last commits; every hello of this post is minutes away."""
    table.copy_to(tmp_path / "replica")
    lost = ONE.alarms(ONE.report(1))
    (receipt,) = receipts(table, lost)
    seen = {DESK: Mark(DESK, receipt.mark.database, receipt.mark.commit, receipt.mark.token)}
    assert len(table.hear(ONE.alarms(ONE.report(2), seen=marks(seen)))) == 1, "all is well: no order"

    table.restore_from(tmp_path / "replica")
    table.turn()
    for number in range(20, 25):
        receipts(table, TWO.alarms(TWO.report(number)))
    said = table.hear(ONE.alarms(ONE.report(3), seen=marks(seen)))
    assert [body.mark.commit > receipt.mark.commit for _, body in said if isinstance(body, ReceiptBody)] == [True]
    assert [order.kind for _, body in said if isinstance(body, OrderBody) for order in body.orders] == [
        OrderKind.RESEND
    ]


def test_numbers_that_no_database_holds_do_not_harm_the_alarms_beside_them(table: Table) -> None:
    """One post's program is wrong; another's calls wait in the same group."""
    mark = table.store.mark()
    huge = {DESK: Mark(DESK, mark.database, 1 << 70, "t")}
    table.hear(
        ONE.hello(huge),
        ONE.alarms(ONE.report(1), seen=marks(huge)),
        ONE.answer(DESK, 5, "told", at=float("nan")),
        TWO.alarms(TWO.report(2)),
    )
    assert table.store.accounting() == {press_id(1): 1, press_id(2): 1}


def test_another_database_is_noticed_too(table: Table) -> None:
    foreign = {DESK: Mark(DESK, "another", 5, "token"), "desk-elsewhere": Mark("desk-elsewhere", "x", 9, "y")}
    assert OrderBody in [type(body) for _, body in table.hear(ONE.hello(foreign))]
    assert [type(body) for _, body in table.hear(TWO.hello({"desk-elsewhere": foreign["desk-elsewhere"]}))] == [
        ReceiptBody
    ]


def test_status_is_compared_by_counters_within_a_journal(table: Table) -> None:
    def online() -> bool | None:
        with table.store.reading() as connection:
            return posts(connection)[0].online

    assert online() is None
    story = [
        (ONE.status(True, 1), True),
        (ONE.status(False, 1), False),
        (ONE.status(True, 1), False),  # late: the same connection was seen to end
        (ONE.status(True, 2), True),
        (ONE.status(False, 1), True),  # the will of an older connection
        (ONE.status(True, 1, start=2), True),
        (ONE.status(False, 9), True),  # an older run
        (ONE.status(True, 1, journal="new"), True),
        (ONE.status(False, 2, start=2), True),  # the old journal's will, after the new one was heard of
        (ONE.status(False, 1, journal="new"), False),
        (ONE.status(True, 1, start=3), True),  # the old journal's disk is back
        (ONE.status(True, 1, journal="memory"), True),  # and away once more
        (ONE.status(False, 1, journal="memory"), False),
        (ONE.status(True, 1, start=4), True),
        (ONE.status(False, 2, journal="memory"), True),
        (ONE.status(False, 9, journal="never heard of"), False),  # for all we know it is the newest
        (ONE.status(True, 1, start=4), True),  # but the post, which watches its status, says that it is not
        (ONE.status(False, 1, start=4), False),
    ]
    for number, (message, expected) in enumerate(story):
        table.hear(message)
        assert online() is expected, number


def test_a_backlog_is_late_and_an_age_that_nobody_knows_is_not_invented(table: Table) -> None:
    unknown = {"at": 0.0, "trusted": False}
    table.hear(
        ONE.alarms(ONE.report(1), age_s=3.0),
        ONE.alarms(ONE.report(2), age_s=4000.0),
        ONE.alarms(ONE.report(3, first=unknown, latest=unknown), age_s=None),
        ONE.alarms(ONE.report(4, first={"at": table.wall_s - 5000, "trusted": True}), age_s=None),
    )
    told, unknowable, late, fresh = table.cases()
    assert (fresh.late, late.late, unknowable.late, told.late) == (False, True, False, True)
    assert fresh.struck_at == pytest.approx(table.wall_s - 3.0, abs=0.1)
    assert (unknowable.struck_at, unknowable.age_s) == (None, None)


def test_the_evidence_of_copies_is_not_kept_twice(table: Table) -> None:
    message = ONE.alarms(ONE.report(1))
    for _ in range(5):
        table.hear(message)
    with table.store.reading() as connection:
        assert connection.execute(select(func.count()).select_from(EVIDENCE)).scalar() == 1
