"""From the radio's bytes to the siren's command, in quiet and in trouble."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator

from benchmarks.bursts import BURST
from benchmarks.figures import Figure, percentile
from benchmarks.helpers import until
from benchmarks.paces import late_ms
from benchmarks.presses import PROBES, press_id
from benchmarks.stage import STALL, Stage

HOGS = 2
GAP_S = 0.2  # each of the eight kinds comes again after 1.6 s: its siren has ended by then
RUSH_GAP_S = 0.001  # six times what a serial line of 115,200 baud carries
SOUNDS_S = 1.0  # every siren of a series has ended, and the bridge knows it
P50_MS, P99_MS = 10.0, 100.0


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


def summary(when: str, found: list[float]) -> Iterator[Figure]:
    note = f"n={len(found)}, worst {max(found):.0f} ms"
    yield Figure(f"radio → siren command, {when}, p50", percentile(found, 50), "ms", P50_MS, note=note)
    yield Figure(f"radio → siren command, {when}, p99", percentile(found, 99), "ms", P99_MS)
