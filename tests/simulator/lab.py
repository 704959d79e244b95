"""A plain client of the stream API, and the laboratory in which the recordings were made, built anew."""

import contextlib
import json
import os
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType

import serial
from meshtastic.protobuf import mesh_pb2, portnums_pb2

from simulator.air import EVERYBODY, Air
from simulator.channels import PUBLIC, Channel
from simulator.identity import Identity
from simulator.node import Node
from simulator.village import Village
from tests.patience import Patience, until

RECORDED = Path(__file__).parent.parent / "recorded"
PRIMARY = Channel("SiagaRT", bytes(range(32)))
DESA = Channel("SiagaDesa", bytes.fromhex("00112233445566778899aabbccddeeff0123456789abcdeffedcba9876543210"))

Told = mesh_pb2.FromRadio


@dataclass(frozen=True, slots=True)
class Recording:
    """What a client of a real radio read: its messages, and how the reading ended."""

    told: tuple[Told, ...]
    ended: str

    def after_handshake(self, handshakes: int = 1) -> list[Told]:
        """What came after the nth config_complete."""
        ends = [at for at, told in enumerate(self.told) if kind(told) == "config_complete_id"]
        return list(self.told[ends[handshakes - 1] + 1 :])


@cache
def recording(name: str) -> Recording:
    """One pair of tests/recorded; its text and log records are left out."""
    octets = (RECORDED / f"{name}.bin").read_bytes()
    lines = [json.loads(line) for line in (RECORDED / f"{name}.jsonl").read_text().splitlines()[1:]]
    frames = [line for line in lines if line.get("kind") not in (None, "text", "log_record")]
    told = tuple(Told.FromString(octets[line["off"] + 4 : line["off"] + line["len"]]) for line in frames)
    return Recording(told, lines[-1].get("note", ""))


def kind(told: Told) -> str:
    """Which of FromRadio's messages this is."""
    return told.WhichOneof("payload_variant") or "nothing"


class Client:
    """Reads and writes frames on a socket or a serial port; knows nothing of how nodes are made."""

    def __init__(self, url: str) -> None:
        where, _, what = url.partition("://")
        self._port = None if where == "tcp" else serial.Serial(what, exclusive=True, timeout=0)
        host, _, port = what.rpartition(":")
        self._socket = socket.create_connection((host, int(port))) if where == "tcp" else None
        if self._socket is not None:
            self._socket.setblocking(False)
        self.received = bytearray()
        self.ended = False
        self._read_to = 0

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave without a word."""
        for wire in (self._port, self._socket):
            if wire is not None:
                wire.close()

    def write(self, octets: bytes) -> None:
        if self._socket is not None:
            self._socket.sendall(octets)
        elif self._port is not None:
            self._port.write(octets)

    def say(self, **message: object) -> None:
        """Send one ToRadio."""
        body = mesh_pb2.ToRadio(**message).SerializeToString()  # type: ignore[arg-type]
        self.write(b"\x94\xc3" + len(body).to_bytes(2, "big") + body)

    def heartbeat(self) -> None:
        self.say(heartbeat=mesh_pb2.Heartbeat())

    def goodbye(self) -> None:
        """Say `disconnect` and leave; it has arrived when the node is silent."""
        self.say(disconnect=True)

    def send(self, portnum: int, payload: bytes, packet_id: int = 0, **fields: object) -> int:
        """Send one packet as an app does; its id."""
        packet = mesh_pb2.MeshPacket(to=EVERYBODY, id=packet_id or int.from_bytes(os.urandom(4), "big") | 1)
        for name, value in fields.items():
            setattr(packet if name in packet.DESCRIPTOR.fields_by_name else packet.decoded, name, value)
        packet.decoded.portnum, packet.decoded.payload = portnum, payload  # type: ignore[assignment]
        self.say(packet=packet)
        return packet.id

    def told(self, until: Callable[[list[Told]], object], what: str = "frames") -> list[Told]:
        """The next messages, as few as content `until`; AssertionError when they never come."""
        patience, told = Patience(), list[Told]()
        while not until(told):
            if (following := self._next()) is not None:
                told.append(following)
                continue
            assert patience.left_s() and not self.ended, f"no {what}: {[kind(t) for t in told]}, {self.ended=}"
            self._pull()
        return told

    def handshake(self, nonce: int = 1) -> list[Told]:
        """want_config and its answer to config_complete."""
        self.say(want_config_id=nonce)
        return self.told(lambda told: any(t.config_complete_id == nonce for t in told), "config_complete")

    def everything(self) -> list[Told]:
        """What has come and what is on its way: all that stands before the answer to another want_config."""
        told = self.handshake(nonce=int.from_bytes(os.urandom(3), "big") + 1_000)
        return told[: next(at for at, t in enumerate(told) if kind(t) == "my_info")]

    def until_received(self, octets: bytes) -> None:
        """Until these bytes stand in the stream, frame or not."""
        patience = Patience()
        while octets not in self.received:
            assert patience.left_s(), f"no {octets!r}"
            self._pull()

    def until_end(self) -> list[Told]:
        """Everything to the end of the stream."""
        patience = Patience()
        while not self.ended:
            assert patience.left_s(), "the stream goes on"
            self._pull()
        return list(iter(self._next, None))

    def _pull(self) -> None:
        octets: bytes | None = None
        if self._socket is not None:
            try:
                octets = self._socket.recv(65_536)
            except BlockingIOError:
                octets = None
            except ConnectionResetError:
                octets = b""
            self.ended = octets == b""
        elif self._port is not None:
            octets = self._port.read(4096) or None
        if octets:
            self.received += octets
        else:
            time.sleep(0.002)

    def _next(self) -> Told | None:
        """The next whole frame among the unread bytes; text before it is skipped."""
        at = self.received.find(b"\x94\xc3", self._read_to)
        if at < 0 or at + 4 > len(self.received):
            return None
        end = at + 4 + int.from_bytes(self.received[at + 2 : at + 4], "big")
        if end > len(self.received):
            return None
        self._read_to = end
        return Told.FromString(bytes(self.received[at + 4 : end]))


def connect(node: Node) -> Client:
    """A client of a node that may be restarting just now."""
    url, clients = node.serve_tcp(), list[Client]()

    def accepted() -> bool:
        with contextlib.suppress(ConnectionRefusedError):
            clients.append(Client(url))
        return bool(clients)

    until(accepted, "a connection")
    return clients[0]


def identity_of(name: str) -> Identity:
    """The recorded node's own identity, from its handshake."""
    told = recording(name).told
    info = next(t.node_info for t in told if kind(t) == "node_info")
    keys = next(t.config.security for t in told if t.config.HasField("security"))
    user = info.user
    return Identity(info.num, user.long_name, user.short_name, keys.private_key, keys.public_key)


