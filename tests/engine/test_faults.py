"""What goes wrong around the engine: sick disks, late receipts, words at bad moments, silent radios, restarts."""

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from bridge.domain import commands as cmd
from bridge.domain import events as ev
from bridge.domain.alarm import Moment, Stage
from bridge.domain.desk import Fate, Mark, OrderKind, Stored, Word
from bridge.domain.ids import packet_press
from bridge.domain.press import Kind, Remark, Trust
from bridge.domain.step import Step
from bridge.ledger import Memory
from tests.engine.stage import HOUSE, NUMBERS, RUN, WELL, Everybody, Post, press, receipt, word

ALARM = packet_press(HOUSE, 1)
UP = ev.RadioUp("gw1", 1, (), "")


# --- the disk -------------------------------------------------------------------------------------------------------


def test_a_broker_that_takes_an_unsafe_alarm_does_not_put_it_on_our_disk(post: Post) -> None:
    post.hear(press(1))
    post.happen(ev.Tick(), 2.5)
    post.happen(ev.Brokered(((ALARM, 1),)))
    assert post.told() == []
    post.commit()
    assert post.told() == [Step.JOURNALED]


def test_a_new_journal_learns_the_words_too_so_that_none_is_obeyed_twice(post: Post) -> None:
    post.happen(word(9, None, "", OrderKind.SIREN_OFF))
    post.happen(ev.Receipted(WELL, ()))
    post.facts.clear()
    post.happen(ev.JournalReplaced(replace(RUN, journal="journal-2"), "deleted"))
    assert post.fates(9) == [Fate.DONE]
    assert [fact.mark for fact in post.facts if isinstance(fact, cmd.SaveMark)] == [WELL]


def test_a_resend_is_not_called_done_before_the_disk_has_it(post: Post) -> None:
    order = word(4, None, "", OrderKind.RESEND)
    post.happen(order)
    assert post.happen(order) == []
    assert cmd.Account in [type(command) for command in post.commit()]


def test_what_can_never_be_written_is_relayed_and_promised_to_nobody(post: Post) -> None:
    post.hear(press(1))
    (relay,) = [said for said in post.happen(ev.Unwritable(post.number, "too big")) if isinstance(said, cmd.Relay)]
    assert relay.unsafe
    post.hear(press(2, num=HOUSE + 1))
    post.commit()
    assert post.told() == [Step.JOURNALED]  # the second's only
    assert "too big" in post.engine.faults()["journal:facts"]


# --- the desk -------------------------------------------------------------------------------------------------------


def test_a_receipt_that_came_late_by_another_way_is_no_restored_desk(post: Post) -> None:
    post.happen(ev.Receipted(replace(WELL, commit=11, token="t11"), ()))
    post.happen(ev.Receipted(WELL, ()), 1.0)
    post.happen(ev.Receipted(replace(WELL, commit=12, token="t12"), ()), 1.0)
    post.happen(ev.Tick(), 60.0)
    assert [fact for fact in post.facts if isinstance(fact, cmd.Reopen)] == []
    assert post.engine.marks()["desk-1"].commit == 11  # for some hellos the desk itself is asked whether it knows it
    post.happen(ev.Receipted(replace(WELL, commit=13, token="t13"), ()), 900.0)
    assert post.engine.marks()["desk-1"].commit == 13


def test_a_late_receipt_does_not_lower_the_mark_that_the_desk_is_shown(post: Post) -> None:
    post.hear(press(1))
    post.happen(ev.Receipted(replace(WELL, commit=11, token="t11"), ()))
    post.happen(receipt(post.rows()[-1]))
    assert post.engine.marks()["desk-1"].commit == 11
    assert [fact.mark.commit for fact in post.facts if isinstance(fact, cmd.SaveReceipts)] == [11]


def test_the_same_commit_with_another_token_is_another_history(post: Post) -> None:
    post.happen(ev.Receipted(WELL, ()))
    post.happen(ev.Receipted(replace(WELL, token="other"), ()))
    post.happen(ev.Tick(), 60.0)
    assert [fact.desk for fact in post.facts if isinstance(fact, cmd.Reopen)] == ["desk-1"]


