"""What is wrong with nodes and keys is told by the house's name."""

from pathlib import Path

from firmware_config.register import Register
from firmware_config.seen import Flag, Seen, flags, forget_seen, note_seen, read_seen
from firmware_config.toml_text import TomlText

KEY_A, KEY_B, KEY_C = (f"{letter * 42}A=" for letter in "ABC")


def register() -> Register:
    known = Register(TomlText(""))
    for node, house, key in (("!00000a01", "RT03-12", KEY_A), ("!00000b02", "RT05-07", KEY_B)):
        known = known.add({"node": node, "house": house, "public_key": key})
    return known


def found(*seen: Seen, known: Register | None = None) -> list[Flag]:
    return flags(known or register(), {node.node.removeprefix("!"): node for node in seen})


def test_nodes_as_they_were_registered_are_no_news() -> None:
    assert found(Seen("!00000a01", KEY_A, "2.7.15"), Seen("!00000b02", KEY_B, "2.10.0.abcdef")) == []


def test_two_nodes_with_one_key_are_both_named() -> None:
    stranger = found(Seen("!00000c03", KEY_A))
    assert stranger == [
        Flag("common_key", "RT03-12", "!00000a01", "!00000c03"),
        Flag("common_key", "!00000c03", "!00000c03", "RT03-12"),
    ]
    neighbour = found(Seen("!00000b02", KEY_A))
    assert Flag("common_key", "RT05-07", "!00000b02", "RT03-12") in neighbour
    assert Flag("changed_key", "RT05-07", "!00000b02") in neighbour


def test_a_key_written_twice_by_hand_is_found_without_asking_any_node() -> None:
    twice = Register(TomlText(register().toml.text.replace(KEY_B, KEY_A)))
    assert {(flag.what, flag.house) for flag in found(known=twice)} == {
        ("common_key", "RT03-12"),
        ("common_key", "RT05-07"),
    }


def test_a_key_that_changed_and_one_that_was_revoked_are_told_apart() -> None:
    assert found(Seen("!00000a01", KEY_C)) == [Flag("changed_key", "RT03-12", "!00000a01")]
    replaced = register().replace("RT03-12", {"public_key": KEY_C}, "CVE", "")
    assert {flag.what for flag in found(Seen("!00000a01", KEY_A), known=replaced)} == {"changed_key", "revoked_key"}


def test_old_firmware_is_told_and_what_cannot_be_read_counts_as_old() -> None:
    for version, is_old in (("2.7.14.e959000", True), ("2.7.15", False), ("2.8.0", False), ("beta", True), ("", False)):
        assert bool(found(Seen("!00000a01", KEY_A, version))) is is_old, version


def test_what_nodes_said_is_kept_beside_the_register_and_goes_with_the_house(tmp_path: Path) -> None:
    sources = tmp_path / "sources.toml"
    note_seen(sources, Seen("!00000a01", KEY_A), Seen("!00000B02", KEY_B, "2.7.15"))
    note_seen(sources, Seen("!00000a01", firmware="2.7.26"))
    assert read_seen(sources)["00000a01"] == Seen("!00000a01", KEY_A, "2.7.26")
    forget_seen(sources, register().of_house("RT03-12"))
    assert set(read_seen(sources)) == {"00000b02"}
