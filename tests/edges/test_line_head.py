"""A head on a wire of the post: its lines in, its lamps out, whatever the wire does. Real ptys."""

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.codec.line import mac
from bridge.domain.commands import Beacon, Light
from bridge.domain.events import Fault, HeadCalled, PressHeard, TextFailed, TextSent
from bridge.domain.head import HeadWord, Lamp
from bridge.domain.ports import Input
from bridge.domain.press import Kind, Via
from bridge.edges import line_head
from tests.edges.listening import Inbox
from tests.edges.wired_parts import KEY, down, faults, least_share, line, listening, presses, up
from tests.edges.wired_ports import UsbHead

BOOT = b"""ets Jul 29 2019 12:21:46\r
rst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r
configsip: 0, SPIWP:0xee\r
load:0x3fff0030,len:4604\r
entry 0x400805b0\r
MPY: soft reboot\r
MicroPython v1.24.1 on 2024-11-29; Generic ESP32 module with ESP32\r
Type "help()" for more information.\r
>>> \r
"""


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def usb(tmp_path: Path) -> Iterator[UsbHead]:
    made = UsbHead(tmp_path / "head")
    yield made
    made.leave()


@pytest.fixture
def one(usb: UsbHead, inbox: Inbox) -> Iterator[Input]:
    with listening(inbox, driver="line", url=usb.url) as made:
        up(made)
        yield made


def calls(inbox: Inbox) -> list[tuple[int, Kind]]:
    return [(e.call.by.number, e.call.press.kind) for e in inbox.all() if isinstance(e, HeadCalled)]


def test_lines_come_in_whatever_pieces(usb: UsbHead, one: Input, inbox: Inbox) -> None:
    chance = random.Random(7)
    said = b"".join(line(f"K1 POS ABCD.{number} FIRE") for number in range(1, 51))
    while said:
        size = chance.randint(1, 60)
        usb.say(said[:size])
        said = said[size:]
        time.sleep(0.0005)
    last = inbox.until(HeadCalled, lambda event: event.call.by.number == 50).call
    assert calls(inbox) == [(number, Kind.FIRE) for number in range(1, 51)]
    assert (last.route, last.can_be_told, last.press.trusted, last.press.via) == ("kentongan", True, True, Via.LINE)


def test_a_wired_head_without_a_key_is_trusted_by_its_wire_but_cannot_be_told(
    usb: UsbHead, one: Input, inbox: Inbox
) -> None:
    usb.say(b"\nK1 POS ABCD.1 THEFT ------\n")
    call = inbox.until(HeadCalled).call
    assert (call.press.trusted, call.by.proved, call.can_be_told) == (True, True, False)


def test_words_that_are_no_alarm_come_through(usb: UsbHead, one: Input, inbox: Inbox) -> None:
    usb.say(line("K1 POS ABCD.1 TEST") + line("K1 POS ABCD.2 AMAN=C"))
    assert inbox.until(HeadCalled).call.word is HeadWord.TEST
    second = inbox.until(HeadCalled).call
    assert (second.word, second.shows) == (HeadWord.AMAN, "C")


def test_its_lamps_are_told_over_the_wire(usb: UsbHead, one: Input, inbox: Inbox) -> None:
    one.show(Light(1, "kentongan", "", (Lamp("POS", "ABCD", 1, "S"),)))
    assert inbox.until(TextSent) == TextSent(1)
    said = "P1 pos-1 POS.ABCD.1=S"
    assert usb.hear() == f"\n{said}.{mac(KEY, said)}\n".encode()
    one.show(Beacon(2, "kentongan", ""))
    assert inbox.until(TextSent) == TextSent(2)
    assert usb.hear() == b"\nP1 pos-1 .\n"
    usb.unplug()
    down(one)
    one.show(Beacon(3, "kentongan", ""))
    assert inbox.until(TextFailed).ticket == 3


