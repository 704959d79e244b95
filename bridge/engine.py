"""Decides from memory. Owns no thread, opens no file or socket, never sleeps; time comes with each event."""

from dataclasses import replace
from typing import Any, assert_never

from bridge.domain import events as ev
from bridge.domain.alarm import Alarm, Moment, Outcome, Stage, Told
from bridge.domain.commands import (
    Account,
    Chirp,
    Decision,
    Relay,
    Reopen,
    SaveAlarm,
    SaveMark,
    SaveReceipts,
    SaveReply,
    SaveSighting,
    SaveWord,
    Silence,
    Sound,
    Sweep,
)
from bridge.domain.desk import Mark, OrderKind, Stored, Word
from bridge.domain.head import HeadCall
from bridge.domain.ids import PostId, Run, wired_press, wired_source
from bridge.domain.policy import HOUR_S, RING_AGAIN_S
from bridge.domain.press import Kind, Press, Remark, Via
from bridge.domain.report import freeze
from bridge.draft import Draft
from bridge.heads import Heads
from bridge.ledger import Ledger, Memory, Register
from bridge.marks import Marks
from bridge.orders import Orders
from bridge.promises import Promises
from bridge.reach import Reach
from bridge.strikers import Strikers, stage_of
from bridge.tellings import Fared
from bridge.wordbook import WordBook

LONGEST_WAIT_S = 60.0


