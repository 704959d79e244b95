"""10,000 alarms that came while the broker was away: on the disk, in memory, and then away to the desk."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median

from benchmarks.figures import Figure
from benchmarks.helpers import until
from benchmarks.paces import late_ms
from benchmarks.programs import Program
from benchmarks.rings import rung, summary
from benchmarks.stage import Stage, ids

BACKLOG = 10_000
LATEST_S = 150.0  # a row that found no room is swept up within a minute
GOALS = {"drain": 5_000, "far": 1_500}
PLACES = {"drain": "loopback", "far": "200 ms RTT"}


@dataclass(slots=True)
class Drains:
    """What the rounds at one post gave; rates per second, `rings` and `live` in milliseconds."""

    journaled: list[float] = field(default_factory=list)
    receipted: list[float] = field(default_factory=list)
    emptied_s: list[float] = field(default_factory=list)
    rings: list[float] = field(default_factory=list)
    live: list[float] = field(default_factory=list)
    rss_bytes: int = 0


def backlogs(stage: Stage) -> Iterator[Figure]:
    """Two rounds for the rate, and more in which sirens must ring meanwhile."""
    rings: list[float] = []
    live: list[float] = []
    for name, goal in GOALS.items():
        found = Drains()
        with stage.post(name) as bridge:
            for number in range(2 if stage.quick else 5):
                drain(stage, name, bridge, found, with_probes=number >= (1 if stage.quick else 2))
        rings += found.rings
        live += found.live
        what = f"backlog of {BACKLOG:,} drained to receipts, {PLACES[name]}"
        note = f"from heal to an empty outbox {median(found.emptied_s):.1f} s, the reconnect included"
        yield Figure(what, median(found.receipted), "/s", goal, False, note=note)
        if name == "drain":
            yield Figure(f"{BACKLOG:,} journaled while the broker is away", median(found.journaled), "/s")
            yield Figure(f"memory with {BACKLOG:,} alarms waiting", found.rss_bytes / 1e6, "MB", 110)
    yield from summary("during a drain", rings)
    yield Figure(
        "radio → broker during a drain, worst", max(live), "ms", note=f"n={len(live)}; live goes before backlog"
    )


def drain(stage: Stage, name: str, bridge: Program, found: Drains, with_probes: bool) -> None:
    """One round: cut, fill, heal, count."""
    stage.lines.ask("cut", name=name)
    orders = stage.crowd(name, BACKLOG)
    began = stage.radio.ask("send", orders=orders)[0]
    until(lambda: bridge.check() and stage.waiting(name) == BACKLOG, 120, f"{BACKLOG} in the outbox of {name}", 0.05)
    found.journaled.append(BACKLOG * 1e9 / (time.monotonic_ns() - began))
    found.rss_bytes = found.rss_bytes or bridge.vitals().rss_bytes
    stage.lines.ask("heal", name=name)
    healed = time.monotonic()
    if with_probes:
        until(lambda: has_begun(stage, orders), 60, "the drain begins")
        knock(stage, name, found)
    seen, receipted = stage.hear("alarm", orders, 120), stage.hear("receipt", orders, 120)
    until(lambda: bridge.check() and stage.waiting(name) == 0, LATEST_S, f"the outbox of {name} is empty", 0.02)
    if not with_probes:
        found.receipted.append(BACKLOG * 1e9 / (max(receipted) - min(seen)))
        found.emptied_s.append(time.monotonic() - healed)


def knock(stage: Stage, name: str, found: Drains) -> None:
    """A few live alarms while the backlog goes: their sirens, and when they reach the broker."""
    probes = stage.probes(name, 10 if name == "drain" else 30)
    sent_at = stage.radio.ask("send", orders=probes, gap_s=0.1)
    found.rings += late_ms(sent_at, rung(stage, probes))
    found.live += late_ms(sent_at, stage.hear("alarm", probes, LATEST_S))


def has_begun(stage: Stage, orders: list[tuple[str, int, str]]) -> bool:
    """Whether any of them is at the broker."""
    return stage.ear.count("alarm", ids(orders)) > 0
