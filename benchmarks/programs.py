"""Programs that go on until they are stopped, and what the kernel says about them."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.helpers import BenchFailed

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Vitals:
    """Resident bytes now; CPU seconds and bytes caused to be written to disk since the start."""

    rss_bytes: int
    cpu_s: float
    written_bytes: int


class Program:
    """A Python module in a process group of its own; its output lies in `log`. `before` stands in front (strace)."""

    def __init__(self, log: Path, *words: str, before: tuple[str, ...] = ()) -> None:
        self.log = log
        self._out = log.open("ab")
        command = [*before, sys.executable, "-m", *words]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self._out, stderr=self._out, start_new_session=True
        )

    def __enter__(self) -> "Program":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """SIGTERM to the group, SIGKILL after ten seconds."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self._out.close()

    def check(self) -> bool:
        """True; BenchFailed when it has ended by itself."""
        if self.process.poll() is not None:
            tail = self.log.read_text(errors="replace").strip().splitlines()[-8:]
            raise BenchFailed(f"{self.log.stem} ended: " + "\n".join(tail))
        return True

    def vitals(self) -> Vitals:
        folder = Path(f"/proc/{self.process.pid}")
        status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
        io = dict(line.split(": ") for line in (folder / "io").read_text().splitlines())
        times = (folder / "stat").read_text().rpartition(")")[2].split()
        return Vitals(
            int(status["VmRSS"].split()[0]) * 1024, (int(times[11]) + int(times[12])) / TICKS, int(io["write_bytes"])
        )


def kentongan(*words: str) -> str:
    """A command to its end; what it printed. BenchFailed with what it complained of."""
    command = [sys.executable, "-m", "cli", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise BenchFailed(f"kentongan {' '.join(words)}: {(done.stderr or done.stdout).strip()}")
    return done.stdout
