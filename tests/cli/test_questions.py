"""What the control socket asks the bridge: the engine is asked through its inbox, and nobody waits for ever."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bridge import questions
from bridge.domain.alarm import Moment
from bridge.domain.errors import BridgeError
from bridge.domain.events import Event, PressHeard, SilenceAsked, StatusAsked
from bridge.domain.ids import PostId, Run
from bridge.domain.press import Kind, Remark, Via
from bridge.questions import Questions
from bridge.store.journal import Journal
from bridge.store.reader import JournalReader

BITS = "00112233445566aa"
NOW = Moment(1, 5.0, 1_800_000_000.0, True)


class StoppedClock:
    def monotonic(self) -> float:
        return NOW.mono_s

    def now(self) -> Moment:
        return NOW


@dataclass
class Engine:
    """Takes what is delivered; answers for its state unless it hangs."""

    hangs: bool = False
    heard: list[Event] = field(default_factory=list)

    def deliver(self, event: Event) -> None:
        self.heard.append(event)
        if isinstance(event, StatusAsked) and not self.hangs:
            event.reply({"faults": {}})


class Horn:
    """One siren, which repeats what it was told."""

    def test(self, name: str, for_s: float) -> str:
        return {"horn": f"horn {for_s:g}"}[name]


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def asked(engine: Engine, tmp_path: Path) -> Questions:
    journal = Journal.open(tmp_path / "journal.db", run_bits=BITS, moment=NOW)
    journal.close()
    return Questions(
        post=PostId("35.09.14.2005", "pos-1"),
        run=Run("journal", 1, BITS),
        clock=StoppedClock(),
        deliver=engine.deliver,
        reader=JournalReader(tmp_path / "journal.db"),
        about={"version": "1.0", "uplink_urls": []},
        parts=lambda: {"gw1": {"state": "up"}},
        sirens=Horn(),
    )


def test_the_state_is_the_engines_own_with_what_only_others_know(asked: Questions) -> None:
    facts = {"faults": {}, "version": "1.0", "uplink_urls": [], "journal": {"waiting": 0}}
    assert asked.asks()["status"]({}) == facts | {"parts": {"gw1": {"state": "up"}}}


def test_an_engine_that_hangs_is_told_and_not_waited_for(
    asked: Questions, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(questions, "STATUS_S", 0.05)
    engine.hangs = True
    with pytest.raises(BridgeError, match="the bridge did not answer within"):
        asked.asks()["status"]({})


def test_a_journal_that_cannot_be_read_is_part_of_the_state(asked: Questions, tmp_path: Path) -> None:
    (tmp_path / "journal.db").rename(tmp_path / "elsewhere.db")
    assert "no such file" in asked.asks()["status"]({})["journal"]["error"]


def test_every_press_is_a_trusted_drill_with_a_number_of_its_own(asked: Questions, engine: Engine) -> None:
    answers = [asked.asks()["press"](question) for question in ({}, {"kind": "fire"})]
    assert answers == [{"press": f"wired:pos-1/command/00112233/{n}", "uplinks": []} for n in (1, 2)]
    events: list[Any] = engine.heard
    assert all(isinstance(event, PressHeard) and event.mono_s == NOW.mono_s for event in events)
    assert [event.press.kind for event in events] == [Kind.PANIC, Kind.FIRE]
    assert {(event.press.remarks, event.press.via, event.press.trusted, event.press.source) for event in events} == {
        (frozenset({Remark.DRILL}), Via.COMMAND, True, "wired:pos-1/command")
    }


def test_silence_names_who_wants_it_and_is_the_engines_to_order(asked: Questions, engine: Engine) -> None:
    assert asked.asks()["siren off"]({"by": "pak RT"}) == {"silenced": True, "by": "pak RT"}
    asked.asks()["siren off"]({})
    asked.asks()["siren off"]({"by": "x" * 1000})
    assert engine.heard == [SilenceAsked("pak RT"), SilenceAsked("somebody at the post"), SilenceAsked("x" * 40)]


def test_a_siren_is_tried_past_the_engine(asked: Questions, engine: Engine) -> None:
    answer = asked.asks()["siren test"]({"output": "horn", "seconds": 0.5})
    assert answer == {"output": "horn", "fault": "horn 0.5"}
    assert engine.heard == []


@pytest.mark.parametrize(
    ("ask", "question"),
    [
        ("siren test", {}),
        ("siren test", {"output": "nobody"}),
        ("siren test", {"output": "horn", "seconds": 0}),
        ("siren test", {"output": "horn", "seconds": 11}),
        ("siren test", {"output": "horn", "seconds": "long"}),
        ("siren test", {"output": "horn", "seconds": True}),
        ("press", {"kind": "ufo"}),
        ("press", {"kind": None}),
        ("press", {"kind": {}}),
        ("journal list", {"limit": 0}),
        ("journal list", {"limit": 10_001}),
        ("journal list", {"limit": "all"}),
        ("journal list", {"limit": True}),
        ("journal show", {}),
        ("journal show", {"id": ["x"]}),
    ],
)
def test_a_wrong_question_changes_nothing(asked: Questions, engine: Engine, ask: str, question: dict[str, Any]) -> None:
    with pytest.raises(BridgeError):
        asked.asks()[ask](question)
    assert engine.heard == []
