"""A node's byte stream, over a serial port or TCP, as messages."""

import contextlib
import os
import socket
import termios
import time
from collections import deque
from typing import Protocol

import serial
from google.protobuf.message import DecodeError
from meshtastic.protobuf import mesh_pb2

from firmware_config.device_errors import DeviceBusy, DeviceLost, DeviceRestarted
from firmware_config.device_frames import WAKE, Frame, FrameReader, frame
from firmware_config.device_told import Told, plain

BAUD = 115_200
_CHUNK = 65_536
_GAP_S = 0.5  # a frame that stands still for so long will not be finished
_LOOK_UP_S = 0.05
_CONNECT_S = 10.0


class Wire(Protocol):
    """Bytes both ways."""

    def read(self, wait_s: float) -> bytes: ...

    def write(self, octets: bytes) -> None: ...

    def close(self) -> None: ...


def _why(error: Exception) -> str:
    """pyserial repeats the port's name and number of the fault around what the system says."""
    number = getattr(error, "errno", None)
    return os.strerror(number) if number else plain(error)


class PortWire:
    """A serial port, held alone."""

    def __init__(self, path: str) -> None:
        try:
            self._port = serial.Serial(path, BAUD, exclusive=True, timeout=_LOOK_UP_S, write_timeout=_CONNECT_S)
            self._keep_dtr()
            self.write(WAKE)
        except (OSError, ValueError, termios.error) as error:
            busy = "exclusively lock" in str(error) or "busy" in str(error).lower()
            raise (DeviceBusy if busy else DeviceLost)(f"{path}: {_why(error)}") from None

    def read(self, wait_s: float) -> bytes:
        self._port.timeout = wait_s
        return self._port.read(self._port.in_waiting or 1)

    def write(self, octets: bytes) -> None:
        self._port.write(octets)

    def close(self) -> None:
        self._port.close()

    def _keep_dtr(self) -> None:
        """Closing must not drop DTR: many boards restart when it falls, and the next to open finds them booting."""
        attributes = termios.tcgetattr(self._port.fileno())
        attributes[2] &= ~termios.HUPCL
        termios.tcsetattr(self._port.fileno(), termios.TCSANOW, attributes)


class TcpWire:
    """A node's TCP port."""

    def __init__(self, host: str, port: int) -> None:
        try:
            self._socket = socket.create_connection((host, port), timeout=_CONNECT_S)
        except OSError as error:
            raise DeviceLost(f"{host}:{port}: {plain(error)}") from None
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

    def __init__(self, wire: Wire) -> None:
        self._wire, self._reader = wire, FrameReader()
        self._frames: deque[Frame] = deque()
        self._last_byte = time.monotonic()

    def send(self, message: mesh_pb2.ToRadio) -> None:
        try:
            self._wire.write(frame(message.SerializeToString()))
        except OSError as error:
            raise DeviceLost(plain(error)) from None

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
            raise DeviceLost(plain(error)) from None
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
