"""What strikers are told: the most that is true, never less than before, and nothing to those who wait no longer."""

import itertools

from bridge.domain.alarm import Alarm, Moment, Stage
from bridge.domain.commands import Announce, Beacon, Light, Tell
from bridge.domain.desk import Word
from bridge.domain.head import HeadCall, HeadPress, Lamp
from bridge.domain.ids import node_id, node_of
from bridge.domain.policy import GIVE_UP_S, HOUR_S
from bridge.domain.press import BROADCAST, Remark, Trust, Via
from bridge.domain.step import RANK, STAGE_OF, STEP_OF, Step, true_step
from bridge.lamps import Lamps, Seat
from bridge.ledger import Register
from bridge.tellings import Fared, Message, Tellings

STORED_NEWS_S = 24 * HOUR_S  # the internet came back: who struck yesterday still wants to know
BY_NAME = (Step.DISPATCHED, Step.ON_SCENE, Step.CLOSED)
NOBODY = 0  # a message to lamps is to no node


def stage_of(step: Step) -> Stage:
    """The stage that a step tells of; a drill's own step says that the post has it."""
    return STAGE_OF.get(step, Stage.JOURNALED)


def reader_of(source: str) -> int | None:
    """The node that shows texts; None where there is none, also for a source that is written wrongly."""
    try:
        return node_of(source)
    except ValueError:
        return None


class Strikers:
    """Decides what is said to whom; `tellings` (texts to nodes) and `lamps` (letters to heads) decide when."""

    def __init__(
        self, alarms: tuple[Alarm, ...], register: Register, post: str = "", wired: tuple[str, ...] = ()
    ) -> None:
        numbers = itertools.count(1)
        self._tellings = Tellings(_numbers=numbers)
        self._lamps = Lamps(post, self._tellings.airtime, numbers.__next__, register.has_heads, wired)
        self._register = register
        self._said = {alarm.id: STEP_OF[alarm.told.stage] for alarm in alarms if alarm.told is not None}

    def __contains__(self, key: object) -> bool:
        """Whether somebody is still owed something about this alarm or word."""
        return key in self._tellings or key in self._lamps

    def __len__(self) -> int:
        return len(self._tellings) + len(self._lamps)

    # --- what is true -------------------------------------------------------------------------------------------

    def tell(self, alarm: Alarm, desk_is_away: bool, now: Moment) -> None:
        """Say the most that is true, if it is more than was said before."""
        step = _step(alarm, desk_is_away)
        if step is not None and _is_awaited(alarm, step, now):
            by = alarm.by if step in BY_NAME else ""
            self._say(alarm, Message(alarm.id, NOBODY, alarm.channel, step, by), alarm.source, now)

    def tell_word(self, word: Word, alarm: Alarm | None, now: Moment) -> None:
        """An officer's word is owed to the striker, however old the alarm is and even if we do not know it."""
        if word.stage is not None:
            channel = alarm.channel if alarm else ""
            message = Message(word.alarm, NOBODY, channel, STEP_OF[word.stage], word.by)
            self._say(alarm, message, alarm.source if alarm else word.source, now)

    def called(self, call: HeadCall, alarm: Alarm, desk_is_away: bool, now: Moment) -> Fared | None:
        """A head has called, or asks again: it is answered, and its echo may be the fate of what it was told."""
        home, fared = self._home(alarm.source), self._lamps.sit(alarm.id, call, now.mono_s)
        said, true = self._said.get(alarm.id), _step(alarm, desk_is_away)
        if true is not None and (said is None or alarm.id not in self._lamps.known):
            step = true if said is None or RANK[true] > RANK[said] else said
            self._said[alarm.id] = step
            by = alarm.by if step in BY_NAME else ""
            message = Message(alarm.id, NOBODY, alarm.channel, step, by)
            self._lamps.show(message, _letters(alarm, step), None, now.mono_s, home)
        self._lamps.ask(alarm.id, call.shows if call.can_be_told else "", now.mono_s, home)
        return fared

    def can_be_told(self, alarm: Alarm | None, word: Word) -> bool:
        """Whether there is a screen or a lamp for an officer's word."""
        source = alarm.source if alarm else word.source
        return reader_of(source) is not None or _seat(alarm, word.alarm) is not None

    # --- officers' own words ------------------------------------------------------------------------------------

    def send(self, key: str, source: str, channel: str, word: Word, now: Moment) -> None:
        """An officer's own words to one striker."""
        if (to := reader_of(source)) is not None:
            self._tellings.tell(Message(key, to, channel, Step.ACKNOWLEDGED, word.by, word.text), now.mono_s)

    def announce(self, key: str, channel: str, word: Word, now: Moment) -> None:
        """An officer's own words to the village, once."""
        self._tellings.tell(Message(key, BROADCAST, channel, Step.ACKNOWLEDGED, word.by, word.text), now.mono_s)

    def reply(self, call: HeadCall, step: Step, now: Moment) -> None:
        """One answer to a line that is no alarm."""
        self._lamps.reply(call, step.value, now.mono_s)

    # --- what befalls -------------------------------------------------------------------------------------------

    def police_are_back(self) -> None:
        for alarm_id in (*self._tellings.police_are_back(), *self._lamps.police_are_back()):
            self._said[alarm_id] = Step.JOURNALED

    def radio(self, channel: str | None, now: Moment) -> None:
        """The channel the village speaks on, now that a radio is there; None when the last one went."""
        self._tellings.radio(channel is not None, now.mono_s)
        self._lamps.radio(channel, now.mono_s)

    def heard(self, lamps: tuple[Lamp, ...]) -> None:
        """Another post has answered heads."""
        self._lamps.heard(lamps)

    def sent(self, ticket: int, now: Moment) -> None:
        self._tellings.sent(ticket, now.mono_s)
        self._lamps.sent(ticket, now.mono_s)

    def delivered(self, ticket: int, now: Moment) -> Fared | None:
        self._lamps.sent(ticket, now.mono_s)  # a broadcast that somebody repeated was said
        return self._tellings.delivered(ticket, now.mono_s)

    def failed(self, ticket: int, now: Moment, why: str) -> Fared | None:
        self._lamps.failed(ticket, now.mono_s)
        return self._tellings.failed(ticket, now.mono_s, why)

    def due(self, now: Moment) -> tuple[list[Tell | Announce | Light | Beacon], list[Fared]]:
        """What to say now, and what was given up. Lamps first: a line of theirs answers many."""
        shown, dark = self._lamps.due(now.mono_s)
        said, given_up = self._tellings.due(now.mono_s)
        return [*shown, *said], [*dark, *given_up]

    def next_due_s(self, now: Moment) -> float | None:
        dues = (self._lamps.next_due_s(now.mono_s), self._tellings.next_due_s(now.mono_s))
        return min((due for due in dues if due is not None), default=None)

    def forget(self, alarm_ids: list[str]) -> None:
        for alarm_id in alarm_ids:
            self._said.pop(alarm_id, None)
        self._lamps.forget(alarm_ids)

    # --- whom -----------------------------------------------------------------------------------------------------

    def _say(self, alarm: Alarm | None, message: Message, source: str, now: Moment) -> None:
        to, said = reader_of(source), self._said.get(message.key)
        seat = _seat(alarm, message.key) if to is None else None
        if (to is None and seat is None) or (said is not None and RANK[message.step] <= RANK[said]):
            return
        self._said[message.key] = message.step
        if to is not None:
            told = Message(message.key, to, message.channel, message.step, message.by, label=self._label(source, to))
            self._tellings.tell(told, now.mono_s)
        else:
            self._lamps.show(message, _letters(alarm, message.step), seat, now.mono_s, self._home(source))

    def _home(self, source: str) -> str:
        known = self._register.find(source)
        return known.home if known else ""

    def _label(self, source: str, to: int) -> str:
        """How a striker is called aloud; whom the village did not name is called as the node's own screen shows it."""
        known = self._register.find(source)
        named = (known.label or (known.place.house if known.place else "")) if known else ""
        return named or node_id(to)


