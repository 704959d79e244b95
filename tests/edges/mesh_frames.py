"""What a radio can send, made from protobuf messages by hand: the tests' own idea of the stream."""

import random

from meshtastic.protobuf import mesh_pb2, portnums_pb2

PORTS = portnums_pb2.PortNum
BROADCAST = 0xFFFFFFFF
GATEWAY = 0x0B02
PINNED = {0x0A01 + n: bytes([n + 1]) * 16 + bytes(range(n, n + 16)) for n in range(3)}

WORDS = (
    "tolong",
    "maling",
    "kebakaran",
    "di",
    "rumah",
    "pak",
    "RT",
    "sebelah",
    "masjid",
    "cepat",
    "api",
    "sapi",
    "hilang",
)


def frame(body: bytes) -> bytes:
    return b"\x94\xc3" + len(body).to_bytes(2, "big") + body


def packet(sender: int, packet_id: int, payload: bytes, port: int = PORTS.TEXT_MESSAGE_APP, **fields: object) -> bytes:
    """The body of a FromRadio with one decoded packet, as firmware 2.7 fills it; `fields` override."""
    request_id = fields.pop("request_id", 0)
    filled: dict[str, object] = {
        "to": BROADCAST,
        "channel": 1,
        "id": packet_id,
        "rx_snr": 6.25,
        "hop_limit": 3,
        "hop_start": 3,
        "rx_rssi": -80,
        "relay_node": sender & 0xFF,
        "transport_mechanism": 1,
    }
    filled |= {"from": sender, **fields}
    data = mesh_pb2.Data(portnum=port, payload=payload, request_id=request_id, bitfield=0)
    return mesh_pb2.FromRadio(packet=mesh_pb2.MeshPacket(decoded=data, **filled)).SerializeToString()


def pki_text(sender: int, packet_id: int, payload: bytes) -> bytes:
    """A direct message that proves its sender."""
    return packet(
        sender, packet_id, payload, to=GATEWAY, channel=0, want_ack=True, pki_encrypted=True, public_key=PINNED[sender]
    )


def sentence(chance: random.Random, length: int | None = None) -> bytes:
    length = length or min(200, int(chance.expovariate(1 / 40)) + 3)
    return " ".join(chance.choices(WORDS, k=60)).encode()[:length]


def village_traffic(chance: random.Random) -> bytes:
    """One frame of a busy evening: half texts, a quarter proven direct messages, the rest what firmware chatters."""
    number = chance.getrandbits(32) or 1
    match chance.randrange(8):
        case 0 | 1 | 2 | 3:
            return packet(chance.randrange(0x1000, 0x1040), number, sentence(chance))
        case 4 | 5:
            return pki_text(chance.choice(list(PINNED)), number, sentence(chance))
        case 6:
            payload = bytes.fromhex("0d6678056b1214086515000000001de17a9840250535cb3d288701")
            return packet(0x1003, number, payload, PORTS.TELEMETRY_APP, channel=0)
        case _:
            return packet(0x1004, number, b"\x18\x00", PORTS.ROUTING_APP, to=GATEWAY, request_id=chance.getrandbits(32))


def twins(chance: random.Random) -> bytes:
    """The worst case: proven texts of one sender, all of one length."""
    return pki_text(next(iter(PINNED)), chance.getrandbits(32) or 1, sentence(chance, 24))


def proven(chance: random.Random) -> bytes:
    """Nothing but proven texts, of every length."""
    return pki_text(chance.choice(list(PINNED)), chance.getrandbits(32) or 1, sentence(chance))
