"""A recorded radio: its bytes over TCP or a pty, in any pieces, with our client's own numbers in place of the old."""

import json
import os
import pty
import random
import socket
import threading
import tty
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from meshtastic.protobuf import mesh_pb2, portnums_pb2

from tests.edges.mesh_frames import frame

RECORDED = Path(__file__).resolve().parent.parent / "recorded"
PATIENCE_S = 20.0

Cut = Callable[[bytes], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Recording:
    """The bytes and the notes beside them."""

    name: str
    stream: bytes
    lines: tuple[dict[str, Any], ...]

    @classmethod
    def load(cls, name: str) -> "Recording":
        notes = (RECORDED / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()[1:]
        return cls(name, (RECORDED / f"{name}.bin").read_bytes(), tuple(map(json.loads, notes)))

    def until(self, offset: int) -> "Recording":
        """Its beginning."""
        lines = (line for line in self.lines if line["off"] + line.get("len", 0) <= offset)
        return Recording(self.name, self.stream[:offset], tuple(lines))

    def pieces(self) -> Iterator[tuple[dict[str, Any], bytes]]:
        """Each noted piece with its bytes, in order, nothing left out."""
        at = 0
        for line in sorted((line for line in self.lines if "len" in line), key=lambda line: line["off"]):
            assert line["off"] == at, f"{self.name}: bytes {at}..{line['off']} are not noted"
            at += line["len"]
            yield line, self.stream[line["off"] : at]
        assert at == len(self.stream)


def names() -> list[str]:
    return sorted(path.stem for path in RECORDED.glob("*.bin"))


def whole(octets: bytes) -> Iterator[bytes]:
    yield octets


def single(octets: bytes) -> Iterator[bytes]:
    for at in range(len(octets)):
        yield octets[at : at + 1]


def ragged(octets: bytes) -> Iterator[bytes]:
    chance, at = random.Random(len(octets)), 0
    while at < len(octets):
        size = chance.randint(1, 200)
        yield octets[at : at + size]
        at += size


@dataclass(slots=True)
class Client:
    """What the client at the other end has asked so far."""

    wants: list[int] = field(default_factory=list)
    texts: list[mesh_pb2.MeshPacket] = field(default_factory=list)
    others: list[mesh_pb2.MeshPacket] = field(default_factory=list)
    heartbeats: int = 0
    said_goodbye: bool = False
    has_left: bool = False
    woke: bytes = b""
    _rest: bytes = b""
    changed: threading.Condition = field(default_factory=threading.Condition)

    def feed(self, octets: bytes) -> None:
        with self.changed:
            self._rest += octets
            while (start := self._rest.find(b"\x94\xc3")) >= 0 and len(self._rest) >= start + 4:
                end = start + 4 + int.from_bytes(self._rest[start + 2 : start + 4], "big")
                if len(self._rest) < end:
                    break
                self.woke += self._rest[:start]
                self._note(mesh_pb2.ToRadio.FromString(self._rest[start + 4 : end]))
                self._rest = self._rest[end:]
            self.changed.notify_all()

    def left(self) -> None:
        with self.changed:
            self.has_left = True
            self.changed.notify_all()

    def wait(self, for_what: Callable[[], bool]) -> None:
        with self.changed:
            assert self.changed.wait_for(for_what, PATIENCE_S), (
                f"the client did not do what the recording needs: {self}"
            )

    def _note(self, said: mesh_pb2.ToRadio) -> None:
        match said.WhichOneof("payload_variant"):
            case "want_config_id":
                self.wants.append(said.want_config_id)
            case "packet":
                is_text = said.packet.decoded.portnum == portnums_pb2.PortNum.TEXT_MESSAGE_APP
                (self.texts if is_text else self.others).append(said.packet)
            case "heartbeat":
                self.heartbeats += 1
            case "disconnect":
                self.said_goodbye = said.disconnect


class Replay:
    """Serves one recording to one client, then hangs up.

    `answers`: recorded ids of texts the recording's own client sent; from the first mention of one on, the replay
    waits until our client has said as many texts, and gives its numbers back.
    """

    def __init__(
        self, recording: Recording, cut: Cut = whole, answers: tuple[int, ...] = (), serial: bool = False
    ) -> None:
        self._recording, self._cut, self._answers = recording, cut, answers
        self.client = Client()
        self.failed: list[BaseException] = []
        if serial:
            self._near, self._far = pty.openpty()
            tty.setraw(self._far)
            self.url = f"serial://{os.ttyname(self._far)}"
            target = self._serve_serial
        else:
            self._listener = socket.create_server(("127.0.0.1", 0))
            self.url = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
            target = self._serve_tcp
        self._thread = threading.Thread(target=self._guarded, args=(target,), daemon=True)

    def __enter__(self) -> "Replay":
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()
        assert self.failed == []

    def _guarded(self, serve: Callable[[], None]) -> None:
        try:
            serve()
        except (OSError, AssertionError) as error:
            self.failed.append(error)

    def _serve_tcp(self) -> None:
        with self._listener:
            wire, _ = self._listener.accept()
        with wire:
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            listening = threading.Thread(target=self._listen, args=(lambda: wire.recv(4096),), daemon=True)
            listening.start()
            self._play(wire.sendall)
            wire.shutdown(socket.SHUT_WR)
            listening.join(PATIENCE_S)

    def _serve_serial(self) -> None:
        listening = threading.Thread(target=self._listen, args=(lambda: os.read(self._near, 4096),), daemon=True)
        listening.start()
        self.client.wait(lambda: bool(self.client.wants))  # what came before the port was opened is nobody's
        self._play(lambda octets: os.write(self._near, octets))
        self.client.wait(lambda: self.client.said_goodbye)
        os.close(self._far)
        listening.join(PATIENCE_S)
        os.close(self._near)

    def _listen(self, receive: Callable[[], bytes]) -> None:
        while True:
            try:
                octets = receive()
            except OSError:
                octets = b""
            if not octets:
                self.client.left()
                return
            self.client.feed(octets)

    def _play(self, send: Callable[[bytes], object]) -> None:
        wanted, stream = 1, b""
        for line, octets in self._recording.pieces():
            if line["kind"] == "my_info" and not self._is_unasked(line["off"]):
                stream = self._flush(send, stream)
                self.client.wait(lambda wanted=wanted: len(self.client.wants) >= wanted)
            if (text := self._answered(line)) is not None:
                stream = self._flush(send, stream)
                self.client.wait(lambda text=text: len(self.client.texts) > text)
            stream += self._ours(line, octets)
            wanted += line["kind"] == "rebooted"
        self._flush(send, stream)

    def _flush(self, send: Callable[[bytes], object], stream: bytes) -> bytes:
        for piece in self._cut(stream):
            send(piece)
        return b""

    def _is_unasked(self, offset: int) -> bool:
        """A second answer without a restart before it: the recording's client asked twice, ours does not."""
        before = [line["kind"] for line in self._recording.lines if "len" in line and line["off"] < offset]
        last = next((kind for kind in reversed(before) if kind in ("my_info", "rebooted")), "")
        return last == "my_info"

    def _answered(self, line: dict[str, Any]) -> int | None:
        """Which of our texts a line speaks of."""
        status = line["summary"].get("queueStatus", {}) if line["kind"] == "queueStatus" else {}
        number = status.get("mesh_packet_id") or (line["kind"] == "packet" and line["summary"].get("request_id"))
        return self._answers.index(number) if number in self._answers else None

    def _ours(self, line: dict[str, Any], octets: bytes) -> bytes:
        """The piece as it would have been for our client: nothing but the numbers differs."""
        text = self._answered(line)
        is_complete = line["kind"] == "config_complete_id" and self.client.wants
        if text is None and not is_complete:
            return octets
        message = mesh_pb2.FromRadio.FromString(octets[4:])
        if is_complete:
            message.config_complete_id = self.client.wants[-1]
        elif line["kind"] == "queueStatus":
            message.queueStatus.mesh_packet_id = self.client.texts[text].id
        else:
            message.packet.decoded.request_id = self.client.texts[text].id
        return frame(message.SerializeToString())
