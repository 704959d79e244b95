"""What a technician waits for: the help, and one box set up over a serial line's worth of bytes."""

import time
from collections.abc import Iterator
from statistics import median

from benchmarks.figures import Figure
from benchmarks.programs import kentongan
from benchmarks.stage import Stage
from simulator.village import Village
from simulator.wire import Wire

BYTES_S = 115_200 / 10  # a byte on a serial line has a start and a stop bit
RESTART_S = 7.0  # as measured on real firmware after a module's settings were written
NEIGHBOURS = 60
BUTTON = "RT03-12"


def tools(stage: Stage) -> Iterator[Figure]:
    """The commands as typed, each a process of its own."""
    help_s = [_timed("--help") for _ in range(5 if stage.quick else 20)]
    yield Figure("kentongan --help", median(help_s), "s", 0.5, note=f"worst {max(help_s):.2f} s")
    yield _one_box(stage)


def _one_box(stage: Stage) -> Figure:
    folder = stage.folder / "suci"
    kentongan("node", "new", str(folder), "--village", "35.09.14.2005")
    file = folder / "village.yaml"
    file.write_text(f"{file.read_text()}  - name: {BUTTON}\n    profile: button\n    pins:\n      button: 4\n")
    with Village(seed=1) as village:
        box = village.factory_new(BUTTON, reboot_s=RESTART_S)
        for number in range(NEIGHBOURS):
            box.meet(village.house(f"N{number}"))
        wire = Wire(("127.0.0.1", int(box.serve_tcp().rpartition(":")[2])), bytes_s=BYTES_S)
        took_s = _timed("node", "apply", str(file), BUTTON, "--port", f"tcp://127.0.0.1:{wire.port}")
        wire.stop()
        beside_s = took_s - box.reboots * RESTART_S
    note = f"{took_s:.1f} s in all, {box.reboots} restart of {RESTART_S:g} s, {NEIGHBOURS} nodes in its database"
    return Figure("one box set up at 115,200 baud, beside its restarts", beside_s, "s", 60, note=note)


def _timed(*words: str) -> float:
    began = time.monotonic()
    kentongan(*words)
    return time.monotonic() - began
