"""The firmware as a process, under MicroPython: USB and UART are two terminals, the flash a folder, a hand is stdin.

sim_main.py USB UART FOLDER SPEED. Orders, one a line: `play 000=000`, `push <ms>`, `hold`, `free`. Each change of the
lamps is a line on stdout. SPEED: how many of its milliseconds pass in one of ours.
"""

import os
import select
import sys
import time

from firmware_config.head.flash import Files
from firmware_config.head.head import Head
from tests.head.bench import PATTERNS, TAP_MS, Chance

BEAT_MS = 250
MOST_MS = 400  # of its milliseconds in one step: while the machine stalls its clock stands, and no strike passes unsaid


class Terminal:
    def __init__(self, path: str) -> None:
        self._file = open(path, "r+b")  # noqa: SIM115 - as long as the process
        self._poll = select.poll()
        self._poll.register(self._file, select.POLLIN)

    def read(self) -> bytes:
        octets = b""
        while len(octets) < 256 and self._poll.poll(0):
            octets += self._file.read(1)
        return octets

    def write(self, octets: bytes) -> None:
        self._file.write(octets)


class Board:
    """What a hand will do is known beforehand: (when, pad or button, closed)."""

    crashed = ""

    def __init__(self, usb: str, uart: str, folder: str) -> None:
        self.usb, self.uart, self.files = Terminal(usb), Terminal(uart), Files(folder)
        self.plan = []
        self.now_ms = 0
        self._is_down = False

    def unique(self) -> bytes:
        return b"\x01\x02\x03\x04"

    def edges(self) -> list[tuple[bool, int]]:
        due = [move for move in self.plan if move[0] <= self.now_ms]
        self.plan = [move for move in self.plan if move[0] > self.now_ms]
        for _, what, closed in due:
            if what == "button":
                self._is_down = closed
        return [(closed, self.now_ms - at) for at, what, closed in due if what == "pad"]

    def button_down(self) -> bool:
        return self._is_down

    def lamps(self, lit: list[bool]) -> None:
        pass

    def beep(self, is_on: bool) -> None:
        pass

    def forgive(self) -> None:
        pass

    def obey(self, order: str) -> None:
        word, _, rest = order.partition(" ")
        if word == "play":
            self._play(rest)
        elif word == "push":
            self.plan += [(self.now_ms, "button", True), (self.now_ms + int(rest), "button", False)]
        else:
            self.plan.append((self.now_ms, "pad", word == "hold"))

    def _play(self, rhythm: str) -> None:
        at = self.now_ms
        for sign in rhythm:
            if sign == "0":
                self.plan += [(at, "pad", True), (at + TAP_MS, "pad", False)]
            at += BEAT_MS if sign == "0" else 4 * BEAT_MS


def main(usb: str, uart: str, folder: str, speed: int) -> None:
    board = Board(usb, uart, folder)
    chance = Chance(int.from_bytes(os.urandom(3), "big"))
    before = time.ticks_ms()  # type: ignore[attr-defined]
    head = Head(board, os.urandom, chance, 0)
    orders = select.poll()
    orders.register(sys.stdin, select.POLLIN)
    shown = ""
    while True:
        now = time.ticks_ms()  # type: ignore[attr-defined]
        board.now_ms += min(MOST_MS, time.ticks_diff(now, before) * speed)  # type: ignore[attr-defined]
        before = now
        if orders.poll(0):
            order = sys.stdin.readline()
            if not order:
                return
            board.obey(order.strip())
        head.step(board.now_ms)
        burning = " ".join([PATTERNS[pattern] for pattern in head._patterns(board.now_ms)])
        if burning != shown:
            shown = burning
            print(burning)
        time.sleep_ms(1)  # type: ignore[attr-defined]


main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
