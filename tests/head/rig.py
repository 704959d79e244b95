"""One head on the bench: the firmware as a process of the real MicroPython, with two terminals and a hand."""

import os
import select
import subprocess
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.head import interpreter

SPEED = 10
WAIT_S = 20.0


class End:
    """Our end of a terminal."""

    def __init__(self) -> None:
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._theirs)
        os.set_blocking(self._ours, False)
        self.path = os.ttyname(self._theirs)
        self.heard = ""

    def say(self, text: str) -> None:
        os.write(self._ours, text.encode("ascii"))

    def listen(self) -> str:
        """Everything heard so far."""
        while select.select([self._ours], [], [], 0)[0]:
            self.heard += os.read(self._ours, 4096).decode("ascii")
        return self.heard

    def close(self) -> None:
        os.close(self._ours)
        os.close(self._theirs)


class Cable:
    """Two terminals, crossed: what is said at one end comes out at the other. `cut` lets nothing through."""

    def __init__(self) -> None:
        self._ends = (os.openpty(), os.openpty())
        for _, theirs in self._ends:
            tty.setraw(theirs)
        self.head, self.post = (os.ttyname(theirs) for _, theirs in self._ends)
        self.is_cut = False
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._carry, name="cable")
        self._thread.start()

    def close(self) -> None:
        self._is_over.set()
        self._thread.join()
        for pair in self._ends:
            for end in pair:
                os.close(end)

    def _carry(self) -> None:
        one, other = (ours for ours, _ in self._ends)
        across = {one: other, other: one}
        while not self._is_over.is_set():
            for ready in select.select([one, other], [], [], 0.05)[0]:
                octets = os.read(ready, 4096)
                if not self.is_cut:
                    os.write(across[ready], octets)


class Rig:
    """A head that runs. `folder` is its flash; `usb` and `uart` are paths of terminals."""

    def __init__(self, usb: str, uart: str, folder: Path, speed: int = SPEED) -> None:
        command = interpreter.command("sim_main.py", usb, uart, str(folder), str(speed))
        self._process = subprocess.Popen(
            command, env=interpreter.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._orders, self._reports = self._process.stdin, self._process.stdout
        os.set_blocking(self._reports.fileno(), False)
        self.shown: list[str] = []  # how the lamps burned, one after another

    def do(self, order: str) -> None:
        self._orders.write(f"{order}\n".encode())
        self._orders.flush()

    def lamps(self) -> str:
        """How the lamps burn now; '' before the first report."""
        self.shown += (self._reports.read() or b"").decode().splitlines()
        assert self._process.poll() is None, "the head has ended"
        return self.shown[-1] if self.shown else ""

    def cut(self) -> None:
        """The power goes."""
        self._process.kill()
        self._process.wait(timeout=WAIT_S)
        self._orders.close()
        self._reports.close()


@contextmanager
def powered(usb: str, uart: str, folder: Path, speed: int = SPEED) -> Iterator[Rig]:
    rig = Rig(usb, uart, folder, speed)
    try:
        yield rig
    finally:
        rig.cut()
