"""A command that sounds, and everything it started: one process group, ended by SIGTERM and then by SIGKILL."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping

LOOK_S = 0.1  # how often a running command is looked at
MERCY_S = 2.0  # from SIGTERM to SIGKILL


class Playing:
    """A command that runs. Raises OSError or ValueError when it cannot be started."""

    def __init__(self, words: list[str], told: Mapping[str, str], files: tuple[int, ...] = ()) -> None:
        self.program = words[0]
        self.is_ending = False
        self._killed_at = 0.0
        self._process = subprocess.Popen(
            words,
            env=os.environ | told,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=files,
        )

    def has_ended(self, now: float) -> bool:
        """Whoever was asked to end and does not listen is killed."""
        if self._process.poll() is not None:
            return True
        if self.is_ending and now >= self._killed_at:
            self._send(signal.SIGKILL)
        return False

    def end(self, now: float) -> None:
        if not self.is_ending:
            self.is_ending, self._killed_at = True, now + MERCY_S
            self._send(signal.SIGTERM)

    @property
    def complaint(self) -> str:
        """Of one that has ended: '' when it was well, or when its end was ours."""
        code = self._process.returncode
        if self.is_ending or not code:
            return ""
        how = f"exit {code}" if code > 0 else f"signal {signal.Signals(-code).name}"
        return f"{self.program} ended with {how}; run it by hand to see why"

    def _send(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def wait(self, until: float) -> None:
        """Until it is gone; killed at `until`, a moment of time.monotonic."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(max(0.0, until - time.monotonic()))
        if self._process.poll() is None:
            self._send(signal.SIGKILL)
            self._process.wait()


def end_all(playing: Iterable[Playing]) -> None:
    """All at once, so that none waits for the others' deaf ears."""
    playing = tuple(playing)
    for one in playing:
        one.end(time.monotonic())
    until = time.monotonic() + MERCY_S
    for one in playing:
        one.wait(until)
