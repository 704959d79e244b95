"""Telling the strikers: who must hear what, how often it is tried, and what became of it. Memory and rules, no I/O.

A stock node gets a direct text with want_ack. A NAK, or 30 s without an ACK, is tried again and also said aloud on
the channel, by name. After two hours nobody waits at the lamp any more and the desk is told so.
"""

import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from bridge.domain.airtime import Airtime, text_s
from bridge.domain.commands import Announce, Tell
from bridge.domain.policy import GIVE_UP_S
from bridge.domain.press import BROADCAST
from bridge.domain.step import RANK, Step

ACK_WAIT_S = 30.0  # FACTS: a two-hop direct message was acknowledged after 6.8 s, given up by firmware after 21 s
LOST_S = 180.0  # the radio said nothing at all about a ticket
RETRY_S = (5.0, 20.0, 60.0, 300.0, 600.0, 1200.0)
IN_RADIO = 3  # so that the newest truth need not queue behind old ones
STORM = 8  # strikers waiting at once: answer by one broadcast, not by one message each
CALL_AFTER = 1  # failures before the answer is also said aloud
STEP_S, LONG_S = text_s(130), text_s(200)  # a step's sentence with a name in it; whatever is cut at the longest

# In which order a short hour is shared out. Whoever struck must know first that somebody heard.
PATIENT = {Step.JOURNALED: 1, Step.DRILL: 1, Step.STORED: 2}


@dataclass(frozen=True, slots=True)
class Message:
    """What one striker is to be told. `key` is the alarm's id, or a word's own key for an officer's message.

    To BROADCAST it is said aloud, once: a village that hears the same order twice obeys it twice.
    """

    key: str
    to: int
    channel: str
    step: Step
    by: str = ""
    text: str = ""
    label: str = ""

    @property
    def is_aloud(self) -> bool:
        return self.to == BROADCAST

    @property
    def patience(self) -> int:
        """0 is urgent: help comes, or help must be called otherwise."""
        return 0 if self.text else PATIENT.get(self.step, 0)


@dataclass(frozen=True, slots=True)
class Fared:
    """A message whose fate is known: told, or given up, and why."""

    message: Message
    told: bool
    why: str = ""


@dataclass(slots=True)
class _Telling:
    message: Message
    since: float
    due: float
    failures: int = 0
    ticket: int | None = None
    called: bool = False
    then: Message | None = None


@dataclass(slots=True)
class _Ticket:
    """What the radio holds: the tellings it is about, and whether it was said on the air."""

    keys: tuple[str, ...]
    since: float
    cost_s: float
    is_call: bool = False
    sent: float | None = None

    @property
    def deadline(self) -> float:
        return self.since + LOST_S if self.sent is None else self.sent + ACK_WAIT_S


