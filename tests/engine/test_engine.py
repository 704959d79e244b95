"""The engine decides from memory: every event in order, time by hand, and nothing promised before the disk has it."""

from dataclasses import replace

import pytest

from bridge.domain import commands as cmd
from bridge.domain import events as ev
from bridge.domain.alarm import Outcome, Stage
from bridge.domain.desk import Fate, Mark, OrderKind
from bridge.domain.ids import packet_press
from bridge.domain.place import Place
from bridge.domain.press import Kind, Remark
from bridge.domain.step import Step
from bridge.ledger import Memory
from tests.engine.stage import HOUSE, NUMBERS, RUN, WELL, Everybody, Post, press, receipt, word


def test_the_siren_rings_before_the_disk_has_anything_and_nothing_else_happens(post: Post) -> None:
    done = post.hear(press(1))
    assert done == [cmd.Sound(packet_press(HOUSE, 1), Kind.FIRE, Place(house="RT03-12"))]


def test_the_commit_releases_the_relay_and_the_answer(post: Post) -> None:
    post.hear(press(1))
    done = post.commit()
    assert [type(command) for command in done] == [cmd.Relay, cmd.Tell]
    assert done[1].step is Step.JOURNALED and done[1].to == HOUSE


def test_without_a_desk_the_striker_hears_that_the_police_are_not_connected() -> None:
    stage = Post(uplinks=())
    stage.happen(ev.RadioUp("gw1", 1, (), ""))
    stage.hear(press(1))
    assert [c.step for c in stage.commit() if isinstance(c, cmd.Tell)] == [Step.NOT_CONNECTED]


def test_a_desk_that_goes_away_before_it_stored_is_told_once(post: Post) -> None:
    post.hear(press(1))
    (first,) = [c for c in post.commit() if isinstance(c, cmd.Tell)]
    post.deliver(first)
    for _ in range(3):
        post.happen(ev.DeskAway("police", "no broker"), 1.0)
        post.happen(ev.DeskReachable("police"), 1.0)
    assert [tell.step for tell in post.of(cmd.Tell)] == [Step.JOURNALED, Step.NOT_CONNECTED]


def test_every_step_of_the_desk_is_told_and_accounted_for(post: Post) -> None:
    post.hear(press(1))
    for tell in [c for c in post.commit() if isinstance(c, cmd.Tell)]:
        post.deliver(tell)
    post.commit()
    alarm = packet_press(HOUSE, 1)
    steps = []
    for number, event in enumerate(
        [receipt(post.rows()[-1])]
        + [word(n, s, alarm) for n, s in enumerate((Stage.ACKNOWLEDGED, Stage.DISPATCHED, Stage.CLOSED), 1)]
    ):
        (tell,) = [c for c in post.happen(event, 5.0) if isinstance(c, cmd.Tell)]
        steps.append((tell.step, tell.by))
        post.commit()
        post.deliver(tell)
        accounts = [a for c in post.commit() if isinstance(c, cmd.Account) for a in c.answers]
        assert [(a.number, a.fate) for a in accounts] == ([(NUMBERS + number, Fate.TOLD)] if number else [])
    assert steps == [
        (Step.STORED, ""),
        (Step.ACKNOWLEDGED, ""),
        (Step.DISPATCHED, "Polsek Ajung"),
        (Step.CLOSED, "Polsek Ajung"),
    ]


def test_each_known_answer_raises_the_revision_but_brokered_and_the_desks_stages_do_not(post: Post) -> None:
    post.hear(press(1))
    (tell,) = [c for c in post.commit() if isinstance(c, cmd.Tell)]
    alarm = packet_press(HOUSE, 1)
    post.happen(ev.Brokered(((alarm, 1),)))
    post.happen(receipt(post.rows()[-1]))
    assert [row.revision for row in post.rows()] == [1]
    post.deliver(tell)
    assert [row.revision for row in post.rows()] == [1, 2]


def test_brokered_is_never_shown_to_people(post: Post) -> None:
    post.hear(press(1))
    post.commit()
    post.happen(ev.Brokered(((packet_press(HOUSE, 1), 1),)))
    assert [tell.step for tell in post.of(cmd.Tell)] == [Step.JOURNALED]


def test_a_packet_heard_again_is_a_sighting_and_nothing_more(post: Post) -> None:
    post.hear(press(1))
    post.commit()
    before = len(post.rows())
    for _ in range(50):
        assert post.hear(press(1), 0.1) == []
    assert len(post.rows()) == before
    assert len([f for f in post.facts if isinstance(f, cmd.SaveSighting)]) == 4  # bounded


