"""A node's side of the air: sealing, opening, relaying, acknowledging, as firmware 2.7 does them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from meshtastic.protobuf import mesh_pb2, portnums_pb2

from simulator.air import EVERYBODY, Air, OnAir, Signal, last_byte
from simulator.channels import Channel
from simulator.identity import Identity
from simulator.phone import TX_SLOTS

HOP_LIMIT = 3
TRIES = 3  # transmissions of one packet that wants an acknowledgement
QUEUE_FULL = 32  # `res` of a packet that found no place in the transmit queue
_MAX_DATA_BYTES = 239  # what is left of a LoRa frame after the header
_PKI_BYTES = 12
_REMEMBERED = 2_000  # packets a node recognises when they come again
_WANTS_RESPONSE = 2
_RELAY_SLOTS = 6  # relays wait their turn, so that most of them hear another one first and keep quiet
_NEVER_PKI = {
    portnums_pb2.ROUTING_APP,
    portnums_pb2.NODEINFO_APP,
    portnums_pb2.TRACEROUTE_APP,
    portnums_pb2.POSITION_APP,
}

Error = mesh_pb2.Routing.Error


@dataclass(frozen=True, slots=True)
class Heard:
    """A packet that reached this node, opened or not; `channel` is an index here, or the hash when it stays shut."""

    flight: OnAir
    signal: Signal
    channel: int
    data: mesh_pb2.Data | None
    is_pki: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a packet of ours: NONE from our own number means relayed, from the destination delivered."""

    packet_id: int
    error: str
    by: int


@dataclass(slots=True, eq=False)
class _Waiting:
    flight: OnAir
    channel: int
    tries: int = 1


