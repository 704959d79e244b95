"""A genuine head in a process of its own: its firmware under MicroPython, its flash a folder, its UART a device."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import IO

from bridge.codebook_files import load_rules
from tests.village.scene import until

ROOT = Path(__file__).resolve().parent.parent.parent
INTERPRETER = Path(sys.executable).with_name("micropython")


class RealHead:
    """`start` is its power; `kill` takes it away, and what the flash holds stays."""

    def __init__(self, folder: Path, uart: str) -> None:
        folder.mkdir()
        self._command = [str(INTERPRETER), str(Path(__file__).with_name("real_board.py")), str(folder / "flash"), uart]
        self._log = folder / "usb.txt"
        self._process: subprocess.Popen[bytes] | None = None
        self._out: IO[bytes] | None = None

    def start(self) -> "RealHead":
        self._out = self._log.open("ab")
        environment = os.environ | {"MICROPYPATH": f".frozen:{ROOT}"}
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=self._out, stderr=self._out, env=environment
        )
        return self

    def kill(self) -> None:
        process, self._process = self._process, None
        if process is None or process.stdin is None or self._out is None:
            return
        process.kill()
        process.wait()
        process.stdin.close()
        self._out.close()

    def set_up(self, name: str, key: bytes, codebook: str) -> None:
        """As a technician does it over USB."""
        book = json.dumps({"name": codebook, "rules": load_rules(codebook)})
        for word in (f"name {name}", f"key {key.hex()}", f"codebook {book}"):
            self.tell(f"!{word}")
            until(lambda word=word: f"!ok {word.split()[0]}" in self.said(), 5, f"!ok {word.split()[0]}: {self.said()}")

    def tell(self, line: str) -> None:
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.write(f"\n{line}\n".encode())
        self._process.stdin.flush()

    def play(self, rhythm: str, beat_ms: int = 200) -> None:
        self.tell(f"~play {rhythm} {beat_ms}")

    def said(self) -> str:
        return self._log.read_text(errors="replace")

    @property
    def shown(self) -> list[str]:
        """What the three lamps have shown, in order."""
        lines = self.said().split("\n")[:-1]
        return [line.removeprefix("~lamps ") for line in lines if line.startswith("~lamps ")]
