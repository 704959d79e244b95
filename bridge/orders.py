"""Officers' words and the desk's orders: each is obeyed once, and the desk is told what became of it."""

from collections.abc import Callable
from typing import assert_never

from bridge.domain.alarm import Alarm, Moment, Stage
from bridge.domain.commands import Account, Reopen, SaveAlarm, SaveWord, Sweep
from bridge.domain.desk import Fate, OrderKind, Word
from bridge.draft import Draft
from bridge.ledger import Ledger
from bridge.strikers import Strikers, reader_of, stage_of
from bridge.tellings import Fared
from bridge.wordbook import Key, WordBook

TOO_LATE_S = 2 * 3600.0  # after that "they are on their way" is true no more
TOO_LATE = "said more than two hours ago; it may be a replay, so nothing was done"

Drill = Callable[[Moment, Draft], None]
Silencing = Callable[[str, Draft], None]
Climb = Callable[[str, Stage, str, Moment], Alarm | None]


class Orders:
    """Obeys by the engine's own hands: `climb`, `drill` and `silence` are its."""

    def __init__(
        self, words: WordBook, ledger: Ledger, strikers: Strikers, climb: Climb, drill: Drill, silence: Silencing
    ) -> None:
        self._words, self._ledger, self._strikers = words, ledger, strikers
        self._climb, self._drill, self._silence = climb, drill, silence

    def obey(self, word: Word, channel: str | None, now: Moment, draft: Draft) -> None:
        """A word that was not heard before. `channel`: where the village is spoken to, None without a radio."""
        key = (word.desk, word.number)
        self._words.take(word, now.wall_s)
        if self._comes_too_late(word, now):
            return self.settle(key, Fate.NOT_REACHED, TOO_LATE, now, draft)
        match word.kind:
            case OrderKind.STAGE:
                self._take_stage(key, word, now, draft)
            case OrderKind.MESSAGE:
                self._send_message(key, word, now, draft)
            case OrderKind.VILLAGE:
                self._announce(key, word, channel, now, draft)
            case OrderKind.SIREN_OFF:
                self._silence(word.by, draft)
                self.settle(key, Fate.DONE, "", now, draft)
            case OrderKind.DRILL:
                self._drill(now, draft)
                self.settle(key, Fate.DONE, "", now, draft)
            case OrderKind.RESEND:
                draft.facts.append(Reopen(word.desk, "the desk asked for everything again"))
                draft.after.append(Sweep())
                self.settle(key, Fate.DONE, "", now, draft)
            case _:
                assert_never(word.kind)

    def _comes_too_late(self, word: Word, now: Moment) -> bool:
        """A journal that was restored, or is new, does not know which words were obeyed before: whoever kept a signed
        one could have it obeyed once more. About an alarm that we know the desk tells us anew in any case."""
        is_about_now = word.kind in (OrderKind.SIREN_OFF, OrderKind.DRILL)
        is_to_striker = word.kind in (OrderKind.STAGE, OrderKind.MESSAGE) and word.stage is not Stage.CLOSED
        is_unfounded = is_about_now or (is_to_striker and self._ledger.alarm(word.alarm) is None)
        return now.trusted and is_unfounded and word.number < (now.wall_s - TOO_LATE_S) * 1000

    def settle(self, key: Key, fate: Fate, detail: str, now: Moment, draft: Draft) -> None:
        """Journal what became of a word; once that is on disk the desk is told."""
        if (settled := self._words.settle(key, fate, now.wall_s, detail)) is not None:
            word, answer = settled
            draft.facts.append(SaveWord(word, answer))
            draft.after.append(Account((answer,)))

    def fared(self, fared: Fared, now: Moment, draft: Draft) -> None:
        """The fate of an answer is the fate of the word that it carried, and of the lower ones before it."""
        message = fared.message
        if message.text:
            desk, _, number = message.key.rpartition("#")
            done = Fate.DONE if message.is_aloud else Fate.TOLD
            self.settle((desk, int(number)), done if fared.told else Fate.NOT_REACHED, fared.why, now, draft)
            return
        fate, told = Fate.TOLD if fared.told else Fate.NOT_REACHED, stage_of(message.step)
        for key, word in self._words.unfinished(message.key):
            if word.stage == told:
                self.settle(key, fate, fared.why, now, draft)
            elif word.stage is not None and word.stage < told:
                self.settle(key, Fate.SUPERSEDED, "", now, draft)

    def resume(self, now: Moment, draft: Draft) -> None:
        """After a restart: whatever was still owed for a word is done, or given up aloud."""
        for key, word in self._words.unfinished():
            alarm = self._ledger.alarm(word.alarm)
            source = alarm.source if alarm else word.source
            if word.kind is OrderKind.VILLAGE:
                self.settle(key, Fate.NOT_REACHED, "the bridge restarted; it may or may not have been said", now, draft)
            elif not self._strikers.can_be_told(alarm, word):
                self.settle(key, Fate.NOT_REACHED, "the bridge restarted; no such striker on the mesh", now, draft)
            elif word.kind is OrderKind.MESSAGE:
                self._strikers.send(_name(key), source, alarm.channel if alarm else "", word, now)
            else:
                self._resume_stage(key, word, alarm, now, draft)

    def _resume_stage(self, key: Key, word: Word, alarm: Alarm | None, now: Moment, draft: Draft) -> None:
        self._strikers.tell_word(word, alarm, now)
        if word.alarm not in self._strikers:  # told already, or more than that
            self.settle(key, Fate.SUPERSEDED, "", now, draft)

    def _take_stage(self, key: Key, word: Word, now: Moment, draft: Draft) -> None:
        alarm, stage = self._ledger.alarm(word.alarm), word.stage
        can_be_told = self._strikers.can_be_told(alarm, word)
        if stage is None or stage < Stage.ACKNOWLEDGED:
            self.settle(key, Fate.REFUSED, "no stage that an officer may give", now, draft)
        elif alarm is None and not can_be_told:
            self.settle(key, Fate.REFUSED, "this post knows neither the alarm nor its striker", now, draft)
        elif (self._stage(alarm, word, key) or Stage.HEARD) >= stage:
            self.settle(key, Fate.SUPERSEDED, "", now, draft)
        elif not can_be_told:
            self.settle(key, Fate.DONE, "noted at the post; this source has no lamp or screen", now, draft)
            self._raise(word, alarm, stage, now, draft)
        else:
            self.settle(key, Fate.RECEIVED, "", now, draft)
            self._raise(word, alarm, stage, now, draft)

    def _stage(self, alarm: Alarm | None, word: Word, key: Key) -> Stage | None:
        return alarm.stage if alarm is not None else self._words.highest(word.alarm, key)

    def _raise(self, word: Word, alarm: Alarm | None, stage: Stage, now: Moment, draft: Draft) -> None:
        """A post whose journal is new, or that has forgotten the alarm, still owes the striker the word."""
        if alarm is not None and (climbed := self._climb(alarm.id, stage, word.by, now)) is not None:
            draft.facts.append(SaveAlarm(climbed))
        self._strikers.tell_word(word, alarm, now)

    def _send_message(self, key: Key, word: Word, now: Moment, draft: Draft) -> None:
        alarm = self._ledger.alarm(word.alarm)
        source = alarm.source if alarm else word.source
        if reader_of(source) is None or not word.text:
            self.settle(key, Fate.REFUSED, "this striker has no screen on the mesh, or there is no text", now, draft)
            return
        self.settle(key, Fate.RECEIVED, "", now, draft)
        self._strikers.send(_name(key), source, alarm.channel if alarm else "", word, now)

    def _announce(self, key: Key, word: Word, channel: str | None, now: Moment, draft: Draft) -> None:
        if channel is None or not word.text:
            self.settle(key, Fate.REFUSED, "no radio with a private channel, or no text", now, draft)
            return
        self.settle(key, Fate.RECEIVED, "", now, draft)
        self._strikers.announce(_name(key), channel, word, now)


def _name(key: Key) -> str:
    return f"{key[0]}#{key[1]}"
