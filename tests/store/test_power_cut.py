"""The power fails at any moment: no press is missing whose JOURNALED was said before."""

import hashlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bridge.store import Journal, JournalReader
from tests.store.power import CALLS, Cut, Disk, Happening, Luck, Make, Promise, Remove, Sync, Write, happenings
from tests.store.promising import BURST, DIRECT, ONE_BY_ONE
from tests.store.village import BITS, NOW, heard, press_id

pytestmark = pytest.mark.mosquitto
ROOT = Path(__file__).resolve().parents[2]
PRESSES = ONE_BY_ONE + BURST + DIRECT
SEEDED_POINTS = 500


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> list[Happening]:
    """What the small bridge did to its disk, and what it promised, in order."""
    folder = tmp_path_factory.mktemp("watched")
    trace, journal = folder / "trace", folder / "post" / "journal.db"
    journal.parent.mkdir()
    watch = ["strace", "-f", "-qq", "-y", "-xx", "-s", "1000000", "-e", f"trace={CALLS}", "-o", str(trace)]
    program = [sys.executable, "-m", "tests.store.promising", str(journal)]
    ended = subprocess.run([*watch, *program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr[-2000:]
    told = list(happenings(trace, journal.parent))
    assert ended.stdout.split() == [word for what in told if isinstance(what, Promise) for word in said(what)]
    return told


@pytest.fixture
def after(tmp_path: Path) -> Iterator[Path]:
    """Where the disks are rebuilt: in memory if there is such a folder; a thousand of them take a minute elsewhere."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else tmp_path) as folder:
        yield Path(folder) / "after"


def said(what: Promise) -> tuple[str, str]:
    return "JOURNALED", str(what.number)


@dataclass(slots=True)
class Tally:
    """What was found after the power came back."""

    cuts: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    set_aside: list[str] = field(default_factory=list)
    kept_more: int = 0


def points(story: list[Happening]) -> dict[int, list[Luck]]:
    """After how many happenings the power fails: before and after every sync, and anywhere."""
    cuts: dict[int, list[Luck]] = {}
    for at, what in enumerate(story):
        if isinstance(what, Sync):
            for point in (at, at + 1):
                cuts[point] = list(Luck)
    chance = random.Random(35_09)
    for _ in range(SEEDED_POINTS):
        point = chance.randint(0, len(story))
        cuts.setdefault(point, []).append(chance.choice([Luck.KEPT_AT_RANDOM, Luck.TORN]))
    return cuts


def cut_everywhere(story: list[Happening], cuts: dict[int, list[Luck]], disk: Disk, folder: Path) -> Tally:
    """Live through the story once; at each point look at what a cut just there would leave."""
    tally, promised = Tally(), 0
    for at in range(len(story) + 1):
        for count, luck in enumerate(cuts.get(at, ())):
            folder.mkdir()
            disk.after_cut(folder, luck, random.Random(f"{at} {count} {luck}"))
            look(folder / "journal.db", promised, f"at {at} of {len(story)}, {luck.value}", tally)
            tally.cuts[luck.value] += 1
            shutil.rmtree(folder)
        if at < len(story):
            disk.happen(story[at])
            if isinstance(what := story[at], Promise):
                promised = what.number
    return tally


def look(path: Path, promised: int, where: str, tally: Tally) -> None:
    """Start a bridge on what is left. An alarm is there whole, with its press and a sound row for the desk, or not."""
    journal = Journal.open(path, run_bits=BITS, moment=NOW)
    loaded = journal.load()
    presses = set(loaded.memory.presses)
    if {press_id(number) for number in range(1, promised + 1)} - presses:
        tally.lost.append(f"{where}: {promised} promised, {len(presses)} there")
    if journal.set_aside is not None:
        tally.set_aside.append(f"{where}: {promised} promised")
    assert {alarm.id for alarm in loaded.memory.alarms} == presses, where
    rows = JournalReader(path).page(None, PRESSES)
    assert {row.alarm for row in rows} == presses, where
    assert [row for row in rows if hashlib.sha256(row.body.encode()).hexdigest() != row.sha256] == [], where
    tally.kept_more += len(presses) > promised
    journal.write(heard(9999))
    journal.close()


def test_no_promise_is_broken(story: list[Happening], after: Path) -> None:
    kinds = Counter(type(what).__name__ for what in story)
    assert kinds["Promise"] > ONE_BY_ONE + DIRECT and story[-1] != Promise(PRESSES)
    tally = cut_everywhere(story, points(story), Disk(), after)
    print(f"measured: what the bridge did: {dict(kinds)}")
    print(f"measured: power cuts, by what was not synced: {dict(tally.cuts)}")
    more = f"more there than was promised {tally.kept_more}"
    print(f"measured: lost {len(tally.lost)}, set aside {len(tally.set_aside)}, {more}")
    assert sum(tally.cuts.values()) >= 3 * kinds["Sync"] + SEEDED_POINTS
    assert (tally.lost, tally.set_aside) == ([], [])


def every_tenth(story: list[Happening]) -> dict[int, list[Luck]]:
    return {at: [Luck.DROPPED] for at in range(0, len(story), 10)}


def test_a_disk_that_only_says_it_syncs_is_found_out(story: list[Happening], after: Path) -> None:
    """The model can tell: the same cuts break promises when the disk lies."""
    tally = cut_everywhere(story, every_tenth(story), Disk(obeys=False), after)
    assert len(tally.lost) > 20


def test_a_name_that_is_not_synced_is_found_out(story: list[Happening], after: Path) -> None:
    """Files that are safe under names that are not: what opening and SQLite sync of the folder is needed."""
    tally = cut_everywhere(story, every_tenth(story), Disk(obeys_folder=False), after)
    assert len(tally.lost) > 20


def test_the_name_of_a_new_journal_is_safe_before_anything_is_promised(story: list[Happening]) -> None:
    """Whoever makes a name has the folder synced before the next promise."""
    unsynced: set[str] = set()
    for what in story:
        match what:
            case Make(name) if not name.endswith((".lock", "-shm", "-journal")):
                unsynced.add(name)
            case Sync(""):
                unsynced.clear()
            case Promise():
                assert unsynced == set()


def test_the_model_tears_and_drops() -> None:
    """A sector is whole or not there; what was synced stays."""
    disk, chance = Disk(), random.Random(1)
    for what in (Make("a"), Write("a", 0, b"1" * 2048), Sync("a"), Sync(""), Write("a", 0, b"2" * 2048), Cut("a", 9)):
        disk.happen(what)
    file = disk._names["a"]
    assert file.after_cut(Luck.DROPPED, chance) == b"1" * 2048
    torn = {file.after_cut(Luck.TORN, chance) for _ in range(200)}
    assert {len(left) for left in torn} == {9, 2048} and len(torn) > 10
    assert all(sectors(left) <= {b"1", b"2"} for left in torn)
    disk.happen(Remove("a"))
    assert disk._durable["a"] is file


def sectors(left: bytes) -> set[bytes]:
    """What each 512 bytes are made of; a mixture would be neither `1` nor `2`."""
    return {bytes(sorted(set(left[begin : begin + 512]))) for begin in range(0, len(left), 512)}