class Engine:
    """One post's mind: alarms, words, who was told what. `handle` one event at a time.

    `uplinks`: the ways to the desk. `lamps`: the wired inputs that have lamps of their own.
    """

    def __init__(
        self,
        post: PostId,
        run: Run,
        memory: Memory,
        register: Register,
        started: Moment,
        uplinks: tuple[str, ...] = (),
        lamps: tuple[str, ...] = (),
    ) -> None:
        self._post, self._run, self._started = post, run, started
        self._ledger = Ledger(memory, register)
        self._words, self._marks = WordBook(memory.words), Marks(memory.marks)
        self._strikers = Strikers(memory.alarms, register, post.post, lamps)
        self._heads = Heads(self._ledger, self._strikers, register, self._hear, self._report, self._note_tap)
        self._orders = Orders(self._words, self._ledger, self._strikers, self._climb, self._drill, self._silence)
        self._promises = Promises()
        self._rang: dict[str, float] = {}
        self._reach = Reach(uplinks, started.mono_s)
        self._radios: dict[str, ev.RadioUp] = {}
        self._faults: dict[str, str] = {}
        self._taps: dict[str, tuple[ev.Tap, float]] = {}
        self._is_resumed = False
        self._forget_at = started.mono_s + HOUR_S
        self._drills = 0
        self._draft = Draft()

    # --- the one door -------------------------------------------------------------------------------------------

    def handle(self, event: ev.Event, now: Moment) -> Decision:
        """What may happen now, and what must be written first."""
        draft = self._draft = Draft()
        if not self._is_resumed:
            self._resume(now, draft)
        self._take(event, now, draft)
        self._let_time_pass(now, draft)
        return self._decide(now)

    def salvage(self, now: Moment) -> Decision:
        """After `handle` failed: what it had decided by then."""
        return self._decide(now)

    def _decide(self, now: Moment) -> Decision:
        """What is in the draft, once."""
        draft, self._draft = self._draft, Draft()
        number = 0
        if draft.facts:
            number = self._promises.hold(tuple(draft.journaled), tuple(draft.after), now.mono_s)
        else:
            draft.now += draft.after
        return Decision(tuple(draft.now), tuple(draft.facts), number)

    def wait_s(self, now: Moment) -> float:
        """How long the inbox may stay silent before time itself is an event."""
        if not self._is_resumed:
            return 0.0
        dues = (
            self._promises.next_due_s(now.mono_s),
            self._strikers.next_due_s(now),
            self._marks.next_due_s(now.mono_s),
            self._reach.next_due_s(now.mono_s),
        )
        return min((due for due in dues if due is not None), default=LONGEST_WAIT_S)

    def _take(self, event: ev.Event, now: Moment, draft: Draft) -> None:
        match event:
            case ev.PressHeard(press, mono_s):
                self._hear(press, replace(now, mono_s=mono_s), draft)
            case ev.HeadCalled(call, mono_s):
                self._call(call, replace(now, mono_s=mono_s), draft)
            case ev.LampsHeard(_, lamps):
                self._strikers.heard(lamps)
            case ev.Tapped(source, tap):
                self._note_tap(source, tap, now)
                if tap is ev.Tap.LONE:
                    draft.now.append(Chirp("a lone strike at the post"))
            case ev.SilenceAsked(by):
                self._silence(by, draft)
            case ev.Committed(number):
                self._release(number, now, draft)
            case ev.Receipted(mark, items):
                self._take_receipt(mark, items, now, draft)
            case ev.Brokered(items):
                self._broker(items, now)
            case ev.DeskSpoke(word):
                self._obey(word, now, draft)
            case ev.DeskReachable(uplink):
                self._reach.back(uplink)
                self._faults.pop(f"desk:{uplink}", None)
                self._strikers.police_are_back()
            case ev.DeskAway(uplink, why):
                self._lose_desk(uplink, why, now)
            case ev.RadioUp():
                self._radios[event.radio] = event
                self._faults.pop(f"radio:{event.radio}", None)
                self._strikers.radio(self._channel() or "", now)
            case ev.RadioDown(radio, why):
                self._radios.pop(radio, None)
                self._faults[f"radio:{radio}"] = why
                self._strikers.radio(self._channel() or "" if self._radios else None, now)
            case ev.TextSent(ticket):
                self._strikers.sent(ticket, now)
            case ev.TextDelivered(ticket):
                self._fared(self._strikers.delivered(ticket, now), now, draft)
            case ev.TextFailed(ticket, why):
                self._fared(self._strikers.failed(ticket, now, why), now, draft)
            case ev.Unwritable(number, why):
                draft.now += self._promises.discard(number)
                self._faults["journal:facts"] = f"something cannot be written ({why}); report this fault"
            case ev.JournalTrouble(why):
                self._faults["journal"] = why
            case ev.JournalWell():
                self._faults.pop("journal", None)
            case ev.JournalReplaced(run, why):
                self._begin_journal(run, why, draft)
            case ev.Fault(what, why):
                self._note_fault(what, why)
            case ev.StatusAsked(reply):
                reply(self.picture(now))
            case ev.Tick() | ev.Stop():
                pass
            case _:
                assert_never(event)

    def _let_time_pass(self, now: Moment, draft: Draft) -> None:
        draft.now += self._promises.overdue(now.mono_s)
        for desk, why in self._marks.restored(now.mono_s):
            draft.facts.append(SaveMark(self._marks.shown()[desk]))
            self._reopen(desk, why, draft)
        if self._reach.has_just_started(now.mono_s):
            self._tell_if_away(now)
        said, given_up = self._strikers.due(now)
        draft.now += said
        for fared in given_up:
            self._fared(fared, now, draft)
        if now.mono_s >= self._forget_at or self._ledger.is_full:
            self._forget_at = now.mono_s + HOUR_S
            self._forget(now)

    # --- presses ------------------------------------------------------------------------------------------------

    def _hear(self, press: Press, now: Moment, draft: Draft) -> None:
        if self._ledger.knows(press.id):
            self._see_again(press, draft)
            self._refine(press, now, draft)
            return
        alarm, standing = self._ledger.join(press, now)
        if press.sighting is not None:
            draft.facts.append(SaveSighting(alarm.id, press.id, press.sighting))
        self._ring(alarm, standing, now, draft)
        self._report(alarm, draft, (press.id,))

    def _see_again(self, press: Press, draft: Draft) -> None:
        """The same packet once more, by a relay or after a restart: one more sighting, never one more alarm."""
        if (alarm := self._ledger.see_again(press)) is not None and press.sighting is not None:
            draft.facts.append(SaveSighting(alarm.id, press.id, press.sighting))

    def _refine(self, press: Press, now: Moment, draft: Draft) -> None:
        """The first strike was an alarm at once; by now its rhythm is read."""
        standing = self._ledger.alarm_of(press.id)
        if (alarm := self._ledger.refine(press)) is not None:
            self._ring(alarm, standing, now, draft)
            self._report(alarm, draft)

    def _call(self, call: HeadCall, now: Moment, draft: Draft) -> None:
        self._fared(self._heads.take(call, self._reach.is_away(now.mono_s), now, draft), now, draft)

    def _note_tap(self, source: str, tap: ev.Tap, now: Moment) -> None:
        self._taps[source] = (tap, now.wall_s)

    def _ring(self, alarm: Alarm, standing: Alarm | None, now: Moment, draft: Draft) -> None:
        """A drill never rings; a hand that strikes on rings again, but not at every beat; a plainer kind always."""
        if alarm.is_drill:
            return
        is_news = standing is None or standing.id != alarm.id or standing.kind is not alarm.kind
        if is_news or now.mono_s - self._rang.get(alarm.id, -RING_AGAIN_S) >= RING_AGAIN_S:
            self._rang[alarm.id] = now.mono_s
            draft.now.append(Sound(alarm.id, alarm.kind, alarm.place))

    def _silence(self, by: str, draft: Draft) -> None:
        """Whoever strikes on after this is heard again at once: they do not know that it was silenced."""
        self._rang.clear()
        draft.now.append(Silence(by))

    def _report(self, alarm: Alarm, draft: Draft, presses: tuple[str, ...] = ()) -> None:
        """The revision rose: journal the whole alarm, then send it."""
        self._ledger.keep(alarm)
        row = freeze(alarm, self._post, self._run)
        draft.facts.append(SaveAlarm(alarm.climb(Stage.JOURNALED), row, presses))
        draft.after.append(Relay(row))
        draft.journaled.append(alarm.id)

    def _begin_journal(self, run: Run, why: str, draft: Draft) -> None:
        """What the damaged journal held and memory still knows goes into the new one, and to the desk again."""
        self._run = run
        self._faults["journal:replaced"] = why
        for alarm in self._ledger.alarms():
            self._report(replace(alarm, revision=alarm.revision + 1), draft, alarm.presses)
        draft.facts += [SaveWord(word, answer) for word, answer in self._words.everything()]
        draft.facts += [SaveMark(mark) for mark in self._marks.shown().values()]

    def _release(self, number: int, now: Moment, draft: Draft) -> None:
        journaled, after = self._promises.release(number)
        draft.now += after
        for alarm_id in journaled:
            self._climb(alarm_id, Stage.JOURNALED, "", now)

    # --- the ladder and the striker -----------------------------------------------------------------------------

    def _climb(self, alarm_id: str, stage: Stage, by: str, now: Moment) -> Alarm | None:
        alarm = self._ledger.climb(alarm_id, stage, by)
        if alarm is not None:
            self._strikers.tell(alarm, self._reach.is_away(now.mono_s), now)
        return alarm

    def _broker(self, items: tuple[tuple[str, int], ...], now: Moment) -> None:
        """A broker may have taken what our disk has not: that climbs nothing, for then "the post has it" were false."""
        for alarm_id, _ in items:
            alarm = self._ledger.alarm(alarm_id)
            if alarm is not None and alarm.stage >= Stage.JOURNALED:
                self._climb(alarm_id, Stage.BROKERED, "", now)

    def _fared(self, fared: Fared | None, now: Moment, draft: Draft) -> None:
        """The fate of an answer goes into the journal, onto the alarm, and to the officer whose word it carried."""
        if fared is None:
            return
        message = fared.message
        if not message.text:
            outcome = Outcome.TOLD if fared.told else Outcome.NOT_REACHED
            draft.facts.append(SaveReply(message.key, message.step, outcome, now.wall_s))
            if (alarm := self._ledger.alarm(message.key)) is not None:
                self._report(alarm.answered(Told(stage_of(message.step), outcome, now.wall_s)), draft)
        self._orders.fared(fared, now, draft)

    # --- the desk -----------------------------------------------------------------------------------------------

    def _lose_desk(self, uplink: str, why: str, now: Moment) -> None:
        self._reach.lost(uplink, why)
        self._faults[f"desk:{uplink}"] = why
        self._tell_if_away(now)

    def _tell_if_away(self, now: Moment) -> None:
        """Whoever struck lately and is not yet in the desk's hands must call help otherwise."""
        if self._reach.is_away(now.mono_s):
            for alarm in self._ledger.alarms():
                if Stage.JOURNALED <= alarm.stage < Stage.STORED:
                    self._strikers.tell(alarm, True, now)

    def _take_receipt(self, mark: Mark, items: tuple[Stored, ...], now: Moment, draft: Draft) -> None:
        """A new database, or one that went back in time, has lost alarms: everything is pending again."""
        before = self._marks.shown().get(mark.desk)
        why = self._marks.take(mark, now.mono_s)
        shown = self._marks.shown()[mark.desk]
        if why:
            self._reopen(mark.desk, why, draft)
        if items:
            draft.facts.append(SaveReceipts(shown, items))
        elif before != shown:
            draft.facts.append(SaveMark(shown))
        for item in items:
            if item.reason:
                self._faults["desk:quarantine"] = (
                    f"{item.alarm}: shown to the police, but not understood: {item.reason}"
                )
            self._climb(item.alarm, Stage.STORED, "", now)

    def _reopen(self, desk: str, why: str, draft: Draft) -> None:
        draft.facts.append(Reopen(desk, why))
        draft.after.append(Sweep())

    def _obey(self, word: Word, now: Moment, draft: Draft) -> None:
        if (answer := self._words.answer((word.desk, word.number))) is not None:
            if word.kind is OrderKind.RESEND and len(self._promises):
                return  # not done before it is on disk; the desk will ask once more
            draft.now.append(Account((answer,)))  # asked again: the same account, nothing done twice
        elif self._words.is_old(word, now.wall_s * 1000 if now.trusted else None):
            self._faults["desk:replay"] = f"word {word.number} of {word.desk} is older than 90 days; ignored"
        else:
            if word.kind is OrderKind.RESEND:
                self._marks.forget(word.desk)
            self._orders.obey(word, self._channel(), now, draft)

    def _channel(self) -> str | None:
        """Where the village is spoken to."""
        return next((c.name for up in self._radios.values() for c in up.channels if c.is_private), None)

    def _drill(self, now: Moment, draft: Draft) -> None:
        self._drills += 1
        post = self._post.post
        press = Press(
            wired_press(post, "drill", self._run.bits, self._drills),
            wired_source(post, "drill"),
            Kind.PANIC,
            Via.COMMAND,
            trusted=True,
            remarks=frozenset({Remark.DRILL}),
        )
        self._hear(press, now, draft)

    # --- memory -------------------------------------------------------------------------------------------------

    def _resume(self, now: Moment, draft: Draft) -> None:
        """After a restart every answer that was still owed is taken up again."""
        self._is_resumed = True
        self._orders.resume(now, draft)
        for alarm in self._ledger.alarms():
            if alarm.stage >= Stage.JOURNALED:
                self._strikers.tell(alarm, self._reach.is_away(now.mono_s), now)

    def _forget(self, now: Moment) -> None:
        gone = self._ledger.forget(now, self._strikers)
        self._strikers.forget(gone)
        for alarm_id in gone:
            self._rang.pop(alarm_id, None)
        self._words.forget()

    def faults(self) -> dict[str, str]:
        """What a technician must know, by part; a copy, safe to take on any thread."""
        return dict(self._faults)

    def marks(self) -> dict[str, Mark]:
        """How far each desk had got when we last heard it; a copy, safe to take on any thread."""
        return self._marks.shown()

    def _note_fault(self, what: str, why: str) -> None:
        if why:
            self._faults[what] = why
        else:
            self._faults.pop(what, None)

    def picture(self, now: Moment) -> dict[str, Any]:
        """What the control socket shows; JSON-able."""
        alarms = sorted(self._ledger.alarms(), key=lambda alarm: -alarm.sequence)
        return {
            "post": str(self._post),
            "run": {"journal": self._run.journal, "start": self._run.start, "bits": self._run.bits},
            "clock_trusted": now.trusted,
            "up_s": round(now.mono_s - self._started.mono_s, 1),
            "desk_away": self._reach.is_away(now.mono_s),
            "uplinks": self._reach.shown(),
            "radios": {name: {"own": up.own, "firmware": up.firmware} for name, up in self._radios.items()},
            "unwritten": len(self._promises),
            "telling": len(self._strikers),
            "taps": {source: {"tap": tap.value, "at": at} for source, (tap, at) in sorted(self._taps.items())},
            "faults": dict(sorted(self._faults.items())),
            "alarms": [
                {"id": a.id, "kind": a.kind.value, "stage": a.stage.name, "place": str(a.place or "")}
                for a in alarms[:20]
                if a.is_open
            ],
        }
