"""The alarms in memory: which press belongs to which, who may still be joined, what may be forgotten."""

from collections.abc import Container
from dataclasses import dataclass, field
from typing import Protocol

from bridge.domain.alarm import Alarm, Moment, Stage
from bridge.domain.desk import Answer, Mark, Word
from bridge.domain.place import Source
from bridge.domain.policy import HOUR_S, StillOpen, stays_open
from bridge.domain.press import Press, Remark, Trust

FORGET_S = 24 * HOUR_S  # older alarms live on disk only


class Register(Protocol):
    """What the village knows about its sources."""

    def find(self, source: str) -> Source | None: ...

    def trust(self, press: Press) -> Trust: ...


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
        self._alarms: dict[str, Alarm] = {}
        self._open: dict[StillOpen, str] = {}
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

    def join(self, press: Press, now: Moment) -> tuple[Alarm, Alarm | None]:
        """A press nobody knows yet: the alarm it makes or joins, and that alarm as it stood before."""
        trust = self._register.trust(press)
        slot = StillOpen(press.source, press.is_drill, Remark.PERHAPS_TALK in press.remarks, trust is Trust.UNKNOWN)
        standing = self._alarms.get(self._open.get(slot, ""))
        if standing is None or not stays_open(standing, now):
            standing, alarm = None, self._begin(press, trust, now)
        else:
            alarm = standing.joined(press, trust, now)
        if press.sighting is not None:
            alarm = alarm.seen(press.sighting)
        self._presses[press.id] = alarm.id
        self._open[slot] = alarm.id
        self._alarms[alarm.id] = alarm
        return alarm, standing

    def see_again(self, press: Press) -> Alarm | None:
        """A known press heard once more; None when that adds nothing. Bounded: an echo must not wear out the disk."""
        alarm = self._alarms.get(self._presses[press.id])
        if alarm is None or press.sighting is None:
            return None
        grown = alarm.seen(press.sighting)
        self._alarms[alarm.id] = grown
        return grown if grown is not alarm else None

    def forget(self, now: Moment, busy: Container[str]) -> list[str]:
        """Alarms a day old leave memory, except those that wait for the disk or are being told. Their ids."""
        gone = [
            alarm.id
            for alarm in self._alarms.values()
            if alarm.stage > Stage.HEARD and alarm.id not in busy and _is_old(alarm, now)
        ]
        for alarm_id in gone:
            del self._alarms[alarm_id]
        self._open = {slot: alarm_id for slot, alarm_id in self._open.items() if alarm_id in self._alarms}
        return gone

    def _begin(self, press: Press, trust: Trust, now: Moment) -> Alarm:
        self._sequence += 1
        source = self._register.find(press.source)
        claimed = source is not None and source.place is not None and trust is Trust.UNKNOWN
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


def _slot_of(alarm: Alarm) -> StillOpen:
    is_talk = Remark.PERHAPS_TALK in alarm.remarks
    return StillOpen(alarm.source, alarm.is_drill, is_talk, alarm.trust is Trust.UNKNOWN)


def _is_old(alarm: Alarm, now: Moment) -> bool:
    age = alarm.latest.age_s(now)
    return age is None or age > FORGET_S
