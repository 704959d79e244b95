"""What waits for the disk: replies and relays are held by batch number until it is committed."""

from collections import deque
from dataclasses import dataclass, field

from bridge.domain.commands import Command, Relay

UNSAFE_AFTER_S = 2.0  # a disk this slow is sick: the desk must hear of it from memory


@dataclass(slots=True)
class _Held:
    number: int
    since_s: float
    alarms: tuple[str, ...]
    after: tuple[Command, ...]


@dataclass(slots=True)
class Promises:
    """Batches in the order they were given to the journal; times are monotonic seconds."""

    _held: deque[_Held] = field(default_factory=deque)
    _unrelayed: deque[_Held] = field(default_factory=deque)
    _number: int = 0

    def hold(self, alarms: tuple[str, ...], after: tuple[Command, ...], now_s: float) -> int:
        """A new batch number; `alarms` become JOURNALED and `after` may happen once it is committed."""
        self._number += 1
        held = _Held(self._number, now_s, alarms, after)
        self._held.append(held)
        self._unrelayed.append(held)
        return self._number

    def release(self, number: int) -> tuple[list[str], list[Command]]:
        """Everything up to batch `number` is on disk: the alarms that are now journaled and what may happen."""
        alarms: list[str] = []
        after: list[Command] = []
        while self._held and self._held[0].number <= number:
            held = self._held.popleft()
            alarms.extend(held.alarms)
            after.extend(held.after)
        while self._unrelayed and self._unrelayed[0].number <= number:
            self._unrelayed.popleft()
        return alarms, after

    def discard(self, number: int) -> list[Command]:
        """Batch `number` will never be on disk: its relays, marked unsafe, as far as they have not gone out so."""
        unsafe = [_unsafe(held) for held in self._unrelayed if held.number == number]
        self._held = deque(held for held in self._held if held.number != number)
        self._unrelayed = deque(held for held in self._unrelayed if held.number != number)
        return [relay for relays in unsafe for relay in relays]

    def overdue(self, now_s: float) -> list[Command]:
        """Relays that have waited too long for the disk, marked unsafe; each once."""
        unsafe: list[Command] = []
        while self._unrelayed and self._unrelayed[0].since_s + UNSAFE_AFTER_S <= now_s:
            unsafe += _unsafe(self._unrelayed.popleft())
        return unsafe

    def next_due_s(self, now_s: float) -> float | None:
        """Seconds until a held relay is overdue; None when nothing waits."""
        return max(0.0, self._unrelayed[0].since_s + UNSAFE_AFTER_S - now_s) if self._unrelayed else None

    def __len__(self) -> int:
        return len(self._held)


def _unsafe(held: _Held) -> list[Relay]:
    return [Relay(command.row, unsafe=True) for command in held.after if isinstance(command, Relay)]
