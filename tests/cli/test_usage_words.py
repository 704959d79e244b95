"""What Typer says of itself is said in the reader's language, and `--lang` may stand anywhere."""

import re
from typing import Any

import pytest
import typer.main

from cli.app import app
from cli.tongues import fault_in, in_one
from cli.usage_words import take_language
from tests.cli.kentongan import run

ENGLISH = re.compile(
    r"\b(usage|options?|commands?|arguments?|missing|no such|invalid|value|default|required|env var|input|should|got"
    r"|requires?|does not|takes|did you mean|possible|error|help|show this)\b",
    re.IGNORECASE,
)
WRONG = [
    ["bogus"],
    ["simulat"],
    ["run", "--bogus"],
    ["run", "--cofig", "x"],
    ["run", "a", "b"],
    ["run", "--config"],
    ["run", "--verbose=yes"],
    ["journal", "show"],
    ["setup", "x", "--village", "x"],
    ["journal", "list", "--limit", "many"],
    ["siren", "test", "--seconds", "99"],
    ["siren", "test", "--seconds", "0"],
    ["siren", "test", "--seconds", "x"],
    ["completion", "tcsh"],
    ["desk", "post", "add", "1", "2", "3"],
    ["desk", "post", "add", "35.09.14.2005", "POS 1", "3"],
    ["desk", "post", "add", "35.09.14.2005", "pos-1", "3"],
]


def every(command: Any) -> list[Any]:
    return [command, *(deep for inner in getattr(command, "commands", {}).values() for deep in every(inner))]


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_a_wrong_use_is_told_in_the_readers_language_and_is_two(words: list[str]) -> None:
    told = run(*words)
    assert (told.returncode, told.stdout) == (2, "")
    *_, sentence = told.stderr.splitlines()
    assert sentence.startswith("kentongan: ")
    without_names = re.sub(r"'[^']*'|--\S+", "", told.stderr)  # what was typed, and options, are spelled as they are
    assert ENGLISH.findall(without_names) == []
    english = run(*words, "--lang", "en")
    assert (english.returncode, english.stdout) == (2, "")
    assert not re.search(r"\b(isian|pilihan|tidak|belum|bukan|huruf)\b", english.stderr, re.IGNORECASE)


@pytest.mark.parametrize("words", [["--help"], ["siren", "test", "--help"], ["desk", "post", "add", "--help"]])
def test_help_is_in_one_language(words: list[str]) -> None:
    indonesian, english = run(*words), run("--lang", "en", *words)
    assert (indonesian.returncode, english.returncode) == (0, 0)
    assert indonesian.stdout.startswith("Pemakaian: kentongan")
    assert english.stdout.startswith("Usage: kentongan")
    spoken = re.sub(r"--\S+|<[^>]*>|English: .*", "", indonesian.stdout)
    assert ENGLISH.findall(spoken) == []
    assert not re.search(r"\b(pilihan|pemakaian|bantuan|pos ini|dan|yang)\b", english.stdout, re.IGNORECASE)


def test_nothing_typed_is_the_help_and_a_wrong_use() -> None:
    told = run("desk")
    assert told.returncode == 2
    assert told.stderr.startswith("Pemakaian: kentongan desk")
    assert "Petugas sudah membaca" in told.stderr


def test_every_help_can_be_said_in_one_language_alone() -> None:
    for command in every(typer.main.get_command(app)):
        for text in [command.help, *(param.help for param in command.params if param.name != "help")]:
            for paragraph in text.split("\n\n"):
                alone = in_one(paragraph, "id"), in_one(paragraph, "en")
                assert all(alone), text
                assert paragraph not in alone, f"{text!r} does not end with its English in brackets"


@pytest.mark.parametrize(
    ("both", "indonesian", "english"),
    [
        ("Siapkan pos baru (make a new post).", "Siapkan pos baru.", "Make a new post."),
        ("Radio: tcp://host:4403. (The radio.)", "Radio: tcp://host:4403.", "The radio."),
        ("Kode (PP) desa. (The code (PP).)", "Kode (PP) desa.", "The code (PP)."),
        ("A (b).\n\nC. (D.)", "A.\n\nC.", "B.\n\nD."),
        ("hanya satu bahasa", "hanya satu bahasa", "hanya satu bahasa"),
        ("pin GPIO(17)", "pin GPIO(17)", "pin GPIO(17)"),
    ],
)
def test_a_text_in_both_languages_is_parted(both: str, indonesian: str, english: str) -> None:
    assert (in_one(both, "id"), in_one(both, "en")) == (indonesian, english)


def test_a_fault_keeps_its_english_for_who_reads_indonesian() -> None:
    both = "radio putus (the link is lost)\nkode 7"
    assert fault_in(both, "id") == both
    assert fault_in(both, "en") == "the link is lost\nkode 7"


@pytest.mark.parametrize(
    ("words", "rest", "language"),
    [
        (["--lang", "en", "status"], ["status"], "en"),
        (["status", "--lang=en"], ["status"], "en"),
        (["status"], ["status"], "id"),
        (["status", "--lang"], ["status", "--lang"], "id"),
        (["order", "--", "--lang", "en"], ["order", "--", "--lang", "en"], "id"),
        (["--lang", "id", "status", "--lang", "en"], ["status"], "en"),
    ],
)
def test_the_language_may_stand_anywhere(words: list[str], rest: list[str], language: str) -> None:
    assert take_language(words, {"KENTONGAN_LANG": "id"}) == (rest, language)
