"""From the radio's bytes to the siren's command, in quiet and in trouble."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator

from benchmarks.board import BoardEar
from benchmarks.bursts import BURST
from benchmarks.figures import Figure, percentile
from benchmarks.helpers import until
from benchmarks.paces import late_ms
from benchmarks.presses import PROBES, press_id
from benchmarks.stage import STALL, Stage
from cli.control_client import ask

HOGS = 2
GAP_S = 0.2  # each of the eight kinds comes again after 1.6 s: its siren has ended by then
RUSH_GAP_S = 0.001  # six times what a serial line of 115,200 baud carries
SOUNDS_S = 1.0  # every siren of a series has ended, and the bridge knows it
P50_MS, P99_MS = 10.0, 100.0
MOCK_PINS = ("env", "GPIOZERO_PIN_FACTORY=mock")
BESIDE = """
[[output]]
name = "pin"
driver = "gpio"
pin = "GPIO17"

[[output]]
name = "gone"
driver = "serial"
url = "serial:///dev/serial/by-id/nothing"
"""


def rings(stage: Stage) -> Iterator[Figure]:
    """One post for quiet, hogs and bursts; another whose every fsync takes five seconds, with hogs."""
    count = 25 if stage.quick else 120
    with stage.post("siren"):
        rang_ms(stage, stage.probes("siren", len(PROBES)), GAP_S)
        yield from summary("quiet", rang_ms(stage, stage.probes("siren", count), GAP_S))
        with hogs():
            yield from summary(f"{HOGS} CPU hogs", rang_ms(stage, stage.probes("siren", count), GAP_S))
        rounds = 3 if stage.quick else 12
        yield from summary(f"{BURST:,} others at 1,000/s", in_bursts(stage, rounds, RUSH_GAP_S))
        yield from summary(f"{BURST:,} others at once", in_bursts(stage, rounds, 0.0))
    yield from summary(f"disk stalled 5 s, {HOGS} hogs", while_stalled(stage, count))
    with contextlib.closing(BoardEar(stage.folder)) as board:
        yield from in_a_bank(stage, board, count)


def in_bursts(stage: Stage, rounds: int, gap_s: float) -> list[float]:
    """Eight other kinds spread over a burst of panics, `gap_s` from one press to the next."""
    found: list[float] = []
    for _ in range(rounds):
        orders = stage.crowd("siren", BURST)
        mixed = stage.probes("siren", len(PROBES))
        for at, probe in enumerate(mixed, start=1):
            orders.insert(at * BURST // (len(mixed) + 1), probe)
        sent_at = stage.radio.ask("send", orders=orders, gap_s=gap_s)
        sent = dict(zip((number for _, number, _ in orders), sent_at, strict=True))
        found += late_ms([sent[number] for _, number, _ in mixed], rung(stage, mixed))
        stage.hear("receipt", orders, 60)
        time.sleep(SOUNDS_S)
    return found


def while_stalled(stage: Stage, count: int) -> list[float]:
    """Every sync of the bridge takes 5 s; probes come while the first one's commit stands."""
    with stage.post("stall"):
        pass  # the journal is made while the disk is well
    with stage.post("stall", before=STALL, limit_s=180), hogs():
        first = stage.crowd("stall", 1)
        stage.radio.ask("send", orders=first)
        probes = stage.probes("stall", count)
        found = rang_ms(stage, probes, GAP_S)
        stage.hear("receipt", first + probes, 180)
    return found


def in_a_bank(stage: Stage, board: BoardEar, count: int) -> Iterator[Figure]:
    """A command, a relay board, a pin and a board that is not there, side by side: each has its own time."""
    with (stage.folder / "siren/post.toml").open("a") as toml:
        toml.write(board.output + BESIDE)
    with stage.post("siren", before=MOCK_PINS), hogs():
        until(lambda: board.switched, 10, "the relay board is told to be off")
        commands, boards = [], []
        for probe in stage.probes("siren", count):
            found = both_ms(stage, board, probe)
            commands.append(found[0])
            boards.append(found[1])
    yield from summary(f"four sirens, {HOGS} hogs", commands)
    yield from summary(f"four sirens, {HOGS} hogs", boards, "relay board")


def both_ms(stage: Stage, board: BoardEar, probe: tuple[str, int, str]) -> tuple[float, float]:
    """Milliseconds to the command and to the board; silent again when it returns."""
    sent = stage.radio.ask("send", orders=[probe])
    (rang,) = rung(stage, [probe])
    until(lambda: board.is_on, 30, "the relay board is on")
    on_at = board.switched[-1][1]
    ask(stage.folder / "siren/kentongan.sock", "siren off", by="the bench")
    until(lambda: not board.is_on, 30, "the relay board is off")
    return late_ms(sent, [rang])[0], late_ms(sent, [on_at])[0]


def rang_ms(stage: Stage, orders: list[tuple[str, int, str]], gap_s: float) -> list[float]:
    """Milliseconds from each press's bytes to its siren; returns when all have ended."""
    found = late_ms(stage.radio.ask("send", orders=orders, gap_s=gap_s), rung(stage, orders))
    time.sleep(SOUNDS_S)
    return found


def rung(stage: Stage, orders: list[tuple[str, int, str]]) -> list[int]:
    """When the siren of each was started. Raises BenchFailed when one was not."""
    presses = [press_id(number) for _, number, _ in orders]
    rang = stage.siren.rang
    until(lambda: all(press in rang for press in presses), 30, f"{len(presses)} sirens ring")
    return [rang[press] for press in presses]


@contextlib.contextmanager
def hogs() -> Iterator[None]:
    """Busy processes, as many as HOGS."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(HOGS)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def summary(when: str, found: list[float], what: str = "siren command") -> Iterator[Figure]:
    note = f"n={len(found)}, worst {max(found):.0f} ms"
    yield Figure(f"radio → {what}, {when}, p50", percentile(found, 50), "ms", P50_MS, note=note)
    yield Figure(f"radio → {what}, {when}, p99", percentile(found, 99), "ms", P99_MS)
