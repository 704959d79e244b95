"""The order in which alarms go to the desk: pure rules, time as a number."""

from collections.abc import Iterable

import pytest

from bridge.domain.commands import OutboxRow, Relay
from bridge.domain.desk import Stored
from mqtt import outgoing
from mqtt.outgoing import Outgoing
from tests.mqtt.people import row


def offer(out: Outgoing, *rows: OutboxRow, unsafe: bool = False) -> list[bool]:
    return [out.offer(Relay(row, unsafe)) for row in rows]


def send(
    out: Outgoing, name: str, now_s: float = 0.0, unacked: int = 0, answering: bool = True
) -> list[tuple[int, int]]:
    """One publish; (sequence, revision) of what it holds."""
    relays = out.choose(now_s, unacked, 20, answering)
    if relays:
        out.sent(name, relays, now_s)
    return [(relay.row.sequence, relay.row.revision) for relay in relays]


def receipts(rows: Iterable[OutboxRow]) -> list[Stored]:
    return [Stored(row.alarm, row.revision, row.sha256) for row in rows]


def numbers(sent: list[tuple[int, int]]) -> list[int]:
    return [number for number, _ in sent]


def test_live_alarms_go_before_the_backlog_and_share_its_publish() -> None:
    out = Outgoing()
    out.page_in([row(n) for n in (9, 8, 7)])
    offer(out, row(20), row(21))
    assert numbers(send(out, "a")) == [20, 21, 9, 8, 7]
    assert send(out, "b") == []


def test_a_publish_holds_32_rows_and_not_too_much_text(monkeypatch: pytest.MonkeyPatch) -> None:
    out = Outgoing()
    offer(out, *(row(n) for n in range(1, 41)))
    assert len(send(out, "a")) == 32
    assert len(send(out, "b")) == 8
    monkeypatch.setattr(outgoing, "BODY_CHARS", len(row(50).body) * 2 + 100)
    offer(out, *(row(n) for n in range(50, 55)))
    assert [len(send(out, name)) for name in "cde"] == [2, 2, 1]


def test_a_row_bigger_than_a_publish_goes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "BODY_CHARS", 10)
    out = Outgoing()
    offer(out, row(1), row(2))
    assert [numbers(send(out, "a")), numbers(send(out, "b"))] == [[1], [2]]


def test_a_full_window_lets_nothing_go() -> None:
    out = Outgoing()
    offer(out, row(1))
    assert send(out, "a", unacked=20) == []
    assert numbers(send(out, "a", unacked=19)) == [1]


def test_the_backlog_leaves_room_for_what_is_live() -> None:
    out = Outgoing(backlog_window=20)
    out.page_in([row(n) for n in range(40, 0, -1)])
    assert send(out, "a", unacked=18) == []
    offer(out, row(99))
    assert numbers(send(out, "a", unacked=18)) == [99]
    assert len(send(out, "b", unacked=17)) == 32


def test_quick_pubacks_widen_the_backlogs_window_and_slow_ones_halve_it() -> None:
    out = Outgoing()
    for number in range(10):
        offer(out, row(number + 1))
        send(out, str(number))
        out.acked(str(number), 0.1)
    assert out.backlog_window == 12
    offer(out, row(99))
    send(out, "slow", 10.0)
    out.acked("slow", 13.0)
    assert out.backlog_window == 6


def test_a_newer_revision_supersedes_the_older_one_that_waits() -> None:
    out = Outgoing()
    offer(out, row(1), row(2), row(1, revision=2))
    assert send(out, "a") == [(2, 1), (1, 2)]


def test_an_older_revision_never_follows_a_newer_one() -> None:
    out = Outgoing()
    offer(out, row(1, revision=2))
    send(out, "a")
    offer(out, row(1))
    out.page_in([row(1), row(1, revision=2)])
    assert send(out, "b") == []
    offer(out, row(1, revision=3))
    assert send(out, "c") == [(1, 3)]


def test_what_is_on_its_way_or_was_receipted_is_not_paged_in_again() -> None:
    out = Outgoing()
    first, second = row(1), row(2)
    offer(out, first, second)
    send(out, "a")
    out.receipt("a", receipts([first]))
    out.page_in([second, first])
    assert send(out, "b") == []
    out.forget_receipts()  # the desk lost it
    out.page_in([second, first])
    assert numbers(send(out, "c")) == [1]


