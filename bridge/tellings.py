"""Telling the strikers: who must hear what, how often it is tried, and what became of it. Memory and rules, no I/O.

A stock node gets a direct text with want_ack. A NAK, or 30 s without an ACK, is tried again and later also said
aloud on the channel, by name. After two hours nobody waits at the lamp any more and the desk is told so.
"""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from bridge.domain.commands import Announce, Tell
from bridge.domain.step import RANK, Step

ACK_WAIT_S = 30.0  # FACTS: a two-hop direct message was acknowledged after 6.8 s, given up by firmware after 21 s
LOST_S = 180.0  # the radio said nothing at all about a ticket
RETRY_S = (5.0, 20.0, 60.0, 300.0, 600.0, 1200.0)
GIVE_UP_S = 7200.0
IN_RADIO = 3  # so that the newest truth need not queue behind old ones
STORM = 8  # strikers waiting at once: answer by one broadcast, not by one message each
CALL_AFTER = 2  # failures before the answer is also said aloud


@dataclass(frozen=True, slots=True)
class Message:
    """What one striker is to be told. `key` is the alarm's id, or a word's own key for an officer's message."""

    key: str
    to: int
    channel: str
    step: Step
    by: str = ""
    text: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Fared:
    """A message whose fate is known: told, or given up."""

    message: Message
    told: bool


@dataclass(slots=True)
class _Telling:
    message: Message
    since: float
    due: float
    failures: int = 0
    ticket: int | None = None
    in_radio_since: float = 0.0
    sent: float | None = None
    called: bool = False
    then: Message | None = None


@dataclass(slots=True)
class Tellings:
    """All tellings under way, by key. Times are monotonic seconds.

    `_wake` is when a look at all of them can be of use: a storm of presses must not cost a look each.
    """

    _radio_up: bool = False
    _wake: float = math.inf
    _by_key: dict[str, _Telling] = field(default_factory=dict)
    _keys: dict[int, str] = field(default_factory=dict)
    _tickets: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __contains__(self, key: object) -> bool:
        return key in self._by_key

    def __len__(self) -> int:
        return len(self._by_key)

    def radio(self, up: bool, now_s: float) -> None:
        """A radio came or the last one went."""
        self._radio_up = up
        self._wake = now_s

    def tell(self, message: Message, now_s: float) -> None:
        """Take up `message`; one that ranks no higher than what is already on its way is dropped."""
        telling = self._by_key.get(message.key)
        if telling is None:
            self._by_key[message.key] = _Telling(message, now_s, now_s)
        elif RANK[message.step] <= RANK[(telling.then or telling.message).step]:
            return
        elif telling.ticket is None:
            self._by_key[message.key] = _Telling(message, now_s, now_s)
        else:
            telling.then = message
        if len(self._keys) < IN_RADIO:
            self._wake = now_s

    def sent(self, ticket: int, now_s: float) -> None:
        """The radio took it: the wait for a real ACK begins."""
        if (telling := self._telling(ticket)) is not None:
            telling.sent = now_s
            self._wake = min(self._wake, now_s + ACK_WAIT_S)

    def delivered(self, ticket: int, now_s: float) -> Fared | None:
        """The destination itself acknowledged."""
        telling = self._telling(ticket)
        if telling is None:
            return None
        self._close(telling, now_s)
        return Fared(telling.message, told=True)

    def failed(self, ticket: int, now_s: float) -> None:
        """Try again later; without a radio, as soon as there is one."""
        if (telling := self._telling(ticket)) is None:
            return
        self._keys.pop(ticket)
        self._wake = now_s
        telling.ticket = telling.sent = None
        if telling.then is not None:
            self._by_key[telling.message.key] = _Telling(telling.then, now_s, now_s)
        elif self._radio_up:
            telling.failures += 1
            telling.due = now_s + RETRY_S[min(telling.failures, len(RETRY_S)) - 1]

    def due(self, now_s: float) -> tuple[list[Tell | Announce], list[Fared]]:
        """What to hand to the radio now, and what was given up."""
        if now_s < self._wake:
            return [], []
        self._time_out(now_s)
        given_up = [Fared(t.message, told=False) for t in self._stale(now_s)]
        for fared in given_up:
            del self._by_key[fared.message.key]
        if not self._radio_up:
            self._wake = self._next_look()
            return [], given_up
        waiting = [t for t in self._by_key.values() if t.ticket is None and t.due <= now_s]
        waiting.sort(key=lambda t: (-RANK[t.message.step], -t.since))
        said: list[Tell | Announce] = list(self._aloud(waiting))
        for telling in waiting[: max(0, IN_RADIO - len(self._keys))]:
            said.append(self._hand_over(telling, now_s))
        self._wake = self._next_look()
        return said, given_up

    def next_due_s(self, now_s: float) -> float | None:
        """Seconds until `due` may have something to say; None when nothing is under way."""
        return max(0.0, self._wake - now_s) if self._by_key and self._wake < math.inf else None

    def _next_look(self) -> float:
        """Who waits only for room in the radio is looked at when a ticket comes back, not before."""
        has_room = self._radio_up and len(self._keys) < IN_RADIO
        return min((self._next_moment(t, has_room) for t in self._by_key.values()), default=math.inf)

    def _next_moment(self, telling: _Telling, has_room: bool = True) -> float:
        if telling.ticket is None:
            return telling.due if has_room else telling.since + GIVE_UP_S
        return telling.in_radio_since + LOST_S if telling.sent is None else telling.sent + ACK_WAIT_S

    def _telling(self, ticket: int) -> _Telling | None:
        key = self._keys.get(ticket)
        return self._by_key.get(key) if key is not None else None

    def _close(self, telling: _Telling, now_s: float) -> None:
        if telling.ticket is not None:
            self._keys.pop(telling.ticket, None)
        self._wake = now_s
        del self._by_key[telling.message.key]
        if telling.then is not None:
            self.tell(telling.then, now_s)

    def _time_out(self, now_s: float) -> None:
        for ticket in [t.ticket for t in self._by_key.values() if t.ticket is not None]:
            telling = self._telling(ticket)
            if telling is not None and self._next_moment(telling) <= now_s:
                self.failed(ticket, now_s)

    def _stale(self, now_s: float) -> list[_Telling]:
        return [t for t in self._by_key.values() if t.ticket is None and now_s - t.since >= GIVE_UP_S]

    def _hand_over(self, telling: _Telling, now_s: float) -> Tell:
        telling.ticket = next(self._tickets)
        telling.in_radio_since = now_s
        self._keys[telling.ticket] = telling.message.key
        m = telling.message
        return Tell(telling.ticket, m.to, m.channel, m.step, m.by, m.text, m.label)

    def _aloud(self, waiting: list[_Telling]) -> Iterator[Announce]:
        """Whom a direct message did not reach, and everybody in a storm, is called by name on the channel."""
        storm = len(waiting) > STORM
        groups: dict[tuple[str, Step, str], list[_Telling]] = {}
        for telling in waiting:
            if telling.called or telling.message.text or not telling.message.label:
                continue
            if storm or telling.failures >= CALL_AFTER:
                message = telling.message
                groups.setdefault((message.channel, message.step, message.by), []).append(telling)
        for (channel, step, by), group in groups.items():
            for part in _parts(group):
                for telling in part:
                    telling.called = True
                called = tuple(telling.message.label for telling in part)
                yield Announce(next(self._tickets), channel, called=called, step=step, by=by)


def _parts(group: list[_Telling]) -> Iterator[list[_Telling]]:
    for start in range(0, len(group), STORM):
        yield group[start : start + STORM]
