"""What a node's own client may order it to do. So far: the clock and a reboot."""

from typing import Protocol

from google.protobuf.message import DecodeError
from meshtastic.protobuf import admin_pb2


class Ordered(Protocol):
    """The node, as its administrator sees it."""

    def set_clock(self, unix_s: int) -> None: ...

    def reboot(self, after_s: float = 0.0) -> None: ...


def obey(node: Ordered, payload: bytes) -> None:
    """Carry out one serialised AdminMessage; what is not known is ignored."""
    try:
        order = admin_pb2.AdminMessage.FromString(payload)
    except DecodeError:
        return
    match order.WhichOneof("payload_variant"):
        case "set_time_only":
            node.set_clock(order.set_time_only)
        case "reboot_seconds":
            node.reboot(max(0, order.reboot_seconds))
