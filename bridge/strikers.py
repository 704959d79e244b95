"""What strikers are told: the most that is true, never less than before, and nothing to those who wait no longer."""

from bridge.domain.alarm import Alarm, Moment, Stage
from bridge.domain.commands import Announce, Tell
from bridge.domain.desk import Word
from bridge.domain.ids import node_of
from bridge.domain.policy import HOUR_S
from bridge.domain.press import BROADCAST
from bridge.domain.step import RANK, STAGE_OF, STEP_OF, Step, true_step
from bridge.ledger import Register
from bridge.tellings import GIVE_UP_S, Fared, Message, Tellings

STORED_NEWS_S = 24 * HOUR_S  # the internet came back: who struck yesterday still wants to know
BY_NAME = (Step.DISPATCHED, Step.ON_SCENE, Step.CLOSED)


def stage_of(step: Step) -> Stage:
    """The stage that a step tells of; a drill's own step says that the post has it."""
    return STAGE_OF.get(step, Stage.JOURNALED)


def striker_of(source: str) -> int | None:
    """The node to answer; None where there is none, also for a source that is written wrongly."""
    try:
        return node_of(source)
    except ValueError:
        return None


class Strikers:
    """Decides what is said to whom; `tellings` decides when."""

    def __init__(self, alarms: tuple[Alarm, ...], register: Register) -> None:
        self.tellings = Tellings()
        self._register = register
        self._said = {alarm.id: STEP_OF[alarm.told.stage] for alarm in alarms if alarm.told is not None}

    def tell(self, alarm: Alarm, desk_is_away: bool, now: Moment) -> None:
        """Say the most that is true, if it is more than was said before."""
        step = true_step(alarm.stage, not desk_is_away)
        if alarm.is_drill and step in (Step.JOURNALED, Step.NOT_CONNECTED):
            step = Step.DRILL  # nobody need phone for help
        if step is not None and _is_awaited(alarm, step, now):
            by = alarm.by if step in BY_NAME else ""
            self._say(alarm.id, alarm.source, alarm.channel, step, by, now)

    def tell_word(self, word: Word, alarm: Alarm | None, now: Moment) -> None:
        """An officer's word is owed to the striker, however old the alarm is and even if we do not know it."""
        if word.stage is not None:
            step = STEP_OF[word.stage]
            channel = alarm.channel if alarm else ""
            self._say(word.alarm, alarm.source if alarm else word.source, channel, step, word.by, now)

    def send(self, key: str, source: str, channel: str, word: Word, now: Moment) -> None:
        """An officer's own words to one striker."""
        if (to := striker_of(source)) is not None:
            self.tellings.tell(Message(key, to, channel, Step.ACKNOWLEDGED, word.by, word.text), now.mono_s)

    def announce(self, key: str, channel: str, word: Word, now: Moment) -> None:
        """An officer's own words to the village, once."""
        self.tellings.tell(Message(key, BROADCAST, channel, Step.ACKNOWLEDGED, word.by, word.text), now.mono_s)

    def police_are_back(self) -> None:
        for alarm_id in self.tellings.police_are_back():
            self._said[alarm_id] = Step.JOURNALED

    def due(self, now: Moment) -> tuple[list[Tell | Announce], list[Fared]]:
        return self.tellings.due(now.mono_s)

    def forget(self, alarm_ids: list[str]) -> None:
        for alarm_id in alarm_ids:
            self._said.pop(alarm_id, None)

    def _say(self, alarm_id: str, source: str, channel: str, step: Step, by: str, now: Moment) -> None:
        to, said = striker_of(source), self._said.get(alarm_id)
        if to is None or (said is not None and RANK[step] <= RANK[said]):
            return
        self._said[alarm_id] = step
        message = Message(alarm_id, to, channel, step, by, label=self._label(source))
        self.tellings.tell(message, now.mono_s)

    def _label(self, source: str) -> str:
        known = self._register.find(source)
        return (known.label or (known.place.house if known.place else "")) if known else ""


def _is_awaited(alarm: Alarm, step: Step, now: Moment) -> bool:
    """Whether anybody still waits for this. Where no clock can tell, only for what the run before this one heard."""
    age_s = alarm.latest.age_s(now)
    if age_s is None:
        return alarm.latest.start >= now.start - 1
    return age_s < (STORED_NEWS_S if RANK[step] >= RANK[Step.STORED] else GIVE_UP_S)
