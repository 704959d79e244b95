"""A siren that reports when it was started: the command's first act is a line with the alarm's id into a pipe."""

import os
import select
import threading
import time
from pathlib import Path

# /bin/sh and its own echo: between the bridge's decision and our note lie fork, exec, the shell's start and a wake-up.
SCRIPT = """#!/bin/sh
echo "$KENTONGAN_ALARM" > "{pipe}"
exec sleep 0.4
"""


class SirenEar:
    """`rang[press id]` is a monotonic nanosecond. `command` is for `[siren] command`."""

    def __init__(self, folder: Path) -> None:
        self.rang: dict[str, int] = {}
        pipe, script = folder / "siren.pipe", folder / "siren.sh"
        os.mkfifo(pipe)
        script.write_text(SCRIPT.format(pipe=pipe))
        script.chmod(0o700)
        self.command = str(script)
        self._pipe = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
        self._is_open = True
        self._thread = threading.Thread(target=self._run, name="siren ear", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._is_open = False
        self._thread.join(2)
        os.close(self._pipe)

    def _run(self) -> None:
        waiting = b""
        while self._is_open:
            if not select.select([self._pipe], [], [], 0.2)[0]:
                continue
            *lines, waiting = (waiting + os.read(self._pipe, 65_536)).split(b"\n")
            at = time.monotonic_ns()
            for line in lines:
                self.rang.setdefault(line.decode(), at)