def test_a_desk_that_asked_for_everything_is_not_shown_again_what_it_lost(post: Post) -> None:
    """Else it would ask for everything once more at the next alarm, and once more."""
    post.happen(ev.Receipted(replace(WELL, commit=20, token="t20"), ()))
    post.happen(ev.Receipted(replace(WELL, commit=19, token="other"), ()), 1.0)
    post.happen(ev.Receipted(replace(WELL, commit=21, token="other"), ()), 1.0)  # in doubt: 20 goes on being shown
    assert post.engine.marks()["desk-1"].commit == 20
    post.happen(word(4, None, "", OrderKind.RESEND))
    assert "desk-1" not in post.engine.marks()
    post.happen(ev.Receipted(replace(WELL, commit=22, token="other"), ()), 1.0)
    post.happen(ev.Tick(), 60.0)
    assert post.engine.marks()["desk-1"].commit == 22
    assert len([fact for fact in post.facts if isinstance(fact, cmd.Reopen)]) == 1


def test_a_quarantined_alarm_is_a_loud_fault(post: Post) -> None:
    post.hear(press(1))
    row = post.rows()[-1]
    post.happen(ev.Receipted(WELL, (Stored(row.alarm, row.revision, row.sha256, "schema"),)))
    assert "schema" in post.engine.picture(post.now)["faults"]["desk:quarantine"]


def test_a_broker_that_never_answers_is_no_police_after_half_a_minute() -> None:
    post = Post()
    post.happen(UP)
    post.hear(press(1))
    for tell in [c for c in post.commit() if isinstance(c, cmd.Tell)]:
        post.deliver(tell)
    post.commit()
    assert post.told() == [Step.JOURNALED]
    while post.now.mono_s < 140.0:
        post.happen(ev.Tick(), post.engine.wait_s(post.now))
    assert post.told() == [Step.JOURNALED, Step.NOT_CONNECTED]


def test_police_not_connected_is_not_said_once_they_are(post: Post) -> None:
    post.happen(ev.RadioDown("gw1", "unplugged"))
    post.happen(ev.DeskAway("police", "no broker"))
    post.hear(press(1))
    post.commit()
    post.happen(ev.DeskReachable("police"))
    post.happen(UP)
    assert post.told() == [Step.JOURNALED]


def test_yesterdays_striker_is_not_woken_because_the_internet_went(post: Post) -> None:
    post.hear(press(1))
    (tell,) = [c for c in post.commit() if isinstance(c, cmd.Tell)]
    post.deliver(tell)
    post.commit()
    post.happen(ev.DeskAway("police", "no broker"), 20 * 3600.0)
    assert post.told() == [Step.JOURNALED]


# --- words ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", [None, Stage.HEARD, Stage.BROKERED, Stage.STORED])
def test_a_word_without_an_officers_stage_is_refused(post: Post, stage: Stage | None) -> None:
    post.happen(word(1, stage, "node:00000a01/0000beef"))
    assert post.fates(1) == [Fate.REFUSED]
    assert post.told() == []


def test_a_word_for_nobody_is_not_called_done(post: Post) -> None:
    post.happen(ev.DeskSpoke(Word("desk-1", NUMBERS, OrderKind.STAGE, "who", "", Stage.DISPATCHED)))
    assert post.fates(0) == [Fate.REFUSED]


def test_a_source_that_is_no_number_harms_nobody(post: Post) -> None:
    post.happen(ev.DeskSpoke(Word("desk-1", NUMBERS, OrderKind.STAGE, "who", "node:xyz", Stage.DISPATCHED)))
    assert post.fates(0) == [Fate.REFUSED]


def test_a_lower_word_about_an_alarm_nobody_remembers_is_superseded_too(post: Post) -> None:
    (tell,) = [c for c in post.happen(word(1, Stage.CLOSED, "node:00000a01/0000beef")) if isinstance(c, cmd.Tell)]
    post.deliver(tell)
    post.happen(word(2, Stage.DISPATCHED, "node:00000a01/0000beef"))
    assert post.told() == [Step.CLOSED]
    assert post.fates(2)[-1] is Fate.SUPERSEDED


@pytest.mark.parametrize("trusted, away_s", [(True, 60.0), (False, 60.0), (True, 3 * 86400.0)])
def test_a_restart_forgets_no_officers_word(post: Post, trusted: bool, away_s: float) -> None:
    post.hear(press(1))
    post.commit()
    post.happen(word(1, Stage.DISPATCHED, ALARM))
    later = post.restarted(away_s, trusted)
    (tell,) = [c for c in later.happen(UP) if isinstance(c, cmd.Tell)]
    assert tell.step is Step.DISPATCHED
    later.deliver(tell)
    assert later.fates(1)[-1] is Fate.TOLD


