"""A post whose kentongan hang on wires: set up in its files as a technician does, run as the real program."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from bridge.codebook_files import load_rules
from desk.views import CaseView
from tests.edges.wired_parts import strike
from tests.edges.wired_ports import FarSwitch
from tests.head.rig import Cable, End, Rig, powered
from tests.patience import until
from tests.village.heads import entry, is_kind, key_of, seen
from tests.village.scene import Scene, kentongan

pytestmark = [
    pytest.mark.mosquitto,
    pytest.mark.filterwarnings("ignore:set:DeprecationWarning"),  # pyserial's own, in its rfc2217 server
]

INPUTS = """
[[input]]
name = "kentongan"
driver = "cts"
url = "{kentongan}"

[[input]]
name = "tombol"
driver = "cts"
url = "{button}"
role = "silence"

[[input]]
name = "kepala"
driver = "line"
url = "serial://{head}"

[rhythm]
codebook = "b"
"""
SWITCH = "wired:pos-1/kentongan"
BEAT_S = 0.5  # a slow hand: what a busy machine makes late is a smaller part of a beat
PLACE = '[[source]]\ninput = "kentongan"\nlandmark = "poskamling RT 03"\n'


class Wires:
    """What hangs at the post: a switch, a button, and the genuine firmware of a head on a cable."""

    def __init__(self, stage: Scene, head: Rig) -> None:
        self.stage, self.head = stage, head
        self.kentongan, self.button = FarSwitch(), FarSwitch()

    def parts(self) -> dict[str, dict[str, object]]:
        return self.stage.status().get("parts", {})

    def pressed(self, source: str) -> list[str]:
        """Presses of one source that the desk holds."""
        return [press for press in self.stage.stored() if press.startswith(f"{source}/")]


@pytest.fixture
def wires(evening: Scene, tmp_path: Path) -> Iterator[Wires]:
    cable, usb, uart, flash = Cable(), End(), End(), tmp_path / "flash"
    with powered(usb.path, uart.path, flash):
        rules = json.dumps({"name": "b", "rules": load_rules("b")})
        for line in ("!name POS", f"!key {key_of('POS').hex()}", f"!codebook {rules}"):
            usb.say(f"\n{line}\n")
        until(lambda: usb.listen().count("!ok ") == 3)
    with powered(cable.head, uart.path, flash, speed=1) as head:
        hung = Wires(evening, head)
        evening.post.stop()
        urls = {"kentongan": hung.kentongan.url, "button": hung.button.url, "head": cable.post}
        toml = evening.post_toml.read_text().partition("[rhythm]")
        evening.post_toml.write_text(toml[0] + INPUTS.format(**urls))
        (evening.folder / "post/sources.toml").write_text(PLACE + entry("POS", key_of("POS")))
        kentongan("config", "check", "--config", str(evening.post_toml))
        evening.post.start()
        evening.wait_desk()
        names = ("kentongan", "tombol", "kepala")
        until(lambda: all(hung.parts().get(name, {}).get("state") == "up" for name in names), "all hang well", 15)
        yield hung
        evening.post.stop()
    for end in (cable, usb, uart):
        end.close()
    for far in (hung.kentongan, hung.button):
        far.leave()


def understood(wires: Wires, source: str, strikes: Callable[[], object], kind: str) -> tuple[CaseView, int]:
    """A hand that goes on until it is understood: a process that the machine stopped for a second keeps no rhythm.

    Each time is an alarm; the desk's view of the one that was understood, and which time it was.
    """
    for tries in range(1, 6):
        before = set(wires.pressed(source))
        strikes()
        (press,) = until(lambda before=before: set(wires.pressed(source)) - before, "the press at the desk")  # type: ignore[misc]
        with suppress(AssertionError):
            return is_kind(wires.stage, press, kind), tries
        time.sleep(4.5)  # the sequence is over
    raise AssertionError(f"never understood as {kind}")


def test_the_hourly_beat_is_none_two_groups_are_and_the_button_silences(wires: Wires) -> None:
    stage = wires.stage
    strike(wires.kentongan.switch)
    until(lambda: stage.status().get("taps", {}).get(SWITCH, {}).get("tap") == "aman", "the hourly beat", 10)
    assert stage.rings() == [] and wires.pressed(SWITCH) == []

    case, tries = understood(wires, SWITCH, lambda: strike(wires.kentongan.switch, (3, 3), BEAT_S), "FIRE")
    assert (case.trust, "poskamling RT 03" in str(case.place)) == ("VERIFIED", True)
    until(lambda: stage.rings()[-1:] == ["FIRE"], lambda: f"the siren once more for what it is: {stage.rings()}", 10)
    before = stage.rings()
    assert list(dict.fromkeys(before)) == ["PANIC", "FIRE"] and len(before) <= 1 + tries

    wires.button.switch(True)
    until(lambda: "siren silenced" in stage.post.text(), "silence in the log", 10)
    wires.button.switch(False)
    time.sleep(4.5)  # the sequence is over
    _, tries = understood(wires, SWITCH, lambda: strike(wires.kentongan.switch, (2, 2), BEAT_S), "THEFT")
    until(lambda: stage.rings()[-1:] == ["THEFT"], lambda: f"the siren for a thief: {stage.rings()}", 10)
    after = stage.rings()[len(before) :]  # after a silence the next press rings, for the gravest that is open
    assert list(dict.fromkeys(after)) == ["FIRE", "THEFT"] and len(after) <= 1 + tries
    assert stage.stored() == dict.fromkeys(wires.pressed(SWITCH), 1)


def test_a_head_on_the_posts_own_wire_all_the_way_and_back_to_its_lamps(wires: Wires) -> None:
    stage = wires.stage
    until(lambda: wires.head.lamps() == "wink off off", "the beacon, over the wire")
    case, _ = understood(wires, "head:POS", lambda: wires.head.do("play 000=000"), "FIRE")
    press = case.alarm
    until(lambda: wires.head.lamps() == "on slow off", "the police have it")
    stage.officer("take", press)
    stage.officer("dispatch", press)
    until(lambda: wires.head.lamps() == "on on on", "they are coming")
    until(lambda: seen(stage)[press].told == "told", "the desk knows that its lamps have shown it", 20)
    case = seen(stage)[press]
    assert (case.stage, case.trust, stage.stored()) == (
        "DISPATCHED",
        "VERIFIED",
        dict.fromkeys(wires.pressed("head:POS"), 1),
    )


def test_a_cable_that_is_pulled_is_a_fault_at_the_post_and_well_again(wires: Wires) -> None:
    wires.kentongan.unplug()
    until(lambda: "input:kentongan" in wires.stage.status().get("faults", {}), "the fault", 10)
    shown = kentongan("status", "--lang", "en", "--config", str(wires.stage.post_toml), check=False)
    assert shown.returncode == 1
    lines = [line for line in shown.stdout.splitlines() if line.startswith("wired")]
    assert [line.split()[:2] for line in lines] == [["wired", "FAULT"], ["wired", "ok"], ["wired", "ok"]]
    assert "Strikes here are not heard" in shown.stdout
    wires.kentongan.switch(True)  # struck and held while nobody listens
    wires.kentongan.plug()
    until(lambda: len(wires.pressed(SWITCH)) == 1, "a pad that is leant on is an alarm", 15)
    wires.kentongan.switch(False)
    until(
        lambda: "input:kentongan" not in wires.stage.status().get("faults", {"input:kentongan": "?"}), "well again", 15
    )
    assert wires.stage.stored() == dict.fromkeys(wires.pressed(SWITCH), 1)
