"""Whatever happens in whatever order: what must hold, checked after every event by an oracle that knows no engine."""

from collections import Counter
from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.domain import commands as cmd
from bridge.domain import events as ev
from bridge.domain.alarm import Stage
from bridge.domain.desk import OrderKind, Stored, Word
from bridge.domain.ids import node_source, packet_press
from bridge.domain.press import Channel, ChannelKey, Kind, Remark
from bridge.domain.step import Step
from tests.engine.stage import NUMBERS, WELL, Everybody, Post, press

NODES = (0x0A01, 0x0A02, 0x0A03)
UP = ev.RadioUp("gw1", 1, (Channel(1, "SiagaDesa", ChannelKey.PRIVATE),), "")
OFFICERS = (Stage.ACKNOWLEDGED, Stage.DISPATCHED, Stage.ON_SCENE, Stage.CLOSED)
ON_OFFICERS_WORD = {Step.ACKNOWLEDGED, Step.DISPATCHED, Step.ON_SCENE, Step.CLOSED}


@dataclass
class Oracle:
    """Watches one post: what was decided, written and said."""

    post: Post
    committed: int = 0
    journaled_in: dict[str, int] = field(default_factory=dict)  # alarm → its first batch
    revisions: dict[str, int] = field(default_factory=dict)
    stages: dict[str, Stage] = field(default_factory=dict)
    alarm_of: dict[str, str] = field(default_factory=dict)
    rung: Counter[str] = field(default_factory=Counter)
    receipted: set[str] = field(default_factory=set)
    spoken: set[tuple[str, Stage]] = field(default_factory=set)
    seen_facts: int = 0
    seen_done: int = 0

    def happen(self, event: ev.Event, after_s: float) -> None:
        self.post.happen(event, after_s)
        facts = self.post.facts[self.seen_facts :]
        self.seen_facts = len(self.post.facts)
        for fact in facts:
            if isinstance(fact, cmd.SaveAlarm):
                self._saved(fact)
        for command in self.post.done[self.seen_done :]:
            self._did(command, event)
        self.seen_done = len(self.post.done)

    def _saved(self, fact: cmd.SaveAlarm) -> None:
        alarm = fact.alarm
        self.journaled_in.setdefault(alarm.id, self.post.number)
        assert alarm.stage >= self.stages.get(alarm.id, Stage.HEARD)
        self.stages[alarm.id] = alarm.stage
        if fact.row is not None:
            assert fact.row.revision > self.revisions.get(alarm.id, 0)
            self.revisions[alarm.id] = fact.row.revision
        for press_id in alarm.presses:
            assert self.alarm_of.setdefault(press_id, alarm.id) == alarm.id

    def _did(self, command: cmd.Command, event: ev.Event) -> None:
        if isinstance(command, cmd.Sound):
            assert isinstance(event, ev.PressHeard)
            self.rung[event.press.id] += 1
            assert self.rung[event.press.id] == 1 and not event.press.is_drill
        if isinstance(command, cmd.Relay) and not command.unsafe:
            assert self.journaled_in[command.row.alarm] <= self.committed
        if isinstance(command, cmd.Tell) and not command.text:
            self._told(command.to, command.step)

    def _told(self, to: int, step: Step) -> None:
        """What may be said to a node is said of one of its alarms at least."""
        mine = {alarm for alarm in self.journaled_in if alarm.startswith(f"{node_source(to)}/")}
        if step in (Step.JOURNALED, Step.NOT_CONNECTED, Step.DRILL):
            assert any(self.journaled_in[alarm] <= self.committed for alarm in mine)
        elif step is Step.STORED:
            assert mine & self.receipted
        else:
            assert step in ON_OFFICERS_WORD
            assert any(told.name == step.name and f"{node_source(to)}/" in alarm for alarm, told in self.spoken)


