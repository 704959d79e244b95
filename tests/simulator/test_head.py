"""A simulated head: what it says and when, and that its lamps believe only what is signed for them."""

import itertools
from dataclasses import dataclass, field

import pytest

from bridge.domain.codebook import Codebook
from simulator.agenda import Agenda
from simulator.head import EAST_JAVA, Flash, Glow, Head, Lamps
from simulator.head_lines import Lines, call, sign

KEY = bytes(range(16))  # the example of docs/lines.md
POLICE = Codebook("B", {"1": "AMAN", "2": "THEFT", "3": "FIRE"})
OFF, SLOW, FAST, DOUBLE, ON = Glow.OFF, Glow.SLOW, Glow.FAST, Glow.DOUBLE, Glow.ON


@dataclass
class Bench:
    """One head on a clock that the test turns, at a wire that remembers."""

    key: bytes = KEY
    at_post: bool = False
    codebook: Codebook = EAST_JAVA
    now_s: float = 50.0
    said: list[tuple[float, str]] = field(default_factory=list)

    def __post_init__(self):
        self.agenda = Agenda(lambda: self.now_s)
        self.head = Head("RT03-12", self.key, self.agenda, self.codebook, self.at_post, epoch="ABCD")
        self.head.say = lambda octets: self.said.append((self.now_s - 50.0, octets.decode()))

    def turn(self, seconds):
        end = self.now_s + seconds
        while (wait_s := self.agenda.run_due()) is not None and self.now_s + wait_s <= end:
            self.now_s += wait_s + 1e-6
        self.now_s = end

    def answer(self, letters, number=1, post="pos-1", key=KEY, epoch="ABCD"):
        said = f"RT03-12.{epoch}.{number}={letters}"
        self.head.hear(f"\r\nGW: \nP1 {post} {said}.{sign(key, f'P1 {post} {said}')}\n\r\n".encode())

    @property
    def kinds(self):
        return [line.split()[3] for _, line in self.said]


def gaps(said):
    return [after - before for (before, _), (after, _) in itertools.pairwise(said)]


def test_the_page_and_this_head_agree_on_every_byte():
    assert call(KEY, "RT03-12", "ABCD.17", "FIRE") == b"\nK1 RT03-12 ABCD.17 FIRE PMZ2WF\n"
    assert call(KEY, "RT03-12", "ABCD.17", "FIRE", "S") == b"\nK1 RT03-12 ABCD.17 FIRE=S OS2NGA\n"
    assert sign(KEY, "P1 pos-1 RT03-12.ABCD.17=S") == "YAD6DU"
    assert call(b"", "RT03-12", "ABCD.17", "FIRE") == b"\nK1 RT03-12 ABCD.17 FIRE ------\n"


def test_the_first_strike_is_a_panic_and_the_rhythm_tells_the_rest():
    at = Bench()
    assert at.head.play("000=000") == pytest.approx(2.7)
    at.turn(1)
    assert at.kinds == ["PANIC"] and at.said[0][0] < 0.1
    at.turn(8)
    assert at.kinds == ["PANIC", "FIRE"]
    assert at.head.pressed == ["head:RT03-12/ABCD.1"]
    assert at.head.lamps == Lamps(SLOW, OFF, OFF)


@pytest.mark.parametrize(("book", "kinds"), [(POLICE, ["AMAN"]), (EAST_JAVA, ["PANIC", "MURDER"])])
def test_a_lone_strike_at_the_post_is_what_its_codebook_says(book, kinds):
    at = Bench(at_post=True, codebook=book)
    at.head.play("0")
    at.turn(3)
    assert at.kinds == []
    at.turn(3)
    assert at.kinds == kinds


def test_it_repeats_until_it_is_answered_and_asks_until_it_is_closed():
    at = Bench()
    at.head.press("FIRE")
    at.turn(700)
    assert gaps(at.said) == pytest.approx([20, 20, 20, 20, 300, 300], rel=0.06)
    assert at.head.lamps == Lamps(FAST, OFF, OFF), "nobody heard"
    at.answer("J")
    at.turn(10)
    assert at.said[-1][1].split()[3] == "FIRE=J"
    before = len(at.said)
    at.answer("J")  # the post answers the echo too
    at.turn(10)
    assert len(at.said) == before, "no end of echoes"
    before = len(at.said)
    at.turn(7200)
    asked = [(710.0, ""), *at.said[before:]]
    assert gaps(asked) == pytest.approx([50, 240, 300, 600, 1200, 2400], rel=0.09)
    assert {line.split()[3] for _, line in asked[1:]} == {"FIRE=J"}
    at.answer("C")
    at.turn(10)
    assert at.said[-1][1].split()[3] == "FIRE=C"
    before = len(at.said)
    at.turn(7200)
    assert len(at.said) == before and at.head.lamps == Lamps()


