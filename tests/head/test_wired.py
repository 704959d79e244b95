"""The firmware on a wire of the post: the bridge's own edge at the other end, lamps lit by what it writes."""

import json
import queue
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.codec.line import LineCodec, answer_line, beacon_line
from bridge.domain.commands import Beacon, Light
from bridge.domain.events import Event, Fault, HeadCalled, PressHeard, TextSent
from bridge.domain.head import HeadCall, Lamp
from bridge.domain.press import Kind
from bridge.edges.clock import SystemClock
from bridge.edges.line_head import WiredHead
from tests.head.rig import Cable, End, Rig, powered
from tests.patience import until

KEY = bytes.fromhex("000102030405060708090a0b0c0d0e0f")
BOOK = {"name": "a", "rules": {"2": "THEFT", "3": "FIRE"}}


class Keys:
    def head_key(self, head: str) -> bytes:
        return KEY if head == "RT03-12" else b""


def composed(words: Light | Beacon) -> str:
    return beacon_line("pos-1") if isinstance(words, Beacon) else answer_line("pos-1", words.lamps, Keys())


class Post:
    """The edge and what it has delivered."""

    def __init__(self, path: str) -> None:
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.events: list[Event] = []
        self.edge = WiredHead(
            "kentongan",
            f"serial://{path}",
            post="pos-1",
            run_bits="0a1b2c3d",
            lines=LineCodec(Keys(), "pos-1"),
            compose=composed,
            clock=SystemClock(1),
            backoff_s=(0.05, 0.1),
        )
        self.edge.start(self._events.put)

    def calls(self) -> list[HeadCall]:
        while not self._events.empty():
            self.events.append(self._events.get())
        return [event.call for event in self.events if isinstance(event, HeadCalled)]

    def alarms(self) -> list[PressHeard]:
        self.calls()
        return [event for event in self.events if isinstance(event, PressHeard)]

    def faults(self) -> list[str]:
        self.calls()
        return [event.why for event in self.events if isinstance(event, Fault)]


@pytest.fixture
def cable() -> Iterator[Cable]:
    cable = Cable()
    yield cable
    cable.close()


@pytest.fixture
def post(cable: Cable) -> Iterator[Post]:
    post = Post(cable.post)
    until(lambda: post.edge.picture()["state"] == "up")
    yield post
    post.edge.stop()


@pytest.fixture
def head(cable: Cable, tmp_path: Path) -> Iterator[Rig]:
    """On the wire, no node at its UART, set up beforehand by a technician at another."""
    usb, uart = End(), End()
    with powered(usb.path, uart.path, tmp_path):
        for line in ("!name RT03-12", f"!key {KEY.hex()}", f"!codebook {json.dumps(BOOK)}"):
            usb.say(f"\n{line}\n")
        until(lambda: usb.listen().count("!ok ") == 3)
    with powered(cable.head, uart.path, tmp_path, speed=40) as rig:
        until(rig.lamps)
        yield rig
    usb.close()
    uart.close()


def test_a_rhythm_on_the_wire_and_its_lamps(post: Post, head: Rig) -> None:
    post.edge.show(Beacon(1, "kentongan", ""))
    until(lambda: head.lamps() == "wink off off")
    head.do("play 000=000")
    until(lambda: any(call.press.kind is Kind.FIRE for call in post.calls()))
    first = post.calls()[0]
    assert (first.press.kind, first.can_be_told, first.press.trusted) == (Kind.PANIC, True, True)
    post.edge.show(Light(2, "kentongan", "", (Lamp(first.by.head, first.by.epoch, first.by.number, "S"),)))
    until(lambda: head.lamps() == "on slow off")
    until(lambda: any(call.shows == "S" for call in post.calls()))
    assert {call.by for call in post.calls()} == {first.by}
    assert [event.ticket for event in post.events if isinstance(event, TextSent)] == [1, 2]
    assert post.alarms() == [] and post.faults() == []


def test_a_cable_that_was_cut_while_a_hand_struck(post: Post, head: Rig, cable: Cable) -> None:
    cable.is_cut = True
    head.do("play 00=00")
    until(lambda: head.lamps() == "fast off off")  # nobody heard
    assert post.calls() == []
    cable.is_cut = False
    until(lambda: any(call.press.kind is Kind.THEFT for call in post.calls()))
    assert {call.by.number for call in post.calls()} == {1}


def test_the_technicians_lines_ring_no_siren(post: Post, head: Rig) -> None:
    """Whatever they answer, three lines that a post cannot read would be an alarm."""
    wire = post.edge._link
    assert wire is not None
    for order in ("!info", "!nonsense", "!lamps", "!at house"):
        wire.write(f"\n{order}\n".encode())
    until(lambda: head.lamps() == "run1 run2 run3")
    head.do("play 0")
    until(post.calls)
    assert post.alarms() == [] and post.faults() == []
