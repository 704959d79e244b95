"""`python -m benchmarks [--quick] [--only PART …]`: one table, and the same as JSON in benchmarks/latest.json."""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

from benchmarks import peers
from benchmarks.account import account
from benchmarks.backlogs import backlogs
from benchmarks.bursts import bursts
from benchmarks.figures import Figure, table
from benchmarks.helpers import BenchFailed
from benchmarks.lives import idleness, noticing, starts
from benchmarks.paces import paces
from benchmarks.rings import rings
from benchmarks.stage import Stage, stage
from benchmarks.tools import tools
from simulator.rate import measure

LATEST = Path(__file__).parent / "latest.json"
BUSY = 0.5  # processes waiting, averaged over a minute, before we begin
CEILING = 3.0  # the simulated radio must be so many times as fast as what is measured with it


def radio_rate(_stage: Stage) -> Iterator[Figure]:
    yield Figure(
        "simulated radio, packets read by a bare client", measure(), "/s", 9_000, False, note="3 × the burst goal"
    )


PARTS: dict[str, Callable[[Stage], Iterator[Figure]]] = {
    "radio": radio_rate,
    "start": starts,
    "idle": idleness,
    "pace": paces,
    "burst": bursts,
    "siren": rings,
    "backlog": backlogs,
    "notice": noticing,
    "tools": tools,
}


def main() -> int:
    """The exit code: 1 when something was lost or did not come; a missed goal is only shown."""
    wishes = _wishes()
    figures: list[Figure] = []
    began, load = time.monotonic(), os.getloadavg()[0]
    if load > BUSY:
        _say(f"the machine is busy (load {load:.1f}): latencies will be worse than they are")
    try:
        with stage(wishes.quick) as here:
            for name in wishes.only or PARTS:
                _say(f"{time.monotonic() - began:5.0f} s  {name}")
                figures += PARTS[name](here)
            figures += account(here)
        _check_ceiling(figures)
    except BenchFailed as fault:
        _say(f"bench failed: {fault}")
        return 1
    finally:
        print("\n".join(table(figures)))
    print("\n".join(["", *peers.lines()]))
    LATEST.write_text(json.dumps(_report(wishes.quick, time.monotonic() - began, load, figures), indent=1) + "\n")
    return 0


def _wishes() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer samples")
    parser.add_argument("--only", nargs="+", choices=PARTS, metavar="PART", help=", ".join(PARTS))
    return parser.parse_args()


def _check_ceiling(figures: list[Figure]) -> None:
    """A figure that the simulator itself limits would say nothing about the bridge."""
    speed = {figure.what: figure.value for figure in figures}
    radio = next((value for what, value in speed.items() if what.startswith("simulated radio")), None)
    burst = next((value for what, value in speed.items() if what.startswith("burst of")), None)
    if radio is not None and burst is not None and radio < CEILING * burst:
        raise BenchFailed(
            f"the simulated radio gives {radio:,.0f}/s, less than {CEILING:g} × the {burst:,.0f}/s measured"
        )


def _report(quick: bool, took_s: float, load: float, figures: list[Figure]) -> dict[str, object]:
    return {
        "quick": quick,
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "took_s": round(took_s),
        "load_before": load,
        "machine": {"cores": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()},
        "figures": [asdict(figure) | {"reached": figure.reached} for figure in figures],
        "peers_measured_earlier": peers.rows(),
    }


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