def test_one_hand_striking_on_is_one_alarm_and_rings_again_but_not_at_each_beat(post: Post) -> None:
    for n in range(10):
        post.hear(press(n + 1, Kind.PANIC), 5.0)
    assert {row.alarm for row in post.rows()} == {packet_press(HOUSE, 1)}
    assert [row.revision for row in post.rows()] == list(range(1, 11))
    assert len(post.of(cmd.Sound)) == 3  # at 0, 20 and 40 s


def test_a_plainer_kind_refines_the_alarm_and_rings(post: Post) -> None:
    post.hear(press(1, Kind.PANIC))
    post.commit()
    (sound,) = post.hear(press(2, Kind.FIRE), 2.0)
    assert sound.kind is Kind.FIRE


@pytest.mark.parametrize("gap_s, alarms", [(119.0, 1), (121.0, 2)])
def test_two_minutes_make_a_new_alarm(post: Post, gap_s: float, alarms: int) -> None:
    post.hear(press(1))
    post.hear(press(2), gap_s)
    assert len({row.alarm for row in post.rows()}) == alarms


def test_after_half_an_hour_of_striking_it_is_news_again(post: Post) -> None:
    for n in range(20):
        post.hear(press(n + 1), 100.0)
    assert len({row.alarm for row in post.rows()}) == 2


def test_talk_and_drills_never_swallow_a_call_for_help(post: Post) -> None:
    post.hear(press(1, Kind.FIRE, HOUSE, Remark.PERHAPS_TALK))
    post.hear(press(2, Kind.FIRE, HOUSE, Remark.DRILL))
    post.hear(press(3, Kind.FIRE))
    assert len({row.alarm for row in post.rows()}) == 3
    assert [sound.alarm for sound in post.of(cmd.Sound)] == [packet_press(HOUSE, 1), packet_press(HOUSE, 3)]


def test_different_sources_are_different_alarms_and_a_stranger_rings_too(post: Post) -> None:
    post.hear(press(1))
    (sound,) = post.hear(press(1, Kind.FIRE, 0xBAD))
    assert sound.place is None
    assert len({row.alarm for row in post.rows()}) == 2


def test_a_stalled_disk_relays_from_memory_unsafe_and_promises_nothing(post: Post) -> None:
    post.hear(press(1))
    assert post.happen(ev.Tick(), 1.9) == []
    (relay,) = post.happen(ev.Tick(), 0.2)
    assert relay.unsafe
    assert post.happen(ev.Tick(), 60.0) == []
    assert post.of(cmd.Tell) == []
    post.hear(press(7, num=0xC03))  # the second alarm in the stall rings at once
    assert len(post.of(cmd.Sound)) == 2


def test_an_alarm_known_only_from_memory_may_still_be_stored_and_told_so(post: Post) -> None:
    post.hear(press(1))
    post.happen(ev.Tick(), 3.0)
    done = post.happen(receipt(post.rows()[-1]))
    assert [c.step for c in done if isinstance(c, cmd.Tell)] == [Step.STORED]


@pytest.mark.parametrize(("num", "name"), [(HOUSE, "RT03-12"), (0xC03, "!00000c03")])
def test_a_nak_is_tried_again_and_called_by_name(post: Post, num: int, name: str) -> None:
    """Whom the register does not know is called as the node's own screen shows it."""
    post.hear(press(1, num=num))
    (tell,) = [c for c in post.commit() if isinstance(c, cmd.Tell)]
    post.happen(ev.TextFailed(tell.ticket, "MAX_RETRANSMIT"))
    call, again = post.happen(ev.Tick(), 5.0)
    assert (call.called, call.channel, call.step) == ((name,), "SiagaDesa", Step.JOURNALED)
    assert (again.step, again.to) == (Step.JOURNALED, num) and again.ticket != tell.ticket


def test_thirty_seconds_without_an_acknowledgement_are_a_nak_too(post: Post) -> None:
    post.hear(press(1))
    (tell,) = [c for c in post.commit() if isinstance(c, cmd.Tell)]
    post.happen(ev.TextSent(tell.ticket))
    assert post.happen(ev.Tick(), 29.0) == []
    post.happen(ev.Tick(), 1.5)
    assert [type(c) for c in post.happen(ev.Tick(), 5.0)] == [cmd.Announce, cmd.Tell]


