"""What every way to a node has in common: messages come and go, and it may end."""

from dataclasses import dataclass
from typing import Protocol

from meshtastic.protobuf import mesh_pb2


@dataclass(frozen=True, slots=True)
class Told:
    """One message of the node; not `certain`: the stream may have spliced it from two."""

    message: mesh_pb2.FromRadio
    certain: bool = True


class Link(Protocol):
    """A connection to a node. Every method raises DeviceLost when it has ended."""

    def send(self, message: mesh_pb2.ToRadio) -> None: ...

    def receive(self, until: float) -> Told | None:
        """The next message, None when there is none before `until` (monotonic)."""

    def close(self) -> None: ...


def plain(error: Exception) -> str:
    """What the system says, without its numbers."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
