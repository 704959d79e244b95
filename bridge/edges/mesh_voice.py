"""What we say on the mesh: one bounded queue, one thread, paced; and the fate of every text as events."""

import threading
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from bridge.domain.commands import Tell, Words
from bridge.domain.errors import FrameError, RadioLost
from bridge.domain.events import TextDelivered, TextFailed, TextSent
from bridge.domain.ports import Clock, Deliver
from bridge.domain.press import BROADCAST
from bridge.edges import mesh_radio_packets as packets
from bridge.edges.mesh_link import Link
from bridge.edges.mesh_timing import Timing

log = structlog.get_logger()

Compose = Callable[[Words], str]

KEPT_FREE = 6  # of 16 places in a radio's queue


@dataclass(slots=True)
class _Said:
    """A text that the radio was given. `taken`: it said so."""

    ticket: int
    to: int
    at: float
    taken: bool = False


def origin(error: Exception) -> str:
    """Where an error was raised. Not a traceback: the locals of a reader may hold a radio's keys."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""


class Voice:
    """Says words through whatever link is up, and keeps that link awake with heartbeats.

    Called from three threads: `say` by anybody, `up`, `down`, `taken` and `answered` by the reader, the rest its own.
    """

    def __init__(self, *, name: str, clock: Clock, compose: Compose, timing: Timing, numbers: packets.Numbers) -> None:
        self._clock, self._compose, self._timing, self._numbers = clock, compose, timing, numbers
        self._changed = threading.Condition()
        self._waiting: deque[Words] = deque()
        self._said: dict[int, _Said] = {}
        self._link: Link | None = None
        self._station = packets.Station()
        self._free: int | None = None
        self._beat_at = self._text_at = 0.0
        self._is_stopped = False
        self._speaking: Words | None = None
        self._deliver: Deliver = lambda _event: None
        self._thread = threading.Thread(target=self._run, name=f"radio-{name}-out", daemon=True)

    def start(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self._thread.start()

    def stop(self) -> None:
        """What still waits is not said."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify()
        if self._thread.ident is not None:
            self._thread.join(self._timing.stop_s)

    @property
    def free(self) -> int | None:
        """Free places in the radio's own queue, as it last said."""
        return self._free

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def say(self, words: Words) -> None:
        """Queue `words`; never blocks. Their fate is delivered under their ticket."""
        with self._changed:
            if self._link is None:
                why = "radio tidak tersambung"
            elif len(self._waiting) >= self._timing.queue_size:
                why = "antrean radio penuh"
            else:
                self._waiting.append(words)
                self._changed.notify()
                return
        self._deliver(TextFailed(words.ticket, why))

    def up(self, link: Link, station: packets.Station) -> None:
        """The radio answered our handshake."""
        with self._changed:
            self._link, self._station, self._free = link, station, None
            self._beat_at = self._clock.monotonic() + self._timing.heartbeat_s
            self._changed.notify()

    def down(self) -> None:
        """The link is gone. Texts that the radio took may still be acknowledged over the next one."""
        with self._changed:
            self._link = None
            lost = [words.ticket for words in self._waiting]
            self._waiting.clear()
            unsure = [number for number, said in self._said.items() if not said.taken]
            lost += [self._said.pop(number).ticket for number in unsure]
        for ticket in lost:
            self._deliver(TextFailed(ticket, "radio tidak tersambung"))

    def taken(self, packet_id: int, error: int, free: int) -> None:
        """A queueStatus: room in the radio's queue, and perhaps what became of one packet."""
        with self._changed:
            self._free = free
            self._changed.notify()
            said = self._said.get(packet_id)
            if said is None or said.taken:
                return
            said.taken = True
            if error:
                del self._said[packet_id]
        why = f"radio menolak teks, kode {error}"
        self._deliver(TextFailed(said.ticket, why) if error else TextSent(said.ticket))

    def answered(self, answer: packets.Acknowledgement) -> None:
        """A ROUTING answer: an error is a NAK, delivery is an ACK of the destination; ours says only 'relayed'."""
        own = self._station.own
        with self._changed:
            said = self._said.get(answer.request_id)
            if said is None:
                return
            proof = own if said.to == BROADCAST else said.to
            if answer.sender != proof and not (answer.error and answer.sender == own):
                return
            del self._said[answer.request_id]
        if answer.error:
            self._deliver(TextFailed(said.ticket, answer.error))
        else:
            self._deliver(TextDelivered(said.ticket))

    def pass_on(self, octets: bytes) -> str:
        """A leased tool's frame, beside our own words; '' or why not. Our answers keep their places in the queue."""
        link, free = self._link, self._free
        if link is None:
            return "radio tidak tersambung (the radio is not connected)"
        if free is not None and free < KEPT_FREE:
            return "antrean radio penuh (the radio's queue is full)"
        self._write(link, octets)
        return link.fault

    def _run(self) -> None:
        while not self._is_stopped:
            try:
                self._serve()
            except Exception as error:  # noqa: BLE001 - the top of this thread: a text that cannot be made must not end it
                log.error("radio voice failed", error=type(error).__name__, at=origin(error))
                self._give_up_speaking()

    def _give_up_speaking(self) -> None:
        words, self._speaking = self._speaking, None
        if words is not None:
            self._deliver(TextFailed(words.ticket, "kesalahan program, lihat log (a fault of the program)"))

    def _serve(self) -> None:
        """One thing: a heartbeat, a text, or a wait."""
        with self._changed:
            now = self._clock.monotonic()
            unanswered = self._give_up(now)
            link, words, beat = self._link, None, False
            if self._is_stopped:
                return
            if link is not None and now >= self._beat_at:
                beat, self._beat_at = True, now + self._timing.heartbeat_s
            elif link is not None and self._may_speak(now):
                words, self._text_at = self._waiting.popleft(), now + self._timing.text_gap_s
            elif not unanswered:
                self._changed.wait(self._pause_s(now))
        for ticket in unanswered:
            self._deliver(TextFailed(ticket, "radio tidak menjawab"))
        if link is not None and beat:
            self._write(link, packets.heartbeat())
        if link is not None and words is not None:
            self._speaking = words
            self._speak(link, words)
            self._speaking = None

    def _may_speak(self, now: float) -> bool:
        return bool(self._waiting) and now >= self._text_at and self._free != 0

    def _pause_s(self, now: float) -> float | None:
        """Until the next heartbeat, text or time-out; None: until something changes."""
        if self._link is None:
            return None
        until = [self._beat_at]
        if self._waiting and self._free != 0:
            until.append(self._text_at)
        until += [said.at + self._timing.taken_s for said in self._said.values() if not said.taken]
        return max(0.0, min(until) - now)

    def _give_up(self, now: float) -> list[int]:
        """Tickets of texts that the radio never took; old ones that it took are forgotten, their time is long over."""
        limit_s = {True: self._timing.ack_s, False: self._timing.taken_s}
        stale = {number: said for number, said in self._said.items() if now - said.at >= limit_s[said.taken]}
        for number in stale:
            del self._said[number]
        return [said.ticket for said in stale.values() if not said.taken]

    def _speak(self, link: Link, words: Words) -> None:
        to = words.to if isinstance(words, Tell) else BROADCAST
        channel = self._station.index(words.channel)
        if channel is None:
            self._deliver(TextFailed(words.ticket, f"radio tidak punya kanal {words.channel!r}"))
            return
        packet_id = self._numbers.next()
        try:
            octets = packets.text(
                self._compose(words), to=to, channel=channel, packet_id=packet_id, hops=self._station.hops
            )
        except FrameError as error:
            self._deliver(TextFailed(words.ticket, str(error)))
            return
        with self._changed:
            self._said[packet_id] = _Said(words.ticket, to, self._clock.monotonic())
        self._write(link, octets)

    def _write(self, link: Link, octets: bytes) -> None:
        try:
            link.write(octets)
        except RadioLost as lost:
            link.fault = str(lost)  # the reader reports it, once it has read what still came
            with self._changed:
                self._link = None if self._link is link else self._link
