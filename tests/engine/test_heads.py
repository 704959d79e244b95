"""A head is heard, answered by letters, echoes them; its rhythm refines the strike; nothing it says clears it."""

from dataclasses import dataclass, field, replace
from itertools import pairwise

from bridge.domain import commands as cmd
from bridge.domain import events as ev
from bridge.domain.alarm import Outcome, Stage, Told
from bridge.domain.desk import Fate, OrderKind, Word
from bridge.domain.head import HeadCall, HeadPress, HeadWord, Lamp
from bridge.domain.place import Place, Source
from bridge.domain.press import Channel, ChannelKey, Kind, Press, Remark, Trust, Via
from tests.engine.stage import NUMBERS, Post, receipt

HEAD = "RT03-12"
UP = ev.RadioUp("gw1", 1, (Channel(1, "SiagaDesa", ChannelKey.PRIVATE),), "")
SAFE = Remark.PERHAPS_NO_DANGER
WORDS = {HeadWord.AMAN: SAFE, HeadWord.NOTICE: SAFE, HeadWord.TEST: Remark.DRILL}


@dataclass
class Heads:
    """A register of heads: one at a house, one at the post, one that another post answers first."""

    has_heads: bool = True
    homes: dict[str, str] = field(default_factory=dict)

    def find(self, source: str) -> Source | None:
        head = source.removeprefix("head:")
        if not source.startswith("head:") or head == "STRANGE":
            return None
        return Source(source, Place(house=head), home=self.homes.get(head, ""), is_post=head == "POS")

    def trust(self, press: Press) -> Trust:
        if press.trusted:
            return Trust.VERIFIED
        return Trust.CHANNEL if self.find(press.source) else Trust.UNKNOWN


def call(
    number: int,
    kind: Kind = Kind.PANIC,
    *,
    head: str = HEAD,
    word: HeadWord | None = None,
    shows: str = "",
    forged: bool = False,
    epoch: str = "ABCD",
    route: str = "gw1",
) -> HeadCall:
    by = HeadPress(head, epoch, number, proved=not forged)
    remarks = {WORDS[word]} if word in WORDS else set()
    press = Press(
        by.id,
        by.source,
        Kind.UNKNOWN if word in (HeadWord.AMAN, HeadWord.NOTICE) else kind,
        Via.LINE,
        words=f"K1 {head} {epoch}.{number} {word or kind}",
        channel="SiagaDesa" if route == "gw1" else "",
        trusted=not forged,
        remarks=frozenset(remarks | ({Remark.PLACE_CLAIMED} if forged else set())),
    )
    return HeadCall(by, press, word, shows, route, can_be_told=not forged)


def post(**more: object) -> Post:
    made = Post(register=Heads(**more))
    made.happen(ev.DeskReachable("police"))
    made.happen(UP)
    for beacon in made.of(cmd.Beacon):
        made.happen(ev.TextSent(beacon.ticket))
    return made


def say(at: Post, head_call: HeadCall, after_s: float = 0.0) -> list[cmd.Command]:
    return at.happen(ev.HeadCalled(head_call, at.now.mono_s + after_s), after_s)


def shown(at: Post, commands: list[cmd.Command] | None = None) -> list[str]:
    """The letters of every lamp that was told, in order; the radio takes each line."""
    lights = [c for c in (at.done if commands is None else commands) if isinstance(c, cmd.Light)]
    for light in lights:
        at.happen(ev.TextSent(light.ticket))
    return [lamp.letters for light in lights for lamp in light.lamps]


def alarms(at: Post) -> dict[str, cmd.SaveAlarm]:
    return {fact.alarm.id: fact for fact in at.facts if isinstance(fact, cmd.SaveAlarm)}


def test_a_strike_rings_at_once_and_its_rhythm_rings_as_fire() -> None:
    at = post()
    first = [c for c in say(at, call(7)) if isinstance(c, cmd.Sound)]
    then = [c for c in say(at, call(7, Kind.FIRE), 2.0) if isinstance(c, cmd.Sound)]
    assert [s.kind for s in first + then] == [Kind.PANIC, Kind.FIRE]
    (saved,) = alarms(at).values()
    assert (saved.alarm.kind, saved.alarm.presses, saved.alarm.revision) == (Kind.FIRE, (f"head:{HEAD}/ABCD.7",), 2)
    again = say(at, call(7, Kind.FIRE), 20.0)  # a repeat neither rings nor raises a revision
    assert not any(isinstance(c, cmd.Sound) for c in again)
    assert alarms(at)[saved.alarm.id].alarm.revision == 2


