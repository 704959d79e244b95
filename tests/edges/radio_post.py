"""A post with one radio and an ear: what the radio's stories share."""

from collections.abc import Iterator
from contextlib import contextmanager

from bridge.domain.commands import Tell
from bridge.domain.events import PressHeard
from bridge.domain.press import Press
from bridge.domain.step import Step
from bridge.edges.mesh_radio import MeshRadio
from bridge.edges.mesh_timing import Timing
from tests.edges.listening import Inbox, RealClock, plainly, understand
from tests.edges.mesh_frames import PINNED

QUICK = Timing(
    connect_s=2.0,
    handshake_s=2.0,
    heartbeat_s=0.1,
    silence_s=0.6,
    byte_gap_s=0.2,
    backoff_s=(0.05, 0.2),
    text_gap_s=0.05,
    taken_s=0.5,
    look_up_s=0.05,
    goodbye_s=0.1,
)
ALICE = next(iter(PINNED))
RESTARTED = "radio menyala ulang (the radio restarted)"


class Post:
    """A MeshRadio and what it delivered."""

    def __init__(self, url: str, timing: Timing = QUICK, **others: object) -> None:
        self.inbox = Inbox()
        settings = {"interpret": understand, "compose": plainly, "timing": timing, **others}
        self.radio = MeshRadio(url, name="gw1", clock=RealClock(), **settings)
        self.radio.start(self.inbox.put)

    def presses(self) -> list[str]:
        return [event.press.words for event in self.inbox.all() if isinstance(event, PressHeard)]

    def hears(self, words: str) -> Press:
        return self.inbox.until(PressHeard, lambda event: event.press.words == words).press


@contextmanager
def post(url: str, timing: Timing = QUICK, **others: object) -> Iterator[Post]:
    listening = Post(url, timing, **others)
    try:
        yield listening
    finally:
        listening.radio.stop()
        assert not listening.radio._thread.is_alive()
        assert not listening.radio._voice._thread.is_alive()


def dm(ticket: int, to: int = ALICE, text: str = "halo", channel: str = "SiagaDesa") -> Tell:
    return Tell(ticket, to, channel, Step.JOURNALED, text=text)
