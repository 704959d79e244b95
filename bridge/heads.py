"""Heads' lines: what is a call for help, what takes one back, and what only wants an answer."""

from collections.abc import Callable
from dataclasses import replace

from bridge.domain.alarm import Alarm, Moment
from bridge.domain.events import Tap
from bridge.domain.head import HeadCall, HeadWord
from bridge.domain.press import Press, Remark
from bridge.domain.step import Step
from bridge.draft import Draft
from bridge.ledger import Ledger, Register
from bridge.strikers import Strikers
from bridge.tellings import Fared

TAPS = {HeadWord.AMAN: Tap.AMAN, HeadWord.NOTICE: Tap.NOTICE, HeadWord.HERE: Tap.HERE}

Hear = Callable[[Press, Moment, Draft], None]
Report = Callable[[Alarm, Draft, tuple[str, ...]], None]
Note = Callable[[str, Tap, Moment], None]


class Heads:
    """`hear` takes a press, `report` an alarm whose revision rose, `note` what is no alarm; they are the engine's."""

    def __init__(
        self, ledger: Ledger, strikers: Strikers, register: Register, hear: Hear, report: Report, note: Note
    ) -> None:
        self._ledger, self._strikers, self._register = ledger, strikers, register
        self._hear, self._report, self._note = hear, report, note

    def take(self, call: HeadCall, desk_is_away: bool, now: Moment, draft: Draft) -> Fared | None:
        """One line. What its echo says became of an answer, if anything."""
        is_new = not self._ledger.knows(call.by.id)
        if is_new and self._is_no_alarm(call):
            self._take_word(call, now)
            return None
        if call.word is HeadWord.CANCEL:
            if is_new and not self._cancel(call, now, draft):
                self._strikers.reply(call, Step.CLOSED, now)  # there is nothing to take back
                return None
        else:
            self._hear(call.press, now, draft)
        alarm = self._ledger.alarm_of(call.by.id)
        if alarm is not None:
            return self._strikers.called(call, alarm, desk_is_away, now)
        if not is_new:
            self._strikers.reply(call, Step.JOURNALED, now)  # older than our memory, but not than the journal
        return None

    def _is_no_alarm(self, call: HeadCall) -> bool:
        """At a house every rhythm is an alarm; at the post's own kentongan the hourly beat and notices are not."""
        if call.word is HeadWord.HERE:
            return True
        source = self._register.find(call.by.source)
        is_post = source is not None and source.is_post and call.press.trusted
        return is_post and call.word in (HeadWord.AMAN, HeadWord.NOTICE)

    def _take_word(self, call: HeadCall, now: Moment) -> None:
        if call.word is not None:
            self._note(call.by.source, TAPS[call.word], now)
        self._strikers.reply(call, Step.CLOSED, now)

    def _cancel(self, call: HeadCall, now: Moment, draft: Draft) -> bool:
        """Somebody at the head says it was nothing. That closes nothing; people decide. False: no alarm is open."""
        alarm = self._ledger.open_of(call.press, now)
        if alarm is None:
            return False
        claimed = replace(
            alarm,
            presses=(*alarm.presses, call.by.id),
            remarks=alarm.remarks | {Remark.CANCEL_CLAIMED},
            revision=alarm.revision + 1,
        )
        self._ledger.adopt(call.by.id, claimed)
        self._report(claimed, draft, (call.by.id,))
        return True
