"""Heads in earnest: what is cut, forged, wiped, merged or split, and what the desk and the lamps then say.

One village for all of these stories; each has houses of its own.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.codebook_files import load_rules
from simulator.head import Lamps
from simulator.node import Node
from simulator.village import Village
from tests.brokers import mosquitto_broker
from tests.head.rig import End, powered
from tests.patience import until
from tests.village.heads import entry, heads, is_kind, key_of, lit, pressed, seen, strike
from tests.village.scene import Scene, scene

pytestmark = pytest.mark.mosquitto

NAMES = [f"RT0{row}-0{house}" for row in range(1, 6) for house in range(1, 3)]
REAL = "RT06-01"


@pytest.fixture(scope="module")
def village(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("heads")
    with mosquitto_broker(folder) as broker, scene(folder, broker.url, sources=register) as stage:
        stage.wait_desk()
        stage.wait_radio()
        yield stage
        stage.account(list(stage.pressed))  # all evening


def register(village: Village) -> str:
    return heads(NAMES)(village) + entry(REAL, key_of(REAL))


def hears(node: Node, text: str) -> None:
    node.wait_for(lambda received: received.text == text, 10)


def test_a_rhythm_cut_off_by_the_second_strike_stands_as_a_panic(village: Scene) -> None:
    """The head's power, or the cable to its node, goes after strike two; the post has had the first."""
    stage, dark, cut = village, village.village.heads["RT01-01"], village.village.heads["RT01-02"]
    first, other = strike(stage, dark, "00"), strike(stage, cut, "000=000")
    for act in (lambda: dark.power(False), lambda: setattr(cut, "say", lambda octets: None)):
        stage.village.air.later(0.35, act)
    stage.wait_stored([first, other])
    until(lambda: cut.kind == "FIRE", "the rhythm that nobody hears", 10)
    lit(cut)
    told = [(seen(stage)[press].kind, seen(stage)[press].trust, seen(stage)[press].remarks) for press in (first, other)]
    assert told == [("PANIC", "VERIFIED", ())] * 2
    until(stage.rings, "the siren", 20)
    assert dark.lamps == Lamps() and set(stage.rings()) == {"PANIC"}, "nobody rings for a rhythm that nobody heard"
    dark.power(True)
    again = strike(stage, dark, "000=000")
    assert is_kind(stage, again, "FIRE").ids == (first, again), "the same hand's call goes on"
    assert again.endswith(".2")
    stage.account([first, other, again])


def test_a_phone_that_writes_an_answer_lights_nothing(village: Scene) -> None:
    stage, head, other = village, village.village.heads["RT02-01"], village.village.heads["RT02-02"]
    phone, near = stage.village.house("HP Budi"), stage.village.nodes["RT02-02"]
    press = pressed(stage, head, head.press("FIRE"))
    lit(head)
    mine = f"RT02-01.{head.flash.epoch}.1="
    true = near.wait_for(lambda received: mine in received.text, 10).text
    proof = true.split(mine)[1].split()[0][2:]
    said = f"P1 pos-1 {mine}D"
    forged = [said, *(f"\n{said}{mac}\n" for mac in ("", ".", ".------", ".AAAAAA", f".{proof}"))]
    forged.append(true.replace("RT02-01", "RT02-02").replace(head.flash.epoch, other.flash.epoch))
    second = pressed(stage, other, other.press("THEFT"))
    for text in forged:
        phone.text(text)
        for name in ("RT02-01", "RT02-02"):
            hears(stage.village.nodes[name], text)
    lit(other)
    assert not set(head.letters + other.letters) - set("JS"), "the post says no more than it knows"
    stage.account([press, second])
    assert set(stage.journal()) <= set(stage.pressed), "what begins like an answer is never a press"


def test_merged_lines_are_all_read_and_halves_are_none(village: Scene) -> None:
    """What a head writes in one breath is one text; what it writes with a pause inside a line is two."""
    stage, head, half = village, village.village.heads["RT03-01"], village.village.heads["RT03-02"]
    say, lines = head.say, list[bytes]()
    head.say = lines.append
    both = [pressed(stage, head, head.press(kind)) for kind in ("PANIC", "FIRE")]
    say(b"noise\n" + b"".join(lines) + b"\nK1 RT03-0")
    stage.wait_stored(both)
    assert is_kind(stage, both[1], "FIRE").ids == tuple(both)

    say, lines = half.say, list[bytes]()
    half.say = lines.append
    press = pressed(stage, half, half.press("FIRE"))
    for part in (lines[0][:14], lines[0][14:]):
        say(part)
        hears(stage.gateway, part.decode())
    assert press not in stage.stored()
    say(lines[0])
    stage.wait_stored([press])
    lit(half)
    assert set(stage.journal()) <= set(stage.pressed), "half a line is nobody's call"
    stage.account([*both, press])


def rung_since(stage: Scene, before: int) -> list[str]:
    """What rang, but for the forger's kind, whose siren may begin a little later than it was told to."""
    return [kind for kind in stage.rings()[before:] if kind != "MURDER"]


