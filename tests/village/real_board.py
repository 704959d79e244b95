"""Under MicroPython: the head's own firmware on a board of files. Arguments: the flash's folder, the UART's device.

Standard input and output are its USB port; lines that begin with `~` are for the board: `~play 000=000 200` strikes
with beats of so many ms, and `~lamps` is printed whenever the lamps change.
"""

import os
import select
import sys
import time

from firmware_config.head import lamps
from firmware_config.head.flash import Files
from firmware_config.head.head import Head

TAP_MS = 30
STOPS = {".": 2.5, "=": 5}
NAMES = {
    lamps.OFF: "off",
    lamps.SLOW: "slow",
    lamps.FAST: "fast",
    lamps.ON: "on",
    lamps.DOUBLE: "double",
    lamps.WINK: "wink",
}


class Port:
    """Reads a byte at a time, and only what has come."""

    def __init__(self, coming, going) -> None:
        self._coming, self._going = coming, going
        self._poll = select.poll()
        self._poll.register(coming, select.POLLIN)

    def read(self) -> bytes:
        octets = b""
        while len(octets) < 256 and self._poll.poll(0):
            octet = self._coming.read(1)
            if not octet:
                sys.exit()  # whoever holds us is gone
            octets += octet
        return octets

    def write(self, octets: bytes) -> None:
        self._going.write(octets)


class Usb(Port):
    """What is meant for the board is taken out."""

    def __init__(self, board) -> None:
        super().__init__(sys.stdin.buffer, sys.stdout.buffer)
        self._board, self._waiting = board, b""

    def read(self) -> bytes:
        *lines, self._waiting = (self._waiting + super().read()).split(b"\n")
        passed = b""
        for line in lines:
            if line[:6] == b"~play ":
                _, rhythm, beat_ms = line.decode().split(" ")
                self._board.play(rhythm, int(beat_ms))
            else:
                passed += line + b"\n"
        return passed


class Board:
    def __init__(self, folder: str, uart: str) -> None:
        self.files = Files(folder)
        coming, going = open(uart, "rb"), open(uart, "wb")  # noqa: SIM115 - held as long as there is power
        self.usb, self.uart = Usb(self), Port(coming, going)
        self.crashed = ""
        self._coming = []

    def play(self, rhythm: str, beat_ms: int) -> None:
        at_ms, gap_ms = time.ticks_ms(), 0
        for sign in rhythm:
            if sign == "0":
                at_ms += gap_ms
                self._coming += [(True, at_ms), (False, at_ms + TAP_MS)]
                gap_ms = beat_ms
            else:
                gap_ms = int(STOPS[sign] * beat_ms)

    def edges(self):
        now_ms = time.ticks_ms()
        due = [(closed, now_ms - at_ms) for closed, at_ms in self._coming if at_ms <= now_ms]
        self._coming = self._coming[len(due) :]
        return due

    def unique(self) -> bytes:
        return b"village"

    def button_down(self) -> bool:
        return False

    def lamps(self, lit) -> None:
        pass

    def beep(self, is_on: bool) -> None:
        pass

    def forgive(self) -> None:
        pass


def chance(below: int) -> int:
    return int.from_bytes(os.urandom(4), "big") % below


def main() -> None:
    board = Board(sys.argv[1], sys.argv[2])
    head = Head(board, os.urandom, chance, time.ticks_ms())
    shown = ""
    while True:
        head.step(time.ticks_ms())
        patterns = head._patterns(head._clock.now_ms(time.ticks_ms()))
        showing = " ".join([NAMES.get(pattern, pattern) for pattern in patterns])
        if showing != shown:
            shown = showing
            print("~lamps " + shown)
        time.sleep_ms(5)


if __name__ == "__main__":
    main()
