"""A bench for the head's firmware, under MicroPython: pretended pins, ports and flash, and a clock turned by hand."""

from firmware_config.head import line
from firmware_config.head.head import Head

KEY = "000102030405060708090a0b0c0d0e0f"
OCTETS = bytes(range(16))
NAME = "RT03-12"
BOOK = '{"name": "a", "rules": {"1": "MURDER", "2": "THEFT", "3": "FIRE", "4": "DISASTER", "1-7-1": "AMAN"}}'
TAP_MS = 30


class PowerCut(BaseException):
    """Nothing in the firmware may catch it."""


class Until:
    """What is done within may end so; MicroPython has no contextlib."""

    def __init__(self, end) -> None:
        self._end = end

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind, error, traceback) -> bool:
        return kind is self._end


class Flash:
    """Files in memory. `left`: after so many bytes the power goes, in the middle of a write; None never."""

    def __init__(self, left: int | None = None) -> None:
        self.kept = {}
        self.left = left
        self.spent = 0
        self.is_sick = False

    def read(self, name: str) -> bytes:
        self._may()
        return self.kept.get(name, b"")

    def append(self, name: str, octets: bytes) -> None:
        self._may()
        for at in range(len(octets)):
            self._spend()
            self.kept[name] = self.kept.get(name, b"") + octets[at : at + 1]

    def write(self, name: str, octets: bytes) -> None:
        self._may()
        self._spend()
        self.kept[name] = b""
        self.append(name, octets)

    def _may(self) -> None:
        if self.is_sick:
            raise OSError("EIO")

    def _spend(self) -> None:
        if self.left is not None and self.spent >= self.left:
            raise PowerCut()
        self.spent += 1


class Port:
    def __init__(self) -> None:
        self.coming = b""
        self.said = b""

    def read(self) -> bytes:
        octets, self.coming = self.coming, b""
        return octets

    def write(self, octets: bytes) -> None:
        self.said += octets

    def lines(self) -> list[str]:
        """Everything said since the last look."""
        said, self.said = self.said, b""
        return [part for part in said.decode().split("\n") if part]


class Board:
    def __init__(self, flash: Flash) -> None:
        self.files = flash
        self.usb, self.uart = Port(), Port()
        self.crashed = ""
        self.changes = []  # contact edges and how old they are
        self.is_down = False
        self.lit = [False, False, False]
        self.beeps = 0

    def unique(self) -> bytes:
        return b"\xe6\x60\x38\xb7\x13\x4a\x21\x2c"

    def edges(self) -> list[tuple[bool, int]]:
        changes, self.changes = self.changes, []
        return changes

    def button_down(self) -> bool:
        return self.is_down

    def lamps(self, lit: list[bool]) -> None:
        self.lit = lit

    def beep(self, is_on: bool) -> None:
        self.beeps += is_on

    def forgive(self) -> None:
        self.crashed = ""


class Chance:
    """Seeded; as many numbers as wanted."""

    def __init__(self, seed: int) -> None:
        self._state = seed * 2654435761 + 1

    def __call__(self, below: int) -> int:
        self._state = (self._state * 1103515245 + 12345) & 0x7FFFFFFF
        return (self._state >> 8) % below

    def octets(self, count: int) -> bytes:
        return bytes([self(256) for _ in range(count)])


class Bench:
    """One head. `flash` outlives it, as in life."""

    def __init__(self, flash: Flash | None = None, ticks: int = 5, seed: int = 1, keyed: bool = True) -> None:
        self.flash = Flash() if flash is None else flash
        self.ticks = ticks
        self._chance = Chance(seed)
        self.start()
        if flash is None and keyed:
            self.tell_usb("!name " + NAME, "!key " + KEY, "!codebook " + BOOK)
            self.run(100, 50)
            self.board.usb.lines()

    def start(self) -> None:
        """Power: everything but the flash is new."""
        self.board = Board(self.flash)
        self.head = Head(self.board, self._chance.octets, self._chance, self.ticks)

    def step(self, ms: int) -> None:
        self.ticks = (self.ticks + ms) & ((1 << 30) - 1)
        self.head.step(self.ticks)

    def run(self, ms: int, each: int = 20) -> None:
        while ms > 0:
            self.step(min(each, ms))
            ms -= each

    def strike(self) -> None:
        """A stick on the pad: closed for as long as a tap takes."""
        self.board.changes.append((True, 0))
        self.run(TAP_MS, 10)
        self.board.changes.append((False, 0))
        self.step(0)

    def play(self, rhythm: str, beat_ms: int = 250) -> None:
        """As people write it: 0 a beat, = a long stop."""
        for sign in rhythm:
            if sign == "0":
                self.strike()
                self.run(beat_ms - TAP_MS)
            else:
                self.run(4 * beat_ms)

    def push(self, ms: int) -> None:
        self.board.is_down = True
        self.run(ms)
        self.board.is_down = False
        self.run(100)

    def tell_usb(self, *lines: str) -> None:
        for said in lines:
            self.board.usb.coming += ("\n" + said + "\n").encode()

    def hear(self, text: str, by: str = "GW1") -> None:
        """A text from the air, as a node in TEXTMSG mode writes it."""
        self.board.uart.coming += ("\r\n" + by + ": " + text + "\r\n").encode()
        self.step(0)

    def answer(self, letters: str, press: str | None = None, key: bytes = OCTETS) -> None:
        """A post answers the latest press, or another."""
        self.hear(p1(letters, self.head.calls.press if press is None else press, key))

    def k1(self) -> list[str]:
        """What was said to the node since the last look, without MAC."""
        return [said.rsplit(" ", 1)[0] for said in self.board.uart.lines()]

    def shows(self) -> str:
        """The three patterns by name."""
        patterns = self.head._patterns(self.head._clock.now_ms(self.ticks))
        return " ".join([PATTERNS[pattern] for pattern in patterns])


def p1(letters: str, press: str, key: bytes = OCTETS, name: str = NAME, post: str = "pos-1") -> str:
    said = f"{name}.{press}={letters}"
    return f"\nP1 {post} {said}.{line.mac(key, f'P1 {post} {said}')}\n"


def _names():
    from firmware_config.head import lamps

    named = [(name, getattr(lamps, name)) for name in dir(lamps) if name.isupper()]
    return {pattern: name.lower() for name, pattern in named if isinstance(pattern, str)} | dict(
        zip(lamps.DRILL, ("run1", "run2", "run3"))  # noqa: B905 - MicroPython's zip knows no `strict`
    )


PATTERNS = _names()
