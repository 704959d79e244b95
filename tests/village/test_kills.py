"""The bridge is killed at random points; every press is in exactly one case all the same."""

import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.store.reader import JournalReader
from tests.brokers import Mosquitto
from tests.patience import until
from tests.village.presses import strangers, text_packet, told
from tests.village.scene import Scene, scene, slow_disk

pytestmark = pytest.mark.mosquitto

BURST = 60
SPANS_S = ((0.0, 0.005), (0.005, 0.05), (0.05, 0.11), (0.11, 0.2))  # when to kill: a span by chance, a moment in it too
STAGES = ("inbox", "uncommitted", "in flight", "unreceipted")


@pytest.fixture
def slow_evening(tmp_path: Path, broker: Mosquitto) -> Iterator[Scene]:
    """0.7 ms for each write to the disk and 60 ms each way to the broker, as on a cheap card and a rural line: a press
    spends long enough in each stage for a random kill to meet it there. (What was written survives kill -9, synced or
    not; the cut power has its own test in tests/store.)"""
    slow = slow_disk(0.0007, calls="pwrite64")
    with scene(tmp_path, broker.url, post_before=slow, wire_delay_s=0.06) as stage:
        stage.wait_desk(40)
        yield stage


def journaled(stage: Scene) -> tuple[set[str], set[str]]:
    """Presses on the post's disk, and those of them whose alarm waits for the desk."""
    reader = JournalReader(stage.post_toml.parent / "journal.db")
    waiting = {row.alarm for row in reader.page(None, 100_000)}
    return {press for line in reader.alarms(100_000) for press in line["presses"]}, waiting


def stages_at_death(stage: Scene, presses: list[str], stored: set[str]) -> set[str]:
    """How far the presses of the last burst had got when the bridge died; `stored`: what the desk had just then."""
    heard = stage.post.text()
    known, waiting = journaled(stage)
    found = set()
    for press in presses:
        if press not in known:
            found.add("uncommitted" if press in heard else "inbox")
        elif press in waiting:
            found.add("unreceipted" if press in stored else "in flight")
    return found


def kill_again_and_again(stage: Scene, kills: int, seed: int) -> Counter[str]:
    chance = random.Random(seed)
    seen: Counter[str] = Counter()
    everything: list[str] = []
    for round_ in range(2 * kills):
        if round_ >= kills and all(seen[name] for name in STAGES):
            break  # some more only where chance has not met a stage
        stage.wait_radio()
        presses = strangers(stage, BURST, 0x3000_0000 + round_ * BURST)
        everything += presses
        time.sleep(chance.uniform(*chance.choice(SPANS_S)))
        stage.post.kill()
        seen.update(stages_at_death(stage, presses, set(stage.stored())))
        check_promises(stage, presses)
        stage.post.start()
        stage.wait_radio()
        # The last burst all come again, known or not; of the older ones whoever was not heard strikes on.
        known, _ = journaled(stage)
        for press in everything:
            if press in presses or press not in known:
                stage.gateway.deliver(text_packet(sender_of(press), 0x0100_0000))
    stage.wait_stored(everything, 60)
    stage.account(everything)
    done = len(everything) // BURST
    print(f"measured: {done} kills of the bridge, {len(everything)} presses; in how many some were: {dict(seen)}")
    return seen


def check_promises(stage: Scene, presses: list[str]) -> set[str]:
    """Before anybody strikes again: whoever was answered is on the disk. The answered presses."""
    heard = told(stage)
    answered = {press for press in presses if sender_of(press) in heard}
    assert answered <= journaled(stage)[0], "an answer went out for what the disk does not have"
    return answered


def sender_of(press: str) -> int:
    return int(press.removeprefix("node:").split("/")[0], 16)


@pytest.mark.timeout(600)
def test_twenty_five_kills_lose_nothing_and_double_nothing(slow_evening: Scene) -> None:
    seen = kill_again_and_again(slow_evening, 25, seed=25)
    assert all(seen[stage] for stage in STAGES), f"a stage was never hit: {dict(seen)}"


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_two_hundred_kills_lose_nothing_and_double_nothing(slow_evening: Scene) -> None:
    seen = kill_again_and_again(slow_evening, 200, seed=200)
    assert all(seen[stage] for stage in STAGES), f"a stage was never hit: {dict(seen)}"


@pytest.mark.timeout(180)
def test_whoever_is_answered_is_on_the_disk_when_the_bridge_dies_at_that_moment(slow_evening: Scene) -> None:
    stage = slow_evening
    stage.wire.cut()
    presses = []
    for round_ in range(8):
        stage.wait_radio()
        presses.append(stage.press(f"RT05-{round_:02}"))
        until(lambda: sender_of(presses[-1]) in told(stage), "an answer goes out", 20)
        stage.post.kill()
        assert check_promises(stage, presses) == set(presses)
        stage.post.start()
    stage.wire.heal()
    stage.wait_stored(presses, 60)
    stage.account(presses)


@pytest.mark.timeout(180)
def test_a_broker_killed_after_its_puback_loses_nothing(evening: Scene, broker: Mosquitto) -> None:
    """Mosquitto's default persistence keeps nothing across kill -9; the desk stands still and has read nothing."""
    evening.wait_radio()
    evening.desk.freeze()
    presses = strangers(evening, 20)

    def brokered() -> bool:
        alarms = evening.status().get("alarms", [])
        return len(alarms) == 20 and all(alarm["stage"] == "BROKERED" for alarm in alarms)

    until(brokered, "the broker's PUBACK for every alarm", 15)
    broker.kill()
    evening.desk.kill()  # with it goes what its socket still held
    broker.start()
    assert not set(evening.stored()) & set(presses)
    evening.desk.start()
    evening.wait_stored(presses, 60)
    evening.account(presses)


def test_a_replay_after_a_restart_is_nothing_new(evening: Scene) -> None:
    presses = strangers(evening, 5)
    evening.wait_stored(presses)
    evening.post.stop()
    rings = evening.rings()  # what was still under way ended with the post
    evening.post.start()
    evening.wait_radio()
    strangers(evening, 5)
    after = evening.press("RT03-12", "maling")
    evening.wait_stored([after])
    evening.account([*presses, after])
    until(lambda: evening.rings() == [*rings, "THEFT"], "the new press rings, and no other", 20)