def test_only_what_the_batch_held_is_receipted() -> None:
    out = Outgoing()
    first, second, elsewhere = row(1), row(2), row(3)
    offer(out, first, second)
    send(out, "a")
    offer(out, elsewhere)
    send(out, "b")
    wrong = [
        Stored(first.alarm, 2, first.sha256),
        Stored(first.alarm, 1, second.sha256),
        Stored("stranger", 1, "00" * 32),
        *receipts([elsewhere]),
    ]
    for item in wrong:
        assert out.receipt("a", [item]) == ((), 1)
    assert out.receipt("a", receipts([first, second]))[0] == tuple(receipts([first, second]))
    assert "a" not in out.batches
    assert out.was_answered("a") and not out.was_answered("b")


def test_a_second_copy_of_a_receipt_within_one_batch_counts_once() -> None:
    out = Outgoing()
    first, second = row(1), row(2)
    offer(out, first, second)
    send(out, "a")
    assert out.receipt("a", receipts([first, first])) == (tuple(receipts([first])), 1)
    assert out.receipt("a", receipts([first])) == ((), 1)


def test_a_quarantined_row_is_known_by_its_hash() -> None:
    out = Outgoing()
    first = row(1)
    offer(out, first)
    send(out, "a")
    taken, strange = out.receipt("a", [Stored("", 0, first.sha256, "no kind")])
    assert (taken, strange) == ((Stored(first.alarm, 1, first.sha256, "no kind"),), 0)


def test_without_a_receipt_a_row_is_tried_once_a_minute_and_live_ones_pass_it() -> None:
    out = Outgoing()
    offer(out, row(1))
    send(out, "a", 0.0)
    assert out.acked("a", 1.0) == ((row(1).alarm, 1),)
    assert not out.overdue(15.9)
    assert out.overdue(16.0)
    assert not out.overdue(17.0), "told once"
    assert send(out, "b", 59.9) == []
    offer(out, row(2))
    assert numbers(send(out, "b", 59.9)) == [2]
    assert numbers(send(out, "c", 60.0)) == [1]
    out.acked("c", 60.1)
    assert out.overdue(75.2)
    assert send(out, "d", 119.0) == []
    assert numbers(send(out, "d", 120.0)) == [1]


def test_a_late_receipt_still_counts() -> None:
    out = Outgoing()
    first = row(1)
    offer(out, first)
    send(out, "a", 0.0)
    out.acked("a", 0.0)
    out.overdue(15.0)
    assert out.receipt("a", receipts([first])) == (tuple(receipts([first])), 0)
    assert send(out, "b", 60.0) == []


def test_without_puback_nothing_is_late() -> None:
    out = Outgoing()
    offer(out, row(1))
    send(out, "a", 5.0)
    assert not out.overdue(1000.0)


def test_a_publish_that_the_broker_keeps_silent_about_is_doubted_once() -> None:
    out = Outgoing()
    offer(out, row(1))
    send(out, "a", 5.0)
    assert [out.unacknowledged(at) for at in (5.0, 19.9, 20.0, 25.0)] == [False, False, True, False]
    offer(out, row(2))
    send(out, "b", 30.0)
    out.acked("b", 31.0)
    assert not out.unacknowledged(1000.0)


def test_a_desk_that_does_not_answer_gets_each_live_row_once_and_of_the_rest_one_publish_a_minute() -> None:
    out = Outgoing()
    out.page_in([row(n) for n in range(100, 0, -1)])
    assert numbers(send(out, "a", 0.0, answering=False)) == list(range(100, 68, -1))
    assert send(out, "b", 1.0, answering=False) == []
    offer(out, row(200))
    assert numbers(send(out, "b", 1.0, answering=False)) == [200]
    assert len(send(out, "c", 60.0, answering=False)) == 32
    assert send(out, "d", 61.0, answering=False) == []
    assert len(send(out, "d", 61.0)) == 32


def test_a_desk_that_is_back_gets_the_late_ones_at_once_newest_first() -> None:
    out = Outgoing()
    offer(out, row(1), row(2))
    send(out, "a", 0.0)
    out.acked("a", 0.0)
    out.overdue(15.0)
    out.desk_is_back(14.0)
    assert numbers(send(out, "b", 16.0)) == [2, 1]


def test_what_was_sent_before_the_desk_came_back_is_sent_again_and_what_was_sent_since_is_not() -> None:
    out = Outgoing()
    offer(out, row(1))
    send(out, "a", 1.0)
    out.acked("a", 1.1)
    offer(out, row(2))
    send(out, "b", 3.0)
    out.desk_is_back(2.0)
    assert numbers(send(out, "c", 4.0)) == [1]