class Laboratory:
    """Nodes A, B and C with their recorded names, keys and channels, on a quick air. `reboot_s`: real ones take 7."""

    def __init__(self, primary: Channel = PUBLIC, reboot_s: float = 0.05, **air: float) -> None:
        self.village = Village(seed=1, channel=DESA.name, psk=DESA.psk, air=Air(1, **{"delay_s": 0.005} | air))  # type: ignore[arg-type]
        channels = {0: primary, 1: DESA}
        a, b, c = (identity_of(n) for n in ("02a_text_bell_ch1_senderA", "01_handshake", "16_idle_timeout_c"))
        self.a = self.village.gateway("A", channels=channels, identity=a, reboot_s=reboot_s)
        self.b = self.village.gateway("B", channels=channels, identity=b, reboot_s=reboot_s)
        self.c = self.village.gateway("C", channels=channels, identity=c, reboot_s=reboot_s)

    def __enter__(self) -> "Laboratory":
        self.village.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.village.stop()

    def client(self, node: Node, fresh: bool = False) -> Client:
        """A client that has had its handshake; `fresh`: what the node had to say at its first one is still unread."""
        client = connect(node)
        client.handshake()
        if not fresh:
            client.everything()
        return client


# Fields that chance, the clock or the laboratory's own history decide; everything else must be the same.
_BY_CHANCE = ("id", "rx_time", "rx_snr", "rx_rssi")
_BY_HISTORY = ("snr", "last_heard", "device_metrics", "position", "hops_away")


def plain(told: Iterable[Told]) -> list[str]:
    """Messages as text to compare, without what chance decides and without telemetry, which nobody simulates."""
    return [str(_without_chance(t)) for t in told if t.packet.decoded.portnum != portnums_pb2.TELEMETRY_APP]


def _without_chance(told: Told) -> Told:
    copy = Told()
    copy.CopyFrom(told)
    match kind(copy):
        case "packet":
            _forget_chance(copy.packet)
        case "queueStatus" if copy.queueStatus.mesh_packet_id:
            copy.queueStatus.mesh_packet_id = 1
        case "node_info":
            for name in _BY_HISTORY:
                copy.node_info.ClearField(name)  # type: ignore[arg-type]
        case "my_info":
            copy.my_info.ClearField("nodedb_count")
        case "fileInfo":
            copy.fileInfo.ClearField("size_bytes")
    return copy


def _forget_chance(packet: mesh_pb2.MeshPacket) -> None:
    received = packet.HasField("decoded") and packet.rx_rssi != 0
    for name in _BY_CHANCE:
        packet.ClearField(name)  # type: ignore[arg-type]
    packet.delayed = 1 if received else 0  # that it was received stays: such packets carry SNR and RSSI
    if packet.decoded.request_id:
        packet.decoded.request_id = 1
    if packet.HasField("encrypted"):
        packet.encrypted = bytes(len(packet.encrypted))