def test_an_impostor_who_counts_ahead_is_never_believed_and_swallows_nothing(village: Scene) -> None:
    stage, head = village, village.village.heads["RT04-01"]
    liar, false = stage.village.carrier("impostor"), list[str]()
    for number, mac in ((1, "------"), (2, "AAAAAA"), (3, "QQQQQQ")):
        liar.text(f"\nK1 RT04-01 {head.flash.epoch}.{number} MURDER {mac}\n")
        false.append(pressed(stage, head, f"head:RT04-01/{head.flash.epoch}.{number}/unproved"))
    stage.wait_stored(false)
    before = len(stage.rings())
    true = strike(stage, head, "000=000")
    assert true == f"head:RT04-01/{head.flash.epoch}.1"
    case = is_kind(stage, true, "FIRE")
    lit(head)
    assert (case.trust, case.remarks, case.ids) == ("VERIFIED", (), (true,))
    assert not any("MURDER" in words for words in case.words)
    assert {seen(stage)[press].trust for press in false} == {"CHANNEL"}
    assert all("place_claimed" in seen(stage)[press].remarks for press in false)
    until(lambda: rung_since(stage, before)[-2:] == ["PANIC", "FIRE"], "the true call rings of itself", 20)
    stage.account([*false, true])


def test_a_wiped_head_still_alarms_and_its_presses_are_new(village: Scene) -> None:
    stage, head = village, village.village.heads["RT05-01"]
    first = pressed(stage, head, head.press("THEFT"))
    head.wipe()
    unkeyed = pressed(stage, head, head.press("PANIC") + "/unproved")
    stage.wait_stored([first, unkeyed])
    case = seen(stage)[unkeyed]
    assert (case.trust, case.remarks, head.letters) == ("CHANNEL", ("place_claimed",), "")
    head.wipe(key_of(head.name))  # a technician has written its key
    third = pressed(stage, head, head.press("FIRE"))
    lit(head)
    stage.wait_stored([third])
    presses = [first, unkeyed, third]
    assert len({press.split("/")[1][:4] for press in presses}) == 3, "three epochs"
    assert {press.split("/")[1][4:] for press in presses} == {".1"}, "each counts from one"
    stage.account(presses)
    assert seen(stage)[third].trust == "VERIFIED"


def test_the_posts_power_goes_in_the_middle_of_a_rhythm(village: Scene) -> None:
    """The panic was journaled and stands; back again, the post hears the rest of the same press, or its repetition."""
    stage, head = village, village.village.heads["RT04-02"]
    head.play("000=000", beat_s=0.6)
    until(lambda: head.pressed, "the first strike", 5)
    press = pressed(stage, head)
    stage.wait_stored([press])
    assert seen(stage)[press].kind == head.kind == "PANIC"
    stage.post.kill()
    stage.post.start()
    stage.wait_radio()
    assert is_kind(stage, press, "FIRE", 60).ids == (press,)
    lit(head)
    stage.account([press])


@pytest.fixture
def usb() -> Iterator[End]:
    end = End()
    yield end
    end.close()


def set_up(usb: End) -> None:
    """As a technician does it."""
    book = json.dumps({"name": "a", "rules": load_rules("a")})
    for line in (f"!name {REAL}", f"!key {key_of(REAL).hex()}", f"!codebook {book}"):
        usb.say(f"\n{line}\n")
        until(lambda line=line: f"!ok {line[1:].split()[0]}" in usb.listen(), line.split()[0], 10)


def presses_of(stage: Scene, head: str) -> list[str]:
    """What the desk holds of one head, in the order of its numbers; noted as pressed."""
    mine = sorted(press for press in seen(stage) if press.startswith(f"head:{head}/"))
    stage.pressed |= dict.fromkeys(mine, head)
    return mine


def test_the_genuine_firmware_all_the_way_and_back(village: Scene, usb: End, tmp_path: Path) -> None:
    """MicroPython, a UART, a node, the air, a gateway, the bridge, the desk, and back to three lamps; a power cut."""
    stage, uart = village, village.village.carrier(REAL).serve_textmsg()
    with powered(usb.path, uart, tmp_path / "flash", speed=1) as head:
        set_up(usb)
        head.do("play 000=000")
        until(lambda: presses_of(stage, REAL), "the first strike at the desk", 10)
        (press,) = presses_of(stage, REAL)
        assert is_kind(stage, press, "FIRE").trust == "VERIFIED"
        until(lambda: head.lamps() == "on slow off", "the police have it", 20)
        stage.officer("dispatch", press)
        until(lambda: head.lamps() == "on on on", "they are coming", 20)
        told = [shown for shown in head.shown if shown != "on off off"]  # "the post has it" may have been overtaken
        assert told[-3:] == ["slow off off", "on slow off", "on on on"]
        head.do("play 00=00")
        until(lambda: len(presses_of(stage, REAL)) == 2, "another press, and then no power", 10)
    with powered(usb.path, uart, tmp_path / "flash", speed=1) as head:
        head.do("play 00")
        until(lambda: len(presses_of(stage, REAL)) == 3, "the press after the power cut", 10)
    presses = presses_of(stage, REAL)
    assert [press.rpartition(".")[2] for press in presses] == ["1", "2", "3"]
    assert len({press.rpartition(".")[0] for press in presses}) == 1, "the flash kept its epoch"
    stage.account(presses)
