"""`kentongan setup`: no questions, everything or nothing, and never over what is there."""

import fcntl
import json
import os
import stat
from pathlib import Path

import pytest

from bridge.config import load_config
from bridge.sources import load_sources
from mqtt.signature import Keyring, Signer
from tests.cli.kentongan import run, setup_words

DESK_KEY = "Jcx7jni-scIGmURK6QYpzAPiegMxD0w1HBAXjG3abd0"

DIE_AT_SYNC = """
import os, signal
left = [{n}]
def sync(handle, real=os.fsync):
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    real(handle)
os.fsync = sync
"""


def test_a_post_is_made_and_can_be_read(tmp_path: Path) -> None:
    siren = '/opt/siren "loud" {kind} C:\\x'
    made = run(*setup_words(tmp_path / "pos"), "--desk-key", DESK_KEY, "--siren-command", siren, "--language", "en")
    assert (made.returncode, made.stderr) == (0, "")
    config = load_config(tmp_path / "pos" / "post.toml")
    assert str(config.post_id) == "35.09.14.2005/pos-1"
    assert (config.radio.url, config.post.language) == ("tcp://127.0.0.1:4403", "en")
    assert [uplink.url for uplink in config.uplink] == ["mqtt://127.0.0.1:1883"]
    assert (config.desk.keys, config.siren.command) == ((DESK_KEY,), siren)
    assert len(load_sources(config.sources)) == 0


def test_the_key_is_the_owners_alone_and_its_public_half_is_told(tmp_path: Path) -> None:
    made = run(*setup_words(tmp_path / "pos"), "--json")
    told = json.loads(made.stdout)
    key = tmp_path / "pos" / "keys" / "post.pem"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700
    assert told == {
        "folder": str(tmp_path / "pos"),
        "post": "35.09.14.2005/pos-1",
        "public_key": Signer.load(key).public_text,
    }
    sealed = Signer.load(key).seal("t", "{}")
    assert Keyring.of([told["public_key"]]).open("t", sealed.encode()).body == "{}"


def test_the_next_lines_to_type_are_told(tmp_path: Path) -> None:
    made = run(*setup_words(tmp_path / "pos"))
    key = Signer.load(tmp_path / "pos" / "keys" / "post.pem").public_text
    assert f"kentongan desk post add 35.09.14.2005 pos-1 {key}" in made.stdout
    assert f"kentongan run --config {tmp_path}/pos/post.toml" in made.stdout
    assert "[desk] keys" in made.stdout  # it was given none
    assert "PRIVATE" not in made.stdout


def test_a_second_setup_changes_nothing(tmp_path: Path) -> None:
    assert run(*setup_words(tmp_path / "pos")).returncode == 0
    before = contents(tmp_path)
    again = run(*setup_words(tmp_path / "pos"), "--language", "en")
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr == f"kentongan: {tmp_path}/pos is not empty; nothing was changed. Choose another folder.\n"
    assert contents(tmp_path) == before


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (["--village", "35.9.14.2005"], "[post] village: '35.9.14.2005' bukan PP.KK.CC.DDDD"),
        (["--post", "Pos 1"], "[post] id: 'Pos 1' hanya boleh berisi a-z"),
        (["--radio", "/dev/ttyUSB0"], "[radio] url: harus diawali serial:// atau tcp://"),
        (["--mqtt", "http://polsek"], "[[uplink]] 1 url: harus diawali mqtt:// atau mqtts://"),
        (["--desk-key", "abc"], "[desk] keys item 1: bukan kunci"),
        (["--language", "jv"], "[post] language: harus 'id' atau 'en'"),
        (["--siren-command", 'aplay "x'], "[siren] command: tidak bisa dibagi"),
    ],
)
def test_wrong_use_is_one_line_and_leaves_nothing(tmp_path: Path, change: list[str], said: str) -> None:
    made = run(*setup_words(tmp_path / "pos"), *change)
    assert (made.returncode, made.stdout) == (2, "")
    assert said in made.stderr
    assert made.stderr.startswith("kentongan: tidak ada yang dibuat: ")
    assert made.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    wrong = ("--village", "35.09", "--post", "Pos 1", "--radio", "usb", "--mqtt", "broker", "--desk-key", "abc")
    made = run(*setup_words(tmp_path / "pos"), *wrong)
    assert made.returncode == 2
    lines = made.stderr.splitlines()
    keys = ("[post] village", "[post] id", "[radio] url", "[[uplink]] 1 url", "[desk] keys item 1")
    assert [key in line for key, line in zip(keys, lines, strict=True)] == [True] * len(keys)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    made = run("setup", tmp_path / "pos", "--post", "pos-1")
    assert made.returncode == 2
    assert "--village" in made.stderr
    assert list(tmp_path.iterdir()) == []


def test_killed_at_every_sync_it_is_whole_or_not_there(tmp_path: Path) -> None:
    outcomes = []
    for n in range(1, 30):
        folder = tmp_path / "pos"
        killed = run(*setup_words(folder), script=DIE_AT_SYNC.format(n=n))
        is_there = folder.exists()
        outcomes.append((killed.returncode, is_there))
        if is_there:
            load_config(folder / "post.toml")
            Signer.load(folder / "keys" / "post.pem")
            break
    assert outcomes[:-1] == [(-9, False)] * (len(outcomes) - 1)
    assert len(outcomes) > 4  # it died before the rename each time, and what it had left stood in nobody's way
    assert [path.name for path in tmp_path.iterdir()] == ["pos"]


def test_an_empty_folder_may_become_the_post(tmp_path: Path) -> None:
    (tmp_path / "pos").mkdir()
    assert run(*setup_words(tmp_path / "pos")).returncode == 0
    assert (tmp_path / "pos" / "post.toml").is_file()


def test_two_setups_at_once_do_not_mix(tmp_path: Path) -> None:
    (tmp_path / ".pos.unfinished").mkdir()
    other = os.open(tmp_path / ".pos.unfinished", os.O_RDONLY)
    try:
        fcntl.flock(other, fcntl.LOCK_EX)
        refused = run(*setup_words(tmp_path / "pos"))
    finally:
        os.close(other)
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert not (tmp_path / "pos").exists()
    assert run(*setup_words(tmp_path / "pos")).returncode == 0


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here")
    made = run(*setup_words(tmp_path / "file" / "pos"), "--lang", "en")
    assert made.returncode == 1
    assert made.stderr.startswith(f"kentongan: {tmp_path}/file/pos cannot be made: ")
    assert made.stderr.count("\n") == 1
