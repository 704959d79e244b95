"""A Meshtastic node as the bridge's radio: its stream is lost and found again without anyone noticing but the log."""

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import structlog

from bridge.domain.commands import Words
from bridge.domain.errors import FrameError, RadioLost
from bridge.domain.events import Event, Fault, RadioDown, RadioUp
from bridge.domain.ports import Clock, Deliver
from bridge.domain.press import Channel, MeshPacket
from bridge.edges import mesh_radio_packets as packets
from bridge.edges.mesh_link import Link, check_url, open_link
from bridge.edges.mesh_neighbours import Neighbours
from bridge.edges.mesh_radio_lease import MeshLoan
from bridge.edges.mesh_timing import Timing
from bridge.edges.mesh_voice import Compose, Voice, origin
from bridge.edges.stream import WAKE, Frame, FrameReader
from bridge.lease import NoRadio

log = structlog.get_logger()

Interpret = Callable[[MeshPacket, float], tuple[Event, ...]]

HELD_MAX = 256  # packets before the channels are known: a radio's queue holds 32
NOISE_EVERY_S = 60.0
LENT_LOOK_UP_S = 0.05  # a tool that has the lease waits for its handshake
BETWEEN_HANDSHAKES_S = 1.0  # a radio hands out no packet in the middle of one: a tool must leave it time to


@dataclass(slots=True)
class _Session:
    """One talk with the radio, from the open wire to its loss."""

    link: Link
    reader: FrameReader
    began_s: float
    alive_s: float
    rose_s: float = 0.0
    wanted: int = 0
    draft: packets.Station = field(default_factory=packets.Station)
    is_up: bool = False
    is_told: bool = False  # RadioUp was delivered; a handshake that is only repeated is no news
    time_is_set: bool = False
    held: list[tuple[Any, bool, float]] = field(default_factory=list)
    asked: set[int] = field(default_factory=set)  # channels that a packet named and the handshake did not


@dataclass(slots=True)
class _Counts:
    tries: int = 0  # to connect, since the last handshake
    read_bytes: int = 0
    frames: int = 0
    bad_frames: int = 0
    told_bad: int = 0
    told_at: float = 0.0


