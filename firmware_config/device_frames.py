"""Frames in a node's byte stream: a start mark, a length, a protobuf message; log text may stand between them.

The stream has no checksum: a frame cut short swallows the head of the next one. Such a frame holds a start mark inside,
so it is marked; whoever needs certainty reads again and compares.
"""

from dataclasses import dataclass

START = b"\x94\xc3"
MAX_BODY_BYTES = 512
# Fills what the node still waits for of a frame that was cut off: no message of ours stays readable when its end (an
# acknowledgement flag) is replaced by these, so a half-written key is never taken for a whole one.
WAKE = START[1:] * (MAX_BODY_BYTES + 8)


@dataclass(frozen=True, slots=True)
class Frame:
    """A message's bytes; not `certain` when they hold a start mark."""

    body: bytes
    certain: bool


def frame(body: bytes) -> bytes:
    """One message as it stands in the stream."""
    if len(body) > MAX_BODY_BYTES:
        raise ValueError(f"{len(body)} bytes do not fit a frame of {MAX_BODY_BYTES}")
    return START + len(body).to_bytes(2, "big") + body


class FrameReader:
    """Finds frames; `gap` tells it that the line was silent for so long that no half frame will be finished."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, received: bytes) -> list[Frame]:
        """The frames that these bytes complete, in order."""
        self._held += received
        frames = []
        while (found := self._next()) is not None:
            frames.append(found)
        return frames

    def gap(self) -> list[Frame]:
        """Give up the half frame at hand; what stands behind its start mark may be frames of their own."""
        frames: list[Frame] = []
        while self._held and not frames:
            del self._held[:1]
            frames = self.feed(b"")
        return frames

    def _next(self) -> Frame | None:
        while self._find_start():
            length = int.from_bytes(self._held[2:4], "big")
            if not 0 < length <= MAX_BODY_BYTES:
                del self._held[:1]
                continue
            if len(self._held) < 4 + length:
                return None
            body = bytes(self._held[4 : 4 + length])
            del self._held[: 4 + length]
            return Frame(body, certain=START not in body)
        return None

    def _find_start(self) -> bool:
        at = self._held.find(START)
        if at < 0:
            keep = 1 if self._held.endswith(START[:1]) else 0
            del self._held[: len(self._held) - keep]
            return False
        del self._held[:at]
        return len(self._held) >= 4
