"""The talk with one node: everything it tells about itself, and orders that it acknowledges."""

import contextlib
import secrets
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError, Message
from meshtastic.protobuf import admin_pb2, mesh_pb2, portnums_pb2

from firmware_config.device_errors import DeviceLost, DeviceRefused
from firmware_config.device_link import Link, Told
from firmware_config.device_values import CHANNEL_SLOTS, CONFIG_SECTIONS, MODULE_SECTIONS, Sections

Error = mesh_pb2.Routing.Error
AdminMessage = admin_pb2.AdminMessage
_RENEW_S = 120.0  # a pass key is worth 300 s, and renewed by the node after 150
_ASK_AGAIN_S = 2.0
# What the radio on the way says when the packet got lost; another try may do better.
_LOST_ON_THE_WAY = {"MAX_RETRANSMIT", "TIMEOUT", "NO_RESPONSE", "GOT_NAK", "DUTY_CYCLE_LIMIT", "RATE_LIMIT_EXCEEDED"}


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds. A node restarts 7 s after a commit and needs up to half a minute to be back."""

    answer_s: float = 3.0  # a node at the cable acknowledges an order
    hello_s: float = 15.0  # from want_config to the end of what it tells
    hop_s: float = 12.0  # an order over the mesh and its answer, for each hop
    restart_s: float = 15.0  # from a commit to the restart
    quiet_s: float = 9.0  # a single write that may need a restart: so long it may take to come
    back_s: float = 60.0  # from the restart until it answers again
    again_s: float = 0.2  # between two attempts to connect
    afar_s: float = 15.0  # a node over the mesh: from a commit until it is worth asking
    tries: int = 4


class LocalTalk:
    """With the node at the other end of a link."""

    def __init__(self, link: Link, timing: Timing) -> None:
        self._link, self._timing = link, timing

    def tell(self) -> Sections:
        """Everything it tells. What may be spliced is asked for twice, what is missing again."""
        last: Sections | None = None
        for _ in range(self._timing.tries):
            told, certain = self._told()
            if certain and _is_whole(told):
                return told
            if last is not None and _is_readable(told) and _same(last, told):
                return told
            last = told
        raise DeviceLost("the node does not tell its settings to the end")

    def order(self, message: AdminMessage, to: int) -> None:
        """Give an order until it is acknowledged. Raises DeviceRefused or DeviceLost."""
        for _ in range(self._timing.tries):
            if self._is_taken(send_order(self._link, message, to), to):
                return
        raise DeviceLost("the node does not acknowledge an order")

    def outlives(self, wait_s: float) -> bool:
        """Whether the connection still stands after `wait_s`; False as soon as the node restarts."""
        until = time.monotonic() + wait_s
        try:
            while time.monotonic() < until:
                self._link.receive(until)
        except DeviceLost:
            return False
        return True

    def close(self) -> None:
        """Say goodbye and let go."""
        self._link.close()

    def _told(self) -> tuple[Sections, bool]:
        nonce = secrets.randbelow(2**31) + 100_000  # smaller ones may mean something to the firmware
        self._link.send(mesh_pb2.ToRadio(want_config_id=nonce))
        gathered, certain = Sections(), True
        for told in self._until(time.monotonic() + self._timing.hello_s, nonce):
            kind = told.message.WhichOneof("payload_variant")
            if kind == "config_complete_id" and told.message.config_complete_id == nonce:
                return gathered, certain
            if kind == "my_info":
                gathered, certain = Sections(), True
            is_setting = gather(gathered, told.message)
            certain = certain and (told.certain or not is_setting)
        raise DeviceLost("the node does not answer")

    def _until(self, end: float, nonce: int) -> Iterator[Told]:
        """What comes until `end`. When nothing comes but the mesh's own traffic, the question was lost: ask again."""
        heard_at = time.monotonic()
        while (now := time.monotonic()) < end:
            told = self._link.receive(min(end, heard_at + _ASK_AGAIN_S))
            if told is not None:
                yield told
            if told is not None and told.message.WhichOneof("payload_variant") != "packet":
                heard_at = time.monotonic()
            elif now - heard_at >= _ASK_AGAIN_S:
                self._link.send(mesh_pb2.ToRadio(want_config_id=nonce))
                heard_at = now

    def _is_taken(self, packet_id: int, to: int) -> bool:
        until = time.monotonic() + self._timing.answer_s
        is_queued = False
        while (told := self._link.receive(until)) is not None:
            status = told.message.queueStatus
            is_queued |= status.mesh_packet_id == packet_id and not status.res
            answer = answer_to(told.message, packet_id)
            if answer is not None and answer.sender == to:
                answer.raise_refusal()
                return True
        return is_queued  # reading back will show what became of it


