"""What closings mean at the post and at a house. Pretended time: no story here waits."""

from itertools import pairwise

import pytest

from bridge.codebook_files import load_codebook
from bridge.domain.events import Event, PressHeard, SilenceAsked, Tap, Tapped
from bridge.domain.press import Kind, Remark, Via
from bridge.edges.wired_hand import NOTICE_LONG_MS, Button, Striker

BITS = "00112233445566aa"
SAFE = frozenset({Remark.PERHAPS_NO_DANGER})


class Story:
    """Strikes with their times; ticks come when they are due, as the input's thread does it."""

    def __init__(self, hand: Striker | Button) -> None:
        self.hand, self.now, self.notice, self.events = hand, 1000, False, list[Event]()

    def wait(self, ms: int) -> None:
        until = self.now + ms
        while (due := self.hand.next_ms()) is not None and due <= until:
            self.now = max(due, self.now)
            self.events += self.hand.tick(self.now)
        self.now = until

    def see(self, closed: bool) -> None:
        self.events += self.hand.see(closed, self.notice, self.now)

    def turn(self, on: bool) -> None:
        self.notice = on
        self.see(False)
        self.wait(100)

    def strike(self, *groups: int, held_ms: int = 40) -> None:
        for at, beats in enumerate(groups):
            self.wait(900 if at else 0)
            for _ in range(beats):
                self.see(True)
                self.wait(held_ms)
                self.see(False)
                self.wait(200 - held_ms)

    def heard(self) -> list[tuple[str, Kind]]:
        return [(e.press.id.rpartition("/")[2], e.press.kind) for e in self.events if isinstance(e, PressHeard)]

    def taps(self) -> list[Tap]:
        return [e.tap for e in self.events if isinstance(e, Tapped)]


def at(place: str, codebook: str = "a") -> Story:
    book = load_codebook(codebook)
    return Story(Striker("kentongan", "pos-1", BITS, book, at_post=place == "post"))


def test_a_house_alarms_at_the_first_strike_and_the_rhythm_refines_that_press() -> None:
    story = at("house")
    story.strike(3, 3)
    story.wait(5000)
    story.strike(2, 2)
    story.wait(5000)
    assert story.heard() == [("1", Kind.PANIC), ("1", Kind.FIRE), ("2", Kind.PANIC), ("2", Kind.THEFT)]
    press = next(e.press for e in story.events if isinstance(e, PressHeard))
    assert (press.id, press.source) == ("wired:pos-1/kentongan/00112233/1", "wired:pos-1/kentongan")
    assert (press.via, press.trusted, press.remarks) == (Via.WIRED, True, frozenset())


def test_a_press_is_heard_at_its_edge() -> None:
    story = at("house")
    story.see(True)
    story.wait(40)
    (event,) = story.events
    assert isinstance(event, PressHeard)
    assert event.mono_s == 1.004  # four milliseconds tell a strike from noise


def test_what_reads_as_safe_at_a_house_stays_an_alarm_with_a_remark() -> None:
    story = at("house", "b")
    story.strike(1)
    story.wait(5000)
    first, then = (e.press for e in story.events if isinstance(e, PressHeard))
    assert (first.kind, first.remarks) == (Kind.PANIC, frozenset())
    assert (then.id, then.kind, then.remarks) == (first.id, Kind.UNKNOWN, SAFE)


def test_the_hourly_beat_at_the_post_is_a_chirp_and_no_alarm() -> None:
    story = at("post", "b")
    story.strike(1)
    story.wait(5000)
    assert (story.taps(), story.heard()) == ([Tap.LONE, Tap.AMAN], [])


def test_a_lone_strike_that_the_codebook_does_not_know_as_safe_alarms_after_four_seconds() -> None:
    story = at("post", "a")
    story.strike(1)
    story.wait(3700)
    assert story.heard() == []
    story.wait(200)
    assert [number for number, _ in story.heard()][:1] == ["1"]


def test_the_second_strike_at_the_post_is_the_alarm() -> None:
    story = at("post")
    story.strike(2)
    assert story.heard() == [("1", Kind.PANIC)]


def test_behind_the_notice_switch_each_sequence_is_one_notice() -> None:
    story = at("post", "b")
    story.turn(True)
    for groups in ((1,), (2, 2), (8,), (3, 1, 3)):
        story.strike(*groups)
        story.wait(5000)
    assert (story.taps(), story.heard()) == ([Tap.NOTICE] * 4, [])


def test_turning_the_notice_switch_off_in_the_midst_makes_the_next_strikes_a_call() -> None:
    story = at("post", "b")
    story.turn(True)
    story.strike(3)
    story.turn(False)
    story.strike(2)
    assert story.taps() == [Tap.NOTICE, Tap.LONE]
    assert story.heard() == [("1", Kind.PANIC)]


def test_turning_the_notice_switch_on_does_not_take_an_alarm_back() -> None:
    story = at("post", "b")
    story.strike(3)
    story.turn(True)
    story.strike(1, 3)
    story.wait(5000)
    assert {number for number, _ in story.heard()} == {"1"}
    assert Tap.NOTICE not in story.taps()