def test_after_two_hours_the_striker_counts_as_not_reached_and_the_desk_is_told(post: Post) -> None:
    post.hear(press(1))
    post.commit()
    alarm = packet_press(HOUSE, 1)
    post.happen(word(5, Stage.DISPATCHED, alarm))
    post.commit()
    for _ in range(100):
        for tell in [c for c in post.happen(ev.Tick(), 120.0) if isinstance(c, cmd.Tell)]:
            post.happen(ev.TextFailed(tell.ticket, "MAX_RETRANSMIT"))
    accounts = [a for c in post.commit() if isinstance(c, cmd.Account) for a in c.answers]
    fates = [f.answer.fate for f in post.facts if isinstance(f, cmd.SaveWord)]
    assert fates[-1] is Fate.NOT_REACHED and accounts[-1].fate is Fate.NOT_REACHED
    assert [f.outcome for f in post.facts if isinstance(f, cmd.SaveReply)][-1] is Outcome.NOT_REACHED


def test_a_word_heard_twice_is_obeyed_once_and_accounted_for_twice(post: Post) -> None:
    event = word(9, None, "", OrderKind.SIREN_OFF)
    post.happen(event)
    post.commit()
    post.happen(event)
    assert len(post.of(cmd.Silence)) == 1
    assert [a.fate for c in post.of(cmd.Account) for a in c.answers] == [Fate.DONE, Fate.DONE]


def test_a_word_replayed_after_a_restart_does_nothing(post: Post) -> None:
    post.happen(word(9, None, "", OrderKind.SIREN_OFF))
    saved = [(f.word, f.answer) for f in post.facts if isinstance(f, cmd.SaveWord)]
    later = Post(memory=Memory(words=tuple(saved)))
    later.happen(word(9, None, "", OrderKind.SIREN_OFF))
    assert later.of(cmd.Silence) == []


def test_a_lower_stage_after_a_higher_one_is_superseded(post: Post) -> None:
    post.hear(press(1))
    post.commit()
    alarm = packet_press(HOUSE, 1)
    post.happen(word(2, Stage.CLOSED, alarm))
    post.happen(word(1, Stage.DISPATCHED, alarm))
    fates = {f.word.number: f.answer.fate for f in post.facts if isinstance(f, cmd.SaveWord)}
    assert fates[NUMBERS + 1] is Fate.SUPERSEDED


def test_a_post_with_a_new_journal_still_owes_the_striker_the_officers_word(post: Post) -> None:
    (tell,) = [c for c in post.happen(word(3, Stage.DISPATCHED, "node:00000a01/0000beef")) if isinstance(c, cmd.Tell)]
    assert (tell.to, tell.step) == (HOUSE, Step.DISPATCHED)
    post.deliver(tell)
    assert [f.answer.fate for f in post.facts if isinstance(f, cmd.SaveWord)][-1] is Fate.TOLD


@pytest.mark.parametrize(
    "late",
    [
        word(3, Stage.DISPATCHED, "node:00000a01/0000beef"),
        word(3, None, "node:00000a01/0000beef", OrderKind.MESSAGE, text="polisi datang"),
        word(3, None, "", OrderKind.SIREN_OFF),
        word(3, None, "", OrderKind.DRILL),
    ],
)
def test_a_word_replayed_to_a_restored_post_lights_nothing_and_silences_nothing(post: Post, late: ev.DeskSpoke) -> None:
    """It was said between the backup and the restore, so the journal has never heard of it."""
    post.now = replace(post.now, wall_s=NUMBERS / 1000 + 3 * 3600, trusted=True)
    done = post.happen(late)
    assert [c for c in done if isinstance(c, cmd.Tell | cmd.Announce | cmd.Silence | cmd.Sound)] == []
    assert [f.answer.fate for f in post.facts if isinstance(f, cmd.SaveWord)] == [Fate.NOT_REACHED]


@pytest.mark.parametrize(("age_s", "trusted"), [(3600.0, True), (3 * 3600.0, False)])
def test_a_fresh_word_is_obeyed_and_without_a_clock_every_word_is(post: Post, age_s: float, trusted: bool) -> None:
    post.now = replace(post.now, wall_s=NUMBERS / 1000 + age_s, trusted=trusted)
    told = [c for c in post.happen(word(3, Stage.DISPATCHED, "node:00000a01/0000beef")) if isinstance(c, cmd.Tell)]
    assert [c.step for c in told] == [Step.DISPATCHED]


