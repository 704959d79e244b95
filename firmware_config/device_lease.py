"""The lease that a running bridge gives on its control socket: JSON lines around the radio's messages."""

import base64
import contextlib
import json
import socket
import time

from google.protobuf.message import DecodeError
from meshtastic.protobuf import mesh_pb2

from firmware_config.device_errors import DeviceBusy, DeviceError, DeviceLost, DeviceRestarted
from firmware_config.device_told import Told, plain

LEASE_S = 60
_CHUNK = 65_536
_CONNECT_S = 10.0
_LINE_LIMIT = 65_536


class LeaseLink:
    """The radio that a running bridge holds, for a while; the bridge goes on hearing calls all the time."""

    def __init__(self, path: str, for_s: float = LEASE_S) -> None:
        self._for_s = for_s
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(_CONNECT_S)
        self._held = b""
        try:
            self._socket.connect(path)
            self._say({"ask": "lease", "for_s": for_s})
        except OSError as error:
            self._socket.close()
            raise DeviceLost(f"{path}: {plain(error)}") from None
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
        while True:
            self._keep()
            line = self._line(min(until, time.monotonic() + self._for_s / 3))
            if line is None and time.monotonic() >= until:
                return None
            if line is not None and (told := _told(line)) is not None:
                return told

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._say({"end": True})
        self._socket.close()

    def _take_lease(self, answer: dict[str, object]) -> None:
        if not answer.get("leased"):
            why = answer.get("why") or answer.get("error") or "no answer"
            raise (DeviceLost if answer.get("is_radio_down") else DeviceBusy)(f"the bridge lends no radio: {why}")

    def _keep(self) -> None:
        if time.monotonic() - self._renewed > self._for_s / 3:
            self._renewed = time.monotonic()
            self._write({"keep": self._for_s})

    def _write(self, line: dict[str, object]) -> None:
        try:
            self._say(line)
        except OSError as error:
            raise DeviceLost(f"the bridge: {plain(error)}") from None

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
            raise DeviceLost(f"the bridge: {plain(error)}") from None
        if not received:
            raise DeviceLost("the bridge has closed the connection")
        return received


def _told(line: dict[str, object]) -> Told | None:
    """The radio's message in a line; nothing where it holds none that can be read."""
    with contextlib.suppress(DecodeError, ValueError):
        message = mesh_pb2.FromRadio.FromString(base64.b64decode(str(line.get("from_radio", ""))))
        if message.rebooted:
            raise DeviceRestarted("the node has restarted")
        if message.WhichOneof("payload_variant"):
            return Told(message, certain=not line.get("doubtful"))
    return None
