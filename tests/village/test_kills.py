"""The bridge is killed at random points; every press is in exactly one case all the same."""

import random
import time
from collections import Counter

import pytest

from bridge.store.reader import JournalReader
from tests.brokers import Mosquitto
from tests.village.presses import press_id, strangers, text_packet, told
from tests.village.scene import Scene, until

pytestmark = pytest.mark.mosquitto

BURST = 60
MOST = 4
STAGES = ("inbox", "uncommitted", "in flight", "unreceipted")


def stages_at_death(stage: Scene, presses: list[str]) -> set[str]:
    """How far the presses of the last burst had got when the bridge died."""
    heard = stage.post.text()
    journal = JournalReader(stage.post_toml.parent / "journal.db")
    waiting = {row.alarm for row in journal.page(None, 100_000)}
    known = {press for line in journal.alarms(100_000) for press in line["presses"]}
    time.sleep(0.3)  # what is on its way to the desk arrives
    stored = set(stage.stored())
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
    for round_ in range(MOST * kills):
        if round_ >= kills and all(seen[name] for name in STAGES):
            break  # chance may need a few more kills until every stage was hit
        stage.wait_radio()
        first = 0x3000_0000 + round_ * BURST
        presses = strangers(stage, BURST, first)
        everything += presses
        time.sleep(chance.uniform(0.0, 0.03))
        stage.post.kill()
        seen.update(stages_at_death(stage, presses))
        stage.post.start()
        stage.wait_radio()
        for press in presses:  # whoever was not answered strikes on: the same presses come again
            sender = int(press[5:13], 16)
            stage.gateway.deliver(text_packet(sender, 0x0100_0000))
            assert press == press_id(sender, 0x0100_0000)
    stage.wait_stored(everything, 60)
    stage.account(everything)
    promised = {press for press in everything if int(press[5:13], 16) in told(stage)}
    assert promised and promised <= set(stage.stored())
    return seen


@pytest.mark.timeout(600)
def test_twenty_five_kills_lose_nothing_and_double_nothing(evening: Scene) -> None:
    seen = kill_again_and_again(evening, 25, seed=25)
    print(f"\n25 kills of the bridge or more; in how many of them presses were …: {dict(seen)}")
    assert all(seen[stage] for stage in STAGES), f"a stage was never hit: {dict(seen)}"


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_two_hundred_kills_lose_nothing_and_double_nothing(evening: Scene) -> None:
    seen = kill_again_and_again(evening, 200, seed=200)
    print(f"\n200 kills of the bridge; in how many of them presses were …: {dict(seen)}")
    assert all(seen[stage] for stage in STAGES), f"a stage was never hit: {dict(seen)}"


@pytest.mark.timeout(180)
def test_a_broker_killed_after_its_puback_loses_nothing(evening: Scene, broker: Mosquitto) -> None:
    """Mosquitto's default persistence keeps nothing across kill -9; the desk stands still and has read nothing."""
    evening.wait_radio()
    evening.desk.freeze()
    presses = strangers(evening, 20)

    def brokered() -> bool:
        alarms = evening.status().get("alarms", [])
        return len(alarms) == 20 and all(alarm["stage"] == "BROKERED" for alarm in alarms)

    until(brokered, 15, "the broker's PUBACK for every alarm")
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
    rings = evening.rings()
    evening.post.stop()
    evening.post.start()
    evening.wait_radio()
    strangers(evening, 5)
    after = evening.press("RT03-12", "maling")
    evening.wait_stored([after])
    evening.account([*presses, after])
    assert evening.rings() == [*rings, "THEFT"]
