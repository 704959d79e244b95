"""A board without hardware: the genuine MicroPython behind a pty, with files of its own, as mpremote finds one.

Pretended are only its pins, its watchdog and that ending the process is a reset. It begins anew as a board does:
boot.py, main.py, and the prompt when they end.
"""

import os
import pty
import select
import subprocess
import sys
import termios
import threading
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import serial

# The console becomes the one that controls: only so does Ctrl-C interrupt.
INTERPRETER = """
import fcntl, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from micropython_unix import main
raise SystemExit(main())
"""
CTRL_C = b"\x03"

START = """
import os, sys
os.umount("/")
os.mount(os.VfsPosix(sys.argv[1]), "/")
os.mount(os.VfsPosix(sys.argv[2]), "/chip")
os.chdir("/")
sys.path[:] = ["", "/chip"]
files = os.listdir("/")
if "firmware_config" in files:
    import firmware_config.head.board as board
    genuine = board.Board
    board.Board = lambda: genuine("rp2")
for name in ("boot.py", "main.py"):
    if name in files:
        try:
            exec(open("/" + name).read(), {"__name__": "__main__"})
        except KeyboardInterrupt:
            break
        except Exception as error:
            sys.print_exception(error)
"""

MACHINE = """
import os
class Pin:
    IN = OUT = PULL_UP = IRQ_FALLING = IRQ_RISING = 0
    def __init__(self, number, *_, value=None):
        self._low = "/chip/low" + str(number)
    def _light(self, high):
        if high:
            open(self._low.replace("low", "lit"), "w").close()
    def irq(self, *_, hard=False):
        pass
    def value(self, *high):
        if high:
            self._light(high[0])
            return None
        try:
            os.stat(self._low)
            return 0
        except OSError:
            return 1
class ADC:
    def __init__(self, *_):
        pass
    def read_u16(self):
        return 0
class UART:
    def __init__(self, *_, **__):
        pass
    def any(self):
        return 0
    def write(self, octets):
        with open("/chip/uart", "ab") as file:
            file.write(octets)
class WDT:
    def __init__(self, timeout):
        pass
    def feed(self):
        pass
class Timer:
    def __init__(self, *_):
        pass
    def init(self, **_):
        pass
    def deinit(self):
        pass
def unique_id():
    return b"board 1"
def disable_irq():
    return 0
def enable_irq(state):
    pass
def reset():
    raise SystemExit
"""


class GenuineBoard:
    """`port`: what a technician names. `files`: what is on it. `strike`: a hand."""

    def __init__(self, folder: Path) -> None:
        self.files, self._chip = folder / "board", folder / "chip"
        self._start = folder / "start.py"
        self.files.mkdir()
        self._chip.mkdir()
        self._start.write_text(START)
        (self._chip / "machine.py").write_text(MACHINE)
        self._ours, self._theirs = pty.openpty()
        tty.setraw(self._theirs)
        self.port = os.ttyname(self._theirs)
        self.starts = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._live)

    def __enter__(self) -> "GenuineBoard":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        os.close(self._ours)
        os.close(self._theirs)

    @property
    def has_lamps_lit(self) -> bool:
        return (self._chip / "lit16").exists()

    def strike(self, rhythm: str, beat_s: float = 0.25) -> None:
        """A hand: as people write it, 0 a beat. Closes and opens the contact of pin 15."""
        contact = self._chip / "low15"
        for _ in rhythm:
            contact.touch()
            time.sleep(0.05)
            contact.unlink()
            time.sleep(beat_s - 0.05)

    @contextmanager
    def line(self, said: str, answer: str) -> Iterator[None]:
        """Hold the port as another program does, having said a line and read its answer."""
        with serial.Serial(self.port, timeout=5, exclusive=True) as wire:
            wire.write(f"\n{said}\n".encode())
            heard = wire.read_until(f"{answer}\n".encode())
            assert answer.encode() in heard, heard
            yield

    @property
    def uart(self) -> str:
        """What it has said to its node."""
        file = self._chip / "uart"
        return file.read_text() if file.exists() else ""

    def _live(self) -> None:
        while not self._stop.is_set():
            inner, console = _console()
            self.starts += 1
            process = subprocess.Popen(
                [sys.executable, "-c", INTERPRETER, "-i", self._start, self.files, self._chip],
                stdin=console,
                stdout=console,
                stderr=console,
                start_new_session=True,
            )
            os.close(console)
            self._carry(inner)
            process.kill()
            process.wait()
            os.close(inner)

    def _carry(self, inner: int) -> None:
        """Bytes both ways until the interpreter ends; a hang-up of its console is an error to read."""
        with suppress(OSError):
            while not self._stop.is_set():
                ready, _, _ = select.select([inner, self._ours], [], [], 0.05)
                if inner in ready:
                    os.write(self._ours, os.read(inner, 4096))
                if self._ours in ready:
                    os.write(inner, os.read(self._ours, 4096))


def _console() -> tuple[int, int]:
    """A terminal on which Ctrl-C interrupts, and nothing else means anything."""
    inner, console = pty.openpty()
    tty.setraw(console)
    attributes = termios.tcgetattr(console)
    attributes[3] |= termios.ISIG
    for sign in (termios.VQUIT, termios.VSUSP):
        attributes[6][sign] = b"\0"
    attributes[6][termios.VINTR] = CTRL_C
    termios.tcsetattr(console, termios.TCSANOW, attributes)
    return inner, console