@dataclass(slots=True)
class Tellings:
    """All tellings under way, by key. Times are monotonic seconds.

    `_wake` is when a look at all of them can be of use: a storm of presses must not cost a look each.
    """

    airtime: Airtime = field(default_factory=Airtime)
    _radio_up: bool = False
    _wake: float = math.inf
    _by_key: dict[str, _Telling] = field(default_factory=dict)
    _tickets: dict[int, _Ticket] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _quiet_until: dict[bool, float] = field(default_factory=lambda: {True: 0.0, False: 0.0})  # by urgency

    def __contains__(self, key: object) -> bool:
        return key in self._by_key

    def __len__(self) -> int:
        return len(self._by_key)

    # --- in -----------------------------------------------------------------------------------------------------

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
        if self._has_room and now_s >= self._quiet_until[message.patience == 0]:
            self._wake = now_s
        else:
            self._wake = min(self._wake, now_s + GIVE_UP_S)

    def police_are_back(self) -> list[str]:
        """What waits to say that they are not connected is no longer true; whose answers were mended."""
        mended = []
        for key, telling in self._by_key.items():
            if telling.ticket is None and telling.message.step is Step.NOT_CONNECTED:
                telling.message = replace(telling.message, step=Step.JOURNALED)
                mended.append(key)
            elif telling.then is not None and telling.then.step is Step.NOT_CONNECTED:
                telling.then = None
                mended.append(key)
        return mended

    # --- what the radio says ------------------------------------------------------------------------------------

    def sent(self, ticket: int, now_s: float) -> None:
        """The radio took it: the wait for a real ACK begins."""
        if (held := self._tickets.get(ticket)) is not None and held.sent is None:
            held.sent = now_s
            self.airtime.spend(held.cost_s, now_s)
            self._wake = min(self._wake, now_s + ACK_WAIT_S)

    def delivered(self, ticket: int, now_s: float) -> Fared | None:
        """The destination itself acknowledged (a broadcast: somebody repeated it)."""
        self.sent(ticket, now_s)
        if (held := self._tickets.pop(ticket, None)) is None:
            return None
        self._wake = now_s
        if held.is_call:
            return None
        telling = self._by_key.pop(held.keys[0])
        if telling.then is not None:
            self.tell(telling.then, now_s)
        return Fared(telling.message, told=True)

    def failed(self, ticket: int, now_s: float, why: str = "") -> Fared | None:
        """Try again later; without a radio, as soon as there is one. What is said once only has failed for good."""
        if (held := self._tickets.pop(ticket, None)) is None:
            return None
        self._wake = now_s
        if held.is_call:
            self._call_again(held, now_s)
            return None
        telling = self._by_key[held.keys[0]]
        telling.ticket = None
        if telling.message.is_aloud:
            del self._by_key[held.keys[0]]
            return Fared(telling.message, told=False, why=why)
        if telling.then is not None:
            self._by_key[held.keys[0]] = _Telling(telling.then, now_s, now_s)
        elif self._radio_up:
            telling.failures += 1
            telling.due = now_s + RETRY_S[min(telling.failures, len(RETRY_S)) - 1]
        return None

    def _call_again(self, held: _Ticket, now_s: float) -> None:
        """A call that never left the radio was not heard by anybody; one that nobody repeated was said."""
        for key in held.keys if held.sent is None else ():
            if (telling := self._by_key.get(key)) is not None:
                telling.called = False
                telling.due = max(telling.due, now_s + RETRY_S[0]) if self._radio_up else telling.due

    # --- out ----------------------------------------------------------------------------------------------------

    def due(self, now_s: float) -> tuple[list[Tell | Announce], list[Fared]]:
        """What to hand to the radio now, and what was given up."""
        if now_s < self._wake:
            return [], []
        fared = [*self._time_out(now_s), *self._give_up(now_s)]
        said = self._speak(now_s) if self._has_room else []
        self._wake = self._next_look()
        return said, fared

    def next_due_s(self, now_s: float) -> float | None:
        """Seconds until `due` may have something to say; None when nothing is under way."""
        is_busy = bool(self._by_key or self._tickets)
        return max(0.0, self._wake - now_s) if is_busy and self._wake < math.inf else None

    @property
    def _has_room(self) -> bool:
        return self._radio_up and len(self._tickets) < IN_RADIO

    def _next_look(self) -> float:
        """Who waits only for room in the radio is looked at when a ticket comes back, not before."""
        has_room = self._has_room
        looks = [held.deadline for held in self._tickets.values()]
        for telling in self._by_key.values():
            if telling.ticket is None:
                looks.append(telling.since + GIVE_UP_S)
                if has_room:
                    looks.append(max(telling.due, self._quiet_until[telling.message.patience == 0]))
        return min(looks, default=math.inf)

    def _time_out(self, now_s: float) -> Iterator[Fared]:
        for ticket in [ticket for ticket, held in self._tickets.items() if held.deadline <= now_s]:
            if (fared := self.failed(ticket, now_s, "nobody confirmed it")) is not None:
                yield fared

    def _give_up(self, now_s: float) -> list[Fared]:
        stale = [t for t in self._by_key.values() if t.ticket is None and now_s - t.since >= GIVE_UP_S]
        for telling in stale:
            del self._by_key[telling.message.key]
        return [Fared(telling.message, told=False, why="not reached in 2 h") for telling in stale]

    def _speak(self, now_s: float) -> list[Tell | Announce]:
        """The most urgent first, calls to several before texts to one, the newest before the older."""
        waiting = [t for t in self._by_key.values() if t.ticket is None and t.due <= now_s]
        waiting.sort(key=lambda t: (t.message.patience, -RANK[t.message.step], -t.since))
        speeches = [(group, True) for group in _calls(waiting)] + [([telling], False) for telling in waiting]
        speeches.sort(key=lambda speech: speech[0][0].message.patience)
        said: list[Tell | Announce] = []
        for group, is_call in speeches:
            if not self._has_room or not self._may_speak(group[0].message, is_call, now_s):
                break
            said.append(self._hand_over(group, is_call, now_s))
        return said

    def _may_speak(self, message: Message, is_call: bool, now_s: float) -> bool:
        """The rest is patient at least as much: when this may not be said, none of it may."""
        is_urgent = message.patience == 0
        pending_s = sum(held.cost_s for held in self._tickets.values() if held.sent is None)
        free_at = self.airtime.free_at(pending_s + _cost_s(message, is_call), now_s, is_urgent)
        for urgency in (True, False) if is_urgent else (False,):
            self._quiet_until[urgency] = free_at
        return free_at <= now_s

    def _hand_over(self, group: list[_Telling], is_call: bool, now_s: float) -> Tell | Announce:
        ticket, m = next(self._numbers), group[0].message
        keys = tuple(telling.message.key for telling in group)
        self._tickets[ticket] = _Ticket(keys, now_s, _cost_s(m, is_call), is_call)
        if is_call:
            for telling in group:
                telling.called = True
            called = tuple(telling.message.label for telling in group)
            return Announce(ticket, m.channel, called=called, step=m.step, by=m.by)
        group[0].ticket = ticket
        if m.is_aloud:
            return Announce(ticket, m.channel, text=m.text, by=m.by)
        return Tell(ticket, m.to, m.channel, m.step, m.by, m.text, m.label)


def _cost_s(message: Message, is_call: bool) -> float:
    return LONG_S if is_call or message.text else STEP_S


def _calls(waiting: list[_Telling]) -> Iterator[list[_Telling]]:
    """Whom a direct message did not reach, and everybody in a storm, is called by name on the channel."""
    storm = len(waiting) > STORM
    groups: dict[tuple[str, Step, str], list[_Telling]] = {}
    for telling in waiting:
        message = telling.message
        if telling.called or message.text or not message.label:
            continue
        if storm or telling.failures >= CALL_AFTER:
            groups.setdefault((message.channel, message.step, message.by), []).append(telling)
    for group in groups.values():
        if len(group) > 1 or group[0].failures >= CALL_AFTER:  # one alone is told more cheaply by a text to it
            yield from _parts(group)


def _parts(group: list[_Telling]) -> Iterable[list[_Telling]]:
    return (group[start : start + STORM] for start in range(0, len(group), STORM))
