"""Tab in a real bash finishes a command; the script is what `kentongan completion` prints."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.kentongan import ENVIRONMENT, run

TAB = 'COMP_WORDS=({words}); COMP_CWORD={at}; _kentongan_completion kentongan; printf "%s\\n" "${{COMPREPLY[@]}}"'


@pytest.fixture
def path(tmp_path: Path) -> str:
    program = tmp_path / "kentongan"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cli "$@"\n')
    program.chmod(0o755)
    return f"{tmp_path}:{ENVIRONMENT['PATH']}"


@pytest.mark.parametrize(
    ("words", "at", "offered"),
    [
        ("kentongan sta", 1, ["status"]),
        ("kentongan desk post ''", 3, ["add", "list"]),
        ("kentongan run --ver", 2, ["--verbose"]),
        ("kentongan completion ''", 2, ["bash", "zsh", "fish"]),
    ],
)
def test_tab_in_bash(path: str, words: str, at: int, offered: list[str]) -> None:
    script = f"source <(kentongan completion bash)\n{TAB.format(words=words, at=at)}"
    done = subprocess.run(
        ["bash", "--norc", "-euo", "pipefail", "-c", script],
        env=ENVIRONMENT | {"PATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == offered


@pytest.mark.parametrize(("shell", "begins"), [("zsh", "#compdef kentongan"), ("fish", "complete ")])
def test_other_shells_have_a_script_too(shell: str, begins: str) -> None:
    told = run("completion", shell)
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.startswith(begins)
    assert "_KENTONGAN_COMPLETE" in told.stdout
