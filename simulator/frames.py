"""The stream between a node and its client: a start mark, a length, a protobuf message; anything else is noise."""

START = b"\x94\xc3"
MAX_BODY_BYTES = 512
_PACKET_FIELD = b"\x12"  # FromRadio.packet, length-delimited


def frame(body: bytes) -> bytes:
    """One message as it stands in the stream; `body` is a serialised FromRadio or ToRadio of at most 512 bytes."""
    return START + len(body).to_bytes(2, "big") + body


def packet_frame(packet: bytes) -> bytes:
    """A FromRadio frame around a serialised MeshPacket, made without building the outer message: benches need it."""
    return frame(_PACKET_FIELD + _varint(len(packet)) + packet)


def _varint(number: int) -> bytes:
    if number < 0x80:
        return bytes((number,))
    return bytes((number & 0x7F | 0x80, number >> 7))  # 14 bits are more than a frame can hold


class FrameReader:
    """Finds frames in what a client sends. Wake bytes, garbage and impossible lengths are skipped, as firmware does."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def feed(self, received: bytes) -> list[bytes]:
        """The bodies completed by these bytes, in order."""
        self._waiting += received
        bodies = []
        while (body := self._next_body()) is not None:
            bodies.append(body)
        return bodies

    def _next_body(self) -> bytes | None:
        while self._find_start():
            length = int.from_bytes(self._waiting[2:4], "big")
            if length > MAX_BODY_BYTES:
                del self._waiting[:1]
                continue
            if len(self._waiting) < 4 + length:
                return None
            body = bytes(self._waiting[4 : 4 + length])
            del self._waiting[: 4 + length]
            return body
        return None

    def _find_start(self) -> bool:
        at = self._waiting.find(START)
        if at < 0:
            keep = 1 if self._waiting.endswith(START[:1]) else 0
            del self._waiting[: len(self._waiting) - keep]
            return False
        del self._waiting[:at]
        return len(self._waiting) >= 4