def test_the_lamps_climb_with_the_truth_and_the_echo_is_told() -> None:
    at = post()
    say(at, call(7, Kind.FIRE))
    assert shown(at) == []  # nothing is on the disk
    assert shown(at, at.commit()) == ["J"]
    assert shown(at, at.happen(receipt(at.rows()[-1]))) == ["S"]
    assert not [fact for fact in at.facts if isinstance(fact, cmd.SaveReply)]  # said is not seen
    answered = say(at, call(7, Kind.FIRE, shows="S"), 60.0)
    (reply,) = [fact for fact in at.facts if isinstance(fact, cmd.SaveReply)]
    assert (reply.step, reply.outcome) == ("S", Outcome.TOLD)
    assert shown(at, answered) == []  # its lamps show what is so: airtime is for those that do not
    assert shown(at, say(at, call(7, Kind.FIRE, shows="J"), 60.0)) == ["S"]
    told = alarms(at)[f"head:{HEAD}/ABCD.7"].alarm.told
    assert told is not None and (told.stage, told.outcome) == (Stage.STORED, Outcome.TOLD)


def test_an_echo_of_less_is_not_told() -> None:
    """The head still shows J; what it has not seen is said again."""
    at = post()
    say(at, call(7))
    assert shown(at, at.commit()) == ["J"]
    assert shown(at, at.happen(receipt(at.rows()[-1]))) == ["S"]
    assert shown(at, say(at, call(7, shows="J"), 2.0)) == ["S"]
    assert not [fact for fact in at.facts if isinstance(fact, cmd.SaveReply)]
    assert shown(at, at.happen(ev.Tick(), 60.0)) == ["S"]


def test_a_letter_is_said_at_0_20_and_60_s_and_then_only_when_asked() -> None:
    at = post()
    say(at, call(7))
    assert shown(at, at.commit()) == ["J"]
    seen = []
    for second in range(1, 300):
        seen += [(second, letters) for letters in shown(at, at.happen(ev.Tick(), 1.0))]
    assert seen == [(20, "J"), (60, "J")]
    assert shown(at, say(at, call(7), 1.0)) == ["J"]


def test_a_forged_line_rings_but_is_no_proof_is_not_answered_and_swallows_nothing() -> None:
    at = post()
    forged = [say(at, call(number, Kind.THEFT, forged=True), 200.0) for number in range(1, 6)]
    assert all(any(isinstance(c, cmd.Sound) for c in commands) for commands in forged)
    at.commit()
    assert shown(at) == []
    true = say(at, call(3, Kind.FIRE), 10.0)
    assert [c.kind for c in true if isinstance(c, cmd.Sound)] == [Kind.FIRE]
    saved = alarms(at)
    assert saved[f"head:{HEAD}/ABCD.3"].alarm.trust is Trust.VERIFIED
    lies = [fact.alarm for key, fact in saved.items() if key.endswith("/unproved")]
    assert len(lies) == 5
    assert all(a.trust is Trust.CHANNEL and Remark.PLACE_CLAIMED in a.remarks for a in lies)


def test_a_wiped_head_has_a_new_epoch_and_its_presses_are_new() -> None:
    at = post()
    say(at, call(7))
    say(at, call(7, epoch="WXYZ"), 300.0)
    assert len(alarms(at)) == 2


def test_aman_from_a_house_stays_an_alarm_marked_and_danger_unmarks_it() -> None:
    at = post()
    say(at, call(7))
    say(at, call(7, word=HeadWord.AMAN), 3.0)
    alarm = alarms(at)[f"head:{HEAD}/ABCD.7"].alarm
    assert alarm.is_open and Remark.PERHAPS_NO_DANGER in alarm.remarks
    say(at, call(8, Kind.FIRE), 20.0)
    alarm = alarms(at)[f"head:{HEAD}/ABCD.7"].alarm
    assert alarm.kind is Kind.FIRE and Remark.PERHAPS_NO_DANGER not in alarm.remarks
    say(at, call(9, word=HeadWord.AMAN), 20.0)
    assert Remark.PERHAPS_NO_DANGER not in alarms(at)[f"head:{HEAD}/ABCD.7"].alarm.remarks


