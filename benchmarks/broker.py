"""Debian's Mosquitto on a free port of loopback, for one run."""

import contextlib
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.helpers import BenchFailed, until

# As Debian ships it, but: no queue limit, or a slow listener of ours would count as the broker's loss.
CONFIG = """listener {port} 127.0.0.1
allow_anonymous true
max_queued_messages 0
log_type error
log_type warning
"""


@dataclass(frozen=True, slots=True)
class Broker:
    """A running one."""

    port: int
    process: "subprocess.Popen[bytes]"

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def freeze(self, frozen: bool) -> None:
        """Its connections stand and nothing answers."""
        self.process.send_signal(signal.SIGSTOP if frozen else signal.SIGCONT)


@contextlib.contextmanager
def mosquitto(folder: Path) -> Iterator[Broker]:
    """Raises BenchFailed when it is not installed or does not come up."""
    program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if program is None:
        raise BenchFailed("mosquitto is not installed; type: apt-get install mosquitto")
    port = free_port()
    config = folder / "mosquitto.conf"
    config.write_text(CONFIG.format(port=port))
    with (folder / "mosquitto.log").open("wb") as log:
        process = subprocess.Popen([program, "-c", str(config)], stdout=log, stderr=log)
    try:
        until(lambda: _answers(port), 10, "mosquitto listens")
        yield Broker(port, process)
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()


def free_port() -> int:
    """A TCP port of loopback on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
