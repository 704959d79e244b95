"""Presses of many strangers, handed straight to the gateway's client as packets."""

from meshtastic.protobuf import mesh_pb2, portnums_pb2

from simulator.air import EVERYBODY
from tests.village.scene import Scene


def text_packet(sender: int, packet_id: int, text: str = "kebakaran") -> bytes:
    """A broadcast text on the village's private channel."""
    packet = mesh_pb2.MeshPacket(to=EVERYBODY, id=packet_id, channel=1, rx_snr=6.0, hop_limit=3, hop_start=3)
    setattr(packet, "from", sender)
    packet.decoded.portnum = portnums_pb2.TEXT_MESSAGE_APP
    packet.decoded.payload = text.encode()
    return packet.SerializeToString()


def press_id(sender: int, packet_id: int) -> str:
    return f"node:{sender:08x}/{packet_id:08x}"


def strangers(stage: Scene, count: int, first: int = 0x2000_0000, packet_id: int = 0x0100_0000) -> list[str]:
    """`count` sources press once each; the presses' ids."""
    presses = []
    for sender in range(first, first + count):
        press = press_id(sender, packet_id)
        stage.pressed[press] = ""
        stage.gateway.deliver(text_packet(sender, packet_id))
        presses.append(press)
    return presses


def told(stage: Scene) -> set[int]:
    """The nodes that were sent a direct answer."""
    return {packet.to for packet in stage.gateway.sent if packet.to != EVERYBODY and packet.HasField("decoded")}