def _step(alarm: Alarm, desk_is_away: bool) -> Step | None:
    """The most that is true. Nobody need phone for help in a drill."""
    step = true_step(alarm.stage, not desk_is_away)
    is_low = step in (Step.JOURNALED, Step.NOT_CONNECTED)
    return Step.DRILL if alarm.is_drill and is_low else step


def _letters(alarm: Alarm | None, step: Step) -> str:
    """A drill says so at every step; the last letter is the one that a head echoes."""
    is_drill = alarm is not None and alarm.is_drill and step is not Step.DRILL
    is_helped = alarm is not None and Remark.GUARDS_COMING in alarm.remarks and RANK[step] < RANK[Step.DISPATCHED]
    return ("L" if is_drill else "") + ("G" if is_helped else "") + step.value


def _seat(alarm: Alarm | None, alarm_id: str) -> Seat | None:
    """Where the lamps of a head's alarm are, as far as the alarm itself tells: the newest press of a proved head."""
    by = HeadPress.parse(alarm.presses[-1] if alarm is not None else alarm_id)
    if by is None or not by.proved:
        return None
    if alarm is not None and (alarm.trust is not Trust.VERIFIED or alarm.via is not Via.LINE):
        return None
    return Seat(by, channel=alarm.channel if alarm is not None else "")


def _is_awaited(alarm: Alarm, step: Step, now: Moment) -> bool:
    """Whether anybody still waits for this. Where no clock can tell, only for what the run before this one heard."""
    age_s = alarm.latest.age_s(now)
    if age_s is None:
        return alarm.latest.start >= now.start - 1
    return age_s < (STORED_NEWS_S if RANK[step] >= RANK[Step.STORED] else GIVE_UP_S)
