"""The ways to a node: a serial port, TCP, or the lease that a running bridge gives on its control socket."""

import base64
import contextlib
import json
import socket
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import serial
from google.protobuf.message import DecodeError
from meshtastic.protobuf import mesh_pb2

from firmware_config.device_errors import DeviceBusy, DeviceError, DeviceLost, DeviceRestarted
from firmware_config.device_frames import WAKE, Frame, FrameReader, frame

BAUD = 115_200
TCP_PORT = 4403
BY_ID = Path("/dev/serial/by-id")
LEASE_S = 60
_CHUNK = 65_536
_GAP_S = 0.5  # a frame that stands still for so long will not be finished
_LOOK_UP_S = 0.05
_CONNECT_S = 10.0
_LINE_LIMIT = 65_536


@dataclass(frozen=True, slots=True)
class Told:
    """One message of the node; not `certain`: the stream may have spliced it from two."""

    message: mesh_pb2.FromRadio
    certain: bool = True


class Link(Protocol):
    """A connection to a node. Every method raises DeviceLost when it has ended."""

    def send(self, message: mesh_pb2.ToRadio) -> None: ...

    def receive(self, until: float) -> Told | None:
        """The next message, None when there is none before `until` (monotonic)."""

    def close(self) -> None: ...


def connect(url: str) -> Link:
    """Open serial:///dev/…, tcp://host:4403 or control+unix:///path. Raises DeviceLost or DeviceBusy."""
    where = urlsplit(url)
    match where.scheme:
        case "serial":
            return StreamLink(_Port(where.path))
        case "tcp":
            return StreamLink(_Tcp(where.hostname or "", where.port or TCP_PORT))
        case "control+unix":
            return LeaseLink(where.path)
    raise DeviceError(f"{url}: not serial://, tcp:// or control+unix://")


def lasting_url(url: str, by_id: Path = BY_ID) -> str:
    """The same with the port's name that stays when a restart numbers it anew, where the system keeps such names."""
    where = urlsplit(url)
    if where.scheme != "serial" or not by_id.is_dir():
        return url
    target = Path(where.path).resolve()
    return next((f"serial://{link}" for link in sorted(by_id.iterdir()) if link.resolve() == target), url)


class _Wire(Protocol):
    """Bytes both ways."""

    def read(self, wait_s: float) -> bytes: ...

    def write(self, octets: bytes) -> None: ...

    def close(self) -> None: ...


class _Port:
    def __init__(self, path: str) -> None:
        try:
            self._port = serial.Serial(path, BAUD, exclusive=True, timeout=_LOOK_UP_S, write_timeout=_CONNECT_S)
            self.write(WAKE)
        except (OSError, ValueError) as error:
            busy = "exclusively lock" in str(error) or "busy" in str(error).lower()
            raise (DeviceBusy if busy else DeviceLost)(f"{path}: {_plain(error)}") from None

    def read(self, wait_s: float) -> bytes:
        self._port.timeout = wait_s
        return self._port.read(self._port.in_waiting or 1)

    def write(self, octets: bytes) -> None:
        self._port.write(octets)

    def close(self) -> None:
        self._port.close()


class _Tcp:
    def __init__(self, host: str, port: int) -> None:
        try:
            self._socket = socket.create_connection((host, port), timeout=_CONNECT_S)
        except OSError as error:
            raise DeviceLost(f"{host}:{port}: {_plain(error)}") from None
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def read(self, wait_s: float) -> bytes:
        self._socket.settimeout(max(wait_s, 0.001))
        try:
            received = self._socket.recv(_CHUNK)
        except TimeoutError:
            return b""
        if not received:
            raise DeviceLost("the node has closed the connection")
        return received

    def write(self, octets: bytes) -> None:
        self._socket.settimeout(_CONNECT_S)
        self._socket.sendall(octets)

    def close(self) -> None:
        self._socket.close()


