"""MeshPackets as a client sees them, field for field like the recordings."""

from meshtastic.protobuf import admin_pb2, mesh_pb2, portnums_pb2

from simulator.identity import Identity
from simulator.radio import Heard, Outcome

Error = mesh_pb2.Routing.Error


def heard_packet(heard: Heard, rx_time: int) -> mesh_pb2.MeshPacket:
    """A packet from the air; `rx_time` in Unix seconds, 0 while the node has no clock."""
    flight = heard.flight
    packet = mesh_pb2.MeshPacket(
        to=flight.to,
        channel=heard.channel,
        id=flight.id,
        rx_time=rx_time,
        rx_snr=heard.signal.snr_db,
        rx_rssi=heard.signal.rssi_dbm,
        hop_limit=flight.hop_limit,
        hop_start=flight.hop_start,
        want_ack=flight.want_ack,
        next_hop=flight.next_hop,
        relay_node=flight.relay,
        transport_mechanism=mesh_pb2.MeshPacket.TransportMechanism.TRANSPORT_LORA,
    )
    setattr(packet, "from", flight.sender)
    if heard.data is None:
        packet.encrypted = flight.sealed()
    else:
        packet.decoded.CopyFrom(heard.data)
    if heard.is_pki:
        packet.pki_encrypted, packet.public_key = True, flight.author
    return packet


def ack_packet(outcome: Outcome, channel: int, packet_id: int, rx_time: int) -> mesh_pb2.MeshPacket:
    """A node's own word to its client about a packet: relayed by somebody, or given up."""
    ack = mesh_pb2.MeshPacket.Priority.ACK
    packet = mesh_pb2.MeshPacket(to=outcome.by, channel=channel, id=packet_id, rx_time=rx_time, priority=ack)
    setattr(packet, "from", outcome.by)
    packet.decoded.portnum = portnums_pb2.ROUTING_APP
    packet.decoded.payload = mesh_pb2.Routing(error_reason=Error.Value(outcome.error)).SerializeToString()
    packet.decoded.request_id = outcome.packet_id
    return packet


def reply_packet(reply: admin_pb2.AdminMessage | int, request_id: int, to: int, packet_id: int) -> mesh_pb2.MeshPacket:
    """An answer to an administrator: what was asked for, or how the order went (an error of Routing)."""
    packet = mesh_pb2.MeshPacket(to=to, id=packet_id)
    if isinstance(reply, int):
        packet.decoded.portnum = portnums_pb2.ROUTING_APP
        packet.decoded.payload = mesh_pb2.Routing(error_reason=Error.Name(reply)).SerializeToString()
    else:
        packet.decoded.portnum = portnums_pb2.ADMIN_APP
        packet.decoded.payload = reply.SerializeToString()
    packet.decoded.request_id = request_id
    return packet


def node_info(identity: Identity, snr_db: float = 6.0) -> mesh_pb2.NodeInfo:
    """What a node tells its client about a neighbour."""
    return mesh_pb2.NodeInfo(num=identity.num, user=identity.user(), snr=snr_db, hops_away=0)
