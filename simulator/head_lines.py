"""What a head says and what it believes (docs/lines.md), written anew here: two authors' errors must not cancel out."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator

NO_MAC = "------"
_MOST_BYTES = 1024  # of a line that has not ended


def sign(key: bytes, said: str) -> str:
    """Six letters of base32 over HMAC-SHA256; six dashes without a key."""
    if not key:
        return NO_MAC
    digest = hmac.new(key, said.encode(), hashlib.sha256).digest()
    return base64.b32encode(digest).decode()[:6]


def call(key: bytes, name: str, press: str, kind: str, shows: str = "") -> bytes:
    """One K1 line; `press` is epoch and number, `shows` the last letter of the lamps."""
    said = f"K1 {name} {press} {kind}" + (f"={shows}" if shows else "")
    return f"\n{said} {sign(key, said)}\n".encode()


def letters_for(key: bytes, name: str, press: str, line: str) -> str:
    """What a P1 line lets this head show for this press; '' when it says nothing to it, or is not to be believed."""
    words = line.split(" ")
    if not key or len(words) < 3 or words[0] != "P1":
        return ""
    for part in words[2:]:
        said, _, mac = part.rpartition(".")
        head, _, letters = said.partition("=")
        is_ours = head == f"{name}.{press}" and letters.isalpha() and letters.isupper()
        if is_ours and hmac.compare_digest(mac, sign(key, f"P1 {words[1]} {said}")):
            return letters
    return ""


def is_beacon(line: str) -> bool:
    """Whether a post says that it hears."""
    words = line.split(" ")
    return len(words) == 3 and words[0] == "P1" and words[2] == "."


class Lines:
    """Whole lines out of what comes from a UART: what stands between two newlines, without carriage returns."""

    def __init__(self) -> None:
        self._waiting = b""

    def feed(self, octets: bytes) -> Iterator[str]:
        """The lines that these bytes complete; what is no ASCII is none."""
        before, *whole = (self._waiting + octets).split(b"\n")
        if not whole:
            self._waiting = before[-_MOST_BYTES:]
            return
        self._waiting = b"\n" + whole.pop()[-_MOST_BYTES:]
        for line in whole:
            if line.isascii():
                yield line.strip(b"\r").decode()
