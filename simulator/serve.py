"""A whole village as one call: a gateway that serves, houses that strike by a script, until somebody says stop."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from simulator.air import Air
from simulator.script import Strike, evening, play
from simulator.village import Village


def house_names(count: int) -> tuple[str, ...]:
    """Names by neighbourhood, twenty houses in each: RT01-01, RT01-02, …"""
    return tuple(f"RT{1 + number // 20:02}-{1 + number % 20:02}" for number in range(count))


def main_village(
    port: int | None,
    houses: int,
    seed: int,
    stop_event: threading.Event,
    script: Sequence[Strike] | None = None,
    pty: Path | None = None,
    tell: Callable[[str], None] = print,
) -> None:
    """Serve until `stop_event` is set: on loopback TCP `port` (0: any free one, None: not), and on a pty named `pty`.

    script: who strikes when (default: a new evening from the seed). tell: gets one line for each thing that happens.
    Raises OSError when the port or the name is taken.
    """
    with Village(seed=seed, air=Air(seed, delay_s=0.2)) as village:
        gateway = village.gateway("Pos 1")
        for name in house_names(houses):
            village.house(name)
        if port is not None:
            tell(gateway.serve_tcp(port))
        if pty is not None:
            tell(gateway.serve_pty(pty))
        if script is None:
            script = evening(house_names(houses), seed) if houses else ()
        play(script, village.nodes, stop_event, lambda call, packet_id: tell(_line(call, packet_id)))
        stop_event.wait()


def _line(call: Strike, packet_id: int) -> str:
    return f"{call.at_s:6.1f} s  {call.house}  {call.how.name.lower()}  {call.words}  {packet_id:08x}"
