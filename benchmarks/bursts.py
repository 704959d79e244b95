"""2,000 alarms of 2,000 sources as fast as the radio's bytes can be read."""

from collections.abc import Iterator
from statistics import median

from benchmarks.figures import Figure
from benchmarks.helpers import BenchFailed, until
from benchmarks.stage import Stage

GATEWAY = "burst"
BURST = 2_000


def bursts(stage: Stage) -> Iterator[Figure]:
    """Ours and plain by turns; relayed per second is counted from the first to the last at the broker."""
    ours, plain, whole = [], [], []
    with stage.post(GATEWAY) as bridge, stage.plain():
        for _ in range(2 if stage.quick else 6):
            rate, whole_rate = burst(stage, GATEWAY, "alarm")
            ours.append(rate)
            whole.append(whole_rate)
            until(lambda: bridge.check() and stage.waiting(GATEWAY) == 0, 60, "the burst's receipts", every_s=0.1)
            plain.append(burst(stage, "plain", "plain")[0])
    note = f"{min(ours):,.0f}–{max(ours):,.0f} in {len(ours)} rounds; every one was on the disk before it was relayed"
    yield Figure(f"burst of {BURST:,}, journaled and relayed", median(ours), "/s", 3_000, False, median(plain), note)
    yield Figure("  … counted from the first radio byte", median(whole), "/s")


def burst(stage: Stage, gateway: str, leaf: str) -> tuple[float, float]:
    """Relayed per second: from the first to the last at the broker, and from the first byte of the radio."""
    orders = stage.crowd(gateway, BURST)
    unsafe = stage.ear.unsafe
    sent_at = stage.radio.ask("send", orders=orders)
    seen = stage.hear(leaf, orders)
    if stage.ear.unsafe > unsafe:
        raise BenchFailed(f"{stage.ear.unsafe - unsafe} of the burst were relayed before they were journaled")
    return BURST * 1e9 / (max(seen) - min(seen)), BURST * 1e9 / (max(seen) - sent_at[0])
