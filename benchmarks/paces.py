"""From the radio's bytes to the broker, one alarm at a time: ours and the plain script beside each other."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from benchmarks.disk import commits
from benchmarks.figures import Figure, percentile
from benchmarks.stage import Stage

GATEWAY = "pace"
GOALS = {50: 1.5, 99: 2.0}  # × (plain script + one durable commit)


@dataclass(slots=True)
class Samples:
    """Milliseconds, in the order they were measured."""

    ours: list[float] = field(default_factory=list)
    plain: list[float] = field(default_factory=list)
    commit: list[float] = field(default_factory=list)


def paces(stage: Stage) -> Iterator[Figure]:
    """20/s in short rounds by turns; 1/s at the same time, half a second apart."""
    with stage.post(GATEWAY), stage.plain():
        send(stage, stage.crowd(GATEWAY, 5), 0.2, "alarm")
        send(stage, stage.crowd("plain", 5), 0.2, "plain")
        yield from rows("20/s", often(stage, rounds=2 if stage.quick else 6, count=50))
        yield from rows("1/s", seldom(stage, count=20 if stage.quick else 300))


def often(stage: Stage, rounds: int, count: int) -> Samples:
    """`count` each at 20/s, and as many bare commits, `rounds` times."""
    samples = Samples()
    for _ in range(rounds):
        samples.ours += send(stage, stage.crowd(GATEWAY, count), 0.05, "alarm")
        samples.plain += send(stage, stage.crowd("plain", count), 0.05, "plain")
        samples.commit += commits(stage.folder, count, 0.05)
    return samples


def seldom(stage: Stage, count: int) -> Samples:
    """`count` each at 1/s, by turns; a bare commit follows a quarter of a second after each of ours."""
    samples = Samples()
    ours, plain = stage.crowd(GATEWAY, count), stage.crowd("plain", count)
    bare = threading.Timer(0.25, lambda: samples.commit.extend(commits(stage.folder, count, 1.0)))
    bare.start()
    sent_at = stage.radio.ask("send", orders=list(chain.from_iterable(zip(ours, plain, strict=True))), gap_s=0.5)
    samples.ours = late_ms(sent_at[::2], stage.hear("alarm", ours))
    samples.plain = late_ms(sent_at[1::2], stage.hear("plain", plain))
    bare.join()
    return samples


def send(stage: Stage, orders: list[tuple[str, int, str]], gap_s: float, leaf: str) -> list[float]:
    """Milliseconds from each press's bytes to its message at the broker."""
    sent_at = stage.radio.ask("send", orders=orders, gap_s=gap_s)
    return late_ms(sent_at, stage.hear(leaf, orders))


def late_ms(sent_at: Sequence[int], seen_at: Sequence[int]) -> list[float]:
    """Milliseconds between two lists of nanoseconds."""
    return [(seen - sent) / 1e6 for sent, seen in zip(sent_at, seen_at, strict=True)]


def rows(rate: str, samples: Samples) -> Iterator[Figure]:
    for percent, goal in GOALS.items():
        ours, plain, commit = (percentile(values, percent) for values in (samples.ours, samples.plain, samples.commit))
        yield Figure(f"radio → broker at {rate}, p{percent}", ours, "ms", plain=plain, note=f"n={len(samples.ours)}")
        what = f"  … as a multiple of (plain + one commit), p{percent}"
        yield Figure(what, ours / (plain + commit), "×", goal, note=f"one FULL commit here: {commit:.2f} ms")
