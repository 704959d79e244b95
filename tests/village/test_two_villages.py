"""Two villages on one mesh and one desk: a storm of heads, and one rhythm that means two things."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import pytest

from bridge.codebook_files import load_codebook
from simulator.head import Head
from simulator.village import Village
from tests.brokers import mosquitto_broker
from tests.patience import until
from tests.village.heads import heads, lit, neighbour, pressed, seen, strike
from tests.village.scene import Scene, scene

pytestmark = pytest.mark.mosquitto

HERE = [f"A{number:02}" for number in range(100)]
THERE = [f"B{number:02}" for number in range(100)]
OLD_MEN = {"RT01-01": "a", "RT02-02": "d"}  # where doro muluk says that all is well, and where it tells of a death
KINDS = cycle(("PANIC", "THEFT", "FIRE", "DISASTER", "MEDICAL"))
DORO_MULUK = "0=0000000=0"


@dataclass(frozen=True, slots=True)
class Both:
    stage: Scene
    second: Path

    @property
    def heads(self) -> dict[str, Head]:
        return self.stage.village.heads


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """A hundred heads and an old man in each village; the houses hear both posts, and none of the others."""
    folder = tmp_path_factory.mktemp("two")
    here, there = people(HERE, "RT01-01"), people(THERE, "RT02-02")
    with (
        mosquitto_broker(folder) as broker,
        scene(folder, broker.url, sources=here) as stage,
        neighbour(stage, "35.09.14.2006", "pos-2", there) as (radio, second),
    ):
        for head in stage.village.heads:
            for post in (stage.gateway, radio):
                stage.village.link(post, stage.village.nodes[head])
        stage.village.link(stage.gateway, radio)
        stage.wait_desk()
        stage.wait_radio()
        yield Both(stage, second)


def people(names: list[str], old_man: str) -> Callable[[Village], str]:
    def make(village: Village) -> str:
        books = heads([old_man], codebook=load_codebook(OLD_MEN[old_man]))
        return heads(names, echo_s=(5, 60))(village) + books(village)

    return make


def test_an_old_mans_doro_muluk_clears_nothing_in_either_village(both: Both) -> None:
    stage, one, other = both.stage, both.heads["RT01-01"], both.heads["RT02-02"]
    presses = [strike(stage, one, DORO_MULUK), strike(stage, other, DORO_MULUK)]
    stage.wait_stored(presses)
    until(stage.rings, "the first strike rings", 20)
    until(lambda: (one.kind, other.kind) == ("AMAN", "NOTICE"), "each village's own meaning", 30)
    until(lambda: all(seen(stage)[press].remarks for press in presses), "the remarks at the desk", 20)
    until(lambda: all(len(seen(stage)[press].posts) == 2 for press in presses), "both posts heard it", 20)
    for press, meant in zip(presses, ("AMAN", "NOTICE"), strict=True):
        case = seen(stage)[press]
        assert (case.kind, case.trust, case.remarks) == ("PANIC", "VERIFIED", ("perhaps_no_danger",))
        assert case.stage == "STORED" and any(meant in words for words in case.words)
    lit(one, other)
    stage.account(presses)
    assert set(stage.rings()) == {"PANIC"}, "whatever was meant, no other kind rings"


@pytest.mark.timeout(400)
def test_two_hundred_heads_in_one_breath(both: Both) -> None:
    """Among them a pad that is held down, and two who strike a rhythm. Every one is counted, every lamp lit."""
    stage, storm = both.stage, [both.heads[name] for name in (*HERE, *THERE)]
    held, *striking = storm[:3]
    began = time.monotonic()
    held.contact(True)
    for head in striking:
        head.play("00=00", beat_s=0.25)
    for head, kind in zip(storm[3:], KINDS, strict=False):
        head.press(kind)
    until(lambda: all(head.pressed for head in storm), "every press", 30)
    presses = [pressed(stage, head) for head in storm]
    stage.wait_stored(presses, 60)
    stored_s = time.monotonic() - began
    until(lambda: all(head.letters for head in storm), "every head's lamps", 200)
    lit_s = time.monotonic() - began
    stage.account(presses)
    assert len(set(presses)) == len(storm) == 200
    assert [len(head.pressed) for head in storm] == [1] * 200, "a pad that is held is one press"
    until(lambda: held.is_stuck, "the held pad is a fault", 30)
    until(lambda: {seen(stage)[head.press_id].kind for head in striking} == {"THEFT"}, "the rhythms at the desk", 30)
    assert {seen(stage)[press].trust for press in presses} == {"VERIFIED"}
    print(f"measured: 200 heads, two posts: all stored in {stored_s:.1f} s, all lamps lit in {lit_s:.1f} s")
