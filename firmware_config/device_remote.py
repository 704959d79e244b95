"""The talk with a node over the mesh, by an admin key."""

import time
from collections.abc import Iterable

from meshtastic.protobuf import admin_pb2, mesh_pb2

from firmware_config.device_errors import DeviceLost, DeviceRefused
from firmware_config.device_orders import Answer, answer_to, gather_reply, request_for, send_order
from firmware_config.device_timing import Timing
from firmware_config.device_told import Link
from firmware_config.device_values import Sections

AdminMessage = admin_pb2.AdminMessage
_RENEW_S = 120.0  # a pass key is worth 300 s, and renewed by the node after 150
# What the radio on the way says when the packet got lost; another try may do better.
_LOST_ON_THE_WAY = {"MAX_RETRANSMIT", "TIMEOUT", "NO_RESPONSE", "GOT_NAK", "DUTY_CYCLE_LIMIT", "RATE_LIMIT_EXCEEDED"}


class RemoteTalk:
    """With a node over the mesh, through the radio on a link; each answer renews the session's pass key."""

    def __init__(self, link: Link, timing: Timing, to: int, key: bytes, hops: int) -> None:
        self._link, self._timing, self._to, self._key = link, timing, to, key
        self._wait_s = timing.hop_s * (hops + 1)
        self.passkey, self._passkey_at = b"", 0.0

    def ask(self, request: AdminMessage) -> AdminMessage:
        """Ask for something. Raises DeviceRefused, or DeviceLost when nothing comes back."""
        for _ in range(self._timing.tries):
            answer = self._exchange(request, needs_reply=True)
            if answer is not None and answer.reply is not None:
                self.passkey, self._passkey_at = answer.reply.session_passkey, time.monotonic()
                return answer.reply
        raise DeviceLost(f"!{self._to:08x} does not answer over the mesh")

    def order(self, message: AdminMessage, to: int = 0) -> None:
        """Give an order until it is acknowledged by the node itself."""
        for _ in range(self._timing.tries):
            if not self.passkey or time.monotonic() > self._passkey_at + _RENEW_S:
                self.renew()
            message.session_passkey = self.passkey
            try:
                if self._exchange(message) is not None:
                    return
            except DeviceRefused as refused:
                if refused.reason != "ADMIN_BAD_SESSION_KEY":
                    raise
                self.passkey = b""  # it has restarted, or another administrator came between
        raise DeviceLost(f"!{self._to:08x} does not acknowledge an order")

    def renew(self) -> bytes:
        """A pass key of now; another one than before means that the node has restarted (or that 150 s are over)."""
        self.ask(AdminMessage(get_config_request=AdminMessage.ConfigType.SESSIONKEY_CONFIG))
        return self.passkey

    def tell(self, sections: Iterable[str]) -> Sections:
        """The named sections, asked for one by one."""
        told = Sections(num=self._to)
        for section in sections:
            gather_reply(told, self.ask(request_for(section)))
        return told

    def metadata(self) -> mesh_pb2.DeviceMetadata:
        """What kind of device it is."""
        return self.ask(AdminMessage(get_device_metadata_request=True)).get_device_metadata_response

    def _exchange(self, message: AdminMessage, needs_reply: bool = False) -> Answer | None:
        """The node's own answer; None when all is lost. A packet that it has had before it only acknowledges again."""
        packet_id = send_order(self._link, message, self._to, self._key)
        until = time.monotonic() + self._wait_s
        while (told := self._link.receive(until)) is not None:
            answer = answer_to(told.message, packet_id)
            if answer is None or (answer.sender != self._to and answer.error == "NONE"):
                continue  # only relayed
            if answer.reply is not None and answer.key != self._key:
                continue  # forged: whoever hears packet ids and holds the channel could write it
            if answer.error in _LOST_ON_THE_WAY:
                return None
            answer.raise_refusal()
            if answer.reply is not None or not needs_reply:
                return answer
        return None
