"""A piezo disc under the pad, read as a contact: closed by a loud blow, open once it has rung out."""

THRESHOLD = 12000  # of 65535
HOLD_MS = 60  # a disc rings; beats come no nearer than 125 ms
TICKS_MASK = (1 << 30) - 1


class Piezo:
    """`read`: the level now, 0–65535. A disc that stays loud stays closed, and becomes a fault as a held pad does."""

    def __init__(self, read, threshold: int = THRESHOLD, hold_ms: int = HOLD_MS) -> None:
        self._read, self._threshold, self._hold_ms = read, threshold, hold_ms
        self._is_closed = False
        self._struck = 0

    def edges(self, ticks: int) -> list[tuple[bool, int]]:
        """What has changed since the last look: (closed, age in ms). `ticks`: ticks_ms."""
        level = self._read()
        if not self._is_closed and level >= self._threshold:
            self._is_closed, self._struck = True, ticks
            return [(True, 0)]
        has_rung = (ticks - self._struck) & TICKS_MASK >= self._hold_ms
        if self._is_closed and has_rung and level < self._threshold // 2:
            self._is_closed = False
            return [(False, 0)]
        return []