presses = st.builds(
    lambda num, n, kind, remark, key: ("press", num, n, kind, remark, key),
    st.sampled_from(NODES),
    st.integers(1, 6),
    st.sampled_from((Kind.PANIC, Kind.FIRE, Kind.THEFT)),
    st.sampled_from((None, None, Remark.DRILL, Remark.PERHAPS_TALK)),
    st.booleans(),
)
words = st.builds(
    lambda number, num, n, stage, kind: ("word", number, num, n, stage, kind),
    st.integers(1, 12),
    st.sampled_from(NODES),
    st.integers(1, 6),
    st.sampled_from(OFFICERS),
    st.sampled_from((OrderKind.STAGE, OrderKind.STAGE, OrderKind.MESSAGE, OrderKind.VILLAGE, OrderKind.SIREN_OFF)),
)
others = st.tuples(
    st.sampled_from(
        ("commit", "receipt", "old receipt", "brokered", "sent", "delivered", "failed", "up", "down", "desk", "away")
    )
)
steps = st.lists(
    st.tuples(st.one_of(presses, words, others, others), st.sampled_from((0.0, 0.5, 3.0, 40.0, 400.0))),
    min_size=5,
    max_size=60,
)


def play(oracle: Oracle, step: tuple, after_s: float) -> None:
    post = oracle.post
    rows, said = post.rows(), [c for c in post.done if isinstance(c, cmd.Tell | cmd.Announce)]
    event: ev.Event = ev.Tick()
    match step:
        case ("press", num, n, kind, remark, key):
            heard = replace(press(n, kind, num, *((remark,) if remark else ())), pki_key=b"k" * 32 if key else b"")
            event = ev.PressHeard(heard, post.now.mono_s + after_s)
        case ("word", number, num, n, stage, kind):
            alarm = packet_press(num, n)
            is_stage = kind is OrderKind.STAGE
            said_word = Word(
                "desk-1", NUMBERS + number, kind, alarm, node_source(num), stage if is_stage else None, "P"
            )
            if post.engine._words.answer(("desk-1", NUMBERS + number)) is None and is_stage:
                oracle.spoken.add((alarm, stage))
            event = ev.DeskSpoke(said_word if is_stage else replace(said_word, text="Awas"))
        case ("commit",):
            oracle.committed = post.number
            event = ev.Committed(post.number)
        case ("receipt" | "old receipt" as which,) if rows:
            row = rows[-1 if which == "receipt" else 0]
            oracle.receipted.add(row.alarm)
            event = ev.Receipted(WELL, (Stored(row.alarm, row.revision, row.sha256),))
        case ("brokered",) if rows:
            event = ev.Brokered(((rows[-1].alarm, rows[-1].revision),))
        case ("sent",) if said:
            event = ev.TextSent(said[-1].ticket)
        case ("delivered",) if said:
            event = ev.TextDelivered(said[-1].ticket)
        case ("failed",) if said:
            event = ev.TextFailed(said[-1].ticket, "NAK")
        case ("up",):
            event = UP
        case ("down",):
            event = ev.RadioDown("gw1", "unplugged")
        case ("desk",):
            event = ev.DeskReachable("police")
        case ("away",):
            event = ev.DeskAway("police", "no broker")
    oracle.happen(event, after_s)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(steps)
def test_whatever_happens_nothing_is_shown_as_more_than_it_is(moves: list) -> None:
    oracle = Oracle(Post(register=Everybody()))
    heard = set()
    for step, after_s in moves:
        play(oracle, step, after_s)
        if step[0] == "press":
            heard.add(packet_press(step[1], step[2]))
    assert set(oracle.alarm_of) == heard
    post = oracle.post
    until_s = post.now.mono_s + 3 * 3600.0
    while post.now.mono_s < until_s:  # nothing more comes, and time alone ends every word
        oracle.happen(ev.Tick(), max(post.engine.wait_s(post.now), 0.5))
    last = {f.word.number: f.answer.fate for f in post.facts if isinstance(f, cmd.SaveWord)}
    assert all(fate.is_final for fate in last.values())
