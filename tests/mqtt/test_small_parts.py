"""The uplink's small parts, each alone: questions, mailbox, accounts, complaints, pages, the window."""

import threading
import time

import pytest

from bridge.domain import events as ev
from bridge.domain.commands import OutboxRow, Relay
from bridge.domain.desk import Answer, Fate
from bridge.domain.errors import JournalFailed
from mqtt.accounts import IN_ONE, KEPT, Accounts
from mqtt.asking import NONCES, Asking
from mqtt.complaints import SIGNATURE, Complaints
from mqtt.contract import Leaf
from mqtt.mailbox import Acked, Got, Mailbox, Up
from mqtt.pages import ROWS, Pages
from mqtt.window import Sent, Window
from tests.mqtt.people import row

# --- asking -----------------------------------------------------------------------------------------------------------


def test_questions_are_repeated_at_2_4_8_then_every_15_seconds_until_answered() -> None:
    asking, now_s, times = Asking(), 0.0, []
    while now_s < 60:
        if asking.is_due(now_s):
            asking.asked(str(now_s), now_s)
            times.append(now_s)
        now_s += 0.5
    assert times == [0, 2, 6, 14, 29, 44, 59]
    assert asking.asked_at("14.0") == 14.0
    asking.answered(60.0)
    assert not asking.is_due(359.5) and asking.is_due(360.0)


def test_a_desk_is_away_30_seconds_after_the_first_question_without_an_answer() -> None:
    asking = Asking()
    asking.asked("a", 100.0)
    asking.asked("b", 115.0)
    assert not asking.is_in_vain(129.9) and asking.is_in_vain(130.0)
    asking.answered(131.0)
    assert not asking.is_in_vain(1000.0)


def test_a_missing_receipt_is_a_question_too_and_asks_at_once() -> None:
    asking = Asking()
    asking.asked("a", 0.0)
    asking.answered(1.0)
    asking.doubt(200.0, 185.0)
    assert asking.is_due(200.0)
    asking.doubt(250.0, 249.0)
    assert asking.is_in_vain(215.0), "counted from the first"


def test_a_nonce_counts_once_and_only_in_its_connection() -> None:
    asking = Asking()
    asking.asked("a", 1.0)
    assert (asking.asked_at("a"), asking.asked_at("a"), asking.asked_at("x")) == (1.0, None, None)
    asking.asked("b", 2.0)
    asking.begin()
    assert asking.asked_at("b") is None and asking.is_due(0.0) and not asking.is_in_vain(1e9)
    for number in range(NONCES + 1):
        asking.asked(str(number), 3.0)
    assert asking.asked_at("0") is None and asking.asked_at("1") == 3.0


# --- mailbox ----------------------------------------------------------------------------------------------------------


def test_a_full_mailbox_refuses_alarms_and_messages_but_never_the_sessions_news() -> None:
    mailbox = Mailbox(room=2)
    assert [mailbox.put(Relay(row(n))) for n in range(1, 4)] == [True, True, False]
    assert not mailbox.put(Got("t", b""))
    assert mailbox.put(Up(1)) and mailbox.put(Acked(1, 0))
    assert [type(note) for note in mailbox.take(0.0)] == [Relay, Relay, Up, Acked]
    assert mailbox.take(0.0) == []
    assert mailbox.put(Relay(row(1)))


def test_a_mailbox_wakes_its_reader_for_news_and_when_closed() -> None:
    mailbox = Mailbox()
    for wake in (lambda: mailbox.put(Up(1)), mailbox.close):
        timer = threading.Timer(0.05, wake)
        timer.start()
        began = time.monotonic()
        mailbox.take(10.0)
        assert time.monotonic() - began < 5
        timer.join()


# --- accounts ---------------------------------------------------------------------------------------------------------


def answer(number: int, fate: Fate = Fate.RECEIVED) -> Answer:
    return Answer("polsek-1", number, fate, 1.0)


def test_only_the_latest_answer_to_a_word_is_kept_until_it_was_taken() -> None:
    accounts = Accounts()
    accounts.keep([answer(1), answer(2)])
    said = accounts.first()
    accounts.keep([answer(1, Fate.TOLD)])
    accounts.taken(said)
    assert accounts.first() == (answer(1, Fate.TOLD),)
    accounts.taken(accounts.first())
    assert len(accounts) == 0


def test_accounts_are_bounded_and_go_out_in_portions() -> None:
    accounts = Accounts()
    accounts.keep(answer(number) for number in range(1, KEPT + 11))
    assert len(accounts) == KEPT
    assert [a.number for a in accounts.first()] == list(range(11, 11 + IN_ONE))


# --- complaints -------------------------------------------------------------------------------------------------------


@pytest.fixture
def told() -> list[ev.Event]:
    return []


@pytest.fixture
def complaints(told: list[ev.Event]) -> Complaints:
    made = Complaints("u1", 60.0)
    made.deliver = told.append
    return made


def test_a_fault_is_told_when_it_comes_when_it_changes_and_when_it_goes(
    complaints: Complaints, told: list[ev.Event]
) -> None:
    for why in ("", "a", "a", "b", "", ""):
        complaints.say("x", why)
    assert told == [ev.Fault("x", "a"), ev.Fault("x", "b"), ev.Fault("x", "")]


def test_forgeries_are_counted_told_once_a_minute_and_forgiven_after_an_hour(
    complaints: Complaints, told: list[ev.Event]
) -> None:
    for second in range(120):
        complaints.suspect("palsu", float(second))
    lines = [event.why for event in told if isinstance(event, ev.Fault)]
    assert [line.split(";")[1].split()[0] for line in lines] == ["1", "61"]
    assert complaints.suspects == 120
    complaints.forgive(60.0 + 3599)
    assert SIGNATURE in complaints.standing
    complaints.forgive(60.0 + 3600)
    assert told[-1] == ev.Fault(SIGNATURE, "") and not complaints.standing


# --- pages and window -------------------------------------------------------------------------------------------------


def test_a_pass_goes_from_the_newest_row_to_the_oldest_and_ends() -> None:
    asked: list[int | None] = []

    def page(before: int | None, limit: int) -> list[OutboxRow]:
        asked.append(before)
        newest = 1000 if before is None else before - 1
        return [row(number) for number in range(newest, max(newest - limit, 300), -1)]

    pages = Pages(page)
    assert not pages.is_open
    pages.begin()
    read: list[int] = []
    while pages.is_open:
        read += [row.sequence for row in pages.turn()]
    assert read == list(range(1000, 300, -1))
    assert asked == [None, 1001 - ROWS, 1001 - 2 * ROWS]


def test_a_journal_that_cannot_be_read_ends_the_pass() -> None:
    def page(before: int | None, limit: int) -> list[OutboxRow]:
        raise JournalFailed("the disk hangs")

    pages = Pages(page)
    pages.begin()
    assert pages.turn() == [] and not pages.is_open


def test_the_window_knows_what_the_broker_owes() -> None:
    window = Window()
    window.add(1, Sent(Leaf.HELLO, 10.0))
    window.add(2, Sent(Leaf.ALARM, 11.0, "b"))
    assert (len(window), window.alarms) == (2, 1)
    assert not window.is_stuck(129.0, 120.0) and window.is_stuck(130.0, 120.0)
    assert window.take(1) == Sent(Leaf.HELLO, 10.0) and window.take(1) is None
    assert not window.is_stuck(130.0, 120.0)
