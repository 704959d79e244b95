"""The README stays true: its commands are typed here, and no command is missing from it."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer
import typer.main

from bridge.config_show import described
from cli.app import app
from tests.brokers import iotcore_broker

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def leaves(command: typer.main.TyperCommand, path: str = "kentongan") -> Iterator[tuple[str, str]]:
    """Every command that does something, with its help."""
    subcommands = getattr(command, "commands", None)
    if subcommands is None:
        yield path, command.help or ""
    for name, sub in (subcommands or {}).items():
        yield from leaves(sub, f"{path} {name}")


def test_every_command_has_help_and_stands_in_the_readme_or_its_tables() -> None:
    docs = README + (ROOT / "docs/commands.md").read_text()
    for name, help_ in leaves(typer.main.get_command(app)):
        assert help_, f"{name} has no help"
        assert name in docs, f"{name} is in no document"


def test_every_setting_is_described_in_both_languages() -> None:
    assert described()
    assert all(indonesian and english for indonesian, english in described().values())


@pytest.mark.timeout(300)
def test_the_readmes_tour_can_be_typed(tmp_path: Path, free_port: Callable[[], int]) -> None:
    block = re.search(r"<!-- tour -->\n```sh\n(.*?)```", README, re.DOTALL)
    assert block is not None
    radio = free_port()
    with iotcore_broker(tmp_path) as broker:
        script = block[1].replace(":1883", f":{broker.port}").replace("4403", str(radio))
        assert "\nsleep 5\n" in script  # enough for a reader's machine; a busy one is waited for
        script = script.replace("\nsleep 5\n", "\nuntil kentongan status > status.txt; do sleep 1; done\n")
        script = "trap 'kill $(jobs -p); wait' EXIT\n" + script
        bin_ = tmp_path / "bin"
        bin_.mkdir()
        (bin_ / "kentongan").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cli "$@"\n')
        (bin_ / "kentongan").chmod(0o755)
        environment = os.environ | {"PATH": f"{bin_}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "FIRE" in done.stdout
