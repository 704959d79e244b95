"""Runs `kentongan` as people do: a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("KENTONGAN_")}
ENVIRONMENT |= {"PYTHONPATH": str(ROOT), "COLUMNS": "120"}


def run(*words: str | Path, script: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """To its end. `script`: Python that runs before the command, in the same process."""
    start = f"import sys\n{script}\nsys.argv[0] = 'kentongan'\nfrom cli.app import main\nmain()"
    return subprocess.run(
        [sys.executable, "-c", start, *map(str, words)],
        env=ENVIRONMENT | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def setup_words(folder: Path, radio: str = "tcp://127.0.0.1:4403", mqtt: str = "mqtt://127.0.0.1:1883") -> list[str]:
    return [
        *("setup", str(folder), "--village", "35.09.14.2005", "--post", "pos-1"),
        *("--radio", radio, "--mqtt", mqtt),
    ]
