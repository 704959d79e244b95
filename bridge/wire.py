"""One client of the control socket: whole lines of JSON in, whole lines out, with patience for both."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

LINE_BYTES = 65_536


class LineTooLong(Exception):
    """A line has no end within what a line may hold."""

    def __init__(self) -> None:
        super().__init__(f"a question may have {LINE_BYTES} bytes at most")


class Wire:
    """Not safe from two threads. Whatever the socket says is raised as OSError. `has_ended`: the client said all."""

    def __init__(self, client: socket.socket, patience_s: float) -> None:
        self._client, self._patience_s, self._waiting = client, patience_s, b""
        self.has_ended = False

    def fileno(self) -> int:
        return self._client.fileno()

    def line(self) -> bytes | None:
        """The next line, waited for with patience; None at the end. Raises LineTooLong."""
        deadline = time.monotonic() + self._patience_s
        while (line := self._cut()) is None and not self.has_ended:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise TimeoutError(f"no whole question in {self._patience_s:.0f} s")
            self._client.settimeout(left_s)
            self._pull()
        return line

    def lines(self) -> Iterator[bytes]:
        """The lines that are there now; never waits. Raises LineTooLong."""
        self._client.settimeout(0.0)
        with suppress(BlockingIOError):
            self._pull()
        while (line := self._cut()) is not None:
            yield line

    def say(self, answer: dict[str, Any]) -> None:
        """One line; TimeoutError when the client does not take it."""
        self._client.settimeout(self._patience_s)
        self._client.sendall(to_line(answer))

    def _pull(self) -> None:
        received = self._client.recv(LINE_BYTES)
        self.has_ended = not received
        self._waiting += received

    def _cut(self) -> bytes | None:
        if b"\n" in self._waiting[: LINE_BYTES + 1]:
            line, _, self._waiting = self._waiting.partition(b"\n")
            return line
        if len(self._waiting) > LINE_BYTES:
            raise LineTooLong
        return None


def to_line(answer: dict[str, Any]) -> bytes:
    return json.dumps(answer, ensure_ascii=False).encode(errors="replace") + b"\n"
