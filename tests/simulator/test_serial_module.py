"""A microcontroller at a node's UART: what it says becomes texts, what the village says comes out as lines."""

import os
import select
import time
import tty
from dataclasses import dataclass, field

import pytest

from simulator.air import Air
from simulator.channels import PUBLIC
from simulator.village import Village
from tests.patience import until

LINE = b"\nK1 RT03-12 ABCD.17 FIRE PMZ2WF\n"


@dataclass
class Turned:
    """A village on a clock that the test turns."""

    now_s: float = 100.0
    heard: bytearray = field(default_factory=bytearray)

    def __post_init__(self):
        self.village = Village(seed=3, air=Air(3, delay_s=0.01), clock=lambda: self.now_s)
        self.gateway = self.village.gateway("Pos 1")
        self.node = self.village.carrier("RT03-12", num=0x0A12)
        self.say = self.node.wire(self.heard.extend)

    def turn(self, seconds):
        end = self.now_s + seconds
        while (wait_s := self.village.run_due()) is not None and self.now_s + wait_s <= end:
            self.now_s += wait_s + 1e-6
        self.now_s = max(self.now_s, end)
        self.village.run_due()

    @property
    def texts(self):
        return [received.text.encode() for received in self.gateway.inbox]


def test_a_line_is_a_text_to_all_on_the_primary_channel_after_the_silence():
    at = Turned()
    at.say(LINE)
    at.turn(0.24)
    assert at.texts == []
    at.turn(0.1)
    assert at.texts == [LINE]
    (received,) = at.gateway.inbox
    assert (received.channel, received.sender, received.pki) == ("SiagaDesa", at.node.num, False)
    at.turn(5)
    assert [outcome.error for outcome in at.node.outcomes] == ["NONE"], "relayed by somebody: it wanted to know"


def test_lines_merge_and_split_at_silences():
    at = Turned()
    at.say(LINE)
    at.turn(0.2)
    at.say(LINE[:10])  # no silence yet: the same text
    at.turn(0.6)
    at.say(LINE[10:])
    at.turn(0.6)
    assert at.texts == [LINE + LINE[:10], LINE[10:]]


def test_more_than_fits_is_cut_and_the_radio_refuses_what_was_cut():
    at = Turned()
    at.say(b"x" * 232)
    at.turn(0.5)
    at.say(b"y" * 233 + b"z" * 7)
    at.turn(0.5)
    assert at.texts == [b"x" * 232, b"z" * 7]


def test_a_board_with_another_patience():
    at = Turned()
    at.say = at.node.wire(at.heard.extend, silence_s=1.0)
    for part in (LINE[:9], LINE[9:]):
        at.say(part)
        at.turn(0.9)
    at.turn(0.2)
    assert at.texts == [LINE]


def test_every_text_comes_out_with_its_senders_short_name():
    at = Turned()
    house = at.village.house("Budi")
    stranger = at.village.house("tamu", stranger=True)
    for act in (
        lambda: at.gateway.text("\nP1 pos-1 .\n"),
        lambda: house.text("selamat malam"),
        lambda: house.text("umum", channel=""),
        lambda: stranger.text("P1 pos-1 RT03-12.ABCD.17=D"),
        lambda: house.text("untukmu", to=at.node.num),
        lambda: house.text("bukan untukmu", to=at.gateway.num),
        lambda: house.text("sampai\0nol"),
        lambda: house.alert("bukan teks"),
        lambda: house.detect("pintu"),
    ):
        act()
        at.turn(3)
    gateway = at.gateway.identity.short_name.encode()
    assert bytes(at.heard) == (
        b"\r\n" + gateway + b": \nP1 pos-1 .\n\r\n"
        b"\r\nBudi: selamat malam\r\n"
        b"\r\nBudi: umum\r\n"
        b"\r\n???: P1 pos-1 RT03-12.ABCD.17=D\r\n"
        b"\r\nBudi: untukmu\r\n"
        b"\r\nBudi: sampai\r\n"
    )


def test_its_own_words_do_not_come_back_and_a_restart_forgets_half_a_line():
    at = Turned()
    at.say(LINE)
    at.turn(1)
    at.say(b"\nK1 RT0")
    at.node.restart()
    at.turn(1)
    assert at.texts == [LINE] and not at.heard


def test_a_house_node_set_up_as_usual_would_say_it_in_public():
    """The Serial module speaks on the primary channel: a technician must make the village's the primary one."""
    at = Turned()
    say = at.village.house("RT03-13", channels={0: PUBLIC, 1: at.village.channel}).wire(at.heard.extend)
    say(LINE)
    at.turn(1)
    assert [received.channel for received in at.gateway.inbox] == [""]


@pytest.fixture
def village():
    with Village(seed=7, air=Air(7, delay_s=0.002)) as running:
        yield running


def test_over_a_pseudo_terminal_there_and_back(village, tmp_path):
    gateway, node = village.gateway("Pos 1"), village.carrier("RT03-12")
    path = node.serve_textmsg(tmp_path / "uart")
    assert path == str(tmp_path / "uart") and node.serve_textmsg() == path
    uart = os.open(path, os.O_RDWR | os.O_NOCTTY)
    try:
        tty.setraw(uart)
        began = time.monotonic()
        os.write(uart, LINE)
        assert gateway.wait_for(lambda received: True, 5).text.encode() == LINE
        assert time.monotonic() - began >= 0.25
        gateway.text("\nP1 pos-1 .\n")
        heard = bytearray()

        def all_heard():
            if select.select([uart], [], [], 0)[0]:
                heard.extend(os.read(uart, 100))
            return heard.endswith(b"\n\r\n")

        until(all_heard, "the beacon at the UART")
        assert b": \nP1 pos-1 .\n\r\n" in heard
    finally:
        os.close(uart)
    node.stop_serving()
    assert not (tmp_path / "uart").is_symlink()
