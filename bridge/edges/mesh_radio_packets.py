"""Messages of the Meshtastic API: what a radio tells us, and what we ask of it. Pure; nothing secret is kept."""

import math
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from google.protobuf.message import DecodeError
from meshtastic.protobuf import admin_pb2, channel_pb2, config_pb2, mesh_pb2, portnums_pb2, telemetry_pb2

from bridge.domain.errors import FrameError
from bridge.domain.press import BROADCAST, Channel, ChannelKey, MeshPacket, Port
from bridge.edges.stream import frame

FromRadio = mesh_pb2.FromRadio
ADMIN_PORT = portnums_pb2.PortNum.ADMIN_APP

_HOPS_MAX = 7  # three bits in the LoRa header
_HOPS_USUAL = 3
_CHANNELS = 8
_PRIMARY = 0  # firmware describes it first
_KEY_BYTES = 32
_PAYLOAD_MAX_BYTES = 237
_DEFAULT_KEY = bytes.fromhex("d4f1bb3a20290759f0bcffabcf4e6901")  # what one-byte keys stand for; the last byte varies
SPECIAL_WANTS = (69420, 69421)  # to these firmware answers with a part of its configuration only


def parse(body: bytes) -> mesh_pb2.FromRadio:
    """A frame's message. Raises FrameError when it is none, or holds a packet that no radio can have heard."""
    try:
        message = FromRadio.FromString(body)
    except DecodeError as error:
        raise FrameError("no message of a radio") from error
    if message.WhichOneof("payload_variant") == "packet":
        check(message.packet)
    return message


def is_sound(body: bytes) -> bool:
    """Whether firmware can have written exactly these bytes: plausible, each field once, in order, nothing odd."""
    try:
        message = parse(body)
    except FrameError:
        return False
    return message.WhichOneof("payload_variant") is not None and message.SerializeToString() == body


def check(packet: mesh_pb2.MeshPacket) -> None:
    """Raises FrameError naming the first thing in a packet that no firmware sets so."""
    decoded, is_sealed = packet.decoded, packet.HasField("encrypted")
    if packet.id == 0 or getattr(packet, "from") in (0, BROADCAST) or packet.to == 0:
        raise FrameError("a packet without id, sender or destination")
    if packet.hop_limit > _HOPS_MAX or packet.hop_start > _HOPS_MAX or packet.next_hop > 255 or packet.relay_node > 255:
        raise FrameError("a packet with an impossible way")
    if packet.channel >= (256 if is_sealed else _CHANNELS):  # sealed: the channel's hash
        raise FrameError("a packet on an impossible channel")
    if not (is_sealed or packet.HasField("decoded")) or len(decoded.payload) > _PAYLOAD_MAX_BYTES:
        raise FrameError("a packet with an impossible payload")
    if decoded.portnum > portnums_pb2.PortNum.MAX or len(packet.public_key) not in (0, _KEY_BYTES):
        raise FrameError("a packet with an impossible port or key")
    if not (math.isfinite(packet.rx_snr) and abs(packet.rx_snr) < 100 and -300 < packet.rx_rssi < 100):
        raise FrameError("a packet with an impossible signal")


@dataclass(frozen=True, slots=True)
class Lora:
    """How our radio sends; enums by their protobuf names, slot 0 for the one that the first channel's name falls on."""

    region: str
    preset: str
    slot: int
    power_dbm: int

    @classmethod
    def of(cls, lora: config_pb2.Config.LoRaConfig) -> "Lora":
        preset = _name(lora.ModemPreset, lora.modem_preset) if lora.use_preset else "CUSTOM"
        return cls(_name(lora.RegionCode, lora.region), preset, lora.channel_num, lora.tx_power)


def _name(enum: Any, number: int) -> str:
    """The number itself for one that is newer than we are."""
    return str(enum.Name(number)) if number in enum.values() else str(number)


@dataclass(frozen=True, slots=True)
class Station:
    """Our radio as its handshake described it."""

    own: int = 0
    firmware: str = ""
    lora: Lora | None = None
    channels: Mapping[int, Channel] = field(default_factory=dict)
    hops: int = _HOPS_USUAL

    def channel(self, index: int) -> Channel:
        """The channel at `index`; one that the radio did not describe is nobody's secret."""
        return self.channels.get(index) or Channel(index, "", ChannelKey.PUBLIC)

    def index(self, name: str) -> int | None:
        """Where the channel of that name stands; '' is the first one."""
        return next((c.index for c in self.channels.values() if c.name == name), None if name else 0)

    def with_news(self, other: "Station") -> "Station":
        """What a later handshake told before it broke off, over what the last whole one did."""
        return replace(self, own=other.own or self.own, channels={**self.channels, **other.channels})

    def learn(self, message: mesh_pb2.FromRadio) -> "Station":
        """What one message of the handshake adds. Keys are looked at and forgotten."""
        match message.WhichOneof("payload_variant"):
            case "my_info":
                return replace(self, own=message.my_info.my_node_num)
            case "metadata":
                return replace(self, firmware=message.metadata.firmware_version)
            case "channel" if message.channel.role != channel_pb2.Channel.Role.DISABLED:
                channel = self._channel_told(message.channel)
                return replace(self, channels={**self.channels, channel.index: channel})
            case "config" if message.config.HasField("lora"):
                lora = message.config.lora
                return replace(self, hops=lora.hop_limit or _HOPS_USUAL, lora=Lora.of(lora))
            case _:
                return self

    def _channel_told(self, told: channel_pb2.Channel) -> Channel:
        """A secondary channel without a key of its own has the primary's: so firmware seals it (Channels::getKey)."""
        inherits = told.role == channel_pb2.Channel.Role.SECONDARY and not told.settings.psk
        kind = self.channel(_PRIMARY).key if inherits else key(told.settings.psk)
        return Channel(told.index, told.settings.name, kind)


