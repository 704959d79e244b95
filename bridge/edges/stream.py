"""Frames in a Meshtastic byte stream, pure: bytes in, frames out, no I/O and no clock.

A frame is 0x94 0xC3, a 16-bit big-endian length and a protobuf message. The stream has no checksum, so a frame cut
short swallows the head of the next one, and together they can read as one genuine message. Hence: a frame that holds
another start mark must prove itself (by `is_sound`, and by what follows it), and whatever was read in doubt says so
(`Frame.certain`), so that nobody takes the key in it as a proof of who sent it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from bridge.domain.errors import FrameError

START = b"\x94\xc3"
HEAD_BYTES = 4
MAX_BODY_BYTES = 512
WAKE = START[1:] * 32  # a sleeping serial console swallows the first bytes it gets

# Log text between frames has none of these; the remains of a frame nearly always do.
_CONTROLS = bytes(set(range(0x20)) - set(b"\a\t\n\r\x1b"))


def frame(body: bytes) -> bytes:
    """One message as it stands in the stream. Raises FrameError beyond 512 bytes."""
    if len(body) > MAX_BODY_BYTES:
        raise FrameError(f"{len(body)} bytes do not fit a frame of {MAX_BODY_BYTES}")
    return START + len(body).to_bytes(2, "big") + body


@dataclass(frozen=True, slots=True)
class Frame:
    """A message's bytes. Not `certain`: it followed lost bytes or held a start mark, so it proves nobody's hand."""

    body: bytes
    certain: bool = True


class _Verdict(Enum):
    CERTAIN = auto()
    DOUBTFUL = auto()
    WAIT = auto()
    REJECT = auto()


class FrameReader:
    """Cuts a stream into frames and finds its way again after garbage, log text and truncated frames.

    `is_sound(body)` says whether firmware can have written a message exactly so; it is asked in doubt only.
    `gap_s`: silence after which a frame that is not whole will never be (seconds of the caller's clock).
    """

    def __init__(self, is_sound: Callable[[bytes], bool], gap_s: float) -> None:
        self._is_sound, self._gap_s = is_sound, gap_s
        self._bytes = b""
        self._at = 0
        self._last_byte_s = 0.0
        self._doubt_until = 0  # where in `_bytes` the extent of the last rejected frame ends
        self._in_dirt = False  # more than log text was skipped since the last frame
        self.resyncs = 0

    def feed(self, received: bytes, now_s: float) -> list[Frame]:
        """The frames that these bytes complete, in order; those first which the silence before them decided."""
        late = self.expire(now_s)
        self._bytes += received
        self._last_byte_s = now_s
        return late + self._scan(silent=False)

    def expire(self, now_s: float) -> list[Frame]:
        """What silence decides. Ask when `wait_s` is over."""
        if not self._bytes or now_s - self._last_byte_s < self._gap_s:
            return []
        return self._scan(silent=True)

    def wait_s(self, now_s: float) -> float | None:
        """Seconds until `expire` can have something to say; None when nothing is held back."""
        return max(0.0, self._last_byte_s + self._gap_s - now_s) if self._bytes else None

    def _scan(self, silent: bool) -> list[Frame]:
        frames = []
        while (found := self._next(silent)) is not None:
            frames.append(found)
        self._doubt_until = max(0, self._doubt_until - self._at)
        self._bytes, self._at = self._bytes[self._at :], 0
        return frames

    def _next(self, silent: bool) -> Frame | None:
        while self._find_start(silent):
            start, end = self._at, self._end()
            verdict = self._judge(start, end, silent)
            if verdict is _Verdict.WAIT:
                return None
            if verdict is _Verdict.REJECT:
                self._reject(end)
                continue
            self._at = end
            certain = verdict is _Verdict.CERTAIN and start >= self._doubt_until and not self._in_dirt
            self._in_dirt = False
            return Frame(self._bytes[start + HEAD_BYTES : end], certain)
        return None

    def _find_start(self, silent: bool) -> bool:
        """Go to the next start mark; half a mark at the very end is kept while bytes may still come."""
        start = self._bytes.find(START, self._at)
        if start < 0:
            start = len(self._bytes) - (not silent and self._bytes.endswith(START[:1]))
        skipped = self._bytes[self._at : start]
        if skipped and len(skipped.translate(None, _CONTROLS)) < len(skipped):
            self._in_dirt = True
        self._at = max(start, self._at)
        return start + 1 < len(self._bytes)

    def _end(self) -> int:
        """Where the frame at hand says that it ends, at least; -1 for a length that no frame has."""
        head = self._bytes[self._at : self._at + HEAD_BYTES]
        if len(head) < HEAD_BYTES:
            return self._at + HEAD_BYTES + 1
        length = int.from_bytes(head[2:], "big")
        return self._at + HEAD_BYTES + length if 0 < length <= MAX_BODY_BYTES else -1

    def _judge(self, start: int, end: int, silent: bool) -> _Verdict:
        held = self._bytes
        undecided = _Verdict.REJECT if silent else _Verdict.WAIT
        if end < 0:
            return _Verdict.REJECT
        if len(held) < end:
            return undecided
        inner = held.find(START, start + HEAD_BYTES - 1, end + 1)  # a cut in the head leaves a mark in the length
        if inner < 0:
            half_mark = held[end - 1] == START[0] and len(held) == end and not silent
            return _Verdict.WAIT if half_mark else _Verdict.CERTAIN
        if not self._is_sound(held[start + HEAD_BYTES : end]):
            return _Verdict.REJECT
        if silent or held.startswith(START, end):
            return _Verdict.DOUBTFUL
        if len(held) < end + len(START):
            return _Verdict.WAIT
        return self._compare(inner, end)

    def _compare(self, inner: int, end: int) -> _Verdict:
        """No start mark follows a sound frame: it loses if frames in a row from `inner` on lead past it to one."""
        at = inner
        while at < end and self._bytes.startswith(START, at):
            at += HEAD_BYTES + int.from_bytes(self._bytes[at + 2 : at + HEAD_BYTES], "big")
        if at <= end:
            return _Verdict.DOUBTFUL
        if len(self._bytes) < at + len(START):
            return _Verdict.WAIT
        return _Verdict.REJECT if self._bytes.startswith(START, at) else _Verdict.DOUBTFUL

    def _reject(self, end: int) -> None:
        """Not a frame: look on behind its start mark. What lies in its extent stays in doubt."""
        self.resyncs += 1
        self._doubt_until = max(self._doubt_until, end)
        self._in_dirt = True
        self._at += len(START)
