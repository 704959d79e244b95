"""The firmware as a process, spoken to over terminals by the post's own codec: each believes the other."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.codec.line import Heard, LineCodec, answer_line, beacon_line
from bridge.domain.head import HeadCall, Lamp
from bridge.domain.press import Kind
from tests.head.rig import End, powered
from tests.patience import until

KEY = bytes.fromhex("000102030405060708090a0b0c0d0e0f")
BOOK = {"name": "a", "rules": {"2": "THEFT", "3": "FIRE"}}


class Keys:
    def head_key(self, head: str) -> bytes:
        return KEY if head == "RT03-12" else b""


CODEC = LineCodec(Keys(), "pos-1")


@pytest.fixture
def usb() -> Iterator[End]:
    end = End()
    yield end
    end.close()


@pytest.fixture
def uart() -> Iterator[End]:
    end = End()
    yield end
    end.close()


def ask(end: End, line: str) -> str:
    """A technician's line and the answer to it."""
    before = len(end.listen())
    end.say(f"\n{line}\n")
    found: list[str] = []

    def answered() -> bool:
        found[:] = re.findall(r"^(!.*)\n", end.listen()[before:], re.MULTILINE)
        return bool(found)

    until(answered, f"no answer to {line}")
    return found[0]


def set_up(end: End) -> None:
    for line in ("!name RT03-12", f"!key {KEY.hex()}", f"!codebook {json.dumps(BOOK)}"):
        assert ask(end, line).startswith("!ok ")


def calls(end: End) -> list[HeadCall]:
    heard = CODEC.read(end.listen(), Heard("radio", "kentongan"))
    return [call for call in heard if isinstance(call, HeadCall)]


def texts(line: str) -> str:
    """As the node's Serial module writes a text of the gateway's."""
    return f"\r\nGW1: {line}\r\n"


def tell(end: End, call: HeadCall, letters: str) -> None:
    lamp = Lamp(call.by.head, call.by.epoch, call.by.number, letters)
    end.say(texts(answer_line("pos-1", [lamp], Keys())))


def test_a_rhythm_goes_out_and_the_lamps_climb(usb: End, uart: End, tmp_path: Path) -> None:
    with powered(usb.path, uart.path, tmp_path / "keep") as head:
        set_up(usb)
        uart.say(texts(beacon_line("pos-1")))
        until(lambda: head.lamps() == "wink off off")
        head.do("play 000=000")
        until(lambda: any(call.press.kind is Kind.FIRE for call in calls(uart)))
        said = calls(uart)
        assert [call.press.kind for call in said[:2]] == [Kind.PANIC, Kind.FIRE]
        assert {call.by.id for call in said} == {said[0].by.id}
        assert all(call.can_be_told and call.press.trusted for call in said)
        for letters, lamps in (
            ("J", "on off off"),
            ("S", "on slow off"),
            ("D", "on on on"),
            ("C", "double double double"),
        ):
            tell(uart, said[0], letters)
            until(lambda lamps=lamps: head.lamps() == lamps)
            until(lambda letters=letters: calls(uart)[-1].shows == letters)
        assert len(calls(usb)) >= len(said)


def test_a_forger_lights_nothing_in_all_that_time(usb: End, uart: End, tmp_path: Path) -> None:
    with powered(usb.path, uart.path, tmp_path / "keep", speed=40) as head:
        set_up(usb)
        head.do("play 0")
        until(lambda: calls(uart))
        by = calls(uart)[0].by
        for mac in ("AAAAAA", "------", ""):
            uart.say(texts(f"\nP1 pos-1 RT03-12.{by.epoch}.{by.number}=D.{mac}\n"))
            uart.say(texts(f"P1 pos-1 RT03-12.{by.epoch}.{by.number}=D"))
        until(lambda: head.lamps() == "fast off off")  # 80 s of the head's time
        assert head.shown == ["off off off", "slow off off", "fast off off"]


def test_after_a_power_cut_the_same_press_is_said_again(usb: End, uart: End, tmp_path: Path) -> None:
    with powered(usb.path, uart.path, tmp_path / "keep") as head:
        set_up(usb)
        head.do("play 00=00")
        until(lambda: any(call.press.kind is Kind.THEFT for call in calls(uart)))
        first = calls(uart)[0].by
    heard = len(calls(uart))
    with powered(usb.path, uart.path, tmp_path / "keep") as head:
        until(lambda: len(calls(uart)) > heard)
        again = calls(uart)[-1]
        assert (again.by, again.press.kind) == (first, Kind.THEFT)
        tell(uart, again, "S")
        until(lambda: head.lamps() == "on slow off")


def test_another_flash_is_another_head_and_says_so(usb: End, uart: End, tmp_path: Path) -> None:
    epochs, names = set(), set()
    for flash in ("one", "two"):
        with powered(usb.path, uart.path, tmp_path / flash) as head:
            info = json.loads(ask(usb, "!info").removeprefix("!info "))
            epochs.add(info["epoch"])
            names.add(info["name"])
            assert (info["keyed"], info["press"], info["codebook"]) == (False, 0, "none")
            head.do("play 0")
            until(lambda name=info["name"]: re.search(rf"\nK1 {name} \S+ PANIC ------\n", uart.listen()))
    assert len(epochs) == 2 and len(names) == 1


def test_a_held_pad_is_one_press_and_then_a_fault(usb: End, uart: End, tmp_path: Path) -> None:
    with powered(usb.path, uart.path, tmp_path / "keep") as head:
        set_up(usb)
        head.do("hold")
        until(lambda: "it stays closed" in json.loads(ask(usb, "!info").removeprefix("!info "))["fault"])
        assert {call.by.number for call in calls(uart)} == {1}
        head.do("free")
        until(lambda: json.loads(ask(usb, "!info").removeprefix("!info "))["fault"] == "")
