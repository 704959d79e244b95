"""The command line as a whole: help in both languages everywhere, at once, and the exit codes that scripts rely on."""

import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main

from cli.app import app
from cli.words import LANGUAGES, SAID
from tests.cli.kentongan import ENVIRONMENT, run

SPOKEN = {"setup", "run", "status", "press", "journal", "config", "keys", "simulate", "demo"}
HEAVY = ("sqlmodel", "sqlalchemy", "pydantic", "meshtastic", "cryptography", "paho", "rich", "structlog", "alembic")


def commands(command: Any, path: str = "kentongan") -> Iterator[tuple[str, Any]]:
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, f"{path} {name}")


ROOT = typer.main.get_command(app)
EVERY = dict(commands(ROOT))


def is_bilingual(text: str | None) -> bool:
    """Indonesian, and English in brackets after it."""
    return re.search(r"\S.*\([^)]{4,}\)", text or "", re.DOTALL) is not None


def test_every_command_of_the_issue_is_there() -> None:
    assert {path.split()[1] for path in EVERY if " " in path} >= SPOKEN


@pytest.mark.parametrize("path", EVERY)
def test_every_command_and_option_says_what_it_does_in_both_languages(path: str) -> None:
    command = EVERY[path]
    assert is_bilingual(command.help), path
    mute = [param.name for param in command.params if param.name != "help" and not is_bilingual(param.help)]
    assert mute == []


def test_every_sentence_has_both_languages_and_the_same_facts() -> None:
    unlike = {
        key: said
        for key, said in SAID.items()
        if len(said) != len(LANGUAGES) or not all(said) or len({facts(sentence) for sentence in said}) != 1
    }
    assert unlike == {}


def facts(sentence: str) -> frozenset[str]:
    return frozenset(re.findall(r"\{(\w+)", sentence))


def test_help_waits_for_nothing_heavy() -> None:
    look = f"import sys, cli.app; print([name for name in {HEAVY!r} if name in sys.modules])"
    seen = subprocess.run(
        [sys.executable, "-c", look], env=ENVIRONMENT, capture_output=True, text=True, timeout=30, check=True
    )
    assert seen.stdout.strip() == "[]"


def test_the_version_is_told() -> None:
    told = run("--version")
    assert (told.returncode, told.stderr) == (0, "")
    assert re.fullmatch(r"kentongan \S+\n", told.stdout)


@pytest.mark.parametrize(
    "words",
    [
        ["bogus"],
        ["run", "--bogus"],
        ["journal", "show"],
        ["simulate", "--port", "many"],
        ["config", "show", "--lang=jv"],
    ],
)
def test_wrong_use_is_two(words: list[str]) -> None:
    wrong = run(*words)
    assert wrong.returncode == 2
    assert "Traceback" not in wrong.stderr


def test_the_language_may_come_from_the_environment() -> None:
    assert "say which file" in run("config", "check", KENTONGAN_LANG="en").stderr
    assert "sebutkan berkasnya" in run("config", "check").stderr
