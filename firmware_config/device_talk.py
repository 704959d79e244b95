"""The talk with the node at a link: everything it tells about itself, and orders that it acknowledges."""

import secrets
import time
from collections.abc import Iterator

from meshtastic.protobuf import admin_pb2, mesh_pb2

from firmware_config.device_errors import DeviceLost, DeviceRestarted
from firmware_config.device_orders import answer_to, gather, send_order
from firmware_config.device_timing import Timing
from firmware_config.device_told import Link, Told
from firmware_config.device_values import CHANNEL_SLOTS, CONFIG_SECTIONS, MODULE_SECTIONS, Sections

AdminMessage = admin_pb2.AdminMessage
_ASK_AGAIN_S = 2.0


class LocalTalk:
    """With the node at the other end of a link."""

    def __init__(self, link: Link, timing: Timing) -> None:
        self._link, self._timing = link, timing

    def tell(self) -> Sections:
        """Everything it tells. What may be spliced is asked for twice, what is missing again; some boards restart
        when their port is opened, and are asked anew."""
        last: Sections | None = None
        for _ in range(self._timing.tries):
            try:
                told, certain = self._told()
            except DeviceRestarted:
                continue
            if certain and _is_whole(told):
                return told
            if last is not None and _is_readable(told) and _same(last, told):
                return told
            last = told
        raise DeviceLost("the node does not tell its settings to the end")

    def order(self, message: AdminMessage, to: int) -> None:
        """Give an order until it is acknowledged. Raises DeviceRefused or DeviceLost."""
        for _ in range(self._timing.tries):
            if self._is_taken(send_order(self._link, message, to), to):
                return
        raise DeviceLost("the node does not acknowledge an order")

    def outlives(self, wait_s: float) -> bool:
        """Whether the connection still stands after `wait_s`; False as soon as the node restarts."""
        until = time.monotonic() + wait_s
        try:
            while time.monotonic() < until:
                self._link.receive(until)
        except DeviceLost:
            return False
        return True

    def close(self) -> None:
        """Say goodbye and let go."""
        self._link.close()

    def _told(self) -> tuple[Sections, bool]:
        nonce = secrets.randbelow(2**31) + 100_000  # smaller ones may mean something to the firmware
        self._link.send(mesh_pb2.ToRadio(want_config_id=nonce))
        gathered, certain = Sections(), True
        for told in self._until(time.monotonic() + self._timing.hello_s, nonce):
            kind = told.message.WhichOneof("payload_variant")
            if kind == "config_complete_id" and told.message.config_complete_id == nonce:
                return gathered, certain
            if kind == "my_info":
                gathered, certain = Sections(), True
            is_setting = gather(gathered, told.message)
            certain = certain and (told.certain or not is_setting)
        raise DeviceLost("the node does not answer")

    def _until(self, end: float, nonce: int) -> Iterator[Told]:
        """What comes until `end`. When nothing comes but the mesh's own traffic, the question was lost: ask again."""
        heard_at = time.monotonic()
        while (now := time.monotonic()) < end:
            told = self._link.receive(min(end, heard_at + _ASK_AGAIN_S))
            if told is not None:
                yield told
            if told is not None and told.message.WhichOneof("payload_variant") != "packet":
                heard_at = time.monotonic()
            elif now - heard_at >= _ASK_AGAIN_S:
                self._link.send(mesh_pb2.ToRadio(want_config_id=nonce))
                heard_at = now

    def _is_taken(self, packet_id: int, to: int) -> bool:
        until = time.monotonic() + self._timing.answer_s
        is_queued = False
        while (told := self._link.receive(until)) is not None:
            status = told.message.queueStatus
            is_queued |= status.mesh_packet_id == packet_id and not status.res
            answer = answer_to(told.message, packet_id)
            if answer is not None and answer.sender == to:
                answer.raise_refusal()
                return True
        return is_queued  # reading back will show what became of it


def _is_whole(told: Sections) -> bool:
    return _is_readable(told) and len(told.modules) == len(MODULE_SECTIONS)


def _is_readable(told: Sections) -> bool:
    """Older firmware knows fewer modules, never fewer of these."""
    has_all = len(told.channels) == CHANNEL_SLOTS and len(told.configs) == len(CONFIG_SECTIONS)
    return has_all and told.owner is not None and told.metadata is not None


def _same(one: Sections, other: Sections) -> bool:
    return one.num == other.num and one.values() == other.values()