class MeshRadio:
    """The radio port over a Meshtastic stream. `url`: serial:///dev/… or tcp://host:port, else ConfigError.

    `interpret` runs on the reading thread and must be quick; `compose` runs on the saying thread. `trouble` says why
    calls on these channels would not count, '' if they do.
    """

    def __init__(
        self,
        url: str,
        *,
        name: str,
        clock: Clock,
        interpret: Interpret,
        compose: Compose,
        clock_trusted: Callable[[], bool] = lambda: False,
        trouble: Callable[[Iterable[Channel]], str] = lambda _channels: "",
        timing: Timing = Timing(),  # noqa: B008 - a frozen value
    ) -> None:
        check_url(url)
        self.url, self.name = url, name
        self._clock, self._interpret, self._clock_trusted, self._timing = clock, interpret, clock_trusted, timing
        self._trouble = trouble
        self._numbers = packets.Numbers()
        self._voice = Voice(name=name, clock=clock, compose=compose, timing=timing, numbers=self._numbers)
        self._station = packets.Station()
        self._session: _Session | None = None
        self._counts = _Counts()
        self._neighbours = Neighbours()
        self._airtime: tuple[float, float] | None = None
        self._deliver: Deliver = lambda _event: None
        self._told_down = self._told_deaf = ""
        self._loan: MeshLoan | None = None
        self._asked = 0  # a handshake that others want: its number
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"radio-{name}", daemon=True)

    def start(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self._voice.start(deliver)
        self._thread.start()

    def say(self, words: Words) -> None:
        """Never blocks; TextSent, TextDelivered or TextFailed follow under the ticket."""
        self._voice.say(words)

    def lend(self) -> MeshLoan:
        """To one tool, until it closes the loan. We go on hearing and answering. Raises NoRadio."""
        session = self._session
        if session is None or not session.is_told:
            raise NoRadio(self._told_down or "radio belum menjawab (the radio has not answered yet)")
        self._loan = loan = MeshLoan(self._station.own, self._voice.pass_on, self._ask, self._take_back)
        if self._session is not session:
            loan.end("radio tidak tersambung (the radio is not connected)")  # it went just now, and nobody would say so
        return loan

    def _ask(self, number: int) -> None:
        self._asked = number

    def _take_back(self, loan: MeshLoan) -> None:
        """Whatever was changed: the radio is asked anew, for a channel unknown to us would be a call unheard."""
        if self._loan is loan:
            self._loan = None
            self._asked = self._numbers.next_want() if loan.has_ordered else self._asked

    def stop(self) -> None:
        """Says goodbye to the radio, so that it keeps what it hears until we are back."""
        self._stopping.set()
        self._voice.stop()
        if self._thread.ident is not None:
            self._thread.join(self._timing.stop_s)

    def picture(self) -> dict[str, Any]:
        """How the radio is, for the status: JSON-able, ages in seconds, airtime in per cent."""
        session, station, now = self._session, self._station, self._clock.monotonic()
        is_up = session is not None and session.is_up
        return {
            "url": self.url,
            "state": "up" if is_up else "handshake" if session else "down",
            "own": station.own,
            "firmware": station.firmware,
            "nodes_last_hour": self._neighbours.in_last_hour(now),
            "batteries": self._neighbours.batteries(),
            "sign_of_life_s": round(now - session.alive_s, 1) if session else None,
            "queue_free": self._voice.free if is_up else None,
            "waiting": self._voice.waiting,
            "channel_use": self._airtime and round(self._airtime[0], 2),
            "air_util_tx": self._airtime and round(self._airtime[1], 2),
            "tries": self._counts.tries,
            "lent": self._loan is not None,
            "frames": self._counts.frames,
            "bad_frames": self._counts.bad_frames,
        }

    def station(self) -> dict[str, Any]:
        """How it sends and which channels it has, for the doctor: JSON-able, no keys."""
        lora, channels = self._station.lora, self._station.channels.values()
        return {
            "lora": asdict(lora) if lora else None,
            "channels": [{"index": c.index, "name": c.name, "is_private": c.is_private} for c in channels],
        }

    def _run(self) -> None:
        first_s, last_s = self._timing.backoff_s
        wait_s = first_s
        while not self._stopping.is_set():
            why = self._live_once()
            was_up = self._lose(why)
            wait_s = first_s if was_up else wait_s
            self._stopping.wait(wait_s)
            wait_s = min(wait_s * 2, last_s)

    def _live_once(self) -> str:
        """One talk with the radio; returns why it ended, '' when we ended it."""
        self._counts.tries += 1
        try:
            link = open_link(self.url, connect_s=self._timing.connect_s, write_s=self._timing.write_s)
            try:
                self._talk(link)
            finally:
                link.close()
        except RadioLost as lost:
            return str(lost)
        except Exception as error:  # noqa: BLE001 - the top of this thread: whatever a radio sends must not end it
            log.error("radio reader failed", radio=self.name, error=type(error).__name__, at=origin(error))
            return "kesalahan program, lihat log (a fault of the program, see the log)"
        return ""

    def _talk(self, link: Link) -> None:
        now = self._clock.monotonic()
        session = _Session(link, FrameReader(packets.is_sound, self._timing.byte_gap_s), now, now)
        self._session = session
        try:
            self._greet(session, self._numbers.next_want())
            while not self._stopping.is_set():
                self._hear(session, link.read(self._wait_s(session)))
                self._look(session)
            self._say_goodbye(session)
        finally:
            if not session.is_up:
                self._station = self._station.with_news(session.draft)
            self._release(session)  # a handshake that broke off must not cost a press

    def _greet(self, session: _Session, number: int) -> None:
        """Ask for everything; a serial console must be woken first. Packets that come before the answer are held."""
        session.wanted, session.draft, session.is_up, self._asked = number, packets.Station(), False, 0
        session.began_s = self._clock.monotonic()
        session.link.write((WAKE if session.link.is_serial else b"") + packets.want_config(session.wanted))

    def _wait_s(self, session: _Session) -> float:
        held_s = session.reader.wait_s(self._clock.monotonic())
        look_up_s = LENT_LOOK_UP_S if self._loan is not None else self._timing.look_up_s
        return look_up_s if held_s is None else min(look_up_s, held_s + 0.001)

    def _hear(self, session: _Session, received: bytes) -> None:
        now = self._clock.monotonic()
        self._counts.read_bytes += len(received)
        frames = session.reader.feed(received, now) if received else session.reader.expire(now)
        for frame in frames:
            self._counts.frames += 1
            try:
                self._take(session, packets.parse(frame.body), frame, now)
                session.alive_s = now
            except FrameError as error:
                self._drop(str(error), now)

    def _look(self, session: _Session) -> None:
        """Is it alive, and does it know the time?"""
        now = self._clock.monotonic()
        if now - session.alive_s >= self._timing.silence_s:
            raise RadioLost(f"radio diam {self._timing.silence_s:g} s (silent): periksa daya dan kabel")
        if session.is_up and not session.time_is_set and self._clock_trusted():
            session.time_is_set = True
            octets = packets.set_time(self._station.own, self._numbers.next(), self._clock.now().wall_s)
            session.link.write(octets)
        if (number := self._asked) and session.is_up and now - session.rose_s >= BETWEEN_HANDSHAKES_S:
            self._greet(session, number)
        if not session.is_up and now - session.began_s >= self._timing.handshake_s:
            raise RadioLost("radio tidak menyelesaikan jabat tangan (handshake not finished)")

    def _take(self, session: _Session, message: Any, frame: Frame, now: float) -> None:
        if (loan := self._loan) is not None:
            loan.hear(frame)
        match message.WhichOneof("payload_variant"):
            case "packet":
                self._take_packet(session, message.packet, frame.certain, now)
            case "queueStatus":
                status = message.queueStatus
                self._voice.taken(status.mesh_packet_id, status.res, status.free)
            case "config_complete_id" if message.config_complete_id == session.wanted:
                self._rise(session)
            case "rebooted" if message.rebooted:
                self._begin_again(session)
            case "my_info" if not session.is_up:
                session.draft = packets.Station().learn(message)  # what an earlier answer began counts no more
            case _ if not session.is_up:
                session.draft = session.draft.learn(message)

    def _take_packet(self, session: _Session, packet: Any, certain: bool, now: float) -> None:
        if session.is_up and self._is_unheard_of(session, packet):
            self._greet(session, self._numbers.next_want())
        if session.is_up or self._can_be_judged(session, packet):
            self._packet(packet, certain, now)
        elif len(session.held) < HELD_MAX:
            session.held.append((packet, certain, now))

    def _can_be_judged(self, session: _Session, packet: Any) -> bool:
        """In the middle of a handshake that is only repeated: what the last whole one told still holds, and whoever
        calls must not wait for a tool that asks again and again."""
        is_on_channel = packet.HasField("decoded") and not packet.pki_encrypted
        return session.is_told and (not is_on_channel or packet.channel in self._station.channels)

    def _is_unheard_of(self, session: _Session, packet: Any) -> bool:
        """Our radio opened it on a channel that its handshake did not name: those bytes were lost, or the channel is
        younger than our talk. It is asked about once; without an answer the channel is nobody's secret."""
        is_on_channel = packet.HasField("decoded") and not packet.pki_encrypted
        if not is_on_channel or packet.channel in self._station.channels or packet.channel in session.asked:
            return False
        session.asked.add(packet.channel)
        return True

    def _rise(self, session: _Session) -> None:
        """The handshake is complete: what came early can be read now."""
        if session.is_up or not session.draft.own:
            return
        is_news = not session.is_told or session.draft != self._station
        self._station, session.is_up, session.is_told, self._told_down = session.draft, True, True, ""
        session.rose_s = self._clock.monotonic()
        self._counts.tries = 0
        if is_news:
            station = self._station
            log.info("radio up", radio=self.name, own=f"!{station.own:08x}", firmware=station.firmware)
            self._voice.up(session.link, station)  # first: who hears RadioUp may speak at once
            self._deliver(RadioUp(self.name, station.own, tuple(station.channels.values()), station.firmware))
            self._tell_deafness(station)
        self._release(session)

    def _tell_deafness(self, station: packets.Station) -> None:
        """A radio that is well and has no channel that counts here would be deaf, and nobody would know."""
        why = self._trouble(station.channels.values())
        if why != self._told_deaf:
            self._told_deaf = why
            log.warning("calls are not heard" if why else "calls are heard again", radio=self.name, why=why)
            self._deliver(Fault(f"channels:{self.name}", why))

    def _release(self, session: _Session) -> None:
        held, session.held = session.held, []
        for packet, certain, at in held:
            self._packet(packet, certain, at)

    def _begin_again(self, session: _Session) -> None:
        """A serial node restarted: its side of the talk is forgotten, the wire is not."""
        if session.is_told:
            self._down("radio menyala ulang (the radio restarted)")
        session.time_is_set = session.is_told = False
        session.asked.clear()
        self._greet(session, self._numbers.next_want())

    def _packet(self, packet: Any, certain: bool, now: float) -> None:
        station = self._station
        if not packet.HasField("decoded"):
            return  # a channel whose key our radio does not hold
        if certain and (answer := packets.acknowledgement(packet)) is not None:
            self._voice.answered(answer)
        sender = getattr(packet, "from")
        if sender == station.own:
            self._airtime = packets.airtime(packet) or self._airtime
            return
        self._neighbours.heard(sender, now, packets.battery(packet))
        if packet.decoded.portnum == packets.ADMIN_PORT:
            return  # keys may stand in it
        heard = packets.mesh_packet(packet, station, self.name, self._clock.now().wall_s)
        for event in self._interpret(heard, now) if certain else self._interpret_doubtful(heard, now):
            self._deliver(event)

    def _interpret_doubtful(self, heard: MeshPacket, now: float) -> tuple[Event, ...]:
        """Bytes were lost near this frame, so its key proves nothing: it counts as said on a channel, a private one
        first. It may not be dropped: nobody says it again."""
        if not heard.pki_key:
            return self._interpret(heard, now)
        channels = sorted(self._station.channels.values(), key=lambda channel: not channel.is_private)
        claims = (replace(heard, pki_key=b"", channel=channel) for channel in channels)
        return next((events for claim in claims if (events := self._interpret(claim, now))), ())

    def _drop(self, why: str, now: float) -> None:
        """Log bad frames, but not each of a storm."""
        counts = self._counts
        counts.bad_frames += 1
        if now - counts.told_at >= NOISE_EVERY_S or not counts.told_bad:
            log.warning("radio frames dropped", radio=self.name, count=counts.bad_frames - counts.told_bad, why=why)
            counts.told_bad, counts.told_at = counts.bad_frames, now

    def _say_goodbye(self, session: _Session) -> None:
        """With it, firmware queues for us what it hears from now on. What is on its way is still taken."""
        with suppress(RadioLost):
            session.link.write(packets.disconnect())
            session.link.finish()
            until = self._clock.monotonic() + self._timing.goodbye_s
            while (left_s := until - self._clock.monotonic()) > 0:
                self._hear(session, session.link.read(left_s))

    def _lose(self, why: str) -> bool:
        """The talk is over; whether it had got as far as a handshake."""
        session, self._session = self._session, None
        self._voice.down()
        self._end_loan(why or "jembatan berhenti (the bridge stops)")
        log.debug("radio talk over", radio=self.name, read_bytes=self._counts.read_bytes, frames=self._counts.frames)
        if why:
            self._down(why)
        return session is not None and session.is_told

    def _end_loan(self, why: str) -> None:
        if (loan := self._loan) is not None:
            self._loan = None
            loan.end(why)

    def _down(self, why: str) -> None:
        """Told once, not at each try."""
        self._voice.down()
        self._end_loan(why)
        if why != self._told_down:
            self._told_down = why
            log.info("radio down", radio=self.name, why=why)
            self._deliver(RadioDown(self.name, why))
