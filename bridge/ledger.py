"""The alarms in memory: which press belongs to which, who may still be joined, what may be forgotten."""

from collections.abc import Container
from dataclasses import dataclass, field
from typing import Protocol

from bridge.domain.alarm import Alarm, Moment, Stage
from bridge.domain.desk import Answer, Mark, Word
from bridge.domain.place import Source
from bridge.domain.policy import GIVE_UP_S, HOUR_S, StillOpen, stays_open
from bridge.domain.press import Press, Remark, Trust, Via

FORGET_S = 24 * HOUR_S  # older alarms live on disk only
MOST_ALARMS, KEPT_ALARMS = 12_000, 10_000  # in memory, however many a day brings
MOST_PRESSES = 250_000  # about 50 MB; the journal still tells doubles apart after a restart
CLOCK_SLACK_S = 1.0


class Register(Protocol):
    """What the village knows about its sources."""

    def find(self, source: str) -> Source | None: ...

    def trust(self, press: Press) -> Trust: ...

    @property
    def has_heads(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Memory:
    """What the journal gives back at start."""

    alarms: tuple[Alarm, ...] = ()
    presses: dict[str, str] = field(default_factory=dict)
    words: tuple[tuple[Word, Answer], ...] = ()
    marks: tuple[Mark, ...] = ()
    sequence: int = 0


class Ledger:
    """Alarms by id, and every press id that the journal retains."""

    def __init__(self, memory: Memory, register: Register) -> None:
        self._register = register
        self._sequence = memory.sequence
        self._presses = dict(memory.presses)
        self._most = MOST_ALARMS
        self._alarms: dict[str, Alarm] = {}
        self._open: dict[_Slot, str] = {}
        for alarm in sorted(memory.alarms, key=lambda alarm: alarm.sequence):
            self._alarms[alarm.id] = alarm
            self._open[_slot_of(alarm)] = alarm.id

    def knows(self, press_id: str) -> bool:
        return press_id in self._presses

    def alarm(self, alarm_id: str) -> Alarm | None:
        return self._alarms.get(alarm_id)

    def alarms(self) -> list[Alarm]:
        return list(self._alarms.values())

    def keep(self, alarm: Alarm) -> None:
        self._alarms[alarm.id] = alarm

    def climb(self, alarm_id: str, stage: Stage, by: str = "") -> Alarm | None:
        """The alarm at its new stage; None when it is not in memory."""
        alarm = self._alarms.get(alarm_id)
        if alarm is not None:
            alarm = self._alarms[alarm_id] = alarm.climb(stage, by)
        return alarm

    @property
    def is_full(self) -> bool:
        """Time to forget, and something that may be forgotten: looked at seldom, for a look costs."""
        return len(self._alarms) >= self._most

    def join(self, press: Press, now: Moment) -> tuple[Alarm, Alarm | None]:
        """A press nobody knows yet: the alarm it makes or joins, and that alarm as it stood before."""
        trust = self._register.trust(press)
        slot = _slot(press.source, press.remarks, trust)
        standing = self._alarms.get(self._open.get(slot, ""))
        if standing is None or _is_ahead(standing, now) or not stays_open(standing, now):
            standing, alarm = None, self._begin(press, trust, now)
        else:
            alarm = standing.joined(press, trust, now)
        if press.sighting is not None:
            alarm = alarm.seen(press.sighting)
        self._presses[press.id] = alarm.id
        self._open[slot] = alarm.id
        self._alarms[alarm.id] = alarm
        return alarm, standing

    def refine(self, press: Press) -> Alarm | None:
        """A known press whose rhythm is read by now: its alarm with what that adds; None when it adds nothing."""
        alarm = self._alarms.get(self._presses[press.id])
        if alarm is None or not alarm.is_open or press.via not in (Via.LINE, Via.WIRED):
            return None  # a stock node's packet says one thing; another text under its number is a forger's
        if _slot(press.source, press.remarks, self._register.trust(press)) != _slot_of(alarm):
            return None
        refined = alarm.refined(press)
        if refined is alarm:
            return None
        self._alarms[alarm.id] = refined
        return refined

    def alarm_of(self, press_id: str) -> Alarm | None:
        """The alarm that holds a press; None when it is not, or no longer, in memory."""
        return self._alarms.get(self._presses.get(press_id, ""))

    def open_of(self, press: Press, now: Moment) -> Alarm | None:
        """The alarm that this hand may take back: its latest, not closed, not older than a striker waits."""
        slot = _slot(press.source, press.remarks, self._register.trust(press))
        alarm = self._alarms.get(self._open.get(slot, ""))
        if alarm is None or not alarm.is_open:
            return None
        age_s = alarm.latest.age_s(now)
        return alarm if age_s is not None and age_s <= GIVE_UP_S else None

    def adopt(self, press_id: str, alarm: Alarm) -> None:
        """`alarm` as it is now, with a press that is no call for help."""
        self._presses[press_id] = alarm.id
        self._alarms[alarm.id] = alarm

    def see_again(self, press: Press) -> Alarm | None:
        """A known press heard once more; None when that adds nothing. Bounded: an echo must not wear out the disk."""
        alarm = self._alarms.get(self._presses[press.id])
        if alarm is None or press.sighting is None:
            return None
        grown = alarm.seen(press.sighting)
        self._alarms[alarm.id] = grown
        return grown if grown is not alarm else None

    def forget(self, now: Moment, busy: Container[str]) -> list[str]:
        """Alarms a day old leave memory, and the oldest of too many, but none that waits for the disk. Their ids."""
        may_go = [alarm for alarm in self._alarms.values() if alarm.stage > Stage.HEARD]
        gone = [alarm.id for alarm in may_go if alarm.id not in busy and _is_old(alarm, now)]
        for alarm_id in gone:
            del self._alarms[alarm_id]
        surplus = max(0, len(self._alarms) - KEPT_ALARMS)
        for alarm in [alarm for alarm in may_go if alarm.id in self._alarms][:surplus]:
            del self._alarms[alarm.id]
            gone.append(alarm.id)
        self._most = max(MOST_ALARMS, len(self._alarms) + MOST_ALARMS - KEPT_ALARMS)
        self._open = {slot: alarm_id for slot, alarm_id in self._open.items() if alarm_id in self._alarms}
        for press in list(self._presses)[: max(0, len(self._presses) - MOST_PRESSES)]:
            del self._presses[press]
        return gone

    def _begin(self, press: Press, trust: Trust, now: Moment) -> Alarm:
        self._sequence += 1
        source = self._register.find(press.source)
        # Whoever has the channel's key can send as any node; one whose own key we know could have proved it.
        unproved = trust is Trust.UNKNOWN or (trust is Trust.CHANNEL and source is not None and bool(source.public_key))
        claimed = unproved and source is not None and source.place is not None
        return Alarm(
            id=press.id,
            sequence=self._sequence,
            source=press.source,
            kind=press.kind,
            trust=trust,
            via=press.via,
            first=now,
            latest=now,
            presses=(press.id,),
            place=source.place if source else None,
            words=(press.words,) if press.words else (),
            remarks=press.remarks | ({Remark.PLACE_CLAIMED} if claimed else set()),
            channel=press.channel,
        )


_Slot = tuple[StillOpen, bool]


def _slot(source: str, remarks: frozenset[Remark], trust: Trust) -> _Slot:
    """Alarms that a press may join. What is proved and what is only said do not mix, not in kind, not in words."""
    is_talk = Remark.PERHAPS_TALK in remarks
    still = StillOpen(source, Remark.DRILL in remarks, is_talk, trust is Trust.UNKNOWN)
    return still, trust is Trust.VERIFIED


def _slot_of(alarm: Alarm) -> _Slot:
    return _slot(alarm.source, alarm.remarks, alarm.trust)


def _is_ahead(alarm: Alarm, now: Moment) -> bool:
    """Another run's clock stood later than ours does: how long ago that was nobody knows."""
    return not alarm.latest.shares_clock(now) and alarm.latest.wall_s > now.wall_s + CLOCK_SLACK_S


def _is_old(alarm: Alarm, now: Moment) -> bool:
    age = alarm.latest.age_s(now)
    return age is None or age > FORGET_S
