"""A broker of a hundred lines that misbehaves on purpose and counts what is on its way to it."""

import contextlib
import socket
import struct
import threading
import time
from collections import deque
from dataclasses import dataclass, field

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, PINGREQ, PINGRESP, DISCONNECT = 1, 2, 3, 4, 8, 9, 12, 13, 14


Packet = tuple[int, int, bytes]  # type, flags, body


@dataclass(slots=True)
class Habits:
    """`connack`, `suback`, `puback`: reason codes; `puback_after_s` None: never. `says_hello` False: no CONNACK."""

    says_hello: bool = True
    connack: int = 0
    suback: int = 0
    puback: int = 0
    puback_after_s: float | None = 0.0
    receive_maximum: int | None = None
    answers_pings: bool = True


@dataclass(slots=True)
class Seen:
    """What clients did."""

    connections: int = 0
    closed: int = 0
    publishes: int = 0
    most_unacked: int = 0
    topics: list[str] = field(default_factory=list)
    connects: list[bytes] = field(default_factory=list)


class TinyBroker:
    """Delivers nothing to anybody."""

    def __init__(self, habits: Habits) -> None:
        self.habits, self.seen = habits, Seen()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"mqtt://127.0.0.1:{self._listener.getsockname()[1]}"
        self._wires: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> "TinyBroker":
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()
        for thread in self._threads:
            thread.join(5)

    def hang_up(self, code: int | None = None) -> None:
        """Every connection ends, with a DISCONNECT if a reason code is given."""
        for wire in self._wires:
            if code is not None:
                send(wire, DISCONNECT, bytes([code, 0]))
            with contextlib.suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                wire, _ = self._listener.accept()
            except OSError:
                return
            self.seen.connections += 1
            self._wires.append(wire)
            thread = threading.Thread(target=self._serve, args=(wire,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, wire: socket.socket) -> None:
        waiting: deque[tuple[float, bytes]] = deque()
        buffer = bytearray()
        wire.settimeout(0.005)
        with wire, contextlib.suppress(OSError):
            while True:
                with contextlib.suppress(TimeoutError):
                    chunk = wire.recv(65536)
                    if not chunk:
                        break
                    buffer += chunk
                while (packet := take_packet(buffer)) is not None:
                    self._handle(wire, packet, waiting)
                self._acknowledge(wire, waiting)
        self.seen.closed += 1

    def _handle(self, wire: socket.socket, packet: Packet, waiting: deque[tuple[float, bytes]]) -> None:
        kind, flags, body = packet
        habits = self.habits
        match kind:
            case 1:
                self.seen.connects.append(body)
                if habits.says_hello:
                    maximum = habits.receive_maximum
                    properties = b"" if maximum is None else b"\x21" + struct.pack("!H", maximum)
                    send(wire, CONNACK, bytes([0, habits.connack, len(properties)]) + properties)
            case 8:
                send(wire, SUBACK, body[:2] + b"\x00" + bytes([habits.suback]) * body.count(b"kentongan/"))
            case 12 if habits.answers_pings:
                send(wire, PINGRESP, b"")
            case 3:
                self._take_publish(flags, body, waiting)

    def _take_publish(self, flags: int, body: bytes, waiting: deque[tuple[float, bytes]]) -> None:
        length = struct.unpack("!H", body[:2])[0]
        self.seen.topics.append(body[2 : 2 + length].decode())
        self.seen.publishes += 1
        if flags >> 1 & 3:
            mid = body[2 + length : 4 + length]
            waiting.append((time.monotonic(), mid))
            self.seen.most_unacked = max(self.seen.most_unacked, len(waiting))

    def _acknowledge(self, wire: socket.socket, waiting: deque[tuple[float, bytes]]) -> None:
        after_s = self.habits.puback_after_s
        while after_s is not None and waiting and time.monotonic() - waiting[0][0] >= after_s:
            _, mid = waiting.popleft()
            send(wire, PUBACK, mid + bytes([self.habits.puback]))


def take_packet(buffer: bytearray) -> Packet | None:
    """The first whole packet, removed from the buffer."""
    length, shift, at = 0, 0, 1
    while True:
        if at >= len(buffer):
            return None
        length |= (buffer[at] & 0x7F) << shift
        shift += 7
        at += 1
        if not buffer[at - 1] & 0x80:
            break
    if len(buffer) < at + length:
        return None
    kind, flags, body = buffer[0] >> 4, buffer[0] & 15, bytes(buffer[at : at + length])
    del buffer[: at + length]
    return kind, flags, body


def send(wire: socket.socket, kind: int, body: bytes) -> None:
    assert len(body) < 128
    wire.sendall(bytes([kind << 4, len(body)]) + body)
