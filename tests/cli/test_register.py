"""`kentongan register` as a technician types it: places in the open, people sealed, and both erased on their word."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bridge.sources import load_sources
from cli.app import app
from firmware_config.people import VAULT
from firmware_config.whole_file import same_disk
from tests.cli.kentongan import run

NODE, KEY = "!00000a01", "A" * 42 + "A="
KEY_B = "B" * 42 + "A="
NAME, PHONE = "Siti Rohmah", "0812 3456 7890"


class Desk:
    """A folder with a register, and a stick with its key; the tests' disk is one."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.sources, self.key = folder / "post", folder / "post/sources.toml", folder / "stick.key"
        self.folder.mkdir()

    def type(self, *words: str, code: int = 0, said: str = "") -> str:
        done = CliRunner().invoke(app, ["register", *words, "--sources", str(self.sources)], input=said or None)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        assert done.exit_code == code, done.output
        said_why = [line for line in done.stderr.splitlines() if line.startswith("kentongan: ")]
        assert len(said_why) == bool(code), "one line says it"
        return done.stderr if code else done.stdout

    def people(self, verb: str, *words: str, code: int = 0, said: str = "") -> str:
        return self.type(*verb.split(), *words, "--key", str(self.key), "--same-disk", code=code, said=said)

    def bytes(self) -> bytes:
        """Everything that a thief of the card could read."""
        return b"".join(path.read_bytes() for path in self.folder.rglob("*") if path.is_file())


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.type("add", "--node", NODE, "--public-key", KEY, "--house", "RT03-12", "--landmark", "depan musala")
    desk.type("people", "key", str(desk.key), "--same-disk")
    desk.people("people set", "RT03-12", said=f"{NAME}; {PHONE}\nBudi\n")
    return desk


def test_a_house_is_registered_as_the_bridge_reads_it(desk: Desk) -> None:
    source = load_sources(desk.sources).find("node:00000a01")
    assert source is not None and source.public_key.hex() != ""
    assert str(source.place) == "RT03-12, depan musala"
    assert "RT03-12" in desk.type("list") and json.loads(desk.type("show", "RT03-12", "--json"))["node"] == NODE


def test_who_lives_there_is_read_with_the_key_and_with_nothing_else(desk: Desk, tmp_path: Path) -> None:
    assert desk.people("people show", NODE) == f"{NAME}  {PHONE}\nBudi\n"
    other = tmp_path / "other.key"
    desk.type("people", "key", str(other), "--same-disk")
    wrong = desk.type("people", "show", "RT03-12", "--key", str(other), "--same-disk", code=1)
    assert wrong == f"kentongan: ini bukan kunci untuk {desk.folder / VAULT}\n"
    other.write_text(other.read_text().replace("-", "", 1)[:-2])
    assert "salah tulis" in desk.type("people", "show", "RT03-12", "--key", str(other), "--same-disk", code=1)


def test_a_stolen_card_names_nobody(desk: Desk) -> None:
    for word in (NAME, "Siti", "Rohmah", PHONE, "3456", "Budi", desk.key.read_text().strip()):
        assert word.encode() not in desk.bytes()
    assert (desk.folder / VAULT).stat().st_mode & 0o777 == 0o600


def test_a_key_beside_the_vault_is_refused_in_one_sentence(desk: Desk) -> None:
    refused = desk.type("people", "show", "RT03-12", "--key", str(desk.key), code=1)
    assert "disk yang sama" in refused and "--same-disk" in refused
    assert "disk yang sama" in desk.type("people", "key", str(desk.key.with_name("new.key")), code=1)
    assert not same_disk(desk.folder, Path("/proc")) and same_disk(desk.folder, desk.folder / "not/there/yet")


def test_names_never_stand_on_the_command_line_and_a_key_must_be_said(desk: Desk) -> None:
    assert "--key" in desk.type("people", "show", "RT03-12", code=1)
    assert "stik USB" in desk.type("people", "show", "RT03-12", "--key", "/not/there", "--same-disk", code=1)
    assert "Nama; telepon" in desk.people("people set", "RT03-12", said="; 0812\n", code=1)
    assert "hanya angka" in desk.people("people set", "RT03-12", said="Budi; rumah\n", code=1)
    assert NAME in desk.people("people show", "RT03-12")


def test_people_move_with_their_house_and_stay_when_a_box_is_replaced(desk: Desk) -> None:
    desk.type("replace", "RT03-12", "--node", "!00000b02", "--public-key", KEY_B, "--why", "rusak", "--yes")
    assert NAME in desk.people("people show", "!00000b02")
    desk.people("rename", "RT03-12", "--house", "RT04-01")
    assert NAME in desk.people("people show", "RT04-01")
    assert "dicabut: RT04-01 !00000a01" in desk.type("list")
    before = desk.sources.read_text()
    assert "--key" in desk.type("rename", "RT04-01", "--house", "RT05-01", code=1)
    assert desk.sources.read_text() == before, "without the key nothing moves, not even half"


