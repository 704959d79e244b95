"""What the demo sets up around a bridge and a desk: a broker, an internet that can be cut, programs of our own."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from simulator.wire import Wire

BROKER = """id = 0
[router]
id = 0
max_connections = 100
max_outgoing_packet_count = 200
max_segment_size = 104857600
max_segment_count = 10
[v5.1]
name = "demo"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1
[v5.1.connections]
connection_timeout_ms = 60000
max_payload_size = 1048576
max_inflight_count = 100
dynamic_filters = true
"""


class DemoFailed(Exception):
    """A step did not come true; the message says which and where to look."""


def free_port() -> int:
    """A TCP port of 127.0.0.1 on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def broker(folder: Path) -> Iterator[int]:
    """A broker that keeps nothing, on loopback; its port."""
    try:
        from iotcore import Broker
    except ImportError as error:
        raise DemoFailed("the demo's broker is not installed: pip install 'kentongan[demo]'") from error
    port = free_port()
    config = folder / "broker.toml"
    config.write_text(BROKER.format(port=port))
    with Broker(config_path=str(config)):
        yield port


def run(*words: str) -> str:
    """A `kentongan` command to its end; its output. Raises DemoFailed with what it said."""
    done = _kentongan(*words)
    if done.returncode:
        raise DemoFailed(f"kentongan {' '.join(words)}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def ask(*words: str) -> Any:
    """The same with --json; whatever it printed, also when it found a fault."""
    done = _kentongan(*words, "--json")
    with contextlib.suppress(ValueError):
        return json.loads(done.stdout)
    return None


def _kentongan(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cli", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


class Program:
    """A `kentongan` command that goes on until it is stopped; its log lies beside."""

    def __init__(self, log: Path, *words: str) -> None:
        self.log = log
        self._out: IO[bytes] = log.open("ab")
        command = [sys.executable, "-m", "cli", *words]
        self._process = subprocess.Popen(command, stdout=self._out, stderr=self._out, stdin=subprocess.DEVNULL)

    def __enter__(self) -> "Program":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._out.close()

    def check(self) -> None:
        """Raises DemoFailed when it has ended by itself."""
        if self._process.poll() is not None:
            tail = self.log.read_text(errors="replace").strip().splitlines()[-3:]
            raise DemoFailed(f"{self.log.stem} ended: " + " | ".join(tail))


@contextlib.contextmanager
def internet(broker_port: int) -> Iterator[Wire]:
    """The line between the post and the broker."""
    wire = Wire(("127.0.0.1", broker_port))
    try:
        yield wire
    finally:
        wire.stop()


def wait(
    what: str,
    true: Callable[[], Any],
    programs: tuple[Program, ...],
    told_to_end: Callable[[], bool] = lambda: False,
    limit_s: float = 30.0,
) -> Any:
    """The first true value of `true`. Raises DemoFailed when it does not come within `limit_s`, or at Ctrl-C."""
    end = time.monotonic() + limit_s
    while not (value := true()):
        if told_to_end():
            raise DemoFailed(f"stopped while waiting for: {what}")
        for program in programs:
            program.check()
        if time.monotonic() > end:
            raise DemoFailed(f"not within {limit_s:.0f} s: {what}")
        time.sleep(0.02)
    return value


def siren_command(folder: Path) -> tuple[str, Path]:
    """A siren for a machine without sound: each ring is a line in a file, the kind and the place."""
    rang = folder / "siren.txt"
    script = folder / "siren.sh"
    script.write_text(f'#!/bin/sh\necho "$1 $KENTONGAN_PLACE" >> "{rang}"\n')
    os.chmod(script, 0o700)
    return f'"{script}" {{kind}}', rang
