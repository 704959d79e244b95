"""A Meshtastic radio lent to a technician's tool: what may pass, and a bounded queue of what the radio says meanwhile.

The reader puts every message in, the tool's thread takes them out. Nothing is logged: keys stand in them.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from google.protobuf.message import DecodeError
from meshtastic.protobuf import admin_pb2, mesh_pb2, portnums_pb2

from bridge.edges import mesh_radio_packets as packets
from bridge.edges.stream import MAX_BODY_BYTES, Frame

HELD_MAX = 2_048  # messages that wait for the tool: a full handshake has 350
# No texts: firmware drops one that follows another within 2 s, and the bridge's own answer might be the second; nor may
# a tool say "they are coming" in the post's name. No ROUTING: it could acknowledge a call that the bridge never heard.
MAY_PASS = (portnums_pb2.PortNum.ADMIN_APP, portnums_pb2.PortNum.TRACEROUTE_APP)
# Beside questions (get_...). Nothing that switches a radio off, empties it, or makes it deaf to one house.
ORDERS = (
    *("set_owner", "set_channel", "set_config", "set_module_config"),
    *("begin_edit_settings", "commit_edit_settings"),
)
PACE_BYTES_S = 5_000  # not half of what a serial line carries: the other half is for the bridge's own answers


class MeshLoan:
    """`send` writes a frame to the radio, or says why not; `greet` asks it for everything under the tool's number."""

    def __init__(
        self, own: int, send: Callable[[bytes], str], greet: Callable[[int], None], close: Callable[["MeshLoan"], None]
    ) -> None:
        self._own, self._send, self._greet, self._close = own, send, greet, close
        self._held: deque[tuple[bytes, bool]] = deque()
        self._lock = threading.Lock()
        self._news, self._bell = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._is_open = True
        self._next_at = 0.0
        self.ended = ""
        self.has_ordered = False  # our own radio may be another one now

    def fileno(self) -> int:
        return self._news

    # --- the reader's thread ------------------------------------------------------------------------------------

    def hear(self, frame: Frame) -> None:
        """One message of the radio. Never waits: a tool that does not keep up loses the lease, not some messages."""
        with self._lock:
            if len(self._held) >= HELD_MAX:
                self.ended = self.ended or "too slow: messages were not taken"
            elif not self.ended:
                self._held.append((frame.body, not frame.certain))
            self._ring()

    def end(self, why: str) -> None:
        with self._lock:
            self.ended = self.ended or why
            self._ring()

    def _ring(self) -> None:
        if self._is_open:
            with suppress(BlockingIOError):  # it has rung often enough
                os.write(self._bell, b".")

    # --- the tool's thread --------------------------------------------------------------------------------------

    def take(self) -> list[tuple[bytes, bool]]:
        with self._lock:
            with suppress(BlockingIOError):
                os.read(self._news, 65_536)
            taken = list(self._held)
            self._held.clear()
            return taken

    def give(self, to_radio: bytes) -> str:
        """'' or why it may not pass."""
        try:
            message = mesh_pb2.ToRadio.FromString(to_radio)
        except DecodeError:
            return "no message for a radio"
        message.DiscardUnknownFields()
        match message.WhichOneof("payload_variant"):
            case "want_config_id" if message.want_config_id not in packets.SPECIAL_WANTS:
                self._greet(message.want_config_id)
                return ""
            case "heartbeat":
                return self._send_paced(packets.heartbeat())
            case "packet":
                return self._why_not(message.packet) or self._pass(message)
        return "only packets, want_config_id and heartbeats pass"

    def close(self) -> None:
        """The tool is done."""
        self._close(self)
        with self._lock:
            if self._is_open:
                self._is_open = False
                os.close(self._news)
                os.close(self._bell)

    def _why_not(self, packet: mesh_pb2.MeshPacket) -> str:
        if not packet.HasField("decoded") or packet.decoded.portnum not in MAY_PASS:
            return "only ADMIN and TRACEROUTE packets pass"
        if not packet.id or getattr(packet, "from") not in (0, self._own):
            return "a packet needs an id, and may not be from somebody else"
        if packet.to in (0, packets.BROADCAST):
            return "a packet needs one node that it is for"
        if packet.decoded.portnum == packets.ADMIN_PORT and not _is_setting_up(packet.decoded.payload):
            return "only questions and settings pass"
        if packet.ByteSize() > MAX_BODY_BYTES - 8:
            return "too long for a frame"
        return ""

    def _pass(self, message: mesh_pb2.ToRadio) -> str:
        if message.packet.to == self._own and message.packet.decoded.portnum == packets.ADMIN_PORT:
            self.has_ordered = True
        message.packet.priority = mesh_pb2.MeshPacket.Priority.UNSET  # it does not overtake an answer to a call
        return self._send_paced(packets.to_radio(message))

    def _send_paced(self, octets: bytes) -> str:
        now = time.monotonic()
        time.sleep(max(0.0, self._next_at - now))  # on the tool's own thread
        self._next_at = max(now, self._next_at) + len(octets) / PACE_BYTES_S
        return self._send(octets)


def _is_setting_up(payload: bytes) -> bool:
    """Whether an order to a radio asks, or sets what a set-up sets."""
    try:
        order = admin_pb2.AdminMessage.FromString(payload).WhichOneof("payload_variant")
    except DecodeError:
        return False
    return order is not None and (order in ORDERS or order.startswith("get_"))