def test_one_house_gets_all_that_is_held_about_it(desk: Desk) -> None:
    told = json.loads(desk.people("export", "RT03-12"))
    assert told["people"] == [{"name": NAME, "phone": PHONE}, {"name": "Budi", "phone": ""}]
    assert [source["landmark"] for source in told["sources"]] == ["depan musala"]
    assert (told["revoked"], told["alarms"]) == ([], [])


def test_the_police_get_places_without_names_and_without_the_key(desk: Desk) -> None:
    told = desk.type("export", "--for-desk")
    assert json.loads(told)["places"] == [{"source": "node:00000a01", "house": "RT03-12", "landmark": "depan musala"}]
    assert NAME not in told and KEY not in told


def test_an_erased_house_is_in_no_file_any_more(desk: Desk) -> None:
    desk.type("add", "--head", "RT03-13", "--house", "RT03-13")
    desk.type("note", NODE, "--firmware", "2.7.26")
    desk.type("replace", "RT03-12", "--node", "!00000b02", "--public-key", KEY_B, "--yes")
    assert "--yes" in desk.people("erase", "RT03-12", code=1)
    desk.people("erase", "RT03-12", "--yes")
    for word in ("RT03-12", "musala", "00000a01", "00000b02", KEY, KEY_B):
        assert word.encode() not in desk.bytes(), word
    assert not (desk.folder / VAULT).exists(), "nobody is left in it"
    assert "RT03-13" in desk.type("list")
    assert "RT03-12" in desk.type("show", "RT03-12", code=1)


def test_names_alone_can_be_erased(desk: Desk) -> None:
    desk.type("add", "--head", "RT03-13", "--house", "RT03-13")
    desk.people("people set", "RT03-13", said="Wati; 0813\n")
    desk.people("people erase", "RT03-12", "--yes")
    assert "tidak ada nama" in desk.people("people show", "RT03-12")
    assert desk.people("people show", "RT03-13") == "Wati  0813\n"
    assert "RT03-12" in desk.type("list")


def test_nothing_is_destroyed_without_a_yes(desk: Desk) -> None:
    before = desk.bytes()
    for words in (("revoke", "RT03-12"), ("replace", "RT03-12", "--node", "!00000b02")):
        done = CliRunner().invoke(app, ["register", *words, "--sources", str(desk.sources)])
        assert done.exit_code == 1 and "--yes" in done.stderr
    assert desk.bytes() == before


def test_what_is_suspicious_is_a_fault_and_names_the_house(desk: Desk) -> None:
    assert "Tidak ada" in desk.type("check")
    desk.type("note", NODE, "--firmware", "2.7.11.abcdef", "--public-key", KEY_B)
    done = CliRunner().invoke(app, ["register", "check", "--sources", str(desk.sources), "--lang", "en"])
    assert done.exit_code == 1
    assert "RT03-12 (!00000a01) now has another key" in done.stdout and "at least 2.7.15" in done.stdout


def test_wrong_use_is_told_apart_from_a_fault(desk: Desk) -> None:
    desk.type("add", "--node", NODE, "--head", "RT1", code=2)
    desk.type("replace", "RT03-12", code=2)
    desk.type("rename", "RT03-12", code=2)
    assert "sudah terdaftar" in desk.type("add", "--node", NODE, code=1)
    assert "is no node number" in desk.type("add", "--node", "!x", "--lang", "en", code=1)


def test_the_program_itself_says_it_in_one_line(tmp_path: Path) -> None:
    sources = tmp_path / "sources.toml"
    sources.touch()
    done = run("register", "show", "RT03-12", "--sources", sources, "--lang", "en")
    said = "RT03-12 is not in the register. Nearest: -. All of them: kentongan register list"
    assert (done.returncode, done.stderr) == (1, f"kentongan: {said}\n")


def test_a_mistyped_register_is_no_empty_one(tmp_path: Path) -> None:
    mistyped = tmp_path / "source.toml"
    for words in (["list"], ["check"], ["revoke", "RT03-12", "--yes"]):
        done = CliRunner().invoke(app, ["register", *words, "--sources", str(mistyped), "--lang", "en"])
        assert (done.exit_code, done.stdout) == (1, "")
        assert f"there is no {mistyped}; go to the post's folder, or name the file with --sources" in done.stderr
    assert not any(tmp_path.iterdir())
