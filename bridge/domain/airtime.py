"""How long a text is on the air, and how much of an hour this radio may speak (docs: On the air).

LoRa as MEDIUM_FAST has it: spreading factor 9, 250 kHz, coding rate 4/5, explicit header, checksum, 16-symbol preamble.
"""

import math
from collections import deque
from dataclasses import dataclass, field

SPREADING = 9
SYMBOL_S = (1 << SPREADING) / 250_000
PREAMBLE_SYMBOLS = 16 + 4.25  # what the radio adds: sync word and start of frame
RADIO_HEADER = 16  # bytes: to, from, id, flags, channel hash
TEXT_OVERHEAD = 6  # bytes of the Data message around a text: port, length, flags
HOUR_S = 3600.0
DUTY = 0.01  # the quoted class rule of 920-923 MHz; firmware does not enforce it


def packet_s(payload_bytes: int) -> float:
    """Seconds on the air of one packet with so many bytes after the radio's own header (Semtech AN1200.13)."""
    bits = 8 * (RADIO_HEADER + payload_bytes) - 4 * SPREADING + 28 + 16
    symbols = 8 + max(0, math.ceil(bits / (4 * SPREADING))) * 5
    return (PREAMBLE_SYMBOLS + symbols) * SYMBOL_S


def text_s(text_bytes: int) -> float:
    """Seconds on the air of one text."""
    return packet_s(text_bytes + TEXT_OVERHEAD)


@dataclass(slots=True)
class Airtime:
    """What was spoken in the last hour. A quarter is kept for what is urgent. Times are monotonic seconds."""

    budget_s: float = DUTY * HOUR_S
    _spoken: deque[tuple[float, float]] = field(default_factory=deque)
    _total_s: float = 0.0

    def spend(self, cost_s: float, now_s: float) -> None:
        self._expire(now_s)
        self._spoken.append((now_s, cost_s))
        self._total_s += cost_s

    def spent_s(self, now_s: float) -> float:
        """Seconds spoken in the hour before `now_s`."""
        self._expire(now_s)
        return self._total_s

    def free_at(self, cost_s: float, now_s: float, is_urgent: bool) -> float:
        """When so much more may be spoken: `now_s`, or when enough of the last hour is over."""
        limit_s = self.budget_s if is_urgent else 0.75 * self.budget_s
        over_s = self.spent_s(now_s) + cost_s - limit_s
        if over_s <= 0:
            return now_s
        for at, spoken_s in self._spoken:
            over_s -= spoken_s
            if over_s <= 0:
                return at + HOUR_S
        return now_s + HOUR_S

    def _expire(self, now_s: float) -> None:
        while self._spoken and self._spoken[0][0] + HOUR_S <= now_s:
            self._total_s -= self._spoken.popleft()[1]
        if not self._spoken:
            self._total_s = 0.0  # sums of floats drift
