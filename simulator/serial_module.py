"""A node's Serial module in TEXTMSG mode, as firmware 2.7.26 has it: a microcontroller at its UART, texts on the air.

From the UART: whatever came before a silence is one text, so lines merge and split. Always to all, on the node's
primary channel, with want_ack. To the UART: every text the node hears, from anybody, on any channel.
"""

from collections.abc import Callable
from pathlib import Path

from simulator.agenda import Agenda
from simulator.links import Outgoing, SerialLine

SILENCE_S = 0.25  # the firmware's own; boards whose serial port was never told wait a whole second
MOST_BYTES = 233  # it reads no more at once; the radio then refuses such a text as too large
NOBODY = "???"  # whom the node knows no name for


class SerialModule:
    """Between a UART and a node. `send` gets each text; `write` gets what comes out. The caller holds the lock."""

    def __init__(
        self,
        send: Callable[[bytes], object],
        write: Callable[[bytes], None],
        agenda: Agenda,
        silence_s: float = SILENCE_S,
    ) -> None:
        self._send, self._write, self._agenda, self._silence_s = send, write, agenda, silence_s
        self._waiting = bytearray()
        self._last_s = 0.0

    def feed(self, octets: bytes) -> None:
        """Bytes from the UART."""
        self._waiting += octets
        while len(self._waiting) >= MOST_BYTES:
            self._send_first(MOST_BYTES)
        self._last_s = self._agenda.now()
        if self._waiting:
            self._agenda.after(self._silence_s, self._look)

    def heard(self, name: str, payload: bytes) -> None:
        """A text from the air; `name` is its sender's short name, '' when the node has none."""
        text = payload.partition(b"\0")[0]  # written as a C string
        self._write(b"\r\n%s: %s\r\n" % ((name or NOBODY).encode(), text))

    def restart(self) -> None:
        """The node lost its memory."""
        self._waiting.clear()

    def _look(self) -> None:
        if self._waiting and self._agenda.now() - self._last_s >= self._silence_s:
            self._send_first(len(self._waiting))

    def _send_first(self, count: int) -> None:
        text = bytes(self._waiting[:count])
        del self._waiting[:count]
        self._send(text)


class Uart:
    """A pseudo terminal in place of the two wires. `said` gets what the microcontroller writes."""

    def __init__(self, alias: Path | None = None) -> None:
        self.said: Callable[[bytes], None] = lambda octets: None
        self._link: Outgoing | None = None
        self._line = SerialLine(self, alias)

    @property
    def path(self) -> str:
        """The device that the microcontroller opens."""
        return self._line.url.removeprefix("serial://")

    def write(self, octets: bytes) -> None:
        """To the microcontroller; lost when nobody reads."""
        if self._link is not None:
            self._link.send(octets)

    def close(self) -> None:
        """Pull the wires."""
        self._line.close()

    def client_came(self, link: Outgoing) -> None:
        self._link = link

    def client_said(self, link: Outgoing, received: bytes) -> None:
        self.said(received)

    def client_reads(self, link: Outgoing) -> None:
        pass  # nothing waits in the node for a UART

    def client_left(self, link: Outgoing, noticed: bool) -> None:
        self._link = None
