"""What an inbox saw, and a codec that understands everything: tests compare with what was really sent."""

import queue
import time
from collections.abc import Callable
from typing import TypeVar

from bridge.domain.alarm import Moment
from bridge.domain.commands import Announce, Tell
from bridge.domain.events import Event, PressHeard
from bridge.domain.ids import node_source, packet_press
from bridge.domain.press import Kind, MeshPacket, Port, Press, Sighting, Via
from tests.patience import Patience

Wanted = TypeVar("Wanted", bound=Event)

VIA = {Port.TEXT_MESSAGE: Via.TEXT, Port.ALERT: Via.ALERT, Port.DETECTION_SENSOR: Via.DETECTION}


def understand(packet: MeshPacket, mono_s: float) -> tuple[Event, ...]:
    """Every text, alert and detection is a press, word for word."""
    if packet.port not in VIA:
        return ()
    press = Press(
        id=packet_press(packet.sender, packet.packet_id),
        source=node_source(packet.sender),
        kind=Kind.UNKNOWN,
        via=VIA[Port(packet.port)],
        words=packet.payload.decode(errors="backslashreplace"),
        channel="PKI" if packet.channel is None else packet.channel.name,
        pki_key=packet.pki_key,
        sighting=Sighting(packet.radio, packet.snr_db, packet.rssi_dbm, packet.hops, packet.heard_at),
    )
    return (PressHeard(press, mono_s),)


def plainly(words: Tell | Announce) -> str:
    return words.text


class RealClock:
    def monotonic(self) -> float:
        return time.monotonic()

    def now(self) -> Moment:
        return Moment(1, time.monotonic(), time.time(), True)


class Inbox:
    """Keeps every event in order."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.events: list[Event] = []

    def put(self, event: Event) -> None:
        self._queue.put(event)

    def until(self, kind: type[Wanted], when: Callable[[Wanted], bool] = lambda _event: True) -> Wanted:
        """The next event of that kind, within a deadline."""
        patience = Patience()
        while True:
            try:
                event = self._queue.get(timeout=patience.nap_s())
            except queue.Empty:
                assert patience.left_s(), f"no {kind.__name__} came; but {self.events[-5:]}"
                continue
            self.events.append(event)
            if isinstance(event, kind) and when(event):
                return event

    def all(self) -> list[Event]:
        """Everything so far."""
        while not self._queue.empty():
            self.events.append(self._queue.get())
        return self.events
