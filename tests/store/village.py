"""Presses, alarms and facts for the journal's stories, and an ear that hears what the worker delivers."""

import itertools
import time
from collections.abc import Callable
from dataclasses import replace
from queue import Empty, SimpleQueue

from bridge.domain.alarm import Alarm, Moment, Stage
from bridge.domain.commands import Fact, OutboxRow, SaveAlarm, SaveReceipts, SaveSighting
from bridge.domain.desk import Mark, Stored
from bridge.domain.events import Committed, Event
from bridge.domain.ids import PostId, Run, node_source, packet_press
from bridge.domain.place import Place
from bridge.domain.press import Kind, Sighting, Trust, Via
from bridge.domain.report import freeze
from tests.patience import Patience

POST = PostId("35.09.14.2005", "pos-1")
RUN = Run("journal-1", 1, "ab" * 8)
BITS = "c0ffee00c0ffee00"
TODAY_S = 1_790_000_000.0
DAY_S = 86_400.0
NOW = Moment(1, 50.0, TODAY_S, True, "4b1d8b3e-boot")


class StillClock:
    """Monotonic time is real, the wall stands still and is trusted."""

    def monotonic(self) -> float:
        return time.monotonic()

    def now(self) -> Moment:
        return replace(NOW, mono_s=time.monotonic())


def press_id(number: int) -> str:
    return packet_press(0xA000 + number, number)


def alarm(number: int, *, first: Moment = NOW, stage: Stage = Stage.JOURNALED, revision: int = 1) -> Alarm:
    """House `number` calls for help; its alarm's sequence is the same number."""
    press = press_id(number)
    return Alarm(
        press, number, node_source(0xA000 + number), Kind.FIRE, Trust.CHANNEL, Via.TEXT, first, first, (press,),
        Place(house=f"RT03-{number}", rt="3", rw="5"), ("kebakaran",), channel="kampung", revision=revision,
        stage=stage,
    )  # fmt: skip


def row(of: Alarm) -> OutboxRow:
    return freeze(of, POST, RUN)


def saved(of: Alarm) -> SaveAlarm:
    return SaveAlarm(of, row(of), of.presses)


def heard(number: int) -> tuple[Fact, ...]:
    """What the engine decides for a new press: the sighting comes before its alarm, as there."""
    call = alarm(number)
    return SaveSighting(call.id, call.id, Sighting("gw", 5.25, -90, 1, TODAY_S)), saved(call)


def receipt(*alarms: Alarm, commit: int = 1, reason: str = "") -> SaveReceipts:
    items = tuple(Stored(each.id, each.revision, row(each).sha256, reason) for each in alarms)
    return SaveReceipts(Mark("polsek", "database-1", commit, f"token-{commit}"), items)


class Ear:
    """Takes what a worker delivers; waits for what must come."""

    def __init__(self) -> None:
        self.heard: list[Event] = []
        self._events: SimpleQueue[Event] = SimpleQueue()

    def __call__(self, event: Event) -> None:
        self._events.put(event)

    def until(self, wanted: Callable[[Event], bool], within_s: float = 20.0) -> Event:
        """The first event from now on that is wanted; everything on the way is remembered in `heard`."""
        patience = Patience(within_s)
        while True:
            try:
                event = self._events.get(timeout=patience.nap_s())
            except Empty:
                assert patience.left_s(), f"not heard in {within_s} s; heard {self.heard[-5:]}"
                continue
            self.heard.append(event)
            if wanted(event):
                return event

    def until_committed(self, number: int, within_s: float = 20.0) -> None:
        self.until(lambda event: isinstance(event, Committed) and event.number >= number, within_s)

    def committed(self) -> list[int]:
        return [event.number for event in self.heard if isinstance(event, Committed)]


def rises(numbers: list[int]) -> bool:
    return all(earlier < later for earlier, later in itertools.pairwise(numbers))
