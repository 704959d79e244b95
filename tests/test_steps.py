"""The pages from the box to a tested village: every command in them exists, and both languages say the same."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from cli.app import app

ROOT = Path(__file__).parent.parent
INDONESIAN, ENGLISH = sorted((ROOT / "docs/langkah").glob("*.md")), sorted((ROOT / "docs/steps").glob("*.md"))
PAIRS = list(zip(INDONESIAN, ENGLISH, strict=True))
FIRST_SCREENS = [ROOT / "README.md", ROOT / "BACA-SAYA.md"]
PAGES = [*INDONESIAN, *ENGLISH, *FIRST_SCREENS]
EVERYWHERE = {"--help", "--lang"}
BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)


def typed(page: Path) -> Iterator[str]:
    """What a reader types: the lines of the blocks, without comments, a continued one whole."""
    for block in BLOCK.findall(page.read_text("utf-8")):
        for line in block.replace("\\\n", " ").splitlines():
            if plain := re.sub(r"(^|\s+)# .*", "", line).strip():
                yield " ".join(plain.split())


def ours(page: Path) -> Iterator[list[str]]:
    """Every `kentongan …` as words, also within a sentence, behind runuser and inside $(…)."""
    text = page.read_text("utf-8")
    for line in [*typed(page), *re.findall(r"`([^`\n]+)`", BLOCK.sub("", text))]:
        for said in re.split(r"\$\(|&&|[|;]", line):
            found = re.search(r"(?:^|-- )kentongan ([a-z].*)", said.strip())
            if found is not None:
                yield [word for word in re.sub(r"\).*|&$", "", found[1]).split() if word]


def command_of(words: list[str]) -> tuple[Any, list[str]]:
    """The command that the words name, and the words that are left for it."""
    command, rest = typer.main.get_command(app), list(words)
    while rest and (inner := getattr(command, "commands", None)):
        assert rest[0] in inner or rest[0].startswith("-"), f"kentongan {' '.join(words)}: there is no {rest[0]}"
        if rest[0] not in inner:
            break
        command = inner[rest.pop(0)]
    return command, rest


def numbers(page: Path) -> set[str]:
    """917,875 in Indonesian is 917.875 in English."""
    text = re.sub(r"\]\([^)]*\)|← \d+|\d+ →", "", page.read_text("utf-8"))
    return {number.replace(",", ".").strip(".") for number in re.findall(r"\d[\d.,]*", text)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_in_the_pages_exists_with_its_options(page: Path) -> None:
    for words in ours(page):
        command, rest = command_of(words)
        known = EVERYWHERE | {name for param in command.params for name in param.opts + param.secondary_opts}
        unknown = [word for word in rest if word.startswith("--") and word.partition("=")[0] not in known]
        assert unknown == [], f"kentongan {' '.join(words)}"


def test_the_pages_name_commands_at_all() -> None:
    assert ["village", "find", "Suci", "Panti", "Jember"] in list(ours(ROOT / "docs/steps/02-post.md"))
    setup = next(words for words in ours(ROOT / "docs/langkah/02-pos.md") if words[0] == "setup")
    assert "--desk-key" in setup
    with pytest.raises(AssertionError, match="there is no bogus"):
        command_of(["desk", "bogus"])


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair[1].name)
def test_both_languages_name_the_same_commands_and_numbers(pair: tuple[Path, Path]) -> None:
    indonesian, english = pair
    assert list(typed(indonesian)) == list(typed(english))
    assert numbers(indonesian) == numbers(english)


def test_the_first_screen_in_indonesian_names_the_same_two_commands_and_no_other_numbers() -> None:
    english, indonesian = FIRST_SCREENS
    first = list(typed(indonesian))
    assert first == ["make demo", "make test"] == list(typed(english))[:2]
    assert numbers(indonesian) <= numbers(english)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8"))
    assert links
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("folder", [INDONESIAN, ENGLISH], ids=["langkah", "steps"])
def test_the_list_of_steps_is_whole(folder: list[Path]) -> None:
    *pages, contents = folder
    assert contents.name == "README.md"
    assert re.findall(r"\]\((\d\d-[^)]+)\)", contents.read_text("utf-8")) == [page.name for page in pages]
