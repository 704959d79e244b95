"""The demo is what a newcomer sees first: it tells the truth, also when something breaks."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.patience import until

DEMO = [sys.executable, "-m", "cli", "demo", "--json"]


def demo(*more: str, home: Path) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    environment = os.environ | {"TMPDIR": str(home)}
    return subprocess.Popen(DEMO + list(more), stdout=pipe, stderr=pipe, text=True, env=environment)


def end(running: subprocess.Popen[str]) -> None:
    """Whatever the story came to, nothing of it is left."""
    running.kill()
    running.wait()
    for pipe in (running.stdout, running.stderr):
        if pipe is not None:
            pipe.close()


def children(parent: int) -> dict[int, str]:
    """Process id → command line of a process's children, from /proc."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rsplit(")", 1)[1].split()[1]) == parent:
                found[int(stat.parent.name)] = (stat.parent / "cmdline").read_text().replace("\0", " ")
        except (OSError, IndexError):
            continue  # it ended while we looked
    return found


def in_order(told: str, words: Sequence[str]) -> bool:
    """Whether each is said, for the first time after the one before."""
    places = [told.find(word) for word in words]
    return places == sorted(places) and -1 not in places


def test_the_demo_counts_at_both_ends_and_ends_well_within_a_minute(tmp_path: Path) -> None:
    start = time.monotonic()
    running = demo("--lang", "en", home=tmp_path)
    out, told = running.communicate(timeout=100)
    assert running.returncode == 0, told
    words = (
        "is cut", "strikes the kentongan: 000=000", "sounds: PANIC RT03-12", "sounds: FIRE RT03-12", "is back",
        "stores: FIRE", "reads", "sends", "closes", "Done",
    )  # fmt: skip
    assert in_order(told, words), told
    lamps = (
        "◔○○  sent",
        "●◑○  police not connected",
        "●◔○  the police have it",
        "●●○  an officer",
        "●●●",
        "◉◉◉  closed",
    )
    assert in_order(told, [f"lamps of RT03-12: {shown}" for shown in lamps]), told
    assert in_order(told, ("sends a car to RT03-12", "●●●", "closes the alarm of RT03-12", "◉◉◉  closed")), told
    result = json.loads(out)
    counted = {name: result[name] for name in ("pressed", "stored", "answered", "lost", "doubled")}
    assert counted == {"pressed": 2, "stored": 2, "answered": 2, "lost": 0, "doubled": 0}
    assert {"siren", "rhythm", "stored", "told_not_connected", "told_closed"} <= set(result["seconds"])
    took_s = time.monotonic() - start
    print(f"measured: the demo took {took_s:.0f} s of the 60 it may, beside the other tests")
    assert took_s < 100
    assert list(tmp_path.iterdir()) == [], "the demo leaves nothing behind"


def test_a_desk_that_dies_makes_the_demo_fail_and_say_so(tmp_path: Path) -> None:
    running = demo(home=tmp_path)
    try:
        desk = until(lambda: [pid for pid, words in children(running.pid).items() if "desk run" in words], "a desk", 30)
        os.kill(desk[0], signal.SIGKILL)
        out, told = running.communicate(timeout=100)
    finally:
        end(running)
    assert running.returncode == 1, told
    assert "desk" in json.loads(out)["failed"]


def test_stay_keeps_running_until_told_to_stop(tmp_path: Path) -> None:
    running = demo("--stay", home=tmp_path)
    try:
        assert running.stderr is not None
        told = ""
        while "tcp://" not in told:
            line = running.stderr.readline()
            assert line, f"it ended by itself: {told}"
            told += line
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=30)
    finally:
        end(running)
    assert list(tmp_path.iterdir()) == []