class Radio:
    """One station on the air. `deliver` gets what the client should see and tells whether the node answered it by
    itself, `next_id` makes packet ids.

    `keys` are the public keys it knows by number. A client that mutes itself does not relay (`relays=False`).
    """

    def __init__(
        self,
        name: str,
        identity: Identity,
        channels: Mapping[int, Channel],
        air: Air,
        deliver: Callable[[Heard], bool],
        told: Callable[[Outcome, int], None],
        next_id: Callable[[], int],
        relays: bool = True,
    ) -> None:
        self.name, self.num, self.identity = name, identity.num, identity
        self.channels = dict(channels)
        self.keys: dict[int, bytes] = {}
        self._air, self._deliver, self._told, self._next_id, self._relays = air, deliver, told, next_id, relays
        self._next_hops: dict[int, int] = {}
        self.restart()

    def restart(self) -> None:
        """Everything in memory is gone: what was heard, what waits, what should be relayed."""
        self._seen: dict[tuple[int, int], None] = {}
        self._waiting: dict[int, _Waiting] = {}
        self._to_relay: set[tuple[int, int]] = set()
        self._tx: deque[OnAir] = deque()

    @property
    def tx_free(self) -> int:
        """Places left in the transmit queue."""
        return max(0, TX_SLOTS - len(self._tx))

    def originate(self, packet: mesh_pb2.MeshPacket) -> int:
        """Send a packet of this node's own (`decoded`, with an id); 0 or an error number as in queueStatus."""
        if not self.tx_free:
            return QUEUE_FULL
        flight = self._seal(packet)
        if flight is None:
            return self._refuse(packet, Error.NO_CHANNEL)
        if len(flight.data) > _MAX_DATA_BYTES - (_PKI_BYTES if flight.channel is None else 0):
            return self._refuse(packet, Error.TOO_LARGE)
        self._send(flight)
        if packet.want_ack:
            self._await(flight, 0 if flight.channel is None else packet.channel)
        return 0

    def hear(self, packet: OnAir, signal: Signal) -> None:
        """A copy of a packet arrives from the air."""
        if packet.sender == self.num:
            self._hear_own(packet)
        elif packet.key in self._seen:
            self._hear_again(packet, signal)
        else:
            self._remember(packet)
            if packet.to in (self.num, EVERYBODY):
                self._take(packet, signal)
            self._consider_relay(packet, signal)

    # Sending

    def _seal(self, packet: mesh_pb2.MeshPacket) -> OnAir | None:
        data = mesh_pb2.Data()
        data.CopyFrom(packet.decoded)
        data.bitfield = _WANTS_RESPONSE if data.want_response else 0
        hops = packet.hop_limit or (HOP_LIMIT if packet.want_ack else 0)
        flight = OnAir(
            sender=self.num,
            to=packet.to,
            id=packet.id,
            data=data.SerializeToString(),
            channel=self.channels.get(packet.channel),
            hop_limit=hops,
            hop_start=hops,
            relay=last_byte(self.num),
            want_ack=packet.want_ack and packet.to != EVERYBODY,
            next_hop=self._next_hops.get(packet.to, 0),
        )
        reader = self.keys.get(packet.to)
        if reader is not None and data.portnum not in _NEVER_PKI:
            return replace(flight, channel=None, author=self.identity.public_key, reader=reader)
        return flight if flight.channel is not None else None

    def _refuse(self, packet: mesh_pb2.MeshPacket, error: mesh_pb2.Routing.Error.ValueType) -> int:
        self._air.later(0, lambda: self._tell(packet.id, error, packet.channel))
        return error

    def _tell(self, packet_id: int, error: mesh_pb2.Routing.Error.ValueType, channel: int) -> None:
        self._told(Outcome(packet_id, Error.Name(error), self.num), channel)

    def _send(self, flight: OnAir) -> None:
        self._tx.append(flight)
        if len(self._tx) == 1:
            self._air.later(self._air.airtime_s, lambda: self._send_first(flight))

    def _send_first(self, flight: OnAir) -> None:
        if not self._tx or self._tx[0] is not flight:
            return  # restarted meanwhile
        self._air.transmit(self, self._tx.popleft())
        if self._tx:
            following = self._tx[0]
            self._air.later(self._air.airtime_s, lambda: self._send_first(following))

    def _await(self, flight: OnAir, channel: int) -> None:
        waiting = self._waiting[flight.id] = _Waiting(flight, channel)
        self._air.later(self._air.retry_s, lambda: self._retry(waiting))

    def _retry(self, waiting: _Waiting) -> None:
        flight = waiting.flight
        if self._waiting.get(flight.id) is not waiting:
            return
        if waiting.tries == TRIES:
            del self._waiting[flight.id]
            self._tell(flight.id, Error.MAX_RETRANSMIT, waiting.channel)
            return
        waiting.tries += 1
        if waiting.tries == TRIES:  # the known way failed: flood
            self._next_hops.pop(flight.to, None)
            flight = replace(flight, next_hop=0)
        self._send(flight)
        self._air.later(self._air.retry_s, lambda: self._retry(waiting))

    # Hearing

    def _hear_own(self, packet: OnAir) -> None:
        waiting = self._waiting.get(packet.id)
        if waiting is not None and waiting.flight.data == packet.data and packet.relay != last_byte(self.num):
            del self._waiting[packet.id]
            self._tell(packet.id, Error.NONE, waiting.channel)

    def _hear_again(self, packet: OnAir, signal: Signal) -> None:
        if not packet.is_first_hand:
            self._to_relay.discard(packet.key)  # somebody else relayed it
        elif packet.to == self.num:
            self._acknowledge(packet, self._open(packet, signal))
        else:
            self._consider_relay(packet, signal)

    def _remember(self, packet: OnAir) -> None:
        self._seen[packet.key] = None
        if len(self._seen) > _REMEMBERED:
            del self._seen[next(iter(self._seen))]

    def _take(self, packet: OnAir, signal: Signal) -> None:
        heard = self._open(packet, signal)
        if heard.data is not None and heard.data.portnum == portnums_pb2.NODEINFO_APP and not self._meet(heard.data):
            return
        answered = self._deliver(heard)
        if packet.to == self.num:
            if not answered:
                self._acknowledge(packet, heard)
            self._learn(packet, heard.data)

    def _open(self, packet: OnAir, signal: Signal) -> Heard:
        if packet.channel is None:
            trusted = packet.reader == self.identity.public_key and self.keys.get(packet.sender) == packet.author
            data = mesh_pb2.Data.FromString(packet.data) if trusted else None
            return Heard(packet, signal, 0, data, is_pki=trusted)
        index = next((index for index, channel in self.channels.items() if channel == packet.channel), None)
        if index is None:
            return Heard(packet, signal, packet.channel.hash, None)
        data = mesh_pb2.Data.FromString(packet.data)
        if packet.to == self.num and packet.sender in self.keys and data.portnum not in _NEVER_PKI:
            return Heard(packet, signal, packet.channel.hash, None)  # a known node would have used its key
        return Heard(packet, signal, index, data)

    def _meet(self, data: mesh_pb2.Data) -> bool:
        """Learn a key; False when somebody shows another key under a number that we know."""
        user = mesh_pb2.User.FromString(data.payload)
        num = int(user.id.removeprefix("!"), 16)
        return self.keys.setdefault(num, user.public_key) == user.public_key

    def _learn(self, packet: OnAir, data: mesh_pb2.Data | None) -> None:
        if data is None or not data.request_id:
            return
        waiting = self._waiting.get(data.request_id)
        if waiting is not None and waiting.flight.to == packet.sender:
            del self._waiting[data.request_id]  # an answer of any kind acknowledges
        if data.portnum != portnums_pb2.ROUTING_APP:
            return
        if packet.is_first_hand:
            self._next_hops[packet.sender] = packet.relay
        else:
            self._next_hops.pop(packet.sender, None)
        error = Error.Name(mesh_pb2.Routing.FromString(data.payload).error_reason)
        self._told(Outcome(data.request_id, error, packet.sender), -1)

    # Acknowledging and relaying

    def _acknowledge(self, packet: OnAir, heard: Heard) -> None:
        data = heard.data
        hops = packet.way_back(HOP_LIMIT)
        if not packet.want_ack:
            if packet.next_hop == last_byte(self.num) and packet.hop_limit and data is not None:
                self._answer(packet, Error.NONE, heard.channel, hops=0)
        elif data is None:
            unknown = packet.channel is None and packet.sender not in self.keys
            self._answer(packet, Error.PKI_UNKNOWN_PUBKEY if unknown else Error.NO_CHANNEL, 0, hops)
        elif not data.request_id:
            wants_ack = data.portnum == portnums_pb2.TEXT_MESSAGE_APP
            self._answer(packet, Error.NONE, heard.channel, hops, wants_ack)
        elif packet.is_first_hand:
            self._answer(packet, Error.NONE, heard.channel, hops=0)

    def _answer(
        self, packet: OnAir, error: mesh_pb2.Routing.Error.ValueType, channel: int, hops: int, wants_ack: bool = False
    ) -> None:
        routing = mesh_pb2.Routing(error_reason=error)
        data = mesh_pb2.Data(
            portnum=portnums_pb2.ROUTING_APP, payload=routing.SerializeToString(), request_id=packet.id, bitfield=0
        )
        flight = OnAir(
            sender=self.num,
            to=packet.sender,
            id=self._next_id(),
            data=data.SerializeToString(),
            channel=self.channels[channel],
            hop_limit=hops,
            hop_start=hops,
            relay=last_byte(self.num),
            want_ack=wants_ack,
            next_hop=self._next_hops.get(packet.sender, 0),
        )
        self._send(flight)
        if wants_ack:
            self._await(flight, channel)

    def _consider_relay(self, packet: OnAir, signal: Signal) -> None:
        mine = packet.next_hop in (0, last_byte(self.num))
        if not (self._relays and packet.hop_limit and mine) or packet.to == self.num or signal.at_reader:
            return
        self._to_relay.add(packet.key)
        luck = self._air.chance("relay", self.name, packet.key, packet.hop_limit)
        self._air.later(self._air.delay_s * (0.5 + _RELAY_SLOTS * luck), lambda: self._relay(packet))

    def _relay(self, packet: OnAir) -> None:
        if packet.key in self._to_relay:
            self._to_relay.discard(packet.key)
            self._send(replace(packet, hop_limit=packet.hop_limit - 1, relay=last_byte(self.num)))