def test_an_announcement_cut_off_by_a_restart_is_accounted_for_and_not_repeated(post: Post) -> None:
    post.happen(word(1, None, "", OrderKind.VILLAGE, text="Awas banjir"))
    later = post.restarted()
    later.happen(UP)
    assert later.fates(1) == [Fate.NOT_REACHED]
    assert later.of(cmd.Announce) == []


@pytest.mark.parametrize("kind", [OrderKind.VILLAGE, OrderKind.MESSAGE, OrderKind.STAGE])
def test_a_radio_that_never_says_what_became_of_a_text_still_ends_every_word(post: Post, kind: OrderKind) -> None:
    stage = Stage.DISPATCHED if kind is OrderKind.STAGE else None
    post.happen(word(1, stage, "node:00000a01/0000beef", kind, text="Awas"))
    for _ in range(3 * 60):
        post.happen(ev.Tick(), 60.0)
    assert post.fates(1)[-1] is Fate.NOT_REACHED


def test_old_words_stay_refused_when_the_clock_is_not_trusted(post: Post) -> None:
    post.now = replace(post.now, trusted=False)
    post.happen(word(0, None, "", OrderKind.SIREN_OFF))
    post.happen(word(-100 * 86400 * 1000, None, "", OrderKind.SIREN_OFF))
    assert len(post.of(cmd.Silence)) == 1


# --- presses --------------------------------------------------------------------------------------------------------


def test_who_has_only_the_channel_adds_nothing_to_a_verified_alarm(post: Post) -> None:
    post.hear(replace(press(1, Kind.FIRE), pki_key=b"k" * 32, words="kebakaran"))
    post.hear(replace(press(2, Kind.THEFT), words="maling di balai desa"), 5.0)
    post.hear(replace(press(3, Kind.FIRE), pki_key=b"k" * 32, words="api besar"), 5.0)
    last = {fact.alarm.id: fact.alarm for fact in post.facts if isinstance(fact, cmd.SaveAlarm)}
    verified, claimed = last[ALARM], last[packet_press(HOUSE, 2)]
    assert (verified.trust, verified.kind, verified.words) == (Trust.VERIFIED, Kind.FIRE, ("kebakaran", "api besar"))
    assert (claimed.trust, claimed.kind) == (Trust.CHANNEL, Kind.THEFT)


def test_a_clock_that_was_set_back_over_a_restart_joins_nothing(post: Post) -> None:
    post.hear(press(1))
    post.commit()
    later = post.restarted(-7 * 86400.0)
    later.hear(press(2))
    assert {row.alarm for row in later.rows()} == {packet_press(HOUSE, 2)}


def test_a_drill_is_told_that_it_is_one(post: Post) -> None:
    post.hear(press(1, Kind.FIRE, HOUSE, Remark.DRILL))
    (tell,) = [c for c in post.commit() if isinstance(c, cmd.Tell)]
    assert tell.step is Step.DRILL
    post.deliver(tell)
    post.commit()
    post.happen(ev.DeskAway("police", "no broker"))
    assert post.told() == [Step.DRILL]
    post.happen(receipt(post.rows()[-1]))
    assert post.told() == [Step.DRILL, Step.STORED]


# --- many -----------------------------------------------------------------------------------------------------------


def test_a_storm_keeps_room_in_the_radio_and_calls_again_what_it_could_not_say() -> None:
    post = Post(register=Everybody())
    post.happen(UP)
    post.happen(ev.DeskReachable("police"))
    for n in range(100):
        post.hear(press(1, num=0x1000 + n))
    first = [c for c in post.commit() if isinstance(c, cmd.Announce | cmd.Tell)]
    assert len(first) == 3
    again = [c for said in first for c in post.happen(ev.TextFailed(said.ticket, "antrean radio penuh"))]
    for _ in range(20):
        again += post.take(again.pop(0)) + post.happen(ev.Tick(), 2.0)
    lost = {name for said in first if isinstance(said, cmd.Announce) for name in said.called}
    assert lost <= {name for said in post.of(cmd.Announce)[3:] for name in said.called}


@pytest.mark.parametrize("radio", [True, False])
def test_two_thousand_sources_cost_little_each(radio: bool) -> None:
    post = Post()
    if radio:
        post.happen(UP)
    post.happen(ev.DeskReachable("police"))
    spent = _seconds(lambda: [(post.hear(press(1, num=0x1000 + n)), post.commit()) for n in range(2000)])
    assert spent < 2.0


