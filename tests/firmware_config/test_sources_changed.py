"""`sources.toml` changed by a program as a careful hand would: one entry, and nothing else."""

import os
import tomllib
from pathlib import Path

import pytest

from bridge.sources import load_sources
from firmware_config.faults import Refused
from firmware_config.register import Register, for_desk, key_id_of
from firmware_config.register_file import RegisterFile
from firmware_config.toml_text import TomlText

KEY_A, KEY_B, KEY_C = (f"{letter * 42}A=" for letter in "ABC")
HEAD_KEY = "MFRGGZDFMZTWQ2LKMFRGGZDFMY"
TEXT = f"""\
# Daftar desa Suci. Jangan dihapus: diperiksa tiap bulan.

# rumah di tikungan
[[source]]
node = "!00000a01"   # tombol merah
public_key = "{KEY_A}"  # dari kartu
house = "RT03-12"
rt = "03"
lat = -8.25
lon = 113.64
# baterai diganti Mei

# kepala pertama
[[ source ]]
head = 'RT03-13'
head_key = '{HEAD_KEY}'
house = "RT03-13"

[[sensor]]
name = "pintu"
kind = "THEFT"
"""


def register(text: str = TEXT) -> Register:
    return Register(TomlText(text))


def text_of(changed: Register) -> str:
    return changed.toml.text


def refused(error: pytest.ExceptionInfo[Refused]) -> str:
    return error.value.key


def test_a_source_is_added_at_the_end_and_all_else_stays() -> None:
    changed = register().add({"node": "!00000c03", "house": 'RT "5"', "lat": -8.5, "lon": 113.5})
    assert text_of(changed).startswith(TEXT)
    assert changed.sources[-1].fields == {"node": "!00000c03", "house": 'RT "5"', "lat": -8.5, "lon": 113.5}


def test_a_renamed_house_keeps_its_comments() -> None:
    changed = register().rename("!00000A01", {"house": "RT04-01", "lat": -8.3, "landmark": "dekat \\ sumur"})
    lines = text_of(changed).splitlines()
    assert [line for line in TEXT.splitlines() if line not in lines] == ['house = "RT03-12"', "lat = -8.25"]
    assert changed.find("RT04-01").fields["landmark"] == "dekat \\ sumur"


@pytest.mark.parametrize("who", ["RT03-12", "!00000a01", "00000A01", KEY_A, KEY_A.replace("+", "-")])
def test_a_source_is_found_by_whatever_people_know_of_it(who: str) -> None:
    assert register().find(who).name == "!00000a01"


def test_who_is_not_there_is_told_who_is_near() -> None:
    with pytest.raises(Refused) as error:
        register().find("RT03-21")
    assert refused(error) == "unknown_source" and "RT03-12" in str(error.value)


def test_a_revoked_source_goes_and_its_key_never_comes_back() -> None:
    changed = register().revoke("RT03-12", "hilang", "2026-11-26")
    assert [entry.name for entry in changed.sources] == ["RT03-13"]
    assert "rumah di tikungan" not in text_of(changed) and "kepala pertama" in text_of(changed)
    (old,) = changed.revoked
    assert (old.house, old.fields["why"], old.fields["day"]) == ("RT03-12", "hilang", "2026-11-26")
    with pytest.raises(Refused) as error:
        changed.add({"node": "!00000c03", "public_key": KEY_A})
    assert refused(error) == "revoked_key"
    assert changed.add({"node": "!00000a01", "public_key": KEY_B}), "the box may be found again, with a new key"


def test_a_heads_revoked_key_is_remembered_without_the_key() -> None:
    changed = register().revoke("RT03-13", "", "2026-11-26")
    assert HEAD_KEY not in text_of(changed)
    assert changed.revoked[0].head_key_id == key_id_of(HEAD_KEY) != ""
    with pytest.raises(Refused) as error:
        changed.add({"head": "RT03-13", "head_key": HEAD_KEY})
    assert refused(error) == "revoked_key"


def test_a_new_box_takes_the_place_of_the_old_one() -> None:
    changed = register().replace("RT03-12", {"node": "!00000b02", "public_key": KEY_B}, "rusak", "2026-11-26")
    entry = changed.find("RT03-12")
    assert (entry.name, entry.fields["public_key"], entry.fields["rt"]) == ("!00000b02", KEY_B, "03")
    assert [old.name for old in changed.revoked] == ["!00000a01"]
    assert "# tombol merah" in text_of(changed) and "# dari kartu" in text_of(changed)


