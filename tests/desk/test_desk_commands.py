"""What technicians and officers type at the desk: one clear line for every fault, and nothing damaged by it."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from desk.config import load
from desk.filing import Filing
from desk.reading import Alarms, read
from desk.store import Store
from mqtt.signature import Keyring
from tests.cli.kentongan import run
from tests.desk.live import LiveDesk
from tests.desk.post import Post, press_id, signer

POST = Post()


def test_a_desk_is_made_and_a_post_registered_as_people_do_it(tmp_path: Path) -> None:
    folder = tmp_path / "meja polisi"
    made = json.loads(run("desk", "init", folder, "--mqtt", "mqtt://127.0.0.1:1", "--json").stdout)
    assert (made["config"], LiveDesk(folder).public_text) == (str(folder / "desk.toml"), made["public_key"])
    words = ("desk", "post", "add", POST.village, POST.name, POST.signer.public_text, "--config")
    assert run(*words, folder).stdout == "35.09.14.2005/pos-1 terdaftar.\n"
    listed = run("desk", "post", "list", "--lang", "en", KENTONGAN_DESK=str(folder / "desk.toml"))
    assert listed.stdout == "35.09.14.2005/pos-1  never heard\n"
    assert run("desk", "list", KENTONGAN_DESK=str(folder)).stdout == "Tidak ada panggilan terbuka.\n"


@pytest.fixture
def desk(tmp_path: Path) -> LiveDesk:
    """A desk that does not run, with two alarms in its database."""
    desk = LiveDesk.create(tmp_path / "desk", "mqtt://127.0.0.1:1")
    desk.know(POST)
    with desk.store() as store:
        file(store, POST.report(1), POST.report(2, kind="THEFT", place=None, remarks=["drill"]))
    return desk


def file(store: Store, *reports: str) -> None:
    message = read(*POST.alarms(*reports), {str(POST.id): Keyring.of([POST.signer.public_text])})
    assert isinstance(message, Alarms)
    with store.changing() as change:
        Filing(change).file([message])


def test_list_and_show_say_what_is_known_and_what_is_not(desk: LiveDesk) -> None:
    theft, fire = desk.type("list").splitlines()
    assert "KEBAKARAN  RT03-12, RT 03/RW 02  belum dibaca" in fire
    assert "MALING  tempat tidak diketahui  belum dibaca  LATIHAN" in theft
    assert "FIRE" in desk.type("list", "--lang", "en") and "DRILL  " in desk.type("list", "--lang", "en")
    page = desk.type("show", press_id(1), "--lang", "en")
    assert "kebakaran!" in page and "revision 1" in page and "node:00000001" in page
    whole = json.loads(desk.type("show", "#1", "--json"))
    assert (whole["case"], whole["ids"], whole["reports"][0]["post"]) == (1, [press_id(1)], str(POST.id))
    assert [row["case"] for row in desk.cases()] == [2, 1]


def test_words_are_printed_without_their_control_characters(desk: LiveDesk) -> None:
    with desk.store() as store:
        file(store, POST.report(3, words=["\x1b[2Jhilang\x07"], place={"house": "RT\x1b[31m"}))
    assert "\x1b" not in desk.type("show", "3") + desk.type("list")


def test_an_officers_words_wait_for_a_post_that_is_away(desk: LiveDesk) -> None:
    said = desk.type("take", press_id(1), "--by", "Aiptu Budi")
    assert "#1 dibaca. Dikirim ke 35.09.14.2005/pos-1." in said
    assert "35.09.14.2005/pos-1 sedang tidak tersambung" in said
    done = json.loads(desk.type("dispatch", "1", "--json"))
    assert (done["stage"], done["posts"], done["away"]) == ("DISPATCHED", [str(POST.id)], [str(POST.id)])
    assert "menunggu jawaban pos" in desk.type("list")
    assert "oleh Polsek Ajung" in desk.type("show", "1")


FAULTS = [
    (("take", "node:00000001/00000009"), 1, ["tidak ada panggilan", press_id(1)]),
    (("take", "77"), 1, ["tidak ada panggilan 77", "desk list"]),
    (("show", "77", "--lang", "en"), 1, ["there is no call 77"]),
    (("post", "add", "35.09.14.2005", "pos-1", signer(5).public_text), 1, ["sudah punya kunci", "--replace"]),
    (("post", "add", "35.09.14.2005", "pos-1", "abc"), 2, ["KEY"]),
    (("post", "add", "35.09.14", "pos-1", signer(5).public_text), 2, ["PP.KK.CC.DDDD"]),
    (("order", "drill", "35.09.14.2005", "pos-9"), 1, ["pos-9", "post list"]),
    (("order", "message", "1", "a\nb"), 2, ["1–200"]),
    (("list", "--lang", "jv"), 2, ["id | en"]),
]


@pytest.mark.parametrize(("words", "code", "said"), FAULTS, ids=[" ".join(words[:2]) for words, _, _ in FAULTS])
def test_a_fault_is_one_line_and_changes_nothing(
    desk: LiveDesk, words: tuple[str, ...], code: int, said: list[str]
) -> None:
    with desk.store() as store:
        before = store.last()
    told = desk.type(*words, exit_code=code)
    assert all(" ".join(told.split()).count(part) for part in said), told
    assert code == 2 or told.count("\n") == 1
    with desk.store() as store:
        assert store.last() == before


def test_a_take_after_a_close_is_refused_in_one_line(desk: LiveDesk) -> None:
    desk.type("close", "1", "--by", "Bripka Siti")
    assert (
        desk.type("take", "1", exit_code=1)
        == "kentongan: #1 sudah ditutup (oleh Bripka Siti); tidak ada yang diubah.\n"
    )
    assert desk.type("list").count("#") == 1 and desk.type("list", "--all").count("#") == 2


def test_a_key_is_replaced_only_when_asked_and_a_revoked_one_never_comes_back(desk: LiveDesk) -> None:
    new, old = signer(5).public_text, POST.signer.public_text
    assert "sudah terdaftar dengan kunci ini" in desk.type("post", "add", POST.village, POST.name, old)
    desk.type("post", "add", POST.village, POST.name, new, "--replace")
    with desk.store() as store:
        assert store.keyrings()[str(POST.id)].open(*sealed(5)).body == "{}"
    said = desk.type("post", "add", POST.village, POST.name, old, "--replace", exit_code=1)
    assert "kunci ini sudah dicabut; buat yang baru" in said


def sealed(seed: int) -> tuple[str, bytes]:
    return "t", signer(seed).seal("t", "{}").encode()


@pytest.mark.parametrize(
    "key", ["-jiMiOb52LOTBIvXkopQyGzPKRFlHNIcIBSwqpBb9t0", "--iMiOb52LOTBIvXkopQyGzPKRFlHNIcIBSwqpBb9t0"]
)
def test_a_key_may_begin_with_a_dash(desk: LiveDesk, key: str) -> None:
    desk.type("post", "add", "35.09.14.2005", "pos-4", key)
    assert "35.09.14.2005/pos-4  belum pernah terdengar" in desk.type("post", "list")


def test_a_desk_is_not_made_twice(desk: LiveDesk) -> None:
    before = {path: path.read_bytes() for path in desk.folder.iterdir()}
    done = run("desk", "init", str(desk.folder), "--mqtt", "mqtt://127.0.0.1:1")
    assert done.returncode == 1 and "sudah ada" in done.stderr
    assert {path: path.read_bytes() for path in desk.folder.iterdir()} == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--mqtt", "127.0.0.1"), "bukan broker"),
        (("--mqtt", "127.0.0.1", "--lang", "en"), "not a broker"),
        (("--mqtt", "mqtt://h", "--db", "nonsense"), "sqlite:///desk.sqlite3"),
        (("--mqtt", "mqtt://h", "--db", "nosuch://host/db"), "nosuch"),
        (("--mqtt", "mqtt://h", "--db", "sqlite:////nowhere/at/all.db"), "Check the path"),
        (("--mqtt", "mqtt://h", "--name", ""), "desk.name"),
    ],
)
def test_a_desk_that_cannot_be_made_leaves_no_key_behind(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    done = run("desk", "init", str(tmp_path / "desk"), *words)
    assert done.returncode == 1 and said in done.stderr and done.stderr.count("\n") == 1
    assert not (tmp_path / "desk" / "desk.key").exists()
    assert run("desk", "init", str(tmp_path / "desk"), "--mqtt", "mqtt://h").returncode == 0


MISSPELLED = '[desk]\nid = "d"\nnane = "x"\n[mqtt]\nurl = "mqtt://h"\nusernam = "u"\n[broker]\n'
BROKEN: dict[str, tuple[Any, list[str]]] = {
    "every mistake at once": (
        MISSPELLED,
        ["maksudnya name", "maksudnya username", "broker tidak dikenal", "desk.name: belum diisi"],
    ),
    "no TOML": ("[desk\n", ["desk.toml"]),
    "no text": (b"\xff\xfe", ["desk.toml"]),
}


@pytest.mark.parametrize(("text", "said"), BROKEN.values(), ids=BROKEN)
def test_settings_that_are_wrong(desk: LiveDesk, text: Any, said: list[str]) -> None:
    (desk.folder / "desk.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    told = desk.type("run", exit_code=1)
    assert all(part in told for part in said), told
    assert told.count("\n") == 1


def test_settings_that_are_wrong_are_told_in_english_too(desk: LiveDesk) -> None:
    (desk.folder / "desk.toml").write_text(MISSPELLED)
    told = desk.type("run", "--lang", "en", exit_code=1)
    for part in ("did you mean name", "did you mean username", "broker is unknown", "desk.name: Field required"):
        assert part in told
    assert told.count("\n") == 1


def test_what_is_missing_is_named(desk: LiveDesk, tmp_path: Path) -> None:
    assert "kentongan desk init" in run("desk", "list", "--config", str(tmp_path / "no.toml")).stderr
    key = desk.folder / "desk.key"
    key.write_text("no key")
    assert "kunci meja" in desk.type("run", exit_code=1)
    assert "the desk's key" in desk.type("run", "--lang", "en", exit_code=1)
    key.unlink()
    assert "kunci meja" in desk.type("run", exit_code=1)


def test_a_database_of_a_newer_program_is_refused_untouched(desk: LiveDesk) -> None:
    with desk.store() as store, store.changing() as change:
        change.connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        change.touch()
    assert "upgrade kentongan" in desk.type("run", exit_code=1)
    assert "upgrade kentongan" in desk.type("list", exit_code=1)


def test_a_damaged_database_is_one_clear_line(desk: LiveDesk) -> None:
    for path in desk.folder.glob("desk.sqlite3*"):
        path.write_bytes(b"rubbish" * 1000)
    assert "not a database" in desk.type("list", exit_code=1)


def test_a_busy_database_is_waited_for_and_then_named(desk: LiveDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desk.store.BUSY_S", 0.3)
    busy = sqlite3.connect(desk.folder / "desk.sqlite3")
    busy.execute("BEGIN IMMEDIATE")
    assert "locked" in desk.type("take", "1", exit_code=1)
    busy.rollback()
    busy.close()
    desk.type("take", "1")


def test_a_relative_database_counts_from_the_settings(desk: LiveDesk) -> None:
    assert load(desk.folder).database_url == f"sqlite:///{desk.folder}/desk.sqlite3"
