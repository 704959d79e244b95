"""Orders and questions for a node, what is said about them, and what of its words belongs to its settings."""

import contextlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError, Message
from meshtastic.protobuf import admin_pb2, mesh_pb2, portnums_pb2

from firmware_config.device_errors import DeviceRefused
from firmware_config.device_told import Link
from firmware_config.device_values import CONFIG_SECTIONS, MODULE_SECTIONS, Sections

Error = mesh_pb2.Routing.Error
AdminMessage = admin_pb2.AdminMessage


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for a packet: an error's name, or what was asked for. `key`: the public key that sealed it."""

    sender: int
    error: str
    reply: AdminMessage | None
    key: bytes = b""

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
            key = packet.public_key if packet.pki_encrypted else b""
            return Answer(sender, "NONE", AdminMessage.FromString(packet.decoded.payload), key)
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
