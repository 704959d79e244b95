"""A wired input as the program builds it, a hand that strikes, and how a busy machine is told from a fault of ours."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bridge.codebook_files import load_codebook
from bridge.codec.answers import Answers
from bridge.codec.line import LineCodec, mac
from bridge.config_inputs import WiredInput
from bridge.domain.events import Fault, PressHeard
from bridge.domain.ids import PostId, Run
from bridge.domain.place import Source
from bridge.domain.ports import Input
from bridge.domain.press import Kind
from bridge.edges.inputs import build_input
from bridge.edges.line_head import WiredHead
from bridge.edges.wired import ContactInput
from bridge.sources import Register
from tests.edges.listening import Inbox, RealClock
from tests.patience import until

POST = PostId("35.09.14.2005", "pos-1")
RUN = Run("journal", 1, "00112233445566aa")
KEY = bytes(range(16))
REGISTER = Register([Source("head:POS", head_key=KEY)])
QUICK_S = (0.05, 0.2)
HELD_S = 0.04  # longer than LATE_S, a look and what tells a tap from noise: else a miss is nobody's fault
SPARK_S = 0.003
LATE_S = 0.03  # a hand may be uneven by a quarter of a beat


@contextmanager
def listening(inbox: Inbox, codebook: str = "a", **settings: object) -> Iterator[Input]:
    """An input from its settings, quick to reconnect, stopped whatever happens."""
    one = build_input(
        WiredInput.model_validate({"name": "kentongan", **settings}),
        post=POST,
        run=RUN,
        codebook=load_codebook(codebook),
        lines=LineCodec(REGISTER, POST.post),
        compose=Answers("id", ("110",), POST.post, REGISTER).compose,
        clock=RealClock(),
    )
    assert isinstance(one, ContactInput | WiredHead)
    one._backoff_s = QUICK_S
    one.start(inbox.put)
    try:
        yield one
    finally:
        one.stop()
        assert [thread.name for thread in one._threads if thread.is_alive()] == []


def up(one: Input) -> None:
    until(lambda: one.picture()["state"] == "up")


def down(one: Input) -> None:
    until(lambda: one.picture()["state"] == "down")


def presses(inbox: Inbox) -> list[tuple[str, Kind]]:
    """The number of each press and the kind it was heard with, in order."""
    heard = [event.press for event in inbox.all() if isinstance(event, PressHeard)]
    return [(press.id.rpartition("/")[2], press.kind) for press in heard]


def faults(inbox: Inbox) -> list[str]:
    told = [event for event in inbox.all() if isinstance(event, Fault)]
    assert {fault.what for fault in told} <= {"input:kentongan"}
    return [fault.why for fault in told]


def strike(switch: Callable[[bool], None], groups: tuple[int, ...] = (1,), beat_s: float = 0.2) -> float:
    """Groups of strikes with a stop between them; a strike that came late makes none of the others late.

    Gives by how much the worst of them was late, in s.
    """
    due, worst_s = time.monotonic(), 0.0
    for at, beats in enumerate(groups):
        due += 3.5 * beat_s if at else 0.0
        for _ in range(beats):
            time.sleep(max(0.0, due - time.monotonic()))
            switch(True)
            worst_s = max(worst_s, time.monotonic() - due)
            time.sleep(HELD_S)
            switch(False)
            due += beat_s
    time.sleep(max(0.0, due - time.monotonic()))
    return worst_s


class TooBusy(AssertionError):
    """This machine did not keep time: what was struck was no rhythm."""


def evenly(switch: Callable[[bool], None], groups: tuple[int, ...], beat_s: float = 0.25) -> None:
    """The same as a rhythm that must be understood. Raises TooBusy."""
    if strike(switch, groups, beat_s) >= LATE_S:
        raise TooBusy


def steadily(story: Callable[[], None], tries: int = 8) -> None:
    """A rhythm needs a machine that keeps time: a story that failed is told again where it stood still meanwhile."""
    for _ in range(tries):
        with _metronome() as late_s:
            try:
                return story()
            except TooBusy:
                continue
            except AssertionError as wrong:
                failed = wrong
        if max(late_s) < LATE_S:
            raise failed
    raise TooBusy("this machine is too busy to strike a rhythm")


@contextmanager
def _metronome() -> Iterator[list[float]]:
    """How late this process was woken, each time."""
    late_s, over = list[float](), threading.Event()

    def beat() -> None:
        while not over.is_set():
            due = time.monotonic() + 0.005
            time.sleep(0.005)
            late_s.append(time.monotonic() - due)  # the last one too: a story may fail because of it

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield late_s
    finally:
        over.set()
        thread.join()


def least_share(limit: float, window_s: float = 1.5, pretended_s: Callable[[], float] = lambda: 0.0) -> float:
    """Of a core, in the quietest of some windows: what other threads of this process did once is not ours.

    Nor is what a pretended driver has spent.
    """
    least = 1.0
    for _ in range(5):
        spent, began = time.process_time() - pretended_s(), time.monotonic()
        time.sleep(window_s)
        least = min(least, (time.process_time() - pretended_s() - spent) / (time.monotonic() - began))
        if least < limit:
            break
    return least


def quickest_ms(measure: Callable[[], float], limit_ms: float) -> float:
    """The best of some tries, in ms: a machine that does more than this is no slowness of ours."""
    best_ms = 1000 * measure()
    for _ in range(9):
        if best_ms < limit_ms:
            break
        best_ms = min(best_ms, 1000 * measure())
    return best_ms


def sparks(switch: Callable[[bool], None], count: int) -> float:
    """Closings far too short for a hand; how long the longest was, for a busy machine may have held one."""
    longest_s = 0.0
    for _ in range(count):
        began = time.monotonic()
        switch(True)
        switch(False)
        longest_s = max(longest_s, time.monotonic() - began)
        time.sleep(0.008)  # closer together they were the chatter of a hand's contact
    time.sleep(0.05)
    return longest_s


def nobody(spark: Callable[[Inbox], float]) -> bool:
    """Whether true sparks are no press and no fault; tried again where the machine made strikes of them."""
    for _ in range(20):
        inbox = Inbox()
        with _metronome() as late_s:
            longest_s = spark(inbox)
        if (presses(inbox), faults(inbox)) == ([], []):
            if longest_s < SPARK_S:
                return True
        elif max(longest_s, *late_s) < SPARK_S:
            return False
    raise AssertionError("this machine is too busy to make a spark")


def line(said: str) -> bytes:
    """As a head says it, with its MAC and a newline at both ends."""
    return f"\n{said} {mac(KEY, said)}\n".encode()
