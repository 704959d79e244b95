"""Whatever heads, forgers, disk, desk and radio do: no lamp shows more than is true, and no call is lost."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.domain import commands as cmd
from bridge.domain import events as ev
from bridge.domain.alarm import Stage
from bridge.domain.desk import OrderKind, Stored, Word
from bridge.domain.head import HeadCall, HeadPress, HeadWord
from bridge.domain.press import Kind
from tests.engine.stage import NUMBERS, WELL, Post
from tests.engine.test_heads import UP, Heads, call

HEADS = ("RT03-12", "RT01-02", "POS", "STRANGE")
OFFICERS = {
    "A": Stage.ACKNOWLEDGED,
    "D": Stage.DISPATCHED,
    "O": Stage.ON_SCENE,
    "C": Stage.CLOSED,
}


@dataclass
class Oracle:
    """What was struck, written, receipted and said by officers, kept apart from the engine."""

    post: Post = field(default_factory=lambda: Post(register=Heads()))
    alarm_of: dict[str, str] = field(default_factory=dict)
    journaled_in: dict[str, int] = field(default_factory=dict)
    committed: int = 0
    receipted: set[str] = field(default_factory=set)
    words: set[tuple[str, str]] = field(default_factory=set)
    no_alarm: set[str] = field(default_factory=set)
    number: int = 0
    lines: list[int] = field(default_factory=list)

    def happen(self, event: ev.Event, after_s: float = 0.0) -> None:
        facts, done = len(self.post.facts), len(self.post.done)
        self.post.happen(event, after_s)
        for fact in self.post.facts[facts:]:
            if isinstance(fact, cmd.SaveAlarm):
                self.journaled_in.setdefault(fact.alarm.id, self.post.number)
                self.alarm_of |= dict.fromkeys(fact.alarm.presses, fact.alarm.id)
        for command in self.post.done[done:]:
            if isinstance(command, cmd.Light):
                self._look(command)

    def _look(self, light: cmd.Light) -> None:
        for lamp in light.lamps:
            press = HeadPress(lamp.head, lamp.epoch, lamp.number).id
            alarm = self.alarm_of.get(press, "")
            letter = lamp.letters[-1]
            if press in self.no_alarm and not alarm:
                assert letter == "C"
                continue
            assert self.journaled_in[alarm] <= self.committed
            assert letter != "S" or alarm in self.receipted
            assert letter not in OFFICERS or (alarm, letter) in self.words
        size = len("\nP1 pos-1\n") + sum(len(f" {lamp.said}.") + 6 for lamp in light.lamps)
        assert size <= 200
        self.lines.append(light.ticket)

    def hear(self, said: HeadCall) -> None:
        is_new = said.by.id not in self.alarm_of
        rang = len(self.post.of(cmd.Sound))
        if said.word in (HeadWord.CANCEL, HeadWord.HERE, HeadWord.AMAN, HeadWord.NOTICE):
            self.no_alarm.add(said.by.id)
        self.happen(ev.HeadCalled(said, self.post.now.mono_s))
        is_call = said.word is None
        if is_new and is_call:
            assert said.by.id in self.alarm_of  # a call for help is an alarm, whoever sends it
            is_first = self.alarm_of[said.by.id] == said.by.id
            assert len(self.post.of(cmd.Sound)) > rang or not is_first

    def commit(self) -> None:
        self.committed = self.post.number
        self.happen(ev.Committed(self.post.number))

    def receive(self) -> None:
        """The desk stores what is on our disk."""
        rows = {row.alarm: row for row in self.post.rows() if self.journaled_in[row.alarm] <= self.committed}
        self.receipted |= set(rows)
        items = tuple(Stored(row.alarm, row.revision, row.sha256) for row in rows.values())
        self.happen(ev.Receipted(WELL, items))

    def speak(self, letter: str) -> None:
        for alarm in sorted(self.receipted)[:2]:
            self.number += 1
            self.words.add((alarm, letter))
            word = Word("desk-1", NUMBERS + self.number, OrderKind.STAGE, alarm, "", OFFICERS[letter], "Polsek")
            self.happen(ev.DeskSpoke(word))

    def radio(self, how: str) -> None:
        tickets, self.lines = self.lines, []
        for ticket in tickets:
            self.happen(ev.TextSent(ticket) if how == "sent" else ev.TextFailed(ticket, "no"))


def heads() -> st.SearchStrategy[HeadCall]:
    return st.builds(
        lambda head, number, kind, word, shows, forged: call(
            number, kind, head=head, word=word, shows=shows, forged=forged
        ),
        st.sampled_from(HEADS),
        st.integers(1, 4),
        st.sampled_from([Kind.PANIC, Kind.FIRE, Kind.UNKNOWN]),
        st.sampled_from([None, None, None, *HeadWord]),
        st.sampled_from(["", "", "J", "S", "D", "x"]),
        st.booleans(),
    )


STEPS = st.one_of(
    heads().map(lambda said: ("hear", said)),
    st.just(("commit",)),
    st.just(("receive",)),
    st.sampled_from(sorted(OFFICERS)).map(lambda letter: ("speak", letter)),
    st.sampled_from(["sent", "failed"]).map(lambda how: ("radio", how)),
    st.sampled_from([UP, ev.RadioDown("gw1", "gone"), ev.DeskReachable("police"), ev.DeskAway("police", "gone")]).map(
        lambda event: ("happen", event)
    ),
    st.sampled_from([1.0, 25.0, 130.0, 1900.0, 8000.0]).map(lambda s: ("happen", ev.Tick(), s)),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(STEPS, min_size=12, max_size=60))
def test_no_lamp_shows_more_than_is_true_and_no_call_is_lost(steps: list[tuple]) -> None:
    oracle = Oracle()
    oracle.happen(ev.DeskReachable("police"))
    oracle.happen(UP)
    for verb, *arguments in steps:
        getattr(oracle, verb)(*arguments)
    # Whatever was struck is in the journal, each press in one alarm.
    saved = [fact.alarm for fact in oracle.post.facts if isinstance(fact, cmd.SaveAlarm)]
    final = {alarm.id: alarm for alarm in saved}
    presses = [press for alarm in final.values() for press in alarm.presses]
    assert len(presses) == len(set(presses))