WAY = [
    ("J", Lamps(ON, OFF, OFF)),
    ("N", Lamps(ON, FAST, OFF)),
    ("S", Lamps(ON, SLOW, OFF)),
    ("N", Lamps(ON, SLOW, OFF)),  # ignored once the police have it
    ("A", Lamps(ON, ON, OFF)),
    ("D", Lamps(ON, ON, ON)),
    ("S", Lamps(ON, ON, ON)),  # late, and already known
    ("O", Lamps(ON, ON, DOUBLE)),
    ("W", Lamps(ON, DOUBLE, OFF)),
    ("D", Lamps(ON, DOUBLE, OFF)),  # withdrawn outranks it
    ("C", Lamps(DOUBLE, DOUBLE, DOUBLE)),
]


def test_the_lamps_only_climb():
    at = Bench()
    at.head.press()
    shown = []
    for letter, _ in WAY:
        at.answer(letter)
        shown.append(at.head.lamps)
    assert shown == [lamps for _, lamps in WAY]
    assert at.head.letters == "JNSADOWC"
    known = zip("JNSSADDOWWC", shown, strict=True)
    assert at.head.history == [("", Lamps(SLOW)), *(change for change, _ in itertools.groupby(known))]


def test_a_drill_and_coming_guards():
    at = Bench()
    at.head.press("TEST")
    at.answer("LJ")
    assert (at.head.letters, at.head.lamps) == ("LJ", Lamps(ON, OFF, OFF))
    at.answer("G")
    assert at.head.lamps == Lamps(ON, OFF, SLOW)


def test_it_believes_nothing_that_is_not_signed_for_this_press():
    at = Bench()
    at.head.press()
    at.head.press()
    at.answer("D", number=1)  # a press that it no longer waits for
    at.answer("D", number=2, key=bytes(16))
    at.answer("D", number=2, epoch="ABCE")
    for text in (
        b"\r\nBudi: P1 pos-1 RT03-12.ABCD.2=D\r\n",
        b"\r\n???: \nP1 pos-1 RT03-12.ABCD.2=D\n\r\n",
        b"\r\n???: \nP1 pos-1 RT03-12.ABCD.2=D.------\n\r\n",
        b"\r\n???: \nP1 pos-1 RT03-12.ABCD.2=D.\n\r\n",
        b"\r\n???: \nP1 pos-1 RT03-12.ABCD.2=D.AAAAAA RT03-12.ABCD.2=\n\r\n",
    ):
        at.head.hear(text)
    assert at.head.letters == "" and at.head.lamps == Lamps(SLOW)
    at.answer("J", number=2)
    assert at.head.letters == "J"


def test_a_head_without_a_key_alarms_and_shows_only_that_it_has_sent():
    at = Bench(key=b"")
    at.head.press()
    assert at.said[0][1] == "\nK1 RT03-12 ABCD.1 PANIC ------\n"
    said = "RT03-12.ABCD.1=D"
    at.head.hear(f"\nP1 pos-1 {said}.{sign(b'', said)}\n".encode())
    at.answer("D", key=b"")
    assert at.head.lamps == Lamps(SLOW)


def test_power_and_flash():
    at = Bench()
    at.head.play("000=000")
    at.turn(1)
    at.head.power(False)
    at.turn(10)
    assert at.kinds == ["PANIC"] and at.head.lamps == Lamps()
    at.head.power(True)
    at.head.strike()
    at.turn(1)
    assert at.head.press_id == "head:RT03-12/ABCD.2", "the number was in flash"
    at.head.wipe()
    at.head.strike()
    at.turn(1)
    assert at.head.flash == Flash(b"", at.head.flash.epoch, 1) and at.head.flash.epoch != "ABCD"


def test_a_held_pad_is_one_press_then_a_fault():
    at = Bench()
    at.head.contact(True)
    at.turn(30)
    assert len(at.head.pressed) == 1 and at.head.is_stuck
    at.head.contact(False)
    assert not at.head.is_stuck


def test_the_idle_lamp_says_that_the_post_was_heard_within_the_hour():
    at = Bench()
    assert at.head.lamps == Lamps()
    at.head.hear(b"\r\nGW: \nP1 pos-1 .\n\r\n")
    assert at.head.lamps == Lamps(ON, OFF, OFF)
    at.turn(3601)
    assert at.head.lamps == Lamps()


def test_lines_are_whole_or_nothing():
    stream = b"half\n\r\none\r\n\xff\nP1 pos-1 .\n"
    for size in (1, 3, 100):
        lines = Lines()
        parts = [stream[at : at + size] for at in range(0, len(stream), size)]
        assert [line for part in parts for line in lines.feed(part)] == ["", "one", "P1 pos-1 ."]
