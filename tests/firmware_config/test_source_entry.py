"""A button's entry in sources.toml, as the bridge reads it."""

import dataclasses
from pathlib import Path

import pytest

from bridge.domain.place import Place
from bridge.sources import load_sources
from firmware_config.faults import Refused
from firmware_config.register import Register
from firmware_config.source_entry import with_source
from firmware_config.toml_text import TomlText
from firmware_config.village import VillageNode

KEY = bytes(range(32))


def entered(text: str, node: VillageNode | None = None) -> str:
    return with_source(Register(TomlText(text)), node or BUTTON).toml.text


BUTTON = VillageNode(
    "RT03-12", "button", "0312", Place("RT03-12", "03", "01", 'depan "musala"', -8.25, 113.64), "pos-1", 0xA01, KEY
)
BY_HAND = """\
# Perangkat warga
[[source]]   # rumah pertama
node = "00000A01"
label = "RT03-12"

[[text]]
words = "ronda"
kind = "THEFT"
"""


@pytest.mark.parametrize(
    "text", ["", "# only a remark", '[[source]]\nhead = "H1"\n\n[[sensor]]\nname = "pagar"\nkind = "THEFT"\n']
)
def test_a_new_box_is_entered_as_the_bridge_reads_it(tmp_path: Path, text: str) -> None:
    file = tmp_path / "sources.toml"
    file.write_text(entered(text))
    assert file.read_text().startswith(text)
    source = load_sources(file).find("node:00000a01")
    assert source is not None
    assert (source.place, source.public_key, source.label, source.home) == (BUTTON.place, KEY, "RT03-12", "pos-1")


def test_an_entry_made_by_hand_gets_its_key(tmp_path: Path) -> None:
    file = tmp_path / "sources.toml"
    file.write_text(entered(BY_HAND))
    source = load_sources(file).find("node:00000a01")
    assert source is not None and source.public_key == KEY
    assert [line for line in file.read_text().splitlines() if "public_key" not in line] == BY_HAND.splitlines()


def test_twice_changes_nothing() -> None:
    once = entered(BY_HAND)
    assert entered(once) == once


def test_a_key_that_changed_is_not_overwritten() -> None:
    other = dataclasses.replace(BUTTON, public_key=bytes(32))
    with pytest.raises(Refused, match="known name"):
        entered(entered(""), other)


def test_a_key_that_another_house_has_is_not_entered() -> None:
    twin = dataclasses.replace(BUTTON, number=0xA02, name="RT03-13")
    for text in ("", '[[source]]\nnode = "!00000a02"\n'):
        with pytest.raises(Refused, match="known key"):
            entered(entered("") + text, twin)
