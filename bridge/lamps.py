"""What heads' lamps are told: which letters, when again, and what became of it. Memory and rules, no I/O.

A head believes only a line with its own MAC and says the last letter back: that echo is "told". A new letter is said
at 0, 20 and 60 s until it is echoed; after that only when the head asks (docs/lines.md).
"""

import math
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass, field, replace

from bridge.domain.airtime import Airtime, text_s
from bridge.domain.commands import Beacon, Light
from bridge.domain.head import LINE_BYTES, HeadCall, HeadPress, Lamp, pack
from bridge.domain.policy import GIVE_UP_S, HOUR_S
from bridge.domain.step import RANK, Step
from bridge.tellings import LOST_S, RETRY_S, Fared, Message

AGAIN_S = (20.0, 60.0)  # after the first time that a letter was said
HOME_FIRST_S = 10.0  # another post leaves the home post so long to answer
IN_RADIO = 2  # lines at once, so that words for stock nodes find room beside them
BEACON_S = HOUR_S - 120.0  # a head's lamp burns for an hour after it: the next comes before that is over
BEACON_COST_S = text_s(20)


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a head's lamps are reached: the press it waits for, the wired input it hangs on ('' the mesh), the channel.

    Nobody knows where a head is reached that is `is_away`: after a restart, before it has asked again.
    """

    by: HeadPress
    route: str = ""
    channel: str = ""
    can_be_told: bool = True

    @property
    def is_away(self) -> bool:
        return not self.can_be_told or not (self.route or self.channel)


@dataclass(slots=True)
class _Showing:
    message: Message
    letters: str
    since: float
    due: float
    seat: Seat
    said: int = 0
    said_at: float = -math.inf
    is_told: bool = False
    ticket: int | None = None

    @property
    def lamp(self) -> Lamp:
        return Lamp(self.seat.by.head, self.seat.by.epoch, self.seat.by.number, self.letters)


@dataclass(slots=True)
class _Ticket:
    keys: tuple[str, ...]
    since: float
    cost_s: float
    is_sent: bool = False


@dataclass(slots=True)
class Lamps:
    """All lamps by alarm id. Times are monotonic seconds; `wired`: the inputs that have lamps of their own."""

    post: str
    airtime: Airtime
    number: Callable[[], int]
    has_heads: bool = False
    wired: tuple[str, ...] = ()
    _radio_up: bool = False
    _channel: str = ""
    _wake: float = -math.inf
    _by_key: dict[str, _Showing] = field(default_factory=dict)
    _seats: dict[str, Seat] = field(default_factory=dict)
    _keys: dict[str, str] = field(default_factory=dict)  # press id → alarm id
    _tickets: dict[int, _Ticket] = field(default_factory=dict)
    _once: list[tuple[Seat, str]] = field(default_factory=list)
    _beacon_due: dict[str, float] = field(default_factory=dict)

    def __contains__(self, key: object) -> bool:
        return key in self._by_key and not self._by_key[key].is_told

    @property
    def known(self) -> Container[str]:
        """Alarms whose lamps were told something in this run."""
        return self._by_key

    def __len__(self) -> int:
        return sum(not showing.is_told for showing in self._by_key.values())

    # --- in -----------------------------------------------------------------------------------------------------

    def radio(self, channel: str | None, now_s: float) -> None:
        """The radio came, and the channel the village speaks on; None: the last radio went."""
        self._radio_up, self._channel = channel is not None, channel or ""
        self._wake = now_s

    def sit(self, key: str, call: HeadCall, now_s: float) -> Fared | None:
        """A head has called about alarm `key`: it is reached there from now on. What its echo tells us, if anything."""
        self.has_heads = True
        seat = self._seat(call)
        self._seats[key], self._keys[call.by.id] = seat, key
        showing = self._by_key.get(key)
        if showing is None:
            return None
        showing.seat = seat
        return self._echo(showing, call.shows) if call.can_be_told else None

    def show(self, message: Message, letters: str, seat: Seat | None, now_s: float, home: str = "") -> None:
        """From now on the lamps of alarm `message.key` shall show `letters`. `seat` where no call told us of one."""
        seat = self._seats.get(message.key) or seat
        if seat is None:
            return
        self._keys[seat.by.id] = message.key
        due = self._due(seat, now_s, home)
        self._by_key[message.key] = _Showing(message, letters, now_s, due, seat)
        self._wake = min(self._wake, due, now_s + GIVE_UP_S)

    def ask(self, key: str, shows: str, now_s: float, home: str = "") -> None:
        """The head asks: what was said before is said again, unless `shows`, its echo, is just that."""
        if (showing := self._by_key.get(key)) is not None and shows != showing.letters[-1]:
            showing.due = min(showing.due, self._due(showing.seat, now_s, home))
            self._wake = min(self._wake, showing.due)

    def _seat(self, call: HeadCall) -> Seat:
        route = call.route if call.route in self.wired else ""
        return Seat(call.by, route, call.press.channel, call.can_be_told)

    def reply(self, call: HeadCall, letters: str, now_s: float) -> None:
        """Once, for a line that is no alarm: a head that is answered stops asking."""
        if call.can_be_told:
            self._once.append((self._seat(call), letters))
            self._wake = now_s

    def heard(self, lamps: Iterable[Lamp]) -> None:
        """Another post has said this to heads that we know: what it has told need not be told twice."""
        for lamp in lamps:
            showing = self._by_key.get(self._keys.get(HeadPress(lamp.head, lamp.epoch, lamp.number).id, ""))
            if showing is not None and showing.ticket is None and _rank(lamp.letters) >= _rank(showing.letters):
                showing.due = math.inf

    def police_are_back(self) -> list[str]:
        """"Not connected" that nobody has seen yet is no longer true; whose letters were mended."""
        mended = []
        for key, showing in self._by_key.items():
            if showing.message.step is Step.NOT_CONNECTED and not showing.said and showing.ticket is None:
                showing.message = replace(showing.message, step=Step.JOURNALED)
                showing.letters = showing.letters.replace(Step.NOT_CONNECTED, Step.JOURNALED)
                mended.append(key)
        return mended

    def forget(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._by_key.pop(key, None)
            self._seats.pop(key, None)
        self._keys = {press: key for press, key in self._keys.items() if key in self._by_key or key in self._seats}

    # --- what the radio or the wire says ------------------------------------------------------------------------

    def sent(self, ticket: int, now_s: float) -> None:
        """It was said. Whether it was seen, only the head's echo tells."""
        held = self._tickets.get(ticket)
        if held is None or held.is_sent:
            return
        held.is_sent = True
        self.airtime.spend(held.cost_s, now_s)
        for showing in self._of(ticket, held):
            showing.said, showing.said_at = showing.said + 1, now_s
            gaps = AGAIN_S[showing.said - 1 :]
            showing.due = showing.since + gaps[0] if gaps else math.inf
            showing.due = max(showing.due, now_s + RETRY_S[0])
            showing.ticket = None
        self._end(ticket, now_s)

    def failed(self, ticket: int, now_s: float) -> None:
        """It was not said: again soon, or as soon as there is a radio."""
        held = self._tickets.get(ticket)
        if held is None:
            return
        for showing in self._of(ticket, held):
            showing.ticket, showing.due = None, now_s + RETRY_S[0]
        self._end(ticket, now_s)

    def _of(self, ticket: int, held: _Ticket) -> list[_Showing]:
        shown = (self._by_key.get(key) for key in held.keys)
        return [showing for showing in shown if showing is not None and showing.ticket == ticket]

    def _end(self, ticket: int, now_s: float) -> None:
        del self._tickets[ticket]
        self._wake = now_s

    def _echo(self, showing: _Showing, letter: str) -> Fared | None:
        if showing.is_told or letter not in RANK or RANK[Step(letter)] < RANK[showing.message.step]:
            return None
        showing.is_told, showing.due = True, math.inf
        return Fared(showing.message, told=True)

    # --- out ----------------------------------------------------------------------------------------------------

    def due(self, now_s: float) -> tuple[list[Light | Beacon], list[Fared]]:
        """What to say now, and what was given up."""
        if now_s < self._wake:
            return [], []
        for ticket in [ticket for ticket, held in self._tickets.items() if now_s - held.since >= LOST_S]:
            self.failed(ticket, now_s)
        fared = self._give_up(now_s)
        said: list[Light | Beacon] = [*self._reply_once(now_s), *self._speak(now_s), *self._greet(now_s)]
        self._wake = self._next_look(now_s)
        return said, fared

    def next_due_s(self, now_s: float) -> float | None:
        """Seconds until `due` may have something to say; None when nothing is under way."""
        return max(0.0, self._wake - now_s) if self._wake < math.inf else None

    def _give_up(self, now_s: float) -> list[Fared]:
        stale = [s for s in self._by_key.values() if not s.is_told and now_s - s.since >= GIVE_UP_S]
        for showing in stale:
            showing.is_told, showing.due = True, math.inf  # the head may still ask
        return [Fared(showing.message, told=False, why="no lamp has echoed it in 2 h") for showing in stale]

    def _reply_once(self, now_s: float) -> Iterator[Light]:
        waiting, self._once = self._once, []
        for seat, letters in waiting:
            lamp = Lamp(seat.by.head, seat.by.epoch, seat.by.number, letters)
            if seat.route or self._has_room:
                yield self._light(seat.route, seat.channel, (lamp,), (), now_s)
            else:
                self._once.append((seat, letters))

    def _speak(self, now_s: float) -> Iterator[Light]:
        """Who has seen nothing yet first, then the highest letter; so many to a line as fit."""
        waiting = [s for s in self._by_key.values() if s.ticket is None and s.due <= now_s and not s.seat.is_away]
        waiting.sort(key=lambda showing: (showing.said > 0, -_rank(showing.letters), showing.since))
        by_lamp = {showing.lamp: showing for showing in waiting}
        for route, channel in dict.fromkeys((s.seat.route, s.seat.channel) for s in waiting):
            here = [s.lamp for s in waiting if (s.seat.route, s.seat.channel) == (route, channel)]
            for lamps in pack(self.post, here):
                shown = [by_lamp[lamp] for lamp in lamps]
                if not route and not self._may_speak(any(not s.said for s in shown), now_s):
                    return
                yield self._light(route, channel, lamps, tuple(s.message.key for s in shown), now_s)

    def _greet(self, now_s: float) -> Iterator[Beacon]:
        """Hourly, and soon after the start: a lamp that burns says that the post hears."""
        if not self.has_heads:
            return
        routes = (*self.wired, "") if self._radio_up and self._channel else self.wired
        for route in routes:
            if now_s < self._beacon_due.get(route, now_s) or (not route and not self._may_speak(False, now_s)):
                continue
            self._beacon_due[route] = now_s + BEACON_S
            ticket = self.number()
            self._tickets[ticket] = _Ticket((), now_s, 0.0 if route else BEACON_COST_S)
            yield Beacon(ticket, route, "" if route else self._channel)

    @property
    def _has_room(self) -> bool:
        return self._radio_up and sum(held.cost_s > 0 for held in self._tickets.values()) < IN_RADIO

    def _may_speak(self, is_urgent: bool, now_s: float) -> bool:
        pending_s = sum(held.cost_s for held in self._tickets.values() if not held.is_sent)
        cost_s = pending_s + text_s(LINE_BYTES)
        return self._has_room and self.airtime.free_at(cost_s, now_s, is_urgent) <= now_s

    def _light(self, route: str, channel: str, lamps: tuple[Lamp, ...], keys: tuple[str, ...], now_s: float) -> Light:
        ticket = self.number()
        size = len(f"\nP1 {self.post}\n") + sum(len(f" {lamp.said}.") + 6 for lamp in lamps)
        self._tickets[ticket] = _Ticket(keys, now_s, 0.0 if route else text_s(size))
        for key in keys:
            self._by_key[key].ticket = ticket
        return Light(ticket, route, channel, lamps)

    def _due(self, seat: Seat, now_s: float, home: str) -> float:
        return now_s + (HOME_FIRST_S if home and home != self.post else 0.0)

    def _next_look(self, now_s: float) -> float:
        looks = [held.since + LOST_S for held in self._tickets.values()]
        for showing in self._by_key.values():
            if not showing.is_told:
                looks.append(showing.since + GIVE_UP_S)
            if showing.ticket is None and not showing.seat.is_away and (showing.seat.route or self._has_room):
                looks.append(max(showing.due, now_s + 1.0))  # what may not be said now is looked at again, not at once
        if self.has_heads and (self._radio_up or self.wired):
            looks += [max(due, now_s + 1.0) for due in self._beacon_due.values()]
        return min(looks, default=math.inf)


def _rank(letters: str) -> int:
    """The highest of the letters that this program knows."""
    return max((RANK[Step(letter)] for letter in letters if letter in RANK), default=-1)