def test_ten_thousand_words_that_reach_nobody_are_accounted_for_in_time() -> None:
    post = Post()
    for n in range(10_000):
        post.happen(
            ev.DeskSpoke(Word("desk-1", NUMBERS + n, OrderKind.STAGE, f"a{n}", f"node:{n + 1:08x}", Stage.DISPATCHED))
        )
    assert _seconds(lambda: post.happen(ev.Tick(), 7300.0)) < 2.0
    saved = [fact for fact in post.facts if isinstance(fact, cmd.SaveWord) and fact.answer.fate is Fate.NOT_REACHED]
    assert len(saved) == 10_000


def test_memory_keeps_the_newest_alarms_of_a_day_without_end(post: Post) -> None:
    for n in range(13_000):
        post.hear(press(1, num=0x1000 + n))
        if n % 64 == 0:
            post.commit()
            post.happen(receipt(post.rows()[-1]))
    assert len(post.engine._ledger.alarms()) <= 12_000


def _seconds(work: Callable[[], object]) -> float:
    """Of this process alone: what else the machine does is not counted."""
    started = time.process_time()
    work()
    return time.process_time() - started


def test_a_quiet_post_sleeps(post: Post) -> None:
    post.hear(press(1))
    for tell in [c for c in post.commit() if isinstance(c, cmd.Tell)]:
        post.deliver(tell)
    post.commit()
    wakes, start = 0, post.now.mono_s
    while post.now.mono_s - start < 3600.0:
        post.happen(ev.Tick(), max(post.engine.wait_s(post.now), 1e-6))
        wakes += 1
    assert wakes <= 70


def test_what_the_journal_gives_back_without_a_clock_is_still_answered(post: Post) -> None:
    post.hear(press(1))
    later = post.restarted(trusted=False)
    assert [c.step for c in later.happen(UP) if isinstance(c, cmd.Tell)] == [Step.JOURNALED]


def test_an_empty_memory_owes_nothing() -> None:
    post = Post(memory=Memory(), now=Moment(1, 0.0, 0.0, False))
    assert post.happen(UP) == [] and post.engine.wait_s(post.now) > 1.0


def test_a_mark_of_an_unknown_desk_is_only_kept(post: Post) -> None:
    post.happen(ev.Receipted(Mark("desk-2", "d", 1, "t"), ()))
    assert [type(fact) for fact in post.facts] == [cmd.SaveMark]


@pytest.mark.parametrize("boot, answered", [("one", True), ("another", False)])
def test_who_struck_two_restarts_ago_is_told_where_no_clock_is_trusted(boot: str, answered: bool) -> None:
    """One boot has one monotonic clock, however often the bridge starts in it; across boots nobody can tell the age."""
    post = Post(now=Moment(1, 100.0, 1000.0, False, "one"))
    post.hear(press(1))
    saved = [fact.alarm for fact in post.facts if isinstance(fact, cmd.SaveAlarm)]
    memory = Memory(tuple(saved), {saved[0].id: saved[0].id}, sequence=1)
    later = Post(memory=memory, now=Moment(3, 220.0, 1000.0, False, boot))
    told = [c.step for c in later.happen(UP) if isinstance(c, cmd.Tell)]
    assert told == ([Step.JOURNALED] if answered else [])


def test_a_press_after_a_restart_joins_the_open_alarm_of_its_hand_within_one_boot() -> None:
    post = Post(now=Moment(1, 100.0, 1000.0, False, "one"))
    post.hear(press(1))
    saved = [fact.alarm for fact in post.facts if isinstance(fact, cmd.SaveAlarm)]
    later = Post(memory=Memory(tuple(saved), {saved[0].id: saved[0].id}, sequence=1))
    later.now = Moment(2, 130.0, 1000.0, False, "one")
    later.hear(press(2))
    assert [(row.alarm, row.revision) for row in later.rows()] == [(saved[0].id, 2)]


def test_two_boots_never_share_a_clock_whatever_the_start_counter_says() -> None:
    """Both times the disk was away, so both runs are start 0; the second boot is younger than the alarm."""
    then, now = Moment(0, 900.0, 1000.0, False, "one"), Moment(0, 50.0, 1000.0, False, "another")
    assert then.age_s(now) is None
    assert then.age_s(replace(now, boot="one", mono_s=960.0)) == 60.0
