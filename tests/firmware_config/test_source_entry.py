"""A button's entry in sources.toml, as the bridge reads it."""

from pathlib import Path

import pytest

from bridge.domain.place import Place
from bridge.sources import load_sources
from firmware_config.both import Wrong
from firmware_config.source_entry import with_source
from firmware_config.village import VillageNode

KEY = bytes(range(32))
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
    file.write_text(with_source(text, BUTTON))
    assert file.read_text().startswith(text)
    source = load_sources(file).find("node:00000a01")
    assert source is not None
    assert (source.place, source.public_key, source.label, source.home) == (BUTTON.place, KEY, "RT03-12", "pos-1")


def test_an_entry_made_by_hand_gets_its_key(tmp_path: Path) -> None:
    file = tmp_path / "sources.toml"
    file.write_text(with_source(BY_HAND, BUTTON))
    source = load_sources(file).find("node:00000a01")
    assert source is not None and source.public_key == KEY
    assert [line for line in file.read_text().splitlines() if "public_key" not in line] == BY_HAND.splitlines()


def test_twice_changes_nothing() -> None:
    once = with_source(BY_HAND, BUTTON)
    assert with_source(once, BUTTON) == once


def test_a_key_that_changed_is_not_overwritten() -> None:
    other = VillageNode("RT03-12", "button", "0312", BUTTON.place, "", 0xA01, bytes(32))
    with pytest.raises(Wrong, match="another key"):
        with_source(with_source("", BUTTON), other)


@pytest.mark.parametrize("text", ["[[source]\n", 'source = "x"\n', 'source = [{node = "a01"}]\n'])
def test_what_cannot_be_changed_safely_is_left_alone(text: str) -> None:
    with pytest.raises(Wrong, match="safely"):
        with_source(text, BUTTON)
