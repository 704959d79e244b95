"""Start, idleness, and how long a dead part stays unnoticed."""

import json
import os
import signal
import time
from collections.abc import Iterator
from statistics import median

from benchmarks.figures import Figure
from benchmarks.helpers import until
from benchmarks.programs import Program, kentongan
from benchmarks.stage import Stage

GATEWAY = "start"


def starts(stage: Stage) -> Iterator[Figure]:
    """From the spawn of the process to its first message at the broker, one alarm waiting in the node."""
    first_s = start_ours(stage)
    ours, plain = [], []
    for number in range(3 if stage.quick else 10):
        ours.append(start_ours(stage))
        plain.append(start_plain(stage, f"plain {number}"))
    note = f"median of {len(ours)}, worst {max(ours):.2f} s; the very first, which makes the journal: {first_s:.2f} s"
    yield Figure("start to the first relayed alarm", median(ours), "s", 1.0, plain=median(plain), note=note)


def start_ours(stage: Stage) -> float:
    orders = stage.crowd(GATEWAY, 1)
    stage.radio.ask("send", orders=orders)
    began = time.monotonic_ns()
    with stage.start(GATEWAY):
        took_s = (stage.hear("alarm", orders, 30)[0] - began) / 1e9
        stage.hear("receipt", orders, 30)
    return took_s


def start_plain(stage: Stage, gateway: str) -> float:
    """On a node of its own each time: the script says no goodbye, and a node goes on sending to a dead client."""
    url = stage.radio.ask("open", gateway=gateway)
    orders = [(gateway, order[1], order[2]) for order in stage.crowd("plain", 1)]
    stage.radio.ask("send", orders=orders)
    began = time.monotonic_ns()
    with stage.start_plain(url):
        return (stage.hear("plain", orders, 30)[0] - began) / 1e9


def idleness(stage: Stage) -> Iterator[Figure]:
    """Memory, CPU and disk writes of a connected bridge to which nothing happens."""
    with stage.post(GATEWAY) as bridge, stage.plain() as plain:
        time.sleep(8 if stage.quick else 20)  # the first minute's housekeeping is not idleness
        took_s = 20.0 if stage.quick else 60.0
        (cpu, written), (plain_cpu, _) = _spent(took_s, bridge, plain)
        rss, plain_rss, desk_rss = (program.vitals().rss_bytes / 1e6 for program in (bridge, plain, stage.desk))
    yield Figure("memory idle", rss, "MB", 85, plain=plain_rss, note=f"RSS; the desk: {desk_rss:.0f} MB")
    yield Figure("idle CPU", cpu / took_s * 100, "%", 0.5, plain=plain_cpu / took_s * 100, note=f"over {took_s:.0f} s")
    yield Figure("idle disk writes", float(written), "B", 0, note=f"in {took_s:.0f} s, by the kernel's count")


def _spent(took_s: float, *programs: Program) -> list[tuple[float, int]]:
    """CPU seconds and bytes written by each within `took_s`."""
    before = [program.vitals() for program in programs]
    time.sleep(took_s)
    after = [program.vitals() for program in programs]
    return [(b.cpu_s - a.cpu_s, b.written_bytes - a.written_bytes) for a, b in zip(before, after, strict=True)]


def noticing(stage: Stage) -> Iterator[Figure]:
    """The radio falls silent and the broker freezes, both with their connections standing."""
    with stage.post(GATEWAY) as bridge:
        stage.radio.ask("mute", gateway=GATEWAY, muted=True)
        stage.broker.freeze(True)
        began = time.monotonic()
        seen: dict[str, float] = {}

        def look() -> bool:
            for fault in stage.status(GATEWAY).get("faults", {}):
                seen.setdefault(fault.partition(":")[0], time.monotonic() - began)
            return bridge.check() and {"radio", "desk"} <= seen.keys()

        try:
            until(look, 120, "both are noticed", every_s=0.2)
        finally:
            stage.broker.freeze(False)
            stage.radio.ask("mute", gateway=GATEWAY, muted=False)
    yield Figure("half-open radio noticed", seen["radio"], "s", 30, note="plain: not within 135 s (measured earlier)")
    yield Figure("frozen broker noticed", seen["desk"], "s", 30)
    yield Figure("dead post shown at the desk", _death(stage), "s", 60, note="a bridge frozen, its connection standing")


def _death(stage: Stage) -> float:
    """From the freeze of a bridge until the desk's own list of posts says that it is away."""
    with stage.post(GATEWAY) as bridge:
        until(lambda: _is_online(stage), 30, "the desk sees the post")
        os.killpg(bridge.process.pid, signal.SIGSTOP)
        began = time.monotonic()
        try:
            until(lambda: not _is_online(stage), 120, "the desk sees that the post is dead", every_s=0.5)
        finally:
            os.killpg(bridge.process.pid, signal.SIGCONT)
        return time.monotonic() - began


def _is_online(stage: Stage) -> bool:
    """As `kentongan desk post list` shows it."""
    listed = json.loads(kentongan("desk", "post", "list", "--json", "--config", str(stage.folder / "desk/desk.toml")))
    return any(post["online"] for post in listed if post["post"].endswith(f"/{GATEWAY}"))
