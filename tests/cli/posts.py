"""A post of its own for a story: set up by the command, run as a process, asked through its socket."""

import contextlib
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from typer.testing import CliRunner

from bridge.domain.errors import BridgeError
from cli.app import app
from cli.control_client import ask
from tests.cli.kentongan import ENVIRONMENT, run, setup_words
from tests.patience import until

UPLINK = '[[uplink]]\nurl = "mqtt://127.0.0.1:1883"\n'


@dataclass
class Post:
    """A folder that `kentongan setup` made. `log` is what its bridge wrote."""

    toml: Path

    @property
    def folder(self) -> Path:
        return self.toml.parent

    @property
    def socket(self) -> Path:
        return self.folder / "kentongan.sock"

    @property
    def log(self) -> Path:
        return self.folder / "bridge.log"

    def change(self, old: str, new: str) -> None:
        text = self.toml.read_text(encoding="utf-8")
        assert old in text
        self.toml.write_text(text.replace(old, new), encoding="utf-8")

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return run(*words, "--config", self.toml, **environment)

    def typed(self, *words: str) -> Any:
        """The same in this process, which saves the start of another."""
        try:
            done = CliRunner().invoke(app, [*words, "--config", str(self.toml)], prog_name="kentongan")
        finally:
            structlog.reset_defaults()  # a command silences the logs for itself
        assert isinstance(done.exception, SystemExit | None), done.exception
        return done

    def picture(self) -> dict[str, Any]:
        """What the bridge says of itself; {} while nobody answers."""
        with contextlib.suppress(BridgeError):
            return ask(self.socket, "status")
        return {}

    @contextlib.contextmanager
    def bridge(self, stdout: int | None = None) -> Iterator[subprocess.Popen[bytes]]:
        """Runs until the story ends, and has answered once."""
        with self.log.open("ab") as log, start("run", "--config", self.toml, stdout=stdout or log) as process:
            until(lambda: self.picture() or process.poll() is not None, why="the bridge answers")
            assert process.poll() is None, self.log.read_text()
            yield process


@contextlib.contextmanager
def start(*words: str | Path, stdout: Any, stdin: Any = subprocess.DEVNULL) -> Iterator[subprocess.Popen[bytes]]:
    """A command that goes on; killed at the end of the story if it has not stopped by then."""
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", *map(str, words)],
        env=ENVIRONMENT,
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()


@contextlib.contextmanager
def terminal() -> Iterator[tuple[int, int]]:
    """A pseudo terminal: (our end, the program's end)."""
    ours, theirs = pty.openpty()
    try:
        yield ours, theirs
    finally:
        os.close(ours)
        os.close(theirs)


def make_post(folder: Path, *words: str, radio: str = "tcp://127.0.0.1:1") -> Post:
    """Without a way to the police unless a story gives it one; its radio never answers."""
    made = run(*setup_words(folder, radio), *words)
    assert made.returncode == 0, made.stderr
    post = Post(folder / "post.toml")
    post.change(UPLINK, "")
    return post