def test_a_head_that_reads_nothing_fails_every_answer_and_blocks_nobody(
    usb: UsbHead, one: Input, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    lamps = tuple(Lamp("POS", "ABCD", number, "S") for number in range(1, 6))
    began = time.monotonic()
    for ticket in range(400):
        one.show(Light(ticket, "kentongan", "", lamps))
    assert time.monotonic() - began < line_head.WRITE_S
    failed = inbox.until(TextFailed)
    usb.say(line("K1 POS ABCD.9 FIRE"))
    assert inbox.until(HeadCalled).call.by.number == 9
    assert failed.why


def test_a_head_that_starts_says_much_and_means_nothing(usb: UsbHead, one: Input, inbox: Inbox) -> None:
    usb.say(BOOT * 5 + b"!info {}\n!ok\n" + b"\nP1 pos-2 .\n" * 5 + line("K1 POS ABCD.1 FIRE"))
    inbox.until(HeadCalled)
    assert (presses(inbox), faults(inbox)) == ([], [])


def test_three_lines_that_nobody_understands_are_an_alarm_and_a_fault_until_one_is_understood(
    usb: UsbHead, one: Input, inbox: Inbox
) -> None:
    usb.say(b"\nK1 POS ABCD.1 FI\n\nK1 POS AB\xc3\x84D.1 FIRE XXXXXX\n")
    usb.say(line("K1 POS ABCD.1 PANIC"))  # understood: the counting begins anew
    usb.say(b"\nK1 POS ABCD.2 FI\n\nK1 POS ABCD.2 FIRE XXX\n")
    usb.say(line("K1 POS ABCD.1 TEST")[:-8] + b"\n")
    press = inbox.until(PressHeard).press
    assert (press.kind, press.source, press.trusted) == (Kind.UNKNOWN, "wired:pos-1/kentongan", True)
    assert "cannot be read" in inbox.until(Fault).why
    usb.say(line("K1 POS ABCD.3 FIRE"))
    assert inbox.until(Fault).why == ""
    assert presses(inbox) == [("1", Kind.UNKNOWN)]
    assert [number for number, _ in calls(inbox)] == [1, 3]


def test_two_old_lines_and_a_new_one_are_no_alarm(
    usb: UsbHead, one: Input, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_head, "GARBLED_WITHIN_S", 0.2)
    for _ in range(2):
        usb.say(b"\nK1 POS ABCD.1 FI\n\nK1 POS ABCD.1 FI\n")
        time.sleep(0.3)
    usb.say(line("K1 POS ABCD.2 FIRE"))
    inbox.until(HeadCalled)
    assert presses(inbox) == []


def test_mere_noise_is_a_fault_and_no_alarm(usb: UsbHead, one: Input, inbox: Inbox) -> None:
    chance = random.Random(3)
    for _ in range(40):
        usb.say(bytes(chance.choice((0, 0x80, 0xFF, 0xFE, 0x7F, 0xE0)) for _ in range(200)) + b"\n")
    usb.say(b"\n" + b"\xff" * 5000)  # a line that never ends takes no room
    assert "derau" in inbox.until(Fault).why
    usb.say(line("K1 POS ABCD.1 FIRE"))
    assert inbox.until(Fault).why == ""
    assert (presses(inbox), calls(inbox)) == ([], [(1, Kind.FIRE)])


def test_half_a_line_is_nobodys_and_a_head_is_found_under_its_name_again(
    usb: UsbHead, one: Input, inbox: Inbox
) -> None:
    usb.say(line("K1 POS ABCD.1 PANIC")[:-9])
    time.sleep(0.05)
    usb.unplug()
    assert "periksa kabel" in inbox.until(Fault).why
    usb.plug()
    up(one)
    usb.say(line("K1 POS ABCD.1 PANIC")[-9:] + line("K1 POS ABCD.2 FIRE"))
    assert inbox.until(HeadCalled).call.by.number == 2
    assert calls(inbox) == [(2, Kind.FIRE)]
    assert [bool(why) for why in faults(inbox)] == [True, False]


def test_a_head_that_is_not_there_is_one_clear_fault(tmp_path: Path, inbox: Inbox) -> None:
    with listening(inbox, driver="line", url=f"serial://{tmp_path}/nowhere"):
        why = inbox.until(Fault).why
        time.sleep(0.3)
    port = f"{tmp_path}/nowhere"
    assert why == f"{port} tidak ada: periksa kabel USB ({port} is not there: check the USB cable)"
    assert faults(inbox) == [why]


def test_waiting_costs_next_to_nothing(one: Input) -> None:
    share = least_share(0.005)
    print(f"measured: a wired head, idle: {share:.2%} of a core")
    assert share < 0.005
