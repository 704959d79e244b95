"""Asks one node after another whether it is reached, through a radio at hand: an admin question, seen by nobody there.

Any answer of the node itself counts, a refusal too: it has heard us, and we it.
"""

import time

from meshtastic.protobuf import admin_pb2, mesh_pb2

from firmware_config.device_errors import DeviceLost
from firmware_config.device_link import BY_ID
from firmware_config.device_node import NearDevice
from firmware_config.device_talk import Timing, answer_to, send_order
from firmware_config.survey import Try

_QUESTION = admin_pb2.AdminMessage(get_device_metadata_request=True)


class Asker:
    """Holds the radio at `url` until closed. `preset`: how it sends. Raises DeviceError."""

    def __init__(self, url: str, timing: Timing | None = None) -> None:
        self._near = NearDevice(url, timing or Timing(), BY_ID)
        told = self._near.tell()
        self.own = told.num
        self._keys = {num: peer.user.public_key for num, peer in told.peers.items()}
        lora = told.configs["lora"]
        self.preset = str(lora.ModemPreset.Name(lora.modem_preset))  # type: ignore[attr-defined]

    def __enter__(self) -> "Asker":
        return self

    def __exit__(self, *_error: object) -> None:
        self._near.close()

    def ask(self, node: int, wait_s: float) -> Try:
        """One question and what became of it within `wait_s`. Raises DeviceLost when our own radio is gone."""
        if not (key := self._keys.get(node, b"")):
            return Try(node, None, why="NO_KEY")
        link = self._near.link
        if link is None:
            raise DeviceLost("the connection is closed")
        began = time.monotonic()
        packet_id = send_order(link, _QUESTION, node, key)
        while (told := link.receive(began + wait_s)) is not None:
            answer = answer_to(told.message, packet_id)
            if answer is None:
                continue
            if answer.sender == node:
                return _heard(told.message.packet, node, time.monotonic() - began)
            if answer.error != "NONE":  # our own radio gave up
                return Try(node, None, why=answer.error)
        return Try(node, None, why="TIMEOUT")


def _heard(packet: mesh_pb2.MeshPacket, node: int, took_s: float) -> Try:
    hops = packet.hop_start - packet.hop_limit if packet.hop_start >= max(1, packet.hop_limit) else None
    return Try(node, round(took_s, 3), round(packet.rx_snr, 2) if packet.rx_rssi or packet.rx_snr else None, hops)