class RemoteTalk:
    """With a node over the mesh, through the radio on a link, by an admin key; each answer renews the pass key."""

    def __init__(self, link: Link, timing: Timing, to: int, key: bytes, hops: int) -> None:
        self._link, self._timing, self._to, self._key = link, timing, to, key
        self._wait_s = timing.hop_s * (hops + 1)
        self.passkey, self._passkey_at = b"", 0.0

    def ask(self, request: AdminMessage) -> AdminMessage:
        """Ask for something. Raises DeviceRefused, or DeviceLost when nothing comes back."""
        for _ in range(self._timing.tries):
            answer = self._exchange(request)
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

    def _exchange(self, message: AdminMessage) -> "Answer | None":
        """The node's own answer, or its acknowledgement of a packet that it has had before; None when all is lost."""
        packet_id = send_order(self._link, message, self._to, self._key)
        until = time.monotonic() + self._wait_s
        while (told := self._link.receive(until)) is not None:
            answer = answer_to(told.message, packet_id)
            if answer is None or (answer.sender != self._to and answer.error == "NONE"):
                continue  # only relayed
            if answer.error in _LOST_ON_THE_WAY:
                return None
            answer.raise_refusal()
            return answer
        return None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for a packet: an error's name, or what was asked for."""

    sender: int
    error: str
    reply: AdminMessage | None

    def raise_refusal(self) -> None:
        if self.error != "NONE":
            raise DeviceRefused(self.error, f"!{self.sender:08x} refuses")


def send_order(link: Link, message: AdminMessage, to: int, key: bytes = b"") -> int:
    """Send one admin message; the packet's id. `key`: seal it for the node with this public key.

    It always wants a response, for without one the firmware acknowledges even what it refuses; and always an
    acknowledgement: that flag stands behind the payload, see WAKE.
    """
    packet = mesh_pb2.MeshPacket(to=to, id=secrets.randbelow(2**32 - 1) + 1, want_ack=True)
    packet.decoded.portnum = portnums_pb2.ADMIN_APP
    packet.decoded.payload = message.SerializeToString()
    packet.decoded.want_response = True
    if key:
        packet.pki_encrypted, packet.public_key = True, key
    link.send(mesh_pb2.ToRadio(packet=packet))
    return packet.id


def answer_to(message: mesh_pb2.FromRadio, packet_id: int) -> Answer | None:
    """What this message says about our packet; nothing if it cannot be read."""
    packet = message.packet
    if packet.decoded.request_id != packet_id:
        return None
    sender = getattr(packet, "from")
    with contextlib.suppress(DecodeError, ValueError):
        if packet.decoded.portnum == portnums_pb2.ROUTING_APP:
            routing = mesh_pb2.Routing.FromString(packet.decoded.payload)
            return Answer(sender, Error.Name(routing.error_reason), None)
        if packet.decoded.portnum == portnums_pb2.ADMIN_APP:
            return Answer(sender, "NONE", AdminMessage.FromString(packet.decoded.payload))
    return None


def gather(told: Sections, message: mesh_pb2.FromRadio) -> bool:
    """Keep what belongs to the settings; whether it did."""
    match message.WhichOneof("payload_variant"):
        case "my_info":
            told.num = message.my_info.my_node_num
        case "node_info" if message.node_info.num == told.num:
            told.owner = message.node_info.user
        case "node_info":
            told.peers[message.node_info.num] = message.node_info
            return False
        case "metadata":
            told.metadata = message.metadata
        case "channel":
            told.channels[message.channel.index] = message.channel
        case "config":
            return _gather_section(told.configs, CONFIG_SECTIONS, message.config)
        case "moduleConfig":
            return _gather_section(told.modules, MODULE_SECTIONS, message.moduleConfig)
        case _:
            return False
    return True


def _gather_section(kept: dict[str, Message], known: Sequence[str], message: Any) -> bool:
    name = message.WhichOneof("payload_variant") or ""
    if name in known:
        kept[name] = getattr(message, name)
    return name in known


def request_for(section: str) -> AdminMessage:
    """The question for one section."""
    kind, _, name = section.partition(".")
    match kind:
        case "owner":
            return AdminMessage(get_owner_request=True)
        case "channel":
            return AdminMessage(get_channel_request=int(name) + 1)
        case "config":
            return AdminMessage(get_config_request=CONFIG_SECTIONS.index(name))  # type: ignore[arg-type]
    return AdminMessage(get_module_config_request=MODULE_SECTIONS.index(name))  # type: ignore[arg-type]


def gather_reply(told: Sections, reply: AdminMessage) -> None:
    """Keep what a node answered to one question."""
    match reply.WhichOneof("payload_variant"):
        case "get_owner_response":
            told.owner = reply.get_owner_response
        case "get_channel_response":
            gather(told, mesh_pb2.FromRadio(channel=reply.get_channel_response))
        case "get_config_response":
            gather(told, mesh_pb2.FromRadio(config=reply.get_config_response))
        case "get_module_config_response":
            gather(told, mesh_pb2.FromRadio(moduleConfig=reply.get_module_config_response))


def _is_whole(told: Sections) -> bool:
    return _is_readable(told) and len(told.modules) == len(MODULE_SECTIONS)


def _is_readable(told: Sections) -> bool:
    """Older firmware knows fewer modules, never fewer of these."""
    has_all = len(told.channels) == CHANNEL_SLOTS and len(told.configs) == len(CONFIG_SECTIONS)
    return has_all and told.owner is not None and told.metadata is not None


def _same(one: Sections, other: Sections) -> bool:
    return one.num == other.num and one.values() == other.values()