def key(psk: bytes) -> ChannelKey:
    """PUBLIC for no key, a one-byte key (firmware's well-known ones) and the same keys written out."""
    is_known = len(psk) <= 1 or (len(psk) == len(_DEFAULT_KEY) and psk[:-1] == _DEFAULT_KEY[:-1])
    return ChannelKey.PUBLIC if is_known else ChannelKey.PRIVATE


def mesh_packet(packet: mesh_pb2.MeshPacket, station: Station, radio: str, heard_at: float) -> MeshPacket:
    """A decoded packet in the domain's words; `heard_at` is wall seconds UTC of our own clock."""
    decoded, is_pki = packet.decoded, packet.pki_encrypted
    has_signal = bool(packet.rx_rssi or packet.rx_snr)
    return MeshPacket(
        sender=getattr(packet, "from"),
        to=packet.to,
        packet_id=packet.id,
        port=decoded.portnum,
        payload=decoded.payload,
        channel=None if is_pki else station.channel(packet.channel),
        pki_key=packet.public_key if is_pki else b"",
        want_ack=packet.want_ack,
        request_id=decoded.request_id,
        reply_id=decoded.reply_id,
        is_reaction=decoded.emoji != 0,
        snr_db=packet.rx_snr if has_signal else None,
        rssi_dbm=packet.rx_rssi if has_signal else None,
        hops=packet.hop_start - packet.hop_limit if packet.hop_start >= max(1, packet.hop_limit) else None,
        heard_at=heard_at,
        radio=radio,
    )


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """A ROUTING answer to one of our packets. `error` '' is an ACK; only the destination's own proves delivery."""

    sender: int
    request_id: int
    error: str


def acknowledgement(packet: mesh_pb2.MeshPacket) -> Acknowledgement | None:
    """The ROUTING answer in a packet; None when it is something else, or cannot be read."""
    if packet.decoded.portnum != Port.ROUTING or not packet.decoded.request_id:
        return None
    try:
        routing = mesh_pb2.Routing.FromString(packet.decoded.payload)
    except DecodeError:
        return None
    if routing.WhichOneof("variant") not in (None, "error_reason"):
        return None
    return Acknowledgement(getattr(packet, "from"), packet.decoded.request_id, reason(routing.error_reason))


def reason(number: int) -> str:
    """Firmware's own name of a Routing error; '' for NONE, the number for one that is newer than we are."""
    names = {value: name for name, value in mesh_pb2.Routing.Error.items()}
    return "" if number == mesh_pb2.Routing.Error.NONE else names.get(number, str(number))


def airtime(packet: mesh_pb2.MeshPacket) -> tuple[float, float] | None:
    """Channel use and our own sending in per cent, if the packet is telemetry that says so."""
    metrics = _metrics(packet)
    return (metrics.channel_utilization, metrics.air_util_tx) if metrics is not None else None


def battery(packet: mesh_pb2.MeshPacket) -> int | None:
    """What the sender says of its battery in per cent, if the packet is telemetry that says so."""
    metrics = _metrics(packet)
    return metrics.battery_level if metrics is not None and metrics.HasField("battery_level") else None


def _metrics(packet: mesh_pb2.MeshPacket) -> telemetry_pb2.DeviceMetrics | None:
    if packet.decoded.portnum != Port.TELEMETRY:
        return None
    try:
        telemetry = telemetry_pb2.Telemetry.FromString(packet.decoded.payload)
    except DecodeError:
        return None
    return telemetry.device_metrics if telemetry.HasField("device_metrics") else None


class Numbers:
    """Packet ids: a walk of a random odd step from a random start, so that none returns in 2**32 - 1 packets."""

    def __init__(self) -> None:
        self._last, self._step = secrets.randbits(32), secrets.randbits(32) | 1

    def next(self) -> int:
        """32 bits, never 0."""
        self._last = (self._last + self._step) % 2**32 or self._step
        return self._last

    def next_want(self) -> int:
        """A number for `want_config`, none of those that mean something."""
        while (number := self.next()) in SPECIAL_WANTS:
            continue
        return number


def want_config(number: int) -> bytes:
    return to_radio(mesh_pb2.ToRadio(want_config_id=number))


def heartbeat() -> bytes:
    return to_radio(mesh_pb2.ToRadio(heartbeat=mesh_pb2.Heartbeat()))


def disconnect() -> bytes:
    return to_radio(mesh_pb2.ToRadio(disconnect=True))


def set_time(own: int, packet_id: int, wall_s: float) -> bytes:
    """Sets our radio's clock; without it packets carry no time of reception."""
    admin = admin_pb2.AdminMessage(set_time_only=int(wall_s))
    data = mesh_pb2.Data(portnum=ADMIN_PORT, payload=admin.SerializeToString())
    return to_radio(mesh_pb2.ToRadio(packet=mesh_pb2.MeshPacket(to=own, id=packet_id, decoded=data)))


def text(said: str, *, to: int, channel: int, packet_id: int, hops: int) -> bytes:
    """A text message that wants an acknowledgement. Raises FrameError when it is too long for a frame."""
    data = mesh_pb2.Data(portnum=portnums_pb2.PortNum.TEXT_MESSAGE_APP, payload=said.encode())
    packet = mesh_pb2.MeshPacket(to=to, channel=channel, id=packet_id, hop_limit=hops, want_ack=True, decoded=data)
    return to_radio(mesh_pb2.ToRadio(packet=packet))


def to_radio(message: mesh_pb2.ToRadio) -> bytes:
    """As it stands in the stream. Raises FrameError when it is too long."""
    return frame(message.SerializeToString())
