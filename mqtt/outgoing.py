"""What waits for the desk, and in which order it goes: live before backlog, each revision once, late ones slowly."""

from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from bridge.domain.commands import OutboxRow, Relay
from bridge.domain.desk import Stored
from mqtt.broker import WINDOW
from mqtt.contract import MAX_ALARMS, RECEIPT_TIMEOUT_S, RETRY_S

HELD = 4096  # rows without receipt in memory; the others wait in the journal
BATCHES = 512  # publishes whose receipt would still be known
BODY_CHARS = 64_000  # in one publish: some brokers allow little, and a live alarm must not wait behind a big one
QUICK_PUBACK_S = 2.0  # slower than this, the line is full: leave room for what is live

Key = tuple[str, int]  # alarm, revision


@dataclass(slots=True)
class Batch:
    """One publish: what it held and when."""

    relays: dict[Key, Relay]
    sent_s: float
    acked_s: float | None = None
    is_late: bool = False
    is_doubted: bool = False


@dataclass(slots=True)
class _Late:
    """A row that waits for its next try."""

    relay: Relay
    due_s: float


@dataclass(slots=True)
class Outgoing:
    """Belongs to the uplink's worker. Knows no clock: every call brings monotonic seconds.

    A row is live, backlog, in a batch, or late. Everything but unsafe rows is also in the journal, so it may be
    forgotten at any time and is found again by paging.
    """

    receipt_s: float = RECEIPT_TIMEOUT_S
    retry_s: float = RETRY_S
    live: OrderedDict[str, Relay] = field(default_factory=OrderedDict)
    backlog: deque[OutboxRow] = field(default_factory=deque)
    late: dict[str, _Late] = field(default_factory=dict)
    batches: OrderedDict[str, Batch] = field(default_factory=OrderedDict)
    backlog_window: int = 2
    most: int = (
        MAX_ALARMS  # rows in one publish: fewer after one that the broker refused or that a link did not survive
    )
    _held: dict[str, int] = field(default_factory=dict)  # alarm → newest revision that is live, sent or late
    _receipted: OrderedDict[str, int] = field(default_factory=OrderedDict)
    _unsafe: dict[str, int] = field(default_factory=dict)  # alarm → revision, receipted while no disk had it
    _finished: deque[str] = field(default_factory=lambda: deque(maxlen=BATCHES))
    _probe_at: float = 0.0
    _refusals: int = 0

    @property
    def in_flight(self) -> int:
        """Rows that were published and have no receipt yet."""
        return sum(len(batch.relays) for batch in self.batches.values() if not batch.is_late)

    @property
    def has_room(self) -> bool:
        """For rows of the backlog; the other half is kept for live alarms, however slow the desk is."""
        return len(self._held) < HELD // 2

    # --- in ----------------------------------------------------------------------------------------------------

    def offer(self, relay: Relay) -> bool:
        """A live row. False: no room; it stays in the journal (or, if unsafe, is lost)."""
        row = relay.row
        waiting = self.live.get(row.alarm)
        if waiting is not None and waiting.row.revision == row.revision:
            self.live[row.alarm] = relay  # the same, now perhaps safe
            return True
        if not self._is_new(row) and not self._became_safe(relay):
            return True
        if len(self._held) >= (2 * HELD if relay.unsafe else HELD):
            return False
        self._hold(relay)
        self.live[row.alarm] = relay
        return True

    def page_in(self, rows: Iterable[OutboxRow]) -> None:
        self.backlog.extend(row for row in rows if self._is_new(row))

    def forget_receipts(self) -> None:
        """The desk lost something: rows receipted a moment ago may be pending again."""
        self._receipted.clear()

    # --- out ---------------------------------------------------------------------------------------------------

    def choose(self, now_s: float, unacked: int, window: int, is_answering: bool) -> list[Relay]:
        """What the next publish shall hold; empty when nothing may go now. `unacked` counts publishes of alarms.

        A desk that does not answer gets every live row once, and of the rest one publish a minute.
        """
        if unacked >= window:
            return []
        chosen = _Pack(self.most)
        while self.live and chosen.takes(next(iter(self.live.values()))):
            chosen.add(self.live.popitem(last=False)[1])
        roomy = unacked < min(self.backlog_window, max(1, window - 2))
        if roomy and (is_answering or now_s >= self._probe_at):
            before = len(chosen.relays)
            self._add_late(chosen, now_s)
            self._add_backlog(chosen)
            if len(chosen.relays) > before:
                self._probe_at = now_s + self.retry_s
        return chosen.relays

    def _add_late(self, chosen: "_Pack", now_s: float) -> None:
        due = [late.relay for late in self.late.values() if late.due_s <= now_s]
        for relay in sorted(due, key=lambda relay: -relay.row.sequence):
            if not chosen.takes(relay):
                return
            chosen.add(relay)
            del self.late[relay.row.alarm]

    def _add_backlog(self, chosen: "_Pack") -> None:
        while self.backlog and len(self._held) < HELD // 2:  # so that a live alarm finds room, however slow the desk
            relay = Relay(self.backlog[0])
            if not self._is_new(relay.row):
                self.backlog.popleft()
            elif chosen.takes(relay):
                self.backlog.popleft()
                self._hold(relay)
                chosen.add(relay)
            else:
                return

    def sent(self, batch: str, relays: list[Relay], now_s: float) -> None:
        self.batches[batch] = Batch({(r.row.alarm, r.row.revision): r for r in relays}, now_s)
        while len(self.batches) > BATCHES and next(iter(self.batches.values())).is_late:
            self.batches.popitem(last=False)

    def put_back(self, relays: list[Relay]) -> None:
        """They could not be published after all: first in line again."""
        for relay in reversed(relays):
            if self._held.get(relay.row.alarm) == relay.row.revision:
                self.live[relay.row.alarm] = relay
                self.live.move_to_end(relay.row.alarm, last=False)

    # --- what became of it --------------------------------------------------------------------------------------

    def acked(self, name: str, now_s: float) -> tuple[Key, ...]:
        """The broker took it; what it held."""
        batch = self.batches.get(name)
        if batch is None:
            return ()  # its receipt was quicker
        batch.acked_s = now_s
        self._refusals = 0
        self.most = min(MAX_ALARMS, 2 * self.most)
        if now_s - batch.sent_s <= QUICK_PUBACK_S:
            self.backlog_window = min(self.backlog_window + 1, WINDOW)
        else:
            self.backlog_window = max(1, self.backlog_window // 2)
        return tuple(batch.relays)

    def refused(self, name: str, now_s: float, is_denied: bool) -> None:
        """The broker had nobody to give it to, or would not: again in 1, 2, 4 … 60 s."""
        wait_s = min(self.retry_s, 2.0**self._refusals)
        self._refusals = min(self._refusals + 1, 10)
        if (batch := self.batches.pop(name, None)) is not None:
            self._delay(batch, now_s + wait_s)
            if is_denied:  # perhaps it was too big
                self.most = max(1, len(batch.relays) // 2)

    def receipt(self, name: str, items: Iterable[Stored]) -> tuple[tuple[Stored, ...], int]:
        """Those of `items` that this batch really held, named as we know them, and how many it did not hold."""
        batch = self.batches[name]
        by_hash = {relay.row.sha256: key for key, relay in batch.relays.items()}
        taken, strange = [], 0
        for item in items:
            key = by_hash.pop(item.sha256, None)
            if key is None or (not item.reason and key != (item.alarm, item.revision)):
                strange += 1
                continue
            relay = batch.relays.pop(key)
            self._release(key)
            self._note_unsafe(relay)
            taken.append(Stored(key[0], key[1], item.sha256, item.reason))
        if not batch.relays:
            del self.batches[name]
            self._finished.append(name)
        return tuple(taken), strange

    def was_answered(self, name: str) -> bool:
        """Whether it is a batch of this connection whose every row was receipted: a second desk's copy, most likely."""
        return name in self._finished

    def overdue(self, now_s: float) -> bool:
        """Rows without receipt in time leave the live window; whether there were any."""
        found = False
        for batch in self.batches.values():
            if batch.acked_s is None or batch.is_late:
                continue
            if now_s - batch.acked_s < self.receipt_s:
                break  # later ones are younger
            batch.is_late = found = True
            self._delay(batch, batch.sent_s + self.retry_s)
        return found

    def unacknowledged(self, now_s: float) -> bool:
        """Whether the broker has kept silent about some publish for too long; true once for each."""
        found = False
        for batch in self.batches.values():
            if batch.acked_s is None and not batch.is_doubted and now_s - batch.sent_s >= self.receipt_s:
                batch.is_doubted = found = True
        return found

    def desk_is_back(self, asked_s: float) -> None:
        """It answered what was asked then: what was sent before, and has no receipt, fell into the void. Now again."""
        for batch in self.batches.values():
            if not batch.is_late and batch.sent_s <= asked_s:
                batch.is_late = True
                self._delay(batch, 0.0)
        for late in self.late.values():
            late.due_s = 0.0

    def disconnected(self) -> None:
        """Everything is pending again. The journal has it; only unsafe rows live in memory alone."""
        unacked = [len(batch.relays) for batch in self.batches.values() if batch.acked_s is None]
        if unacked:
            self.most = max(1, max(unacked) // 2)
        relays = [relay for batch in self.batches.values() for relay in batch.relays.values()]
        relays += [late.relay for late in self.late.values()]
        relays += self.live.values()
        for part in (self.live, self.backlog, self.late, self.batches, self._held, self._receipted, self._finished):
            part.clear()
        for relay in relays:
            if relay.unsafe and self._is_new(relay.row):
                self._hold(relay)
                self.live[relay.row.alarm] = relay
        self.backlog_window, self._probe_at, self._refusals = 2, 0.0, 0

    # --- bookkeeping --------------------------------------------------------------------------------------------

    def _is_new(self, row: OutboxRow) -> bool:
        return row.revision > max(self._held.get(row.alarm, 0), self._receipted.get(row.alarm, 0))

    def _became_safe(self, relay: Relay) -> bool:
        """The disk has now what the desk shows as "not on the post's disk": it is said once more, and safe."""
        is_said = not relay.unsafe and self._unsafe.get(relay.row.alarm) == relay.row.revision
        return is_said and relay.row.revision > self._held.get(relay.row.alarm, 0)

    def _note_unsafe(self, relay: Relay) -> None:
        self._unsafe.pop(relay.row.alarm, None)
        if relay.unsafe:
            self._unsafe[relay.row.alarm] = relay.row.revision
        while len(self._unsafe) > HELD:
            del self._unsafe[next(iter(self._unsafe))]

    def _hold(self, relay: Relay) -> None:
        """A newer revision supersedes the older one that still waits."""
        row = relay.row
        self._held[row.alarm] = row.revision
        self.live.pop(row.alarm, None)
        self.late.pop(row.alarm, None)

    def _delay(self, batch: Batch, due_s: float) -> None:
        for (alarm, revision), relay in batch.relays.items():
            if self._held.get(alarm) == revision and alarm not in self.live:
                self.late[alarm] = _Late(relay, due_s)

    def _release(self, key: Key) -> None:
        alarm, revision = key
        self._receipted[alarm] = max(revision, self._receipted.get(alarm, 0))
        self._receipted.move_to_end(alarm)
        if len(self._receipted) > 2 * HELD:
            self._receipted.popitem(last=False)
        if self._held.get(alarm, 0) <= revision:
            self._held.pop(alarm, None)
            self.live.pop(alarm, None)
            self.late.pop(alarm, None)


class _Pack:
    """Rows for one publish, up to its limits."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.relays: list[Relay] = []
        self._chars = 0

    def takes(self, relay: Relay) -> bool:
        fits = self._chars + len(relay.row.body) <= BODY_CHARS
        return not self.relays or (len(self.relays) < self._most and fits)

    def add(self, relay: Relay) -> None:
        self.relays.append(relay)
        self._chars += len(relay.row.body)
