"""The desk is killed between commit and receipt, and anywhere else: nothing is lost, doubled, or falsely receipted."""

import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.brokers import iotcore_broker
from tests.desk.live import LiveDesk, LivePost
from tests.desk.post import Post, press_id
from tests.patience import until

PER_BATCH = 8
BURST = 24  # batches in one storm
KILLS = 10
MOST_KILLS = 80
ARRIVES_S = 0.3  # what the desk had said before it died is with the post by then


@dataclass
class Storm:
    """A post that reports in batches until each is receipted, as a bridge does."""

    post: LivePost
    waiting: dict[str, list[int]] = field(default_factory=dict)
    presses: list[str] = field(default_factory=list)

    def gather(self) -> None:
        """A further burst; remembered before it is sent."""
        for _ in range(BURST):
            first = len(self.presses) + 1
            numbers = list(range(first, first + PER_BATCH))
            self.presses += map(press_id, numbers)
            self.waiting[self.post.post.batch()] = numbers

    def send(self) -> None:
        for batch, numbers in self.waiting.items():
            reports = [self.post.post.report(number) for number in numbers]
            self.post.send(self.post.post.alarms(*reports, batch=batch))

    def settle(self) -> bool:
        """Forget what is receipted; true when all is."""
        self.waiting = {batch: numbers for batch, numbers in self.waiting.items() if batch not in self.post.receipts}
        return not self.waiting


@pytest.fixture
def storm(tmp_path: Path) -> Iterator[Storm]:
    with iotcore_broker(tmp_path) as broker:
        desk = LiveDesk.create(tmp_path / "desk", broker.url)
        desk.know(Post())
        post = LivePost(Post(), desk).connect(broker.url)
        yield Storm(post)
        post.session.stop()
        desk.end(signal.SIGKILL)


def where_it_died(storm: Storm) -> Counter[str]:
    """How far the batches that wait had got. A receipt that no commit stands behind is a lie and fails here."""
    time.sleep(ARRIVES_S)
    stored = storm.post.desk.stored()
    for batch, receipt in storm.post.receipts.items():
        assert all(one.alarm in stored for one in receipt.stored), f"{batch} was receipted and is not there"
    storm.settle()
    return Counter(
        "committed, not receipted" if press_id(numbers[0]) in stored else "not committed"
        for numbers in storm.waiting.values()
    )


def account(storm: Storm) -> None:
    """Each press in exactly one case; every batch receipted."""
    assert storm.settle()
    assert storm.post.desk.stored() == dict.fromkeys(storm.presses, 1)
    with storm.post.desk.store() as store:
        assert len(set(store.stored_presses().values())) == len(storm.presses), "one case for each source's alarm"


def wal_time(desk: LiveDesk) -> int:
    """When the desk last wrote to its database's log, in ns."""
    wal = desk.folder / "desk.sqlite3-wal"
    return wal.stat().st_mtime_ns if wal.exists() else 0


@pytest.mark.timeout(300)
def test_killed_at_random_moments(storm: Storm) -> None:
    desk, chance, seen = storm.post.desk, random.Random(9), Counter[str]()
    kills = 0
    while kills < KILLS or not all(seen[window] for window in ("committed, not receipted", "not committed")):
        kills += 1
        assert kills <= MOST_KILLS, f"a window was never hit: {dict(seen)}"
        desk.start()
        storm.post.greet()
        storm.gather()
        before = wal_time(desk)
        storm.send()
        if kills % 2:  # half of them as soon as it writes: the gap between commit and receipt is a millisecond wide
            until(lambda before=before: wal_time(desk) != before, "the first write", 2.0)
        time.sleep(chance.uniform(0.0, 0.005 if kills % 2 else 0.04))
        desk.end(signal.SIGKILL)
        seen.update(dict.fromkeys(where_it_died(storm), 1))
    desk.start()
    storm.post.greet()
    storm.send()
    until(storm.settle, "every batch to be receipted")
    account(storm)
    print(f"measured: {kills} kills of the desk, {len(storm.presses)} presses; batches in how many: {dict(seen)}")


@pytest.mark.mosquitto
@pytest.mark.timeout(180)
def test_killed_at_every_sync_of_its_commits(storm: Storm) -> None:
    """strace kills it as it enters the n-th fdatasync: the log may be written by then, a receipt cannot be out."""
    desk, seen = storm.post.desk, {}
    for sync in range(1, 7):
        kill = f"inject=fdatasync:signal=KILL:when={sync}"
        desk.start("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", kill)
        storm.post.greet()
        while desk.is_running:
            storm.gather()
            storm.send()
            until(lambda: storm.settle() or not desk.is_running, f"receipts, or the kill at sync {sync}")
        desk.end(signal.SIGKILL)
        seen[sync] = dict(where_it_died(storm))
    committed = {batch for batch, numbers in storm.waiting.items() if press_id(numbers[0]) in desk.stored()}
    assert committed, f"a commit without its receipt was never hit: {seen}"
    desk.start()
    storm.post.greet()
    storm.send()
    until(storm.settle, "every batch to be receipted")
    assert committed <= set(storm.post.receipts), "what was stored already is receipted all the same"
    account(storm)
    print(f"measured: killed at sync n, batches of {PER_BATCH} were: {seen}")
