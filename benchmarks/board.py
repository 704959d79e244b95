"""A relay board that notes when it was switched on: a pseudo terminal, read at once by a thread of its own."""

import os
import pty
import select
import threading
import time
import tty
from collections import deque
from pathlib import Path

ON, OFF = bytes.fromhex("A00101A2"), bytes.fromhex("A00100A1")


class BoardEar:
    """`switched` holds (is on, monotonic nanosecond) of each change. `output` is for post.toml."""

    def __init__(self, folder: Path) -> None:
        self.switched: deque[tuple[bool, int]] = deque()
        self._near, self._far = pty.openpty()
        tty.setraw(self._far)
        self.output = f'\n[[output]]\nname = "board"\ndriver = "serial"\nurl = "serial://{os.ttyname(self._far)}"\n'
        self._is_open = True
        self._thread = threading.Thread(target=self._run, name="board ear", daemon=True)
        self._thread.start()

    @property
    def is_on(self) -> bool:
        return bool(self.switched) and self.switched[-1][0]

    def close(self) -> None:
        self._is_open = False
        self._thread.join(2)
        os.close(self._near)
        os.close(self._far)

    def _run(self) -> None:
        waiting = b""
        while self._is_open:
            if not select.select([self._near], [], [], 0.2)[0]:
                continue
            waiting += os.read(self._near, 4096)
            at = time.monotonic_ns()
            while len(waiting) >= len(ON):
                said, waiting = waiting[: len(ON)], waiting[len(ON) :]
                self.switched.append((said == ON, at))
