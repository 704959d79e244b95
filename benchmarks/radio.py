"""A helper process: the village's gateways. It says at which monotonic nanosecond each packet's bytes set out."""

import time

from meshtastic.protobuf import mesh_pb2, portnums_pb2

from benchmarks.helpers import serve
from benchmarks.presses import PACKET, SOURCE
from simulator.air import EVERYBODY
from simulator.village import Village

Order = tuple[str, int, str]  # gateway, number of the press, its words


class Gateways:
    """As many as were asked for, in one village, each with its TCP port and no limit to its phone queue."""

    def __init__(self, village: Village) -> None:
        self._village = village

    def open(self, gateway: str) -> str:
        """Its URL."""
        return self._village.gateway(gateway, queue_limit=None).serve_tcp()

    def ready(self, gateway: str, wait_s: float = 30.0) -> bool:
        """Whether a client has had its handshake within `wait_s`."""
        try:
            self._village.nodes[gateway].wait_for_client(wait_s)
        except TimeoutError:
            return False
        return True

    def send(self, orders: list[Order], gap_s: float = 0.0) -> list[int]:
        """Deliver each press `gap_s` after the one before; when each set out."""
        ready = [(self._village.nodes[gateway], _packet(number, words)) for gateway, number, words in orders]
        due, sent_at = time.monotonic(), []
        for node, packet in ready:
            time.sleep(max(0.0, due - time.monotonic()))
            sent_at.append(time.monotonic_ns())
            node.deliver(packet)
            due += gap_s
        return sent_at

    def mute(self, gateway: str, muted: bool) -> int:
        """A half-open radio, or its end; when."""
        self._village.nodes[gateway].mute(muted)
        return time.monotonic_ns()


def _packet(number: int, words: str) -> bytes:
    packet = mesh_pb2.MeshPacket(to=EVERYBODY, channel=1, id=PACKET + number, hop_limit=2, hop_start=3)
    setattr(packet, "from", SOURCE + number)
    packet.rx_time, packet.rx_snr, packet.rx_rssi, packet.relay_node = int(time.time()), 6.25, -78, 7
    packet.transport_mechanism = mesh_pb2.MeshPacket.TransportMechanism.TRANSPORT_LORA
    packet.decoded.portnum, packet.decoded.payload = portnums_pb2.TEXT_MESSAGE_APP, words.encode()
    return packet.SerializeToString()


def main() -> None:
    with Village(seed=9) as village:
        gateways = Gateways(village)
        serve({"open": gateways.open, "ready": gateways.ready, "send": gateways.send, "mute": gateways.mute})


if __name__ == "__main__":
    main()
