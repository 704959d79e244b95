"""What others did: measured earlier, in another run of another harness; carried over, never compared row by row."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Peer:
    """`lost_away`: of 50 presses that came while the broker was away; `lost_kill`: of 50 before a kill -9."""

    name: str
    first_message_s: float
    idle_mb: int
    p50_ms: float
    p99_ms: float
    burst_per_s: int
    lost_away: int | None = None
    lost_kill: int | None = None


PEERS = (
    Peer("raw socket, no library, no journal", 0.18, 38, 0.6, 3.2, 9_550),
    Peer("plain script", 0.29, 39, 1.1, 4.9, 2_874, 0, 50),
    Peer("meshtastic2hass 1.1.6", 0.73, 41, 2.0, 4.9, 815, 18, 18),
    Peer("meshtastic-gateway 0.3.0, patched", 0.69, 40, 1.5, 2.7, 1_408, 50, 50),
    Peer("meshtastic-bridge", 0.37, 50, 1.4, 2.3, 1_467, 50, 50),
    Peer("plain script, Mosquitto's store and forward", 0.43, 48, 1.2, 4.5, 2_957, 0, 50),
    Peer("ThingsBoard gateway 3.8.5 (the only durable one)", 1.49, 70, 154.0, 282.0, 140, 0, 0),
)


def lines() -> list[str]:
    """Text for people, with the caution."""
    columns = "first s, idle MB, p50/p99 ms at 20/s, burst/s, lost of 50: broker away, kill -9"
    head = f"Peers, measured earlier in another run: {columns}"
    return [head, *(_line(peer) for peer in PEERS)]


def rows() -> list[dict[str, object]]:
    """The same for the JSON file."""
    return [asdict(peer) for peer in PEERS]


def _line(peer: Peer) -> str:
    lost = "–" if peer.lost_away is None else f"{peer.lost_away}, {peer.lost_kill}"
    speed = f"{peer.p50_ms:g}/{peer.p99_ms:g}"
    return f"  {peer.name:<50} {peer.first_message_s:>5} {peer.idle_mb:>4} {speed:>9} {peer.burst_per_s:>6,} {lost:>7}"
