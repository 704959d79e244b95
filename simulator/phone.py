"""A node's side of the talk with its one client, without sockets: what is sent, what waits, what is lost."""

from collections import deque
from collections.abc import Callable, Iterable
from enum import Enum, auto
from typing import Protocol

from google.protobuf.message import DecodeError
from meshtastic.protobuf import mesh_pb2, portnums_pb2

from simulator.frames import FrameReader, frame, packet_frame

TX_SLOTS = 16
BACKLOG_BYTES = 64_000  # what a socket swallows before packets start to wait in the node
_REMEMBERED_STATUSES = 16
_EVICTING = {portnums_pb2.TEXT_MESSAGE_APP, portnums_pb2.RANGE_TEST_APP}
_PAUSES_S: dict[int, float] = {
    portnums_pb2.TEXT_MESSAGE_APP: 2.0,
    portnums_pb2.ALERT_APP: 10.0,
    portnums_pb2.POSITION_APP: 10.0,
    portnums_pb2.WAYPOINT_APP: 10.0,
    portnums_pb2.TELEMETRY_APP: 10.0,
    portnums_pb2.TRACEROUTE_APP: 30.0,
}


class Link(Protocol):
    """The way to a client that is connected now."""

    @property
    def backlog_bytes(self) -> int: ...

    def send(self, octets: bytes) -> None: ...


class Upstairs(Protocol):
    """The rest of the node, as the talk needs it."""

    def handshake(self, nonce: int) -> Iterable[mesh_pb2.FromRadio]: ...

    def from_client(self, packet: mesh_pb2.MeshPacket) -> None: ...

    def tx_free(self) -> int: ...


class Talk(Enum):
    """SILENT: nobody asked for anything yet, or the client said goodbye; packets wait. SENDING: packets go out."""

    SILENT = auto()
    SENDING = auto()


class Phone:
    """The stream API of one node.

    `limit`: how many packets wait for a silent client (32; 8 on a classic ESP32; None: no limit).
    A client that leaves without goodbye is not noticed: what comes later goes to the dead socket and is lost.
    """

    def __init__(self, upstairs: Upstairs, limit: int | None, now: Callable[[], float]) -> None:
        self._upstairs, self._limit, self._now = upstairs, limit, now
        self._link: Link | None = None
        self._reader = FrameReader()
        self.restart()

    def restart(self) -> None:
        """The memory is empty; the greeting that a booting node sends to the mesh left one status to tell."""
        self.talk = Talk.SILENT
        self._queue: deque[tuple[bytes, int]] = deque()
        self._statuses: deque[bytes] = deque(maxlen=_REMEMBERED_STATUSES)
        self._last_sent: dict[int, float] = {}
        self.status(0, 0)

    @property
    def waiting(self) -> int:
        """Packets that wait for the client."""
        return len(self._queue)

    @property
    def is_sending(self) -> bool:
        """Whether packets go out at once."""
        return self.talk is Talk.SENDING

    def attach(self, link: Link) -> None:
        """A client has come; it gets nothing before it asks."""
        self._link, self._reader, self.talk, self._last_sent = link, FrameReader(), Talk.SILENT, {}

    def detach(self, link: Link, noticed: bool = False) -> None:
        """A client is gone; `noticed`: the node itself hung up, so it keeps packets from now on."""
        if self._link is link:
            self._link = None
            if noticed:
                self.talk = Talk.SILENT

    def feed(self, received: bytes) -> None:
        """Bytes from the client."""
        for body in self._reader.feed(received):
            try:
                self._hear(mesh_pb2.ToRadio.FromString(body))
            except DecodeError:
                continue  # firmware drops what it cannot decode

    def packet(self, packet: bytes, portnum: int) -> None:
        """A serialised MeshPacket for the client."""
        if self.talk is Talk.SENDING and not self._queue and self._has_room():
            self._emit(packet_frame(packet))
            return
        if self._limit is not None and len(self._queue) >= self._limit:
            if portnum not in _EVICTING:
                return
            self._queue.popleft()
        self._queue.append((packet, portnum))

    def status(self, res: int, packet_id: int) -> None:
        """Tell how the transmit queue stands after taking (or refusing) a packet."""
        free = self._upstairs.tx_free() if packet_id else TX_SLOTS
        told = mesh_pb2.QueueStatus(res=res, free=free, maxlen=TX_SLOTS, mesh_packet_id=packet_id)
        octets = frame(mesh_pb2.FromRadio(queueStatus=told).SerializeToString())
        if self.talk is Talk.SENDING:
            self._emit(octets)
        else:
            self._statuses.append(octets)

    def refill(self) -> None:
        """The client reads again: let waiting packets go."""
        while self._queue and self.talk is Talk.SENDING and self._has_room():
            self._emit(packet_frame(self._queue.popleft()[0]))

    def may_send(self, portnum: int) -> bool:
        """False when the client sends this port too often; such a packet vanishes behind a friendly status."""
        now = self._now()
        last = self._last_sent.get(portnum)
        if last is not None and now - last < _PAUSES_S.get(portnum, 0.0):
            return False
        self._last_sent[portnum] = now
        return True

    def _hear(self, message: mesh_pb2.ToRadio) -> None:
        match message.WhichOneof("payload_variant"):
            case "want_config_id":
                self._greet(message.want_config_id)
            case "packet":
                self._upstairs.from_client(message.packet)
            case "heartbeat":
                self.status(0, 0)
            case "disconnect":
                self.talk = Talk.SILENT

    def _greet(self, nonce: int) -> None:
        for told in self._upstairs.handshake(nonce):
            self._emit(frame(told.SerializeToString()))
        self.talk = Talk.SENDING
        while self._statuses:
            self._emit(self._statuses.popleft())
        self.refill()

    def _has_room(self) -> bool:
        return self._limit is None or self._link is None or self._link.backlog_bytes < BACKLOG_BYTES

    def _emit(self, octets: bytes) -> None:
        if self._link is not None:
            self._link.send(octets)
