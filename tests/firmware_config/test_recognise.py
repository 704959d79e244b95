"""Which box is this: the village's own, a new one, or one that must never be written to."""

import dataclasses
from pathlib import Path

import pytest

from bridge.domain.said import Wrong
from firmware_config.firmware import is_old
from firmware_config.recognise import pending, recognise
from firmware_config.village import Village
from firmware_config.village_file import load_village
from tests.firmware_config.villages import village_file

KEY, OTHER = b"k" * 32, b"o" * 32
NEW = {"config.lora.region": "UNSET", "owner.long_name": "Meshtastic 0a01"}
USED = {"config.lora.region": "SG_923", "owner.long_name": "Budi"}


@pytest.fixture
def village(tmp_path: Path) -> Village:
    """RT03-12 is done, RT03-13 was begun, the others are still to come."""
    read = load_village(village_file(tmp_path))
    numbers = {"RT03-12": (0xA01, KEY), "RT03-13": (0xA02, b"")}
    nodes = [
        dataclasses.replace(node, number=numbers[node.name][0], public_key=numbers[node.name][1])
        if node.name in numbers
        else node
        for node in read.nodes
    ]
    return dataclasses.replace(read, nodes=tuple(nodes))


@pytest.mark.parametrize(
    ("number", "key", "name"), [(0xA01, KEY, "RT03-12"), (0xA02, OTHER, "RT03-13"), (0xA02, b"", "RT03-13")]
)
def test_a_box_is_known_by_its_number_and_its_key(village: Village, number: int, key: bytes, name: str) -> None:
    known = recognise(village, number, key, USED)
    assert known is not None and known.name == name


def test_only_a_box_without_a_region_is_new(village: Village) -> None:
    assert recognise(village, 0xA09, b"", NEW) is None
    with pytest.raises(Wrong, match=r"!00000a09 \(Budi\) is unknown and not empty"):
        recognise(village, 0xA09, OTHER, USED)
    with pytest.raises(Wrong, match="unknown"):
        recognise(village, 0xA09, OTHER, {})


def test_a_key_that_changed_and_a_key_that_another_has_are_refused(village: Village) -> None:
    with pytest.raises(Wrong, match="is RT03-12, but its key has changed"):
        recognise(village, 0xA01, OTHER, USED)
    with pytest.raises(Wrong, match="is RT03-12, but its key has changed"):
        recognise(village, 0xA01, b"", NEW)  # somebody emptied it: its old key must be revoked first
    for number in (0xA02, 0xA09):
        with pytest.raises(Wrong, match="the same key as RT03-12"):
            recognise(village, number, KEY, NEW)


def test_the_posts_radio_is_the_next_and_then_the_files_order(village: Village) -> None:
    first = pending(village)
    assert first is not None and first.name == "POS-1"
    rest = dataclasses.replace(village, nodes=village.nodes[1:])
    second = pending(rest)
    assert second is not None and second.name == "TIANG-1"
    assert pending(dataclasses.replace(village, nodes=village.nodes[1:3])) is None


@pytest.mark.parametrize(
    ("firmware", "old"),
    [
        ("2.7.15.567b8ea", False),
        ("2.7.26.54e0d8d", False),
        ("2.10.0", False),
        ("3.0.0", False),
        ("2.7.14.e959000", True),
        ("2.6.11.60ec05e", True),
        ("", True),
        ("unknown", True),
    ],
)
def test_firmware_before_2_7_15_is_old(firmware: str, old: bool) -> None:
    assert is_old(firmware) is old
