"""docs/nodes.md stays true: its example can be typed, and no key of village.yaml is missing from it."""

import re
from collections.abc import Iterator
from pathlib import Path

from firmware_config import village_entries as entries
from firmware_config.profile import PROFILES
from tests.cli.kentongan import run

PAGE = (Path(__file__).parents[2] / "docs/nodes.md").read_text(encoding="utf-8")
PARTS = {
    "channel.": entries.ChannelEntry,
    "radio.": entries.RadioEntry,
    "admin.": entries.AdminEntry,
    "pins.": entries.Pins,
    "places[].": entries.PlaceEntry,
    "nodes[].": entries.NodeEntry,
    "": entries.TopEntry,
}


def named() -> Iterator[str]:
    """Every key that stands in the table's first column; a bare one belongs to the part named before it."""
    for cell in re.findall(r"^\| (`[^|]+) \|", PAGE, re.MULTILINE):
        part = ""
        for key in re.findall(r"`([^`]+)`", cell):
            head, dot, name = key.rpartition(".")
            part = f"{head}{dot}" or part
            yield f"{part}{name}"


def test_every_key_of_a_villages_file_is_described_and_no_other() -> None:
    keys = {f"{part}{name}" for part, model in PARTS.items() for name in model.model_fields}
    assert set(named()) == keys
    assert all(f"`{profile}`" in PAGE for profile in PROFILES)


def test_the_pages_commands_are_ours(tmp_path: Path) -> None:
    block = re.search(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    assert block is not None
    typed = [line.split("#")[0].split() for line in block[1].splitlines() if line.startswith("kentongan")]
    assert [words[2] for words in typed] == ["new", "check", "provision"]
    for words in typed[:2]:
        done = run(
            *(
                word.replace("suci", str(tmp_path / "suci"), 1) if word.startswith("suci") else word
                for word in words[1:]
            )
        )
        assert done.returncode == 0, done.stderr
