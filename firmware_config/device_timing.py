"""How long to wait for a node."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds. A node restarts 7 s after a commit and needs up to half a minute to be back."""

    answer_s: float = 3.0  # a node at the cable acknowledges an order
    hello_s: float = 15.0  # from want_config to the end of what it tells
    hop_s: float = 12.0  # an order over the mesh and its answer, for each hop
    restart_s: float = 20.0  # from a commit to the restart's first sign: end of stream, or the console's `rebooted`
    quiet_s: float = 10.0  # a single write that may need a restart: so long it may take to come
    back_s: float = 60.0  # from the restart until it answers again
    again_s: float = 0.2  # between two attempts to connect
    afar_s: float = 15.0  # a node over the mesh: from a commit until it is worth asking
    tries: int = 4