def test_a_refusal_is_tried_again_after_1_2_4_up_to_60_seconds() -> None:
    out = Outgoing()
    offer(out, row(1))
    now_s, waits = 0.0, []
    for attempt in range(9):
        assert numbers(send(out, str(attempt), now_s)) == [1]
        out.refused(str(attempt), now_s, is_denied=False)
        tried_s = now_s
        while not out.late or out.late[row(1).alarm].due_s > now_s:
            now_s += 0.5
        waits.append(now_s - tried_s)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    send(out, "x", now_s)
    out.acked("x", now_s)
    offer(out, row(2))
    send(out, "y", now_s)
    out.refused("y", now_s, is_denied=False)
    assert out.late[row(2).alarm].due_s == now_s + 1


def test_a_publish_that_was_perhaps_too_big_is_halved_until_it_passes() -> None:
    out = Outgoing()
    offer(out, *(row(n) for n in range(1, 33)))
    sizes = []
    for name in "abcdef":
        sizes.append(len(send(out, name, 1000.0)))
        out.refused(name, 0.0, is_denied=True)
    assert sizes == [32, 16, 8, 4, 2, 1]
    for name in "ghijklmno":
        sizes.append(len(send(out, name, 1000.0)))
        out.acked(name, 1000.0)
    assert sizes[6:11] == [1, 2, 4, 8, 16]


def test_after_a_link_that_did_not_survive_a_publish_the_next_is_smaller() -> None:
    out = Outgoing()
    out.page_in(row(n) for n in range(64, 0, -1))
    send(out, "a")
    out.disconnected()
    out.page_in(row(n) for n in range(64, 0, -1))
    assert len(send(out, "b")) == 16
    out.acked("b", 0.1)
    assert len(send(out, "c")) == 32


def test_after_a_lost_connection_only_what_the_journal_lacks_is_kept() -> None:
    out = Outgoing()
    offer(out, row(1))
    offer(out, row(2), unsafe=True)
    send(out, "a")
    out.acked("a", 0.1)
    offer(out, row(3))
    offer(out, row(4), unsafe=True)
    out.page_in([row(9)])
    out.disconnected()
    assert "a" not in out.batches
    assert sorted(numbers(send(out, "b"))) == [2, 4]
    out.page_in([row(n) for n in (9, 3, 1)])
    assert numbers(send(out, "c")) == [9, 3, 1]


def test_a_row_that_became_safe_is_sent_as_safe() -> None:
    out = Outgoing()
    offer(out, row(1), unsafe=True)
    offer(out, row(1))
    assert [relay.unsafe for relay in out.choose(0.0, 0, 20, True)] == [False]


def test_a_row_that_the_desk_has_as_unsafe_is_said_once_more_when_it_became_safe() -> None:
    out, one = Outgoing(), row(1)
    for number, (is_unsafe, is_said) in enumerate([(True, True), (True, False), (False, True), (False, False)]):
        offer(out, one, unsafe=is_unsafe)
        said = out.choose(float(number), 0, 20, True)
        assert [relay.unsafe for relay in said] == ([is_unsafe] if is_said else [])
        if said:
            out.sent(str(number), said, float(number))
            out.receipt(str(number), receipts([one]))


def test_memory_is_bounded_and_unsafe_rows_get_more_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "HELD", 4)
    out = Outgoing()
    assert offer(out, *(row(n) for n in range(1, 7))) == [True] * 4 + [False] * 2
    assert offer(out, *(row(n) for n in range(11, 17)), unsafe=True) == [True] * 4 + [False] * 2
    out.page_in([row(n) for n in (30, 29)])
    assert len(send(out, "a")) == 8, "no backlog while so much has no receipt"


def test_rows_that_could_not_be_published_are_first_in_line_again() -> None:
    out = Outgoing()
    offer(out, row(1), row(2), row(3))
    relays = out.choose(0.0, 0, 20, True)
    offer(out, row(4))
    out.put_back(relays)
    assert numbers(send(out, "a")) == [1, 2, 3, 4]
    assert out.in_flight == 4


def test_the_list_of_unanswered_publishes_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "BATCHES", 3)
    out = Outgoing()
    for number in range(1, 8):
        offer(out, row(number))
        send(out, str(number), 0.0)
        out.acked(str(number), 0.0)
        out.overdue(20.0)
    assert list(out.batches) == ["5", "6", "7"]


def test_a_backlog_that_nobody_receipts_leaves_room_for_what_is_live() -> None:
    out = Outgoing()
    out.page_in([row(n) for n in range(outgoing.HELD, 0, -1)])
    name = 0
    while send(out, str(name)):
        name += 1
    live = row(outgoing.HELD + 1)
    assert offer(out, live) == [True]
    assert numbers(send(out, "live")) == [outgoing.HELD + 1]