def test_noise_on_the_notice_switch_mutes_nothing() -> None:
    story = at("post", "b")
    for _ in range(20):
        story.notice = True
        story.see(True)
        story.wait(30)
        story.notice = False
        story.see(False)
        story.wait(170)
    assert Tap.NOTICE not in story.taps()
    assert story.heard()[0] == ("1", Kind.PANIC)


def test_a_notice_switch_at_a_house_only_marks() -> None:
    story = at("house", "b")
    story.turn(True)
    story.strike(2, 2)
    story.wait(5000)
    found = [e.press for e in story.events if isinstance(e, PressHeard)]
    assert [press.kind for press in found] == [Kind.PANIC, Kind.THEFT]
    assert all(press.remarks == SAFE for press in found)
    assert story.taps() == []
    story.wait(NOTICE_LONG_MS)
    assert "berita" in story.hand.trouble
    story.strike(2, 2)
    assert next(e.press for e in reversed(story.events) if isinstance(e, PressHeard)).remarks == frozenset()


def test_a_notice_switch_that_was_forgotten_is_a_fault_until_it_is_off_and_mutes_no_alarm() -> None:
    story = at("post", "b")
    story.turn(True)
    story.wait(NOTICE_LONG_MS - 6000)
    story.strike(3)
    story.wait(5000)
    assert (story.hand.trouble, story.taps(), story.heard()) == ("", [Tap.NOTICE], [])
    story.wait(1000)
    assert "berita" in story.hand.trouble
    story.strike(3)
    story.wait(5000)
    assert [number for number, _ in story.heard()][:1] == ["1"]
    story.turn(False)
    assert story.hand.trouble == ""
    assert story.hand.next_ms() is None


def test_a_held_pad_is_one_alarm_then_a_fault_then_well() -> None:
    story = at("house")
    story.see(True)
    story.wait(9_900)
    assert story.hand.trouble == ""
    story.wait(200)
    assert "tertutup terus" in story.hand.trouble
    story.wait(3_600_000)
    assert {number for number, _ in story.heard()} == {"1"}
    story.see(False)
    assert story.hand.trouble == ""
    story.wait(1000)
    story.strike(1)
    assert {number for number, _ in story.heard()} == {"1", "2"}


@pytest.mark.parametrize(("held_ms", "numbers"), [(500, {"1", "2"}), (11_000, {"1"})], ids=["struck", "stuck"])
def test_closed_when_it_is_seen_again_is_a_strike_unless_it_was_stuck(held_ms: int, numbers: set[str]) -> None:
    story = at("house")
    story.see(True)
    story.wait(held_ms)
    story.events += story.hand.lose(story.now)
    story.wait(60_000)
    story.see(True)
    story.wait(100)
    assert {number for number, _ in story.heard()} == numbers


def test_a_notice_switch_that_nobody_sees_is_off() -> None:
    story = at("post", "b")
    story.turn(True)
    story.events += story.hand.lose(story.now)
    story.notice = False
    story.strike(2)
    assert story.heard() == [("1", Kind.PANIC)]


def test_a_button_silences_once_for_each_push_and_never_for_noise() -> None:
    story = Story(Button("tombol"))
    for _ in range(50):
        story.see(True)
        story.wait(20)
        story.see(False)
        story.wait(20)
    assert story.events == []
    for _ in range(2):
        for bounce in (True, False, True):
            story.see(bounce)
            story.wait(3)
        story.wait(300)
        story.see(False)
        story.wait(300)
    assert story.events == [SilenceAsked("tombol")] * 2


def test_a_button_that_is_stuck_is_a_fault() -> None:
    story = Story(Button("tombol"))
    story.see(False)
    story.wait(100)
    story.see(True)
    story.wait(11_000)
    assert "tertutup terus" in story.hand.trouble
    story.see(False)
    story.wait(100)
    assert (story.hand.trouble, story.events) == ("", [SilenceAsked("tombol")])


def test_a_stuck_button_on_a_loose_cable_silences_no_alarm() -> None:
    """Closed when it is found is no push, at the start and whenever the cable is back."""
    story = Story(Button("tombol"))
    for _ in range(3):
        story.see(False)  # what a far port says before it knows
        story.wait(5)
        story.see(True)
        story.wait(11_000)
        assert "tertutup terus" in story.hand.trouble
        story.events += story.hand.lose(story.now)
        story.wait(2000)
    assert story.events == []
    story.see(True)
    story.wait(1000)
    story.see(False)
    story.wait(300)
    story.see(True)
    story.wait(300)
    assert story.events == [SilenceAsked("tombol")]


def test_time_only_rises_in_what_is_told() -> None:
    story = at("post", "b")
    for groups in ((1,), (2, 2), (1, 3)):
        story.strike(*groups)
        story.wait(5000)
    times = [e.mono_s for e in story.events if isinstance(e, PressHeard | Tapped)]
    assert all(one <= other for one, other in pairwise(times))
