"""Lines out of bytes, and bytes out of lines. Bounded, whatever comes in."""

NODE_GAP_MS = 2000  # a node takes one text in two seconds


class Lines:
    """Whole lines out of what comes in; too long a line and what is no ASCII is dropped."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._waiting = b""
        self._is_lost = False  # the line was too long: nothing until it ends

    def feed(self, octets: bytes) -> list[str]:
        lines = []  # type: list[str]
        parts = octets.split(b"\n")
        for at, part in enumerate(parts):
            if not self._is_lost:
                self._waiting += part
                self._is_lost = len(self._waiting) > self._most_bytes
            if at < len(parts) - 1:
                if not self._is_lost:
                    self._end(lines)
                self._waiting, self._is_lost = b"", False
        if self._is_lost:
            self._waiting = b""
        return lines

    def _end(self, lines: list[str]) -> None:
        line = self._waiting.strip(b"\r")
        if line and all([32 <= octet < 127 for octet in line]):
            lines.append(line.decode())


class Wire:
    """One serial port: `port` has read() and write(bytes). `gap_ms`: at least so long between two lines."""

    def __init__(self, port, gap_ms: int, most_bytes: int) -> None:
        self._port = port
        self._gap_ms = gap_ms
        self._lines = Lines(most_bytes)
        self._waiting = []  # type: list[tuple[str, str]]
        self._said_ms = -gap_ms

    def hear(self) -> list[str]:
        return self._lines.feed(self._port.read())

    def say(self, press: str, line: str) -> None:
        """Only the newest line about a press waits; the oldest of eight makes room."""
        self._waiting = [(about, said) for about, said in self._waiting if about != press][-7:]
        self._waiting.append((press, line))

    def reply(self, line: str) -> None:
        """To the technician, who waits for it. One line of ASCII, whatever names are in it."""
        line = "".join([letter if " " <= letter <= "~" else "?" for letter in line])
        self._port.write(f"\n{line}\n".encode())

    def flush(self, now_ms: int) -> None:
        while self._waiting and now_ms - self._said_ms >= self._gap_ms:
            _, line = self._waiting.pop(0)
            self._port.write(f"\n{line}\n".encode())
            self._said_ms = now_ms
