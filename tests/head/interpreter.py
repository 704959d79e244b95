"""The real MicroPython interpreter on this machine, with the project on its path."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
INTERPRETER = Path(sys.executable).with_name("micropython")


def command(script: str, *arguments: str) -> list[str]:
    return [str(INTERPRETER), str(ROOT / "tests" / "head" / script), *arguments]


def environment() -> dict[str, str]:
    return {**os.environ, "MICROPYPATH": f".frozen:{ROOT}"}


def run(script: str, *arguments: str, given: str = "", heap_kb: int = 2000) -> str:
    """What the script prints. It runs in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [command(script)[0], "-X", f"heapsize={heap_kb}k", *command(script, *arguments)[1:]],
            cwd=folder,
            env=environment(),
            input=given,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
