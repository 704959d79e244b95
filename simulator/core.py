"""A node between its radio and its client, without sockets or threads of its own: whoever calls holds the lock."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from meshtastic.protobuf import mesh_pb2, portnums_pb2

from simulator import handshake
from simulator.admin import Admin, Reply
from simulator.agenda import Agenda
from simulator.air import EVERYBODY, Air
from simulator.identity import Identity
from simulator.packets import ack_packet, heard_packet, node_info, reply_packet
from simulator.phone import Phone
from simulator.preferences import Preferences
from simulator.radio import HOP_LIMIT, Heard, Outcome, Radio
from simulator.serial_module import SerialModule

_TEXTS = {portnums_pb2.TEXT_MESSAGE_APP, portnums_pb2.ALERT_APP}


@dataclass(frozen=True, slots=True)
class Received:
    """A text that arrived at a node; `channel` is the channel's name, `pki`: opened with the sender's known key."""

    text: str
    sender: int
    packet_id: int
    channel: str
    pki: bool
    at: datetime


class NodeCore:
    """What a node does by itself: answer its client, carry packets between client and air, keep what it learned.

    `wall` gives Unix seconds for `rx_time`, which packets carry only after a client has set the clock. `kept`: what is
    in memory of its settings; the flash has its own copy. `reboot_s`: from a write to the restart that it needs.
    """

    def __init__(
        self,
        name: str,
        kept: Preferences,
        air: Air,
        agenda: Agenda,
        wall: Callable[[], float],
        queue_limit: int | None,
        relays: bool,
        reboot_s: float,
        firmware: str,
    ) -> None:
        self.kept, self._flash = kept, kept.copy()
        self.identity = kept.identity()
        self.name, self.num, self._firmware = name, self.identity.num, firmware
        self._agenda, self._air, self._wall = agenda, air, wall
        self._random = random.Random(f"{air.seed} {name}")
        self._users: dict[int, mesh_pb2.NodeInfo] = {}
        self._clock_set = False
        self._inbox: list[Received] = []
        self._outcomes: list[Outcome] = []
        self._sent: list[mesh_pb2.MeshPacket] = []
        self._serial_module: SerialModule | None = None
        self._admin = Admin(self, agenda.now, self._random, reboot_s, firmware)
        channels = kept.open_channels()
        self.radio = Radio(name, self.identity, channels, air, self._hear, self._learn, self._next_id, relays)
        self.phone = Phone(self, queue_limit, agenda.now)

    # For the client's talk

    def handshake(self, nonce: int) -> Iterable[mesh_pb2.FromRadio]:
        """The answer to want_config."""
        return handshake.answer(self.kept, self._users.values(), nonce, self._firmware)

    def tx_free(self) -> int:
        """Places left in the transmit queue."""
        return self.radio.tx_free

    def from_client(self, packet: mesh_pb2.MeshPacket) -> None:
        """A packet that the client wants sent."""
        sent = mesh_pb2.MeshPacket()
        sent.CopyFrom(packet)
        self._sent.append(sent)
        packet.id = packet.id or self._next_id()
        packet.to = packet.to or EVERYBODY
        if not packet.HasField("decoded") or not self.phone.may_send(packet.decoded.portnum):
            self.phone.status(0, packet.id)
        elif packet.to == self.num:
            self._from_client_to_self(packet)
        else:
            self.phone.status(self.radio.originate(packet), packet.id)

    def set_clock(self, unix_s: int) -> None:
        """From now on packets carry `rx_time`."""
        self._clock_set = unix_s > 0

    def reboot(self, after_s: float = 0.0) -> None:
        """Start anew after a while."""
        self._agenda.after(after_s, self._forget)

    # For its administrator

    def settings_changed(self, is_kept: bool) -> None:
        """What is in memory counts at once; only what is kept survives a restart."""
        self._use()
        if is_kept:
            self._flash = self.kept.copy()

    def _use(self) -> None:
        self.identity = self.radio.identity = self.kept.identity()
        self.radio.channels = self.kept.open_channels()
        if self.kept.has_region:
            self._air.join(self.radio)
        else:
            self._air.leave(self.radio)

    # For the rest of the node

    def _originate(
        self, packet: mesh_pb2.MeshPacket, portnum: portnums_pb2.PortNum.ValueType, payload: bytes, channel: int
    ) -> int:
        packet.to = packet.to or EVERYBODY
        packet.id = packet.id or self._next_id()
        packet.channel = channel
        packet.decoded.portnum, packet.decoded.payload = portnum, payload
        self.phone.status(self.radio.originate(packet), packet.id)
        return packet.id

    def _know(self, identity: Identity) -> None:
        self.radio.keys[identity.num] = identity.public_key
        self._users[identity.num] = node_info(identity)

    def _forget(self) -> None:
        if self._serial_module is not None:
            self._serial_module.restart()
        self.kept = self._flash.copy()
        self._use()
        self._admin.restart()
        self.phone.restart()
        self.radio.restart()
        self._clock_set = False

    def _next_id(self) -> int:
        return self._random.randrange(1, 2**32)

    def _from_client_to_self(self, packet: mesh_pb2.MeshPacket) -> None:
        self.phone.status(0, packet.id)
        data, reply = packet.decoded, None
        if data.portnum == portnums_pb2.ADMIN_APP:
            reply = self._admin.local(data.payload, data.want_response)
        if reply is not None:
            self._reply_to_client(packet, reply)
        elif packet.want_ack:
            self._learn(Outcome(packet.id, "NONE", self.num), packet.channel)

    def _reply_to_client(self, packet: mesh_pb2.MeshPacket, reply: Reply) -> None:
        told = reply_packet(reply, packet.id, self.num, self._next_id())
        setattr(told, "from", self.num)
        told.channel, told.rx_time, told.hop_limit = packet.channel, self._rx_time(), HOP_LIMIT
        told.priority = mesh_pb2.MeshPacket.Priority.RELIABLE
        self.phone.status(0, told.id)
        self.phone.packet(told.SerializeToString(), told.decoded.portnum)

    def _obey_from_afar(self, heard: Heard) -> bool:
        """Carry out an order that came over the mesh; whether it was answered."""
        flight, data = heard.flight, heard.data
        if data is None or data.portnum != portnums_pb2.ADMIN_APP or flight.to != self.num:
            return False
        reply = self._admin.remote(data.payload, data.want_response, flight.author if heard.is_pki else b"")
        if reply is None:
            return False
        told = reply_packet(reply, flight.id, flight.sender, self._next_id())
        told.channel = 0 if heard.is_pki else heard.channel
        told.want_ack, told.hop_limit = flight.want_ack, flight.way_back(HOP_LIMIT)
        self.phone.status(self.radio.originate(told), told.id)
        return True

    def _hear(self, heard: Heard) -> bool:
        """What the radio took; whether this node has answered it by itself."""
        answered = self._obey_from_afar(heard)
        packet = heard_packet(heard, self._rx_time())
        self.phone.packet(packet.SerializeToString(), packet.decoded.portnum)
        if heard.data is not None:
            self._keep(heard, heard.data)
        return answered

    def _keep(self, heard: Heard, data: mesh_pb2.Data) -> None:
        if data.portnum == portnums_pb2.NODEINFO_APP:
            user = mesh_pb2.User.FromString(data.payload)
            num, hops = heard.flight.sender, heard.flight.hop_start - heard.flight.hop_limit
            self._users[num] = mesh_pb2.NodeInfo(num=num, user=user, snr=heard.signal.snr_db, hops_away=hops)
        elif data.portnum in _TEXTS:
            self._inbox.append(self._received(heard, data))
            if self._serial_module is not None and data.portnum == portnums_pb2.TEXT_MESSAGE_APP:
                sender = self._users.get(heard.flight.sender)
                self._serial_module.heard(sender.user.short_name if sender else "", data.payload)
            self._agenda.lock.notify_all()

    def _learn(self, outcome: Outcome, channel: int) -> None:
        self._outcomes.append(outcome)
        self._agenda.lock.notify_all()
        if outcome.by == self.num:
            packet = ack_packet(outcome, channel, self._next_id(), self._rx_time())
            self.phone.packet(packet.SerializeToString(), packet.decoded.portnum)

    def _received(self, heard: Heard, data: mesh_pb2.Data) -> Received:
        return Received(
            text=data.payload.decode(errors="replace"),
            sender=heard.flight.sender,
            packet_id=heard.flight.id,
            channel="" if heard.is_pki else self.radio.channels[heard.channel].name,
            pki=heard.is_pki,
            at=datetime.fromtimestamp(self._wall(), UTC),
        )

    def _rx_time(self) -> int:
        return int(self._wall()) if self._clock_set else 0