class StreamLink:
    """Frames on a byte stream."""

    def __init__(self, wire: _Wire) -> None:
        self._wire, self._reader = wire, FrameReader()
        self._frames: deque[Frame] = deque()
        self._last_byte = time.monotonic()

    def send(self, message: mesh_pb2.ToRadio) -> None:
        try:
            self._wire.write(frame(message.SerializeToString()))
        except OSError as error:
            raise DeviceLost(_plain(error)) from None

    def receive(self, until: float) -> Told | None:
        while (told := self._next()) is None:
            if time.monotonic() >= until:
                return None
            self._pull(until)
        return told

    def close(self) -> None:
        with contextlib.suppress(DeviceLost):  # a node that is told keeps its packets for whoever comes next
            self.send(mesh_pb2.ToRadio(disconnect=True))
        self._wire.close()

    def _pull(self, until: float) -> None:
        try:
            received = self._wire.read(min(max(until - time.monotonic(), 0.0), _LOOK_UP_S))
        except (OSError, TypeError) as error:  # pyserial: TypeError where the port has gone
            raise DeviceLost(_plain(error)) from None
        now = time.monotonic()
        if received:
            self._last_byte = now
            self._frames.extend(self._reader.feed(received))
        elif now - self._last_byte > _GAP_S:
            self._frames.extend(self._reader.gap())

    def _next(self) -> Told | None:
        while self._frames:
            found = self._frames.popleft()
            with contextlib.suppress(DecodeError):
                message = mesh_pb2.FromRadio.FromString(found.body)
                if message.rebooted:
                    raise DeviceRestarted("the node has restarted")
                return Told(message, found.certain)
        return None


class LeaseLink:
    """The radio that a running bridge holds, for a while; the bridge goes on hearing calls all the time."""

    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(_CONNECT_S)
        self._held = b""
        try:
            self._socket.connect(path)
            self._say({"ask": "lease", "for_s": LEASE_S})
        except OSError as error:
            self._socket.close()
            raise DeviceLost(f"{path}: {_plain(error)}") from None
        try:
            self._take_lease(self._line(time.monotonic() + _CONNECT_S) or {})
        except DeviceError:
            self._socket.close()
            raise
        self._renewed = time.monotonic()

    def send(self, message: mesh_pb2.ToRadio) -> None:
        self._keep()
        self._write({"to_radio": base64.b64encode(message.SerializeToString()).decode()})

    def receive(self, until: float) -> Told | None:
        while (line := self._line(until)) is not None:
            self._keep()
            with contextlib.suppress(DecodeError, ValueError):
                message = mesh_pb2.FromRadio.FromString(base64.b64decode(str(line.get("from_radio", ""))))
                if message.rebooted:
                    raise DeviceRestarted("the node has restarted")
                if message.WhichOneof("payload_variant"):
                    return Told(message, certain=not line.get("doubtful"))
        return None

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._say({"end": True})
        self._socket.close()

    def _take_lease(self, answer: dict[str, object]) -> None:
        if not answer.get("leased"):
            why = answer.get("why") or answer.get("error") or "no answer"
            raise (DeviceLost if answer.get("is_radio_down") else DeviceBusy)(f"the bridge lends no radio: {why}")

    def _keep(self) -> None:
        if time.monotonic() - self._renewed > LEASE_S / 3:
            self._renewed = time.monotonic()
            self._write({"keep": LEASE_S})

    def _write(self, line: dict[str, object]) -> None:
        try:
            self._say(line)
        except OSError as error:
            raise DeviceLost(f"the bridge: {_plain(error)}") from None

    def _say(self, line: dict[str, object]) -> None:
        self._socket.settimeout(_CONNECT_S)
        self._socket.sendall(json.dumps(line).encode() + b"\n")

    def _line(self, until: float) -> dict[str, object] | None:
        while b"\n" not in self._held:
            left_s = until - time.monotonic()
            if left_s <= 0:
                return None
            self._held += self._read(min(left_s, 1.0))
            if len(self._held) > _LINE_LIMIT and b"\n" not in self._held:
                raise DeviceLost("the bridge's answer is no line")
        line, _, self._held = self._held.partition(b"\n")
        return self._understood(line)

    def _understood(self, line: bytes) -> dict[str, object]:
        try:
            said = json.loads(line)
        except ValueError:
            raise DeviceLost("the bridge's answer cannot be read") from None
        if not isinstance(said, dict) or "ended" in said:
            raise DeviceLost(f"the lease has ended: {said.get('ended', '') if isinstance(said, dict) else ''}")
        return said

    def _read(self, wait_s: float) -> bytes:
        self._socket.settimeout(max(wait_s, 0.001))
        try:
            received = self._socket.recv(_CHUNK)
        except TimeoutError:
            return b""
        except OSError as error:
            raise DeviceLost(f"the bridge: {_plain(error)}") from None
        if not received:
            raise DeviceLost("the bridge has closed the connection")
        return received


def _plain(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
