"""How fast a simulated node feeds a client that only reads: the ceiling of every bench that uses it."""

import subprocess
import sys
import time

from meshtastic.protobuf import mesh_pb2, portnums_pb2

from simulator.air import EVERYBODY
from simulator.frames import frame, packet_frame
from simulator.village import Village

SOURCES = 2_000
WAIT_S = 60.0
_DRAIN = """
import socket, sys
port, hello, last = int(sys.argv[1]), bytes.fromhex(sys.argv[2]), bytes.fromhex(sys.argv[3])
with socket.create_connection(("127.0.0.1", port)) as sock:
    sock.sendall(hello)
    tail = b""
    while not tail.endswith(last) and (got := sock.recv(1 << 20)):
        tail = (tail + got)[-len(last):]
    print("all" if tail.endswith(last) else "cut", flush=True)
"""


def presses(count: int, sources: int = SOURCES) -> list[bytes]:
    """Serialised texts on channel 1 from as many numbers as asked for, each with an id of its own."""
    return [_press(number, 0x0A01 + number % sources).SerializeToString() for number in range(count)]


def measure(count: int = 50_000) -> float:
    """Packets per second from `deliver` to the last byte read by a client in a process of its own, over TCP."""
    packets = presses(count)
    with Village() as village:
        gateway = village.gateway("GW1", queue_limit=None)
        port = gateway.serve_tcp().rpartition(":")[2]
        hello = frame(mesh_pb2.ToRadio(want_config_id=2).SerializeToString()).hex()
        command = [sys.executable, "-c", _DRAIN, port, hello, packet_frame(packets[-1]).hex()]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as client:
            gateway.wait_for_client(WAIT_S)
            began = time.monotonic()
            for packet in packets:
                gateway.deliver(packet)
            end, _ = client.communicate(timeout=WAIT_S)
            took_s = time.monotonic() - began
    if end.strip() != "all":
        raise RuntimeError("the client did not get the last packet")
    return count / took_s


def _press(number: int, source: int) -> mesh_pb2.MeshPacket:
    packet = mesh_pb2.MeshPacket(to=EVERYBODY, channel=1, id=0x1000_0000 + number, hop_limit=3, hop_start=3)
    packet.rx_snr, packet.rx_rssi, packet.relay_node = 6.25, -78, source & 0xFF or 0xFF
    packet.transport_mechanism = mesh_pb2.MeshPacket.TransportMechanism.TRANSPORT_LORA
    setattr(packet, "from", source)
    packet.decoded.portnum = portnums_pb2.TEXT_MESSAGE_APP
    packet.decoded.payload, packet.decoded.bitfield = b"TOLONG maling", 0
    return packet


if __name__ == "__main__":
    print(f"{measure():,.0f} packets/s")