def test_only_aman_was_heard_from_a_house_and_that_is_an_alarm_too() -> None:
    at = post()
    rang = say(at, call(7, word=HeadWord.NOTICE))
    assert any(isinstance(c, cmd.Sound) for c in rang)
    assert Remark.PERHAPS_NO_DANGER in alarms(at)[f"head:{HEAD}/ABCD.7"].alarm.remarks


def test_the_posts_own_hourly_beat_is_no_alarm_but_answered() -> None:
    at = post()
    answered = say(at, call(7, head="POS", word=HeadWord.AMAN))
    assert shown(at, answered) == ["C"]
    assert alarms(at) == {}
    assert at.engine.picture(at.now)["taps"]["head:POS"]["tap"] == "aman"
    forged = say(at, call(8, head="POS", word=HeadWord.AMAN, forged=True))
    assert any(isinstance(c, cmd.Sound) for c in forged)  # without proof it is an alarm like any other


def test_cancel_closes_nothing() -> None:
    at = post()
    say(at, call(7, Kind.FIRE))
    at.commit()
    shown(at)
    cancelled = say(at, call(8, word=HeadWord.CANCEL), 30.0)
    alarm = alarms(at)[f"head:{HEAD}/ABCD.7"].alarm
    assert alarm.is_open and Remark.CANCEL_CLAIMED in alarm.remarks and alarm.kind is Kind.FIRE
    assert shown(at, cancelled) == ["J"]
    revision = alarm.revision
    say(at, call(8, word=HeadWord.CANCEL), 20.0)
    assert alarms(at)[alarm.id].alarm.revision == revision  # a repeat is the same claim


def test_a_forgers_cancel_does_not_touch_a_proved_alarm() -> None:
    at = post()
    say(at, call(7, Kind.FIRE))
    say(at, call(8, word=HeadWord.CANCEL, forged=True), 5.0)
    assert Remark.CANCEL_CLAIMED not in alarms(at)[f"head:{HEAD}/ABCD.7"].alarm.remarks


def test_cancel_without_an_alarm_is_answered_closed() -> None:
    at = post()
    assert shown(at, say(at, call(1, word=HeadWord.CANCEL))) == ["C"]
    assert alarms(at) == {}


def test_a_self_test_is_a_drill_that_rings_nobody_and_shows_it() -> None:
    at = post()
    assert not any(isinstance(c, cmd.Sound) for c in say(at, call(1, word=HeadWord.TEST)))
    assert shown(at, at.commit()) == ["L"]
    assert shown(at, at.happen(receipt(at.rows()[-1]))) == ["LS"]


def test_not_connected_is_shown_and_never_after_stored() -> None:
    at = post()
    say(at, call(7))
    at.happen(ev.DeskAway("police", "no broker"))
    assert shown(at, at.commit()) == ["N"]
    at.happen(ev.DeskReachable("police"))
    assert shown(at, at.happen(receipt(at.rows()[-1]))) == ["S"]
    at.happen(ev.DeskAway("police", "no broker"))
    assert shown(at, say(at, call(7), 60.0)) == ["S"]


def test_another_post_waits_for_the_home_post_and_is_silent_if_that_answered() -> None:
    at = post(homes={HEAD: "pos-2"})
    say(at, call(7))
    assert shown(at, at.commit()) == []
    at.happen(ev.LampsHeard("pos-2", (Lamp(HEAD, "ABCD", 7, "J"),)), 3.0)
    assert shown(at, at.happen(ev.Tick(), 30.0)) == []
    assert shown(at, at.happen(receipt(at.rows()[-1]))) == []
    assert shown(at, at.happen(ev.Tick(), 11.0)) == ["S"]  # it knows more than the home post has said


def test_another_post_leaves_the_home_post_ten_seconds() -> None:
    at = post(homes={HEAD: "pos-2"})
    say(at, call(7))
    assert shown(at, at.commit()) == []
    assert shown(at, at.happen(ev.Tick(), 9.0)) == []
    assert shown(at, at.happen(ev.Tick(), 2.0)) == ["J"]


def test_another_post_answers_when_the_home_post_is_dead() -> None:
    at = post(homes={HEAD: "pos-2"})
    say(at, call(7))
    at.commit()
    assert shown(at, at.happen(ev.Tick(), 10.0)) == ["J"]


