"""The firmware alone, under the real MicroPython interpreter with pretended pins and a clock turned by hand.

The stories are written in MicroPython too (stories/); one interpreter for each file of them.
"""

import ast
import json
from functools import cache
from pathlib import Path

import pytest

from tests.head import interpreter

STORIES = Path(__file__).parent / "stories"


def told() -> list[tuple[str, str]]:
    """Every story that is written, whether or not the interpreter finds it."""
    return [
        (path.stem, node.name)
        for path in sorted(STORIES.glob("*.py"))
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("story_")
    ]


@cache
def outcome(module: str) -> dict[str, str]:
    lines = [json.loads(line) for line in interpreter.run("run_stories.py", module).splitlines()]
    return {name: failure for _, name, failure in lines}


def test_the_whole_firmware_runs_in_half_a_picos_memory() -> None:
    """A Pico has about 190 kB for Python; words of this machine are twice as long, so half of it is 190 kB here."""
    assert json.loads(interpreter.run("run_stories.py", "calling", heap_kb=180).splitlines()[0])[2] == ""


@pytest.mark.parametrize(("module", "story"), told())
def test_a_story_of_a_head(module: str, story: str) -> None:
    assert outcome(module)[story] == ""