def test_a_word_about_an_alarm_that_the_post_knows_is_told_however_late(post: Post) -> None:
    post.hear(press(1))
    post.commit()
    post.now = replace(post.now, wall_s=NUMBERS / 1000 + 24 * 3600, trusted=True)
    post.happen(word(3, Stage.DISPATCHED, packet_press(HOUSE, 1)))
    assert [f.answer.fate for f in post.facts if isinstance(f, cmd.SaveWord)] == [Fate.RECEIVED]


@pytest.mark.parametrize("mark", [replace(WELL, commit=9), replace(WELL, database="database-2", commit=99)])
def test_a_restored_or_new_desk_gets_everything_again(post: Post, mark: Mark) -> None:
    post.happen(ev.Receipted(WELL, ()))
    post.happen(ev.Receipted(mark, ()))
    post.happen(ev.Tick(), 11.0)  # a lower commit may be a late one
    assert [f.desk for f in post.facts if isinstance(f, cmd.Reopen)] == ["desk-1"]
    post.commit()
    assert len(post.of(cmd.Sweep)) == 1


def test_an_idle_desk_costs_no_disk_write(post: Post) -> None:
    post.happen(ev.Receipted(WELL, ()))
    before = len(post.facts)
    for _ in range(10):
        post.happen(ev.Receipted(WELL, ()), 300.0)
    assert len(post.facts) == before


def test_after_a_restart_the_owed_answer_is_given_and_old_packets_are_known(post: Post) -> None:
    post.hear(press(1))
    post.commit()
    saved = [f for f in post.facts if isinstance(f, cmd.SaveAlarm)][-1]
    memory = Memory(alarms=(saved.alarm,), presses={saved.alarm.id: saved.alarm.id}, sequence=1)
    later = Post(memory=memory, now=replace(post.now, start=2, mono_s=5.0, wall_s=post.now.wall_s + 60))
    (tell,) = [c for c in later.happen(ev.RadioUp("gw1", 1, (), "")) if isinstance(c, cmd.Tell)]
    assert tell.step is Step.JOURNALED
    assert later.hear(press(1)) == []


def test_a_storm_is_answered_by_name_before_one_by_one() -> None:
    stage = Post(register=Everybody())
    stage.happen(ev.DeskReachable("police"))
    for n in range(40):
        stage.hear(press(1, num=0x1000 + n))
    stage.commit()
    said = stage.happen(ev.RadioUp("gw1", 1, (), ""))
    for _ in range(4):
        said += stage.take(said.pop(0))
    called = [name for command in stage.of(cmd.Announce) for name in command.called]
    assert len(called) == len(set(called)) == 40
    assert len(stage.of(cmd.Tell)) == 2


def test_a_damaged_journal_is_filled_again_from_memory(post: Post) -> None:
    post.hear(press(1))
    post.commit()
    post.happen(ev.JournalReplaced(replace(RUN, journal="journal-2"), "malformed; set aside"))
    row = post.rows()[-1]
    assert (row.alarm, row.revision) == (packet_press(HOUSE, 1), 2) and '"journal":"journal-2"' in row.body
    assert [f.presses for f in post.facts if isinstance(f, cmd.SaveAlarm)][-1] == (packet_press(HOUSE, 1),)


@pytest.mark.parametrize("by_the_desk", [False, True])
def test_after_a_silence_the_very_next_press_rings(post: Post, by_the_desk: bool) -> None:
    post.hear(press(1))
    assert not [c for c in post.hear(press(2), 2.0) if isinstance(c, cmd.Sound)]  # not at every beat
    asked = word(1, None, "", OrderKind.SIREN_OFF) if by_the_desk else ev.SilenceAsked("tombol")
    (silence,) = [c for c in post.happen(asked, 1.0) if isinstance(c, cmd.Silence)]
    assert silence.by == ("Polsek Ajung" if by_the_desk else "tombol")
    assert [c.kind for c in post.hear(press(3), 1.0) if isinstance(c, cmd.Sound)] == [Kind.FIRE]


@pytest.mark.parametrize(("tap", "is_chirp"), [(tap, tap is ev.Tap.LONE) for tap in ev.Tap])
def test_what_is_tapped_at_the_post_is_no_alarm_and_only_a_lone_strike_chirps(
    post: Post, tap: ev.Tap, is_chirp: bool
) -> None:
    done = post.happen(ev.Tapped("wired:pos-1/kentongan", tap, post.now.mono_s))
    assert [type(command) for command in done] == ([cmd.Chirp] if is_chirp else [])
    assert post.facts == []
    assert post.engine.picture(post.now)["taps"]["wired:pos-1/kentongan"]["tap"] == tap.value
