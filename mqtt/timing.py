"""How long an uplink waits for what."""

from dataclasses import dataclass, field

from mqtt import contract
from mqtt.broker import SessionTiming


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds; shrunk by tests."""

    hello_every_s: float = contract.HELLO_EVERY_S
    hello_timeout_s: float = contract.HELLO_TIMEOUT_S
    away_after_s: float = contract.DESK_AWAY_AFTER_S
    receipt_s: float = contract.RECEIPT_TIMEOUT_S
    retry_s: float = contract.RETRY_S
    puback_s: float = 120.0  # a broker that pings and takes nothing
    health_s: float = 300.0
    first_health_s: float = 10.0  # alarms and answers go first
    status_gap_s: float = 5.0  # two programs that fight over one status must not flood the broker
    suspect_s: float = 60.0
    tick_s: float = 1.0
    session: SessionTiming = field(default_factory=SessionTiming)
