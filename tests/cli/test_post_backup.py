"""`kentongan post`: one sealed file holds the whole post, and makes it again on an empty folder."""

import json
import os
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bridge.config import load_config
from bridge.store import Journal, JournalReader
from cli.app import app
from firmware_config.backup import kept_in, unpack
from firmware_config.locks import PaperLock
from firmware_config.paper_key import PaperKey
from mqtt.signature import Signer
from tests.cli.kentongan import setup_words
from tests.store.village import BITS, NOW, alarm, saved

HEAD_KEY = "MFRGGZDFMZTWQ2LKMFRGGZDFMY"
PRESS = alarm(1).id


class Card:
    """A post's folder, its stick and the paper in the safe; the tests' disk is one."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.stick, self.paper = folder / "post", folder / "stick", folder / "paper"
        self.stick.mkdir()
        self.type(*setup_words(self.folder))
        self.post("backup-key")

    def type(self, *words: str, code: int = 0) -> str:
        done = CliRunner().invoke(app, words)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        assert done.exit_code == code, done.output
        assert code == 0 or len([line for line in done.stderr.splitlines() if line]) == 1, done.stderr
        return done.stderr if code else done.stdout

    def post(self, verb: str, *words: str, code: int = 0) -> str:
        said = self.type("post", verb, *words, "--config", str(self.folder / "post.toml"), code=code)
        if verb == "backup-key" and not code:
            self.paper.write_text(next(line for line in said.splitlines() if len(line.strip()) == 39))
        return said

    def back_up(self, *words: str) -> Path:
        return Path(json.loads(self.post("backup", "--to", str(self.stick), "--same-disk", "--json", *words))["file"])

    def restore(self, backup: Path, folder: Path, code: int = 0) -> str:
        return self.type("post", "restore", str(backup), str(folder), "--key", str(self.paper), code=code)


@pytest.fixture
def card(tmp_path: Path) -> Card:
    return Card(tmp_path)


def struck(card: Card) -> None:
    with closing(Journal.open(card.folder / "journal.db", run_bits=BITS, moment=NOW)) as journal:
        journal.write([saved(alarm(1))])


def test_an_empty_folder_becomes_the_post_with_everything_it_had(card: Card, tmp_path: Path) -> None:
    struck(card)
    (card.folder / "sources.toml").write_text(f'[[source]]\nhead = "RT03-12"\nhead_key = "{HEAD_KEY}"\n')
    (card.folder / "village.yaml").write_text("village: 35.09.14.2005\n")
    (card.folder / "keys/channel.key").write_text("channel")
    (card.folder / "people.vault").write_bytes(b"sealed")
    key = (card.folder / "keys/post.pem").read_bytes()
    backup = card.back_up()
    new = tmp_path / "new"
    said = card.restore(backup, new)
    assert "35.09.14.2005/pos-1" in said and "1 alarm" in said and "siren test" in said
    for name in ("post.toml", "sources.toml", "village.yaml", "people.vault", "keys/channel.key", "keys/backup.pub"):
        assert (new / name).read_bytes() == (card.folder / name).read_bytes(), name
        assert (new / name).stat().st_mode == (card.folder / name).stat().st_mode, name
    assert (new / "keys/post.pem").read_bytes() == key
    assert Signer.load(new / "keys/post.pem").public_text == Signer.load(card.folder / "keys/post.pem").public_text
    assert [row["id"] for row in JournalReader(new / "journal.db").alarms(9)] == [PRESS]
    assert load_config(new / "post.toml").journal.path == new / "journal.db"
    assert not list(new.glob("**/*.lock")) and not list(tmp_path.glob(".*"))


def test_a_stolen_stick_tells_no_name_no_house_and_no_key(card: Card) -> None:
    struck(card)
    (card.folder / "sources.toml").write_text(f'[[source]]\nhead = "RT03-12"\nhead_key = "{HEAD_KEY}"\n')
    raw = card.back_up().read_bytes()
    pem = (card.folder / "keys/post.pem").read_text().splitlines()[1]
    for word in (pem, HEAD_KEY, "RT03", "PRIVATE", PRESS, "sources.toml", card.paper.read_text().strip()):
        assert word.encode() not in raw, word
    assert card.paper.read_text().strip() not in "".join(
        path.read_text(errors="replace") for path in card.folder.rglob("*") if path.is_file()
    ), "the post itself cannot open what it closed"


def test_the_wrong_paper_or_a_damaged_stick_is_one_line_and_leaves_nothing(card: Card, tmp_path: Path) -> None:
    backup, new = card.back_up(), tmp_path / "new"
    right = card.paper.read_text()
    card.paper.write_text(PaperKey.new().text)
    assert "bukan kunci" in card.restore(backup, new, code=1)
    card.paper.write_text("ABCD")
    assert "salah tulis" in card.restore(backup, new, code=1)
    card.paper.write_text(right)
    whole = backup.read_bytes()
    for broken in (whole[:-1], whole[: len(whole) // 2], whole[:-40] + bytes(40)):
        backup.write_bytes(broken)
        assert "rusak" in card.restore(backup, new, code=1)
    assert "terkunci" in card.restore(card.folder / "post.toml", new, code=1)
    assert not new.exists()


def test_a_folder_that_is_not_empty_is_left_as_it_is(card: Card) -> None:
    before = sorted(card.folder.rglob("*"))
    assert "sudah ada isinya" in card.restore(card.back_up(), card.folder, code=1)
    assert sorted(card.folder.rglob("*")) == before


def test_a_backup_on_the_posts_own_disk_or_without_a_key_is_refused(card: Card) -> None:
    assert "mati bersamanya" in card.post("backup", "--to", str(card.stick), code=1)
    assert "pasang stik USB" in card.post("backup", "--to", str(card.stick / "not"), code=1)
    (card.folder / "keys/backup.pub").unlink()
    assert "post backup-key" in card.post("backup", "--to", str(card.stick), "--same-disk", code=1)
    assert list(card.stick.iterdir()) == []


def test_a_second_key_is_made_only_when_told_so(card: Card, tmp_path: Path) -> None:
    old, first = card.back_up(), card.paper.read_text()
    assert "--replace" in card.post("backup-key", code=1)
    sheet = tmp_path / "key.svg"
    card.post("backup-key", "--replace", "--svg", str(sheet))
    assert card.paper.read_text() != first
    assert card.paper.read_text().strip()[:19] in sheet.read_text() and sheet.stat().st_mode & 0o777 == 0o600
    assert "bukan kunci" in card.restore(old, tmp_path / "new", code=1)
    assert card.restore(card.back_up(), tmp_path / "new")


def test_so_many_are_kept_whatever_the_clock_says(card: Card) -> None:
    names = [card.back_up("--keep", "3").name for _ in range(5)]
    os.utime(card.stick / names[-1], (0, 0))  # a post without a clock
    (card.stick / "kentongan-x-000900.backup").write_bytes(b"not ours")
    (card.stick / "holiday.jpg").write_bytes(b"jpg")
    assert [backup.path.name for backup in kept_in(card.stick)] == names[2:]
    newest = card.back_up("--keep", "1")
    assert [backup.path for backup in kept_in(card.stick)] == [newest]
    assert {path.name for path in card.stick.iterdir()} == {newest.name, "kentongan-x-000900.backup", "holiday.jpg"}


def test_what_was_erased_leaves_the_stick_with_the_next_backup(card: Card) -> None:
    sources = ("--sources", str(card.folder / "sources.toml"))
    for house in ("RT07-07", "RT07-08"):
        card.type("register", "add", "--head", house, "--house", house, *sources)
    old = [card.back_up() for _ in range(3)]
    card.type("register", "erase", "RT07-07", "--yes", *sources)
    assert all(path.exists() for path in old)
    new = card.back_up()
    assert list(card.stick.iterdir()) == [new]
    _, _, pieces = unpack(new, PaperLock(PaperKey.read(card.paper.read_text())))
    assert b"RT07-07" not in b"".join(piece.content for piece in pieces)
    assert card.back_up() != new and new.exists(), "later ones know of it already"


def test_a_damaged_journal_is_said_and_no_older_backup_goes(card: Card, tmp_path: Path) -> None:
    struck(card)
    old = card.back_up()
    (card.folder / "journal.db").write_bytes(b"\0" * 9000)
    assert "jurnal tidak ikut" in card.post("backup", "--to", str(card.stick), "--same-disk", "--keep", "1", code=1)
    assert old.exists() and len(kept_in(card.stick)) == 2
    card.restore(old, tmp_path / "new")


def test_what_lies_outside_the_folder_comes_back_to_its_place_or_nothing_does(card: Card, tmp_path: Path) -> None:
    ca, journal = tmp_path / "etc/ca.pem", tmp_path / "var/journal.db"
    ca.parent.mkdir()
    ca.write_text("CA")
    toml = card.folder / "post.toml"
    text = (
        toml.read_text()
        .replace("mqtt://127.0.0.1:1883", "mqtts://127.0.0.1:8883")
        .replace('"journal.db"', f'"{journal}"')
    )
    toml.write_text(text.replace('# ca = "keys/ca.pem"', f'ca = "{ca}"'))
    with closing(Journal.open(journal, run_bits=BITS, moment=NOW)) as open_journal:
        open_journal.write([saved(alarm(1))])
    backup = card.back_up()
    ca.write_text("another CA")
    assert "di luar folder" in card.restore(backup, tmp_path / "new", code=1)
    for path in (ca, *journal.parent.iterdir()):
        path.unlink()
    card.restore(backup, tmp_path / "new")
    assert ca.read_text() == "CA"
    assert [row["id"] for row in JournalReader(journal).alarms(9)] == [PRESS]
