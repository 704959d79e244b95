"""A technician knows his village's name and not its code."""

import json

import pytest

from cli.village_codes import Village, find, nearest, villages
from tests.cli.kentongan import run

KNOWN = list(villages())
SUCI = "35.09.14.2005"


def codes(found: list[Village]) -> list[str]:
    return [village.code for village in found]


def test_the_whole_country_is_there_once() -> None:
    assert len(KNOWN) == len({village.code for village in KNOWN}) == 83_763
    assert all(len(village.code) == 13 and all(village.names) for village in KNOWN)
    assert len({village.names[3] for village in KNOWN}) == 38


@pytest.mark.parametrize(
    "said", ["Suci Panti Jember", "suci panti", "desa SUCI, kec. Panti, kab. Jember", "Suci Jember", SUCI]
)
def test_a_village_is_found_by_its_name_and_where_it_is(said: str) -> None:
    assert codes(find(said, KNOWN)) == [SUCI]


def test_a_name_that_several_villages_have_shows_them_all() -> None:
    found = find("Suci", KNOWN)
    assert SUCI in codes(found)
    assert len(found) > 1
    assert {village.names[0] for village in found} == {"Suci"}


def test_a_name_may_be_one_word_or_several_or_begun() -> None:
    lor = codes(find("Kemuning Sari Lor Panti", KNOWN))
    assert lor == codes(find("kemuningsari lor panti", KNOWN)) == codes(find("kemuning panti", KNOWN))
    assert lor == ["35.09.14.2002"]


def test_a_part_of_a_code_shows_the_district() -> None:
    assert len(find("35.09.14", KNOWN)) == 7


@pytest.mark.parametrize("said", ["Suchi Panti Jember", "Suci Pantai Jembr"])
def test_a_misspelled_name_is_not_found_but_the_nearest_is_told(said: str) -> None:
    assert find(said, KNOWN) == []
    assert nearest(said, KNOWN)[0].code == SUCI


def test_the_command_ends_well_only_when_it_found_one() -> None:
    told = run("village", "find", "Suci", "Panti", "Jember")
    assert (told.returncode, told.stdout) == (0, f"{SUCI}  Suci, Panti, Kab. Jember, Jawa Timur\n")
    near = run("village", "find", "Suchi Panti Jember", "--lang", "en")
    assert (near.returncode, near.stdout) == (1, "")
    assert SUCI in near.stderr
    assert "there is no village" in near.stderr
    none = run("village", "find", "xqzxqz", "--json")
    assert (none.returncode, json.loads(none.stdout)) == (1, {"found": [], "nearest": []})
    many = run("village", "find", "Sukamaju")
    assert many.stdout.count("\n") == 21
