"""A radio that does what the test says: recording 04's handshake, then nothing but what it is told to send."""

import socket
import threading

from meshtastic.protobuf import mesh_pb2

from tests.edges.mesh_frames import GATEWAY, frame
from tests.edges.replay import PATIENCE_S, Client, Recording

OWN = GATEWAY


def handshake(number: int) -> bytes:
    """Two private channels, SiagaRT and SiagaDesa; everything before config_complete, and that with `number`."""
    recording = Recording.load("04_detection_sensor_module")
    complete = next(line for line in recording.lines if line.get("kind") == "config_complete_id")
    return recording.stream[: complete["off"]] + said(config_complete_id=number)


def channel_told(index: int) -> bytes:
    """The frame of that handshake that describes a channel."""
    recording = Recording.load("04_detection_sensor_module")
    frames = (octets for line, octets in recording.pieces() if line.get("kind") == "channel")
    return next(octets for octets in frames if mesh_pb2.FromRadio.FromString(octets[4:]).channel.index == index)


def said(**fields: object) -> bytes:
    return frame(mesh_pb2.FromRadio(**fields).SerializeToString())


def queue_status(packet_id: int = 0, res: int = 0, free: int = 16) -> bytes:
    return said(queueStatus=mesh_pb2.QueueStatus(res=res, free=free, maxlen=16, mesh_packet_id=packet_id))


class ScriptedNode:
    """Listens on loopback; each connection is a new `client`. Answers want_config, and heartbeats, if told so.

    `lost`: bytes that the wire swallows out of the next handshake.
    """

    def __init__(self, *, answers: bool = True, early: bytes = b"", lost: bytes = b"") -> None:
        self.answers, self._early, self._lost = answers, early, lost
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        self.client = Client()
        self.connections = 0
        self._wire: socket.socket | None = None
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> "ScriptedNode":
        self._threads[0].start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()
        for thread in self._threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive()

    def send(self, octets: bytes) -> None:
        assert self._wire is not None
        self._wire.sendall(octets)

    def hang_up(self) -> None:
        if self._wire is not None:
            try:
                self._wire.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # the client was first

    def _accept(self) -> None:
        while True:
            try:
                wire, _ = self._listener.accept()
            except OSError:
                return
            self.client, self._wire = Client(), wire
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(wire, self.client), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, wire: socket.socket, client: Client) -> None:
        answered = beats = 0
        with wire:
            while octets := self._receive(wire):
                client.feed(octets)
                if self.answers and len(client.wants) > answered:
                    answered += 1
                    wire.sendall(self._early + handshake(client.wants[-1]).replace(self._lost, b"", 1))
                    self._lost = b""
                for _ in range(client.heartbeats - beats if self.answers else 0):
                    wire.sendall(queue_status())
                beats = client.heartbeats
        client.left()

    def _receive(self, wire: socket.socket) -> bytes:
        try:
            return wire.recv(65_536)
        except OSError:
            return b""
