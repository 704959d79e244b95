"""`config show|check` and `keys show`: every mistake at once, the nearest right name, and never a secret."""

import json
import tomllib
from pathlib import Path

import pytest

from mqtt.signature import Signer
from tests.cli.kentongan import run, setup_words


@pytest.fixture
def post(tmp_path: Path) -> Path:
    run(*setup_words(tmp_path / "pos"))
    return tmp_path / "pos" / "post.toml"


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_new_post_is_right(post: Path) -> None:
    checked = run("config", "check", "--config", post)
    assert checked.returncode == 0
    assert checked.stdout == f"{post}: benar; 0 perangkat terdaftar\n"
    assert "[desk] keys kosong" in checked.stderr  # allowed, and probably not meant


def test_every_mistake_is_told_at_once_with_the_nearest_name(post: Path) -> None:
    change(post, "[radio]\n", '[radio]\nchanels = ["SiagaDesa"]\n')
    change(post, 'language = "id"', 'language = "jv"')
    (post.parent / "keys" / "post.pem").write_text("no key")
    checked = run("config", "check", "--config", post)
    assert (checked.returncode, checked.stdout) == (1, "")
    assert '[radio] chanels: kunci tidak dikenal; maksudnya "channels"?' in checked.stderr
    assert "[post] language: harus 'id' atau 'en'" in checked.stderr
    english = run("config", "check", "--config", post, "--lang", "en")
    assert '[radio] chanels: unknown key; did you mean "channels"?' in english.stderr
    assert all(line.startswith("kentongan: ") for line in checked.stderr.splitlines())


def test_the_register_and_the_key_are_looked_at_too(post: Path) -> None:
    (post.parent / "sources.toml").write_text('[[source]]\nnod = "!00000a01"\n')
    (post.parent / "keys" / "post.pem").write_text("no key")
    told = json.loads(run("config", "check", "--config", post, "--json").stdout)
    assert not told["well"]
    assert any('maksudnya "node"?' in mistake for mistake in told["mistakes"])
    assert any("[identity] key" in mistake for mistake in told["mistakes"])


def test_a_register_that_is_not_there_is_a_caution_and_no_line_in_the_json(post: Path) -> None:
    (post.parent / "sources.toml").unlink()
    told = json.loads(run("config", "check", "--config", post, "--json", "--lang", "en").stdout)
    assert told["well"]
    assert f"no {post.parent}/sources.toml: the place of every call is unknown" in told["cautions"]


def test_keys_of_heads_that_everybody_may_read_are_a_caution(post: Path) -> None:
    register = post.parent / "sources.toml"
    register.write_text(f'[[source]]\nhead = "RT03-12"\nhead_key = "{"a1" * 16}"\n')
    register.chmod(0o644)
    assert f"chmod 600 {register}" in run("config", "check", "--config", post).stderr
    register.chmod(0o600)
    assert "chmod" not in run("config", "check", "--config", post).stderr


def test_what_is_shown_reads_back_as_the_same(post: Path) -> None:
    shown = run("config", "show", "--config", post)
    again = post.with_name("again.toml")
    again.write_text(shown.stdout, encoding="utf-8")
    assert run("config", "show", "--config", again).stdout == shown.stdout
    assert json.loads(run("config", "show", "--config", post, "--json").stdout)["post"]["id"] == "pos-1"


def test_the_language_of_what_is_shown_follows_the_post(post: Path) -> None:
    assert "kode desa" in run("config", "show", "--config", post).stdout
    assert "village code" in run("config", "show", "--config", post, "--lang", "en").stdout
    change(post, 'language = "id"', 'language = "en"')
    assert "village code" in run("config", "show", "--config", post).stdout


def test_only_the_public_key_is_ever_shown(post: Path) -> None:
    key = post.parent / "keys" / "post.pem"
    signer = Signer.load(key)
    secret = key.read_text().splitlines()[1]
    assert run("keys", "show", "--config", post).stdout == f"{signer.public_text}\n"
    told = json.loads(run("keys", "show", "--config", post, "--json").stdout)
    assert told == {"post": "35.09.14.2005/pos-1", "public_key": signer.public_text, "kid": signer.kid}
    everything = [run(*words, "--config", post).stdout for words in (["config", "show"], ["config", "check"])]
    assert secret not in "".join(everything)


@pytest.mark.parametrize("words", [["config", "show"], ["config", "check"], ["keys", "show"], ["run"], ["status"]])
def test_no_configuration_is_told_with_the_way_out(tmp_path: Path, words: list[str]) -> None:
    lost = run(*words, "--config", tmp_path / "none.toml", "--lang", "en")
    assert (lost.returncode, lost.stdout) == (1, "")
    first, second = lost.stderr.splitlines()
    assert first == f"kentongan: {tmp_path}/none.toml: no such file; `kentongan setup` writes one"
    assert second == "kentongan: say which file: --config DIR/post.toml, or KENTONGAN_CONFIG"


def test_the_template_names_only_keys_that_exist(post: Path) -> None:
    """A technician who takes a comment sign away gets a setting, not an error."""
    text = post.read_text(encoding="utf-8")
    for example in (
        'name = "Poskamling RT 03"',
        'phones = ["110"]',
        'channels = ["SiagaDesa"]',
        "[siren]",
        "command =",
    ):
        assert f"# {example}" in text
        text = text.replace(f"# {example}", example)
    post.write_text(text, encoding="utf-8")
    assert tomllib.loads(text)["siren"]["command"]
    assert run("config", "check", "--config", post).returncode == 0