def test_a_box_without_its_key_yet_does_not_inherit_the_old_ones() -> None:
    assert "public_key" not in register().replace("RT03-12", {"node": "!00000b02"}, "", "").find("RT03-12").fields
    assert "head_key" not in register().replace("RT03-13", {"head": "RT03-14"}, "", "").find("RT03-14").fields


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"node": "!00000b02", "public_key": KEY_A}, "known_key"),
        ({"node": "!00000A01"}, "known_name"),
        ({"head": "RT03-13"}, "known_name"),
        ({"head": "RT9", "head_key": HEAD_KEY}, "known_key"),
    ],
)
def test_nothing_is_entered_twice(fields: dict[str, str], why: str) -> None:
    with pytest.raises(Refused) as error:
        register().add(fields)
    assert refused(error) == why


def test_an_erased_house_leaves_no_word() -> None:
    moved = register().replace("RT03-12", {"node": "!00000b02", "public_key": KEY_B}, "rusak", "2026-11-26")
    changed = moved.rename("!00000b02", {"house": "RT09-99"}).erase("RT09-99")
    for word in ("RT03-12", "RT09-99", "00000a01", "00000b02", KEY_A, KEY_B, "tikungan", "baterai", "113.64"):
        assert word not in text_of(changed)
    assert "kepala pertama" in text_of(changed) and "Jangan dihapus" in text_of(changed)
    assert tomllib.loads(text_of(changed)) == {
        "source": [{"head": "RT03-13", "head_key": HEAD_KEY, "house": "RT03-13"}],
        "sensor": [{"name": "pintu", "kind": "THEFT"}],
    }


def test_the_police_get_places_and_nothing_of_people_or_keys() -> None:
    assert for_desk(register().add({"input": "kentongan", "at": "post", "label": "Pak Budi"}), "pos-1") == [
        {"source": "node:00000a01", "house": "RT03-12", "rt": "03", "lat": -8.25, "lon": 113.64},
        {"source": "head:RT03-13", "house": "RT03-13"},
        {"source": "wired:pos-1/kentongan", "at": "post"},
    ]


@pytest.mark.parametrize(
    "written",
    [
        '[[source]]\nhouse = """\n[[source]]\nnode = "x"\n"""\nnode = "!00000a01"\n',
        'source = [{ node = "!00000a01", house = "RT03-12" }]\n',
        '[[source]]\nnode = "!00000a01"\n"house" = "RT03-12"\n',
        '[[source]]\r\nnode = "!00000a01"\r\nhouse = "RT03-12"\r\n',
        '[[source]]\nnode = "!00000a01"\nhouse = "RT03-12" # [[source]]',
    ],
)
def test_however_it_is_written_the_change_is_right_or_refused(written: str) -> None:
    was = tomllib.loads(written)
    for change in (
        lambda known: known.rename("!00000a01", {"house": "RT1"}),
        lambda known: known.revoke("!00000a01", "", ""),
    ):
        try:
            changed = change(register(written))
        except Refused as error:
            assert error.key == "by_hand"
        else:
            entries = [entry.fields for entry in changed.sources]
            assert entries in ([], [was["source"][0] | {"house": "RT1"}])


def test_what_the_bridge_would_not_read_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "sources.toml"
    path.write_text(TEXT)
    with pytest.raises(Exception, match="lat and lon"), RegisterFile(path, load_sources).changing() as change:
        change.register = change.register.add({"node": "!00000c03", "lat": 1.0})
    assert path.read_text() == TEXT
    assert [file.name for file in tmp_path.iterdir()] == ["sources.toml"]


def test_killed_before_any_step_of_writing_the_file_is_the_old_or_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "sources.toml"
    new = text_of(register().rename("RT03-12", {"house": "RT04-01"}))
    seen = []
    for step in range(1, 30):
        path.write_text(TEXT)
        died = _killed_at(step, path)
        seen.append(path.read_text())
        assert seen[-1] in (TEXT, new)
        if not died:
            break
    assert not died and len(seen) > 5
    assert {TEXT, new} == set(seen)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["sources.toml"], "what the killed ones left is gone"


def _killed_at(step: int, path: Path) -> bool:
    """A process that dies right before its `step`-th call that could change the disk; whether it got so far."""
    child = os.fork()
    if child == 0:
        left = [step]

        def counted(call):  # type: ignore[no-untyped-def]
            def die_or_call(*args, **named):  # type: ignore[no-untyped-def]
                left[0] -= 1
                if left[0] == 0:
                    os._exit(9)
                return call(*args, **named)

            return die_or_call

        for owner, name in (
            (os, "open"),
            (os, "fdopen"),
            (os, "fsync"),
            (os, "fchown"),
            (os, "unlink"),
            (os, "rename"),
        ):
            setattr(owner, name, counted(getattr(owner, name)))
        with RegisterFile(path, load_sources).changing() as change:
            change.register = change.register.rename("RT03-12", {"house": "RT04-01"})
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