def test_an_officers_word_reaches_the_lamps_and_the_echo_is_its_fate() -> None:
    at = post()
    say(at, call(7))
    at.commit()
    at.happen(receipt(at.rows()[-1]))
    shown(at)
    about = (f"head:{HEAD}/ABCD.7", f"head:{HEAD}")
    word = Word("desk-1", NUMBERS + 1, OrderKind.STAGE, *about, Stage.DISPATCHED, "Polsek")
    assert shown(at, at.happen(ev.DeskSpoke(word), 5.0)) == ["D"]
    say(at, call(7, shows="D"), 60.0)
    assert at.fates(1) == [Fate.RECEIVED, Fate.TOLD]


def test_a_lamp_that_never_echoes_is_given_up_after_two_hours() -> None:
    at = post()
    say(at, call(7))
    at.commit()
    shown(at)
    at.happen(ev.Tick(), 7200.0)
    told = alarms(at)[f"head:{HEAD}/ABCD.7"].alarm.told
    assert told is not None and replace(told, at=0.0) == Told(Stage.JOURNALED, Outcome.NOT_REACHED, 0.0)


def test_an_officers_text_to_a_head_is_refused_for_it_has_no_screen() -> None:
    at = post()
    say(at, call(7))
    at.commit()
    word = Word("desk-1", NUMBERS + 1, OrderKind.MESSAGE, f"head:{HEAD}/ABCD.7", f"head:{HEAD}", text="tutup pintu")
    at.happen(ev.DeskSpoke(word))
    assert at.fates(1) == [Fate.REFUSED]


def test_after_a_restart_a_head_that_asks_is_answered_and_makes_no_second_alarm() -> None:
    before = post()
    say(before, call(7, Kind.FIRE))
    before.commit()
    after = before.restarted()
    after.register = Heads()
    after.__post_init__()
    after.happen(UP)
    say(after, call(7, Kind.FIRE), 5.0)
    assert not any(isinstance(c, cmd.Sound) for c in after.done)
    assert "J" in "".join(shown(after))
    assert [fact for fact in after.facts if isinstance(fact, cmd.SaveAlarm)] == []


def test_two_hundred_heads_are_answered_by_few_lines_within_the_hour_of_airtime() -> None:
    at = post()
    for number in range(200):
        say(at, call(1, head=f"H{number:03}"), 0.1)
    lines, seen = 0, set()
    commands = at.commit()
    for _ in range(400):
        lights = [c for c in commands if isinstance(c, cmd.Light)]
        lines += len(lights)
        seen |= {lamp.head for light in lights for lamp in light.lamps}
        commands = [c for light in lights for c in at.happen(ev.TextSent(light.ticket))] + at.happen(ev.Tick(), 2.2)
        if len(seen) == 200:
            break
    assert len(seen) == 200
    assert lines <= 34  # six to nine heads a line
    lights = at.of(cmd.Light)
    sizes = [len("\nP1 pos-1\n") + sum(len(f" {lamp.said}.") + 6 for lamp in light.lamps) for light in lights]
    assert max(sizes) <= 200


def test_the_beacon_is_hourly_and_only_where_there_are_heads() -> None:
    at = post()
    said_s = [at.now.mono_s]  # one as soon as the radio is there
    for _ in range(2 * 3600 // 60):
        for command in at.happen(ev.Tick(), 60.0):
            if isinstance(command, cmd.Beacon):
                at.happen(ev.TextSent(command.ticket))
                said_s.append(at.now.mono_s)
    assert len(said_s) == len(at.of(cmd.Beacon)) == 3
    assert max(later - sooner for sooner, later in pairwise(said_s)) < 3550, "a lamp that burns for an hour goes dark"
    silent = post(has_heads=False)
    silent.happen(ev.Tick(), 3600.0)
    assert silent.of(cmd.Beacon) == []


def test_a_wired_head_is_answered_over_its_wire_and_costs_no_airtime() -> None:
    at = Post(register=Heads())
    at.engine = type(at.engine)(*_engine_parts(at), lamps=("head-usb",))
    at.happen(ev.DeskReachable("police"))
    say(at, call(7, Kind.FIRE, route="head-usb"))
    lights = [c for c in at.commit() if isinstance(c, cmd.Light)]
    assert [(light.route, light.lamps[0].letters) for light in lights] == [("head-usb", "J")]
    assert at.engine._strikers._tellings.airtime.spent_s(at.now.mono_s) == 0


def _engine_parts(at: Post) -> tuple[object, ...]:
    from tests.engine.stage import POST, RUN

    return POST, RUN, at.memory, at.register, at.now, at.uplinks
