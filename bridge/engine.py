"""Decides from memory. Owns no thread, opens no file or socket, never sleeps; time comes with each event."""

from dataclasses import dataclass, field, replace
from typing import Any, assert_never

from bridge.domain import events as ev
from bridge.domain.alarm import Alarm, Moment, Outcome, Stage, Told
from bridge.domain.commands import (
    Account,
    Announce,
    Command,
    Decision,
    Fact,
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
from bridge.domain.desk import Fate, Mark, OrderKind, Stored, Word
from bridge.domain.ids import PostId, Run, node_of, wired_press, wired_source
from bridge.domain.policy import HOUR_S, RING_AGAIN_S
from bridge.domain.press import Kind, Press, Remark, Via
from bridge.domain.report import freeze
from bridge.domain.step import RANK, STAGE_OF, STEP_OF, Step, true_step
from bridge.ledger import Ledger, Memory, Register
from bridge.promises import Promises
from bridge.tellings import GIVE_UP_S, Fared, Message, Tellings
from bridge.wordbook import WordBook

FORGET_S = 24 * HOUR_S  # older alarms live on disk only
STARTING_S = 30.0  # a desk that has had no time to answer is not yet "not connected"
WORD_KEPT_S = 90 * 24 * HOUR_S


@dataclass(slots=True)
class _Draft:
    """One decision while it is being made."""

    now: list[Command] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    after: list[Command] = field(default_factory=list)
    journaled: list[str] = field(default_factory=list)


class Engine:
    """One post's mind: alarms, words, who was told what. `handle` one event at a time."""

    def __init__(
        self, post: PostId, run: Run, memory: Memory, register: Register, started: Moment, uplinks: tuple[str, ...] = ()
    ) -> None:
        self._post, self._run, self._register, self._started = post, run, register, started
        self._ledger = Ledger(memory, register)
        self._words = WordBook(memory.words)
        self._marks = {mark.desk: mark for mark in memory.marks}
        self._rang: dict[str, float] = {}
        self._said = {a.id: STEP_OF[a.told.stage] for a in memory.alarms if a.told is not None}
        self._announced: dict[int, tuple[str, int]] = {}
        self._uplinks: dict[str, str | None] = dict.fromkeys(uplinks, "starting")  # None: the desk answers there
        self._radios: dict[str, ev.RadioUp] = {}
        self._faults: dict[str, str] = {}
        self._promises = Promises()
        self._tellings = Tellings()
        self._forget_at = started.mono_s + HOUR_S
        self._drills = 0
        self._resume(started)

    # --- the one door -------------------------------------------------------------------------------------------

    def handle(self, event: ev.Event, now: Moment) -> Decision:
        """What may happen now, and what must be written first."""
        draft = _Draft()
        self._take(event, now, draft)
        self._let_time_pass(now, draft)
        number = 0
        if draft.facts:
            number = self._promises.hold(tuple(draft.journaled), tuple(draft.after), now.mono_s)
        else:
            draft.now += draft.after
        return Decision(tuple(draft.now), tuple(draft.facts), number)

    def wait_s(self, now: Moment) -> float:
        """How long the inbox may stay silent before time itself is an event."""
        dues = (self._promises.next_due_s(now.mono_s), self._tellings.next_due_s(now.mono_s), 1.0 * 60)
        return min(due for due in dues if due is not None)

    def _take(self, event: ev.Event, now: Moment, draft: _Draft) -> None:
        match event:
            case ev.PressHeard(press, mono_s):
                self._hear(press, replace(now, mono_s=mono_s), draft)
            case ev.Committed(number):
                self._release(number, now, draft)
            case ev.Receipted(mark, items):
                self._take_receipt(mark, items, draft)
                for item in items:
                    self._climb(item.alarm, Stage.STORED, "", now)
            case ev.Brokered(items):
                for alarm_id, _ in items:
                    self._climb(alarm_id, Stage.BROKERED, "", now)
            case ev.DeskSpoke(word):
                self._obey(word, now, draft)
            case ev.DeskReachable(uplink):
                self._uplinks[uplink] = None
                self._faults.pop(f"desk:{uplink}", None)
            case ev.DeskAway(uplink, why):
                self._lose_desk(uplink, why, now)
            case ev.RadioUp():
                self._radios[event.radio] = event
                self._faults.pop(f"radio:{event.radio}", None)
                self._tellings.radio(True, now.mono_s)
            case ev.RadioDown(radio, why):
                self._radios.pop(radio, None)
                self._faults[f"radio:{radio}"] = why
                self._tellings.radio(bool(self._radios), now.mono_s)
            case ev.TextSent(ticket):
                self._tellings.sent(ticket, now.mono_s)
            case ev.TextDelivered(ticket):
                self._delivered(ticket, now, draft)
            case ev.TextFailed(ticket, why):
                self._not_delivered(ticket, why, now, draft)
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

    def _let_time_pass(self, now: Moment, draft: _Draft) -> None:
        draft.now += self._promises.overdue(now.mono_s)
        said, given_up = self._tellings.due(now.mono_s)
        draft.now += said
        for fared in given_up:
            self._fared(fared, now, draft)
        if now.mono_s >= self._forget_at:
            self._forget_at = now.mono_s + HOUR_S
            self._forget(now)

    # --- presses ------------------------------------------------------------------------------------------------

    def _hear(self, press: Press, now: Moment, draft: _Draft) -> None:
        if self._ledger.knows(press.id):
            self._see_again(press, draft)
            return
        alarm, standing = self._ledger.join(press, now)
        if press.sighting is not None:
            draft.facts.append(SaveSighting(alarm.id, press.id, press.sighting))
        self._ring(alarm, standing, now, draft)
        self._report(alarm, draft, (press.id,))

    def _see_again(self, press: Press, draft: _Draft) -> None:
        """The same packet once more, by a relay or after a restart: one more sighting, never one more alarm."""
        if (alarm := self._ledger.see_again(press)) is not None and press.sighting is not None:
            draft.facts.append(SaveSighting(alarm.id, press.id, press.sighting))

    def _ring(self, alarm: Alarm, standing: Alarm | None, now: Moment, draft: _Draft) -> None:
        """A drill never rings; a hand that strikes on rings again, but not at every beat; a plainer kind always."""
        if alarm.is_drill:
            return
        is_news = standing is None or standing.id != alarm.id or standing.kind is not alarm.kind
        if is_news or now.mono_s - self._rang.get(alarm.id, -RING_AGAIN_S) >= RING_AGAIN_S:
            self._rang[alarm.id] = now.mono_s
            draft.now.append(Sound(alarm.id, alarm.kind, alarm.place))

    def _report(self, alarm: Alarm, draft: _Draft, presses: tuple[str, ...] = ()) -> None:
        """The revision rose: journal the whole alarm, then send it."""
        self._ledger.keep(alarm)
        row = freeze(alarm, self._post, self._run)
        draft.facts.append(SaveAlarm(alarm.climb(Stage.JOURNALED), row, presses))
        draft.after.append(Relay(row))
        draft.journaled.append(alarm.id)

    def _begin_journal(self, run: Run, why: str, draft: _Draft) -> None:
        """What the damaged journal held and memory still knows goes into the new one, and to the desk again."""
        self._run = run
        self._faults["journal:replaced"] = why
        for alarm in self._ledger.alarms():
            self._report(replace(alarm, revision=alarm.revision + 1), draft, alarm.presses)

    def _release(self, number: int, now: Moment, draft: _Draft) -> None:
        journaled, after = self._promises.release(number)
        draft.now += after
        for alarm_id in journaled:
            self._climb(alarm_id, Stage.JOURNALED, "", now)

    # --- the ladder and the striker -----------------------------------------------------------------------------

    def _climb(self, alarm_id: str, stage: Stage, by: str, now: Moment) -> Alarm | None:
        alarm = self._ledger.climb(alarm_id, stage, by)
        if alarm is not None:
            self._tell(alarm, now)
        return alarm

    def _tell(self, alarm: Alarm, now: Moment) -> None:
        """Say the most that is true, if it is more than was said before."""
        step = true_step(alarm.stage, not self._desk_is_away(now))
        if step is None or (alarm.is_drill and step is Step.NOT_CONNECTED):
            return
        said = self._said.get(alarm.id)
        to = node_of(alarm.source)
        if to is None or (said is not None and RANK[step] <= RANK[said]):
            return
        self._said[alarm.id] = step
        by = alarm.by if step in (Step.DISPATCHED, Step.ON_SCENE, Step.CLOSED) else ""
        self._tellings.tell(Message(alarm.id, to, alarm.channel, step, by, label=self._label(alarm.source)), now.mono_s)

    def _label(self, source: str) -> str:
        known = self._register.find(source)
        return (known.label or (known.place.house if known.place else "")) if known else ""

    def _delivered(self, ticket: int, now: Moment, draft: _Draft) -> None:
        if (key := self._announced.pop(ticket, None)) is not None:
            self._settle(key, Fate.DONE, "", now, draft)
        elif (fared := self._tellings.delivered(ticket, now.mono_s)) is not None:
            self._fared(fared, now, draft)

    def _not_delivered(self, ticket: int, why: str, now: Moment, draft: _Draft) -> None:
        if (key := self._announced.pop(ticket, None)) is not None:
            self._settle(key, Fate.NOT_REACHED, why, now, draft)
        else:
            self._tellings.failed(ticket, now.mono_s)

    def _fared(self, fared: Fared, now: Moment, draft: _Draft) -> None:
        """The fate of an answer goes into the journal, onto the alarm, and to the officer whose word it carried."""
        message = fared.message
        outcome = Outcome.TOLD if fared.told else Outcome.NOT_REACHED
        fate = Fate.TOLD if fared.told else Fate.NOT_REACHED
        if message.text:
            desk, _, number = message.key.rpartition("#")
            self._settle((desk, int(number)), fate, "", now, draft)
            return
        draft.facts.append(SaveReply(message.key, message.step, outcome, now.wall_s))
        alarm = self._ledger.alarm(message.key)
        if alarm is not None:
            self._report(alarm.answered(Told(STAGE_OF[message.step], outcome, now.wall_s)), draft)
        self._settle_steps(message, fate, now, draft)

    def _settle_steps(self, message: Message, fate: Fate, now: Moment, draft: _Draft) -> None:
        stage = STAGE_OF[message.step]
        for key, word in self._words.unfinished():
            if word.alarm == message.key and word.stage is not None and word.stage <= stage:
                self._settle(key, fate if word.stage == stage else Fate.SUPERSEDED, "", now, draft)

    # --- the desk -----------------------------------------------------------------------------------------------

    def _desk_is_away(self, now: Moment) -> bool:
        if any(why is None for why in self._uplinks.values()):
            return False
        starting = now.mono_s - self._started.mono_s < STARTING_S
        return not (starting and "starting" in self._uplinks.values())

    def _lose_desk(self, uplink: str, why: str, now: Moment) -> None:
        self._uplinks[uplink] = why
        self._faults[f"desk:{uplink}"] = why
        if self._desk_is_away(now):
            for alarm in self._ledger.alarms():
                if Stage.JOURNALED <= alarm.stage < Stage.STORED:
                    self._tell(alarm, now)

    def _take_receipt(self, mark: Mark, items: tuple[Stored, ...], draft: _Draft) -> None:
        """A new database, or one that went back in time, has lost alarms: everything is pending again."""
        seen = self._marks.get(mark.desk)
        self._marks[mark.desk] = mark
        if seen is not None and (seen.database != mark.database or mark.commit < seen.commit):
            why = "a new database" if seen.database != mark.database else f"commit {mark.commit} after {seen.commit}"
            draft.facts.append(Reopen(mark.desk, why))
            draft.after.append(Sweep())
        if items:
            draft.facts.append(SaveReceipts(mark, items))
        elif seen != mark:
            draft.facts.append(SaveMark(mark))

    def _obey(self, word: Word, now: Moment, draft: _Draft) -> None:
        key = (word.desk, word.number)
        if (answer := self._words.answer(key)) is not None:
            draft.now.append(Account((answer,)))  # asked again: the same account, nothing done twice
            return
        if now.trusted and word.number < (now.wall_s - WORD_KEPT_S) * 1000:
            self._faults["desk:replay"] = f"word {word.number} of {word.desk} is older than 90 days; ignored"
            return
        self._words.take(word, now.wall_s)
        match word.kind:
            case OrderKind.STAGE:
                self._take_word(key, word, now, draft)
            case OrderKind.MESSAGE:
                self._send_message(key, word, now, draft)
            case OrderKind.VILLAGE:
                self._announce(key, word, now, draft)
            case OrderKind.SIREN_OFF:
                draft.now.append(Silence(word.by))
                self._settle(key, Fate.DONE, "", now, draft)
            case OrderKind.DRILL:
                self._drill(now, draft)
                self._settle(key, Fate.DONE, "", now, draft)
            case OrderKind.RESEND:
                draft.facts.append(Reopen(word.desk, "the desk asked for everything again"))
                draft.after.append(Sweep())
                self._settle(key, Fate.DONE, "", now, draft)
            case _:
                assert_never(word.kind)

    def _take_word(self, key: tuple[str, int], word: Word, now: Moment, draft: _Draft) -> None:
        alarm = self._ledger.alarm(word.alarm)
        stage = word.stage or Stage.ACKNOWLEDGED
        if alarm is not None and alarm.stage >= stage:
            self._settle(key, Fate.SUPERSEDED, "", now, draft)
            return
        to = node_of(alarm.source if alarm else word.source)
        if to is None:
            self._settle(key, Fate.DONE, "shown at the post; this source has no lamp or screen", now, draft)
        else:
            self._settle(key, Fate.RECEIVED, "", now, draft)
        if alarm is not None:
            climbed = self._climb(alarm.id, stage, word.by, now)
            if climbed is not None:
                draft.facts.append(SaveAlarm(climbed))
        elif to is not None:  # a post whose journal is new still owes the striker the word
            step = STEP_OF[stage]
            self._tellings.tell(Message(word.alarm, to, "", step, word.by, label=self._label(word.source)), now.mono_s)

    def _send_message(self, key: tuple[str, int], word: Word, now: Moment, draft: _Draft) -> None:
        alarm = self._ledger.alarm(word.alarm)
        to = node_of(alarm.source if alarm else word.source)
        if to is None or not word.text:
            self._settle(key, Fate.REFUSED, "no such striker on the mesh, or no text", now, draft)
            return
        self._settle(key, Fate.RECEIVED, "", now, draft)
        self._tellings.tell(self._message(key, word, to, alarm.channel if alarm else ""), now.mono_s)

    def _message(self, key: tuple[str, int], word: Word, to: int, channel: str) -> Message:
        return Message(f"{key[0]}#{key[1]}", to, channel, Step.ACKNOWLEDGED, word.by, word.text)

    def _announce(self, key: tuple[str, int], word: Word, now: Moment, draft: _Draft) -> None:
        channel = next((c.name for up in self._radios.values() for c in up.channels if c.is_private), None)
        if channel is None or not word.text:
            self._settle(key, Fate.REFUSED, "no radio with a private channel, or no text", now, draft)
            return
        self._settle(key, Fate.RECEIVED, "", now, draft)
        ticket = -word.number  # never a ticket of the tellings
        self._announced[ticket] = key
        draft.now.append(Announce(ticket, channel, text=word.text, by=word.by))

    def _drill(self, now: Moment, draft: _Draft) -> None:
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

    def _settle(self, key: tuple[str, int], fate: Fate, detail: str, now: Moment, draft: _Draft) -> None:
        """Journal what became of a word; once that is on disk the desk is told."""
        if (settled := self._words.settle(key, fate, now.wall_s, detail)) is not None:
            word, answer = settled
            draft.facts.append(SaveWord(word, answer))
            draft.after.append(Account((answer,)))

    # --- memory -------------------------------------------------------------------------------------------------

    def _resume(self, now: Moment) -> None:
        """After a restart every answer that was still owed is taken up again."""
        for alarm in self._ledger.alarms():
            age = alarm.latest.age_s(now)
            owed = FORGET_S if alarm.stage >= Stage.STORED else GIVE_UP_S
            if alarm.stage >= Stage.JOURNALED and age is not None and age < owed:
                self._tell(alarm, now)
        for key, word in self._words.unfinished():
            known = self._ledger.alarm(word.alarm)
            to = node_of(known.source if known else word.source)
            if to is None:
                continue
            if word.kind is OrderKind.MESSAGE:
                self._tellings.tell(self._message(key, word, to, known.channel if known else ""), now.mono_s)
            elif word.stage is not None and known is None:
                step = STEP_OF[word.stage]
                label = self._label(word.source)
                self._tellings.tell(Message(word.alarm, to, "", step, word.by, label=label), now.mono_s)

    def _forget(self, now: Moment) -> None:
        for alarm_id in self._ledger.forget(now, self._tellings):
            self._rang.pop(alarm_id, None)
            self._said.pop(alarm_id, None)

    def marks(self) -> dict[str, Mark]:
        """How far each desk had got when we last heard it; a copy, safe to take on any thread."""
        return dict(self._marks)

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
            "desk_away": self._desk_is_away(now),
            "uplinks": {name: why or "" for name, why in self._uplinks.items()},
            "radios": {name: {"own": up.own, "firmware": up.firmware} for name, up in self._radios.items()},
            "unwritten": len(self._promises),
            "telling": len(self._tellings),
            "faults": dict(sorted(self._faults.items())),
            "alarms": [
                {"id": a.id, "kind": a.kind.value, "stage": a.stage.name, "place": str(a.place or "")}
                for a in alarms[:20]
                if a.is_open
            ],
        }
