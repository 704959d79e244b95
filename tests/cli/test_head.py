"""`kentongan head key` and `head test`: no key that nobody has, none that is shown, and a verdict that is true."""

import base64
import json
import re
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.sources import load_sources
from tests.cli.heads import FakeHead
from tests.cli.kentongan import run

KEY = bytes(range(16))
OTHER = bytes(range(16, 32))
SOURCES = """\
# Perangkat warga RT 03.
[[source]]
node = "!00000a01"   # di mushola
rt = "03"

[[source]]
# kentongan Pak RT
head = "RT03-12"
house = "RT03-12"    # pagar hijau

[[sensor]]
name = "Pintu lumbung"
kind = "THEFT"
"""


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    file = tmp_path / "sources.toml"
    file.write_text(SOURCES)
    file.chmod(0o644)
    return file


@pytest.fixture
def head() -> Iterator[FakeHead]:
    with FakeHead() as head:
        yield head


def key(head: FakeHead, sources: Path, *more: str, script: str = "") -> subprocess.CompletedProcess[str]:
    words = ("head", "key", "--port", head.port, "--head", "RT03-12", "--sources", sources, *more)
    return run(*words, script=script, KENTONGAN_LANG="en")


def tried(head: FakeHead, sources: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return run("head", "test", "--port", head.port, "--sources", sources, *more, KENTONGAN_LANG="en")


def text_of(key: bytes) -> str:
    return base64.b32encode(key).decode().rstrip("=")


def registered(sources: Path) -> bytes:
    return load_sources(sources).head_key("RT03-12")


def on_disk(sources: Path) -> set[bytes]:
    """Every key of a head that somebody could still find."""
    texts = [file.read_text() for file in sources.parent.iterdir()]
    return {base64.b32decode(found + "======") for text in texts for found in re.findall(r"\b[A-Z2-7]{26}\b", text)}


# key


def test_a_head_gets_its_key_and_the_register_too(head: FakeHead, sources: Path) -> None:
    done = key(head, sources)
    assert (done.returncode, done.stderr) == (0, "")
    assert "RT03-12 has its key" in done.stdout
    assert len(head.key) == 16 and registered(sources) == head.key
    assert stat.S_IMODE(sources.stat().st_mode) == 0o600
    written = sources.read_text()
    assert written.replace(f'head_key = "{text_of(head.key)}"\n', "") == SOURCES
    assert [file.name for file in sources.parent.iterdir()] == ["sources.toml"]


def test_mistakes_in_the_register_are_told_in_the_readers_language(head: FakeHead, sources: Path) -> None:
    sources.write_text('[[source]]\nhead = "RT03-12"\nhed = 1\n')
    indonesian, english = run("head", "test", "--port", head.port, "--sources", sources), tried(head, sources)
    assert (indonesian.returncode, english.returncode) == (1, 1)
    assert "kunci tidak dikenal" in indonesian.stderr and "unknown key" not in indonesian.stderr
    assert "unknown key" in english.stderr and "tidak dikenal" not in english.stderr


def test_a_key_is_never_shown(head: FakeHead, sources: Path) -> None:
    shown = [key(head, sources), key(head, sources, "--replace", "--json"), tried(head, sources)]
    head.repeats_errors = True
    shown.append(key(head, sources, "--replace"))
    assert shown[-1].returncode == 1 and "the head refuses “!key”: what is !key …" in shown[-1].stderr
    told = "".join(done.stdout + done.stderr for done in shown).upper()
    keys = on_disk(sources)
    assert len(keys) == 2  # the one in force and the one that was refused
    assert [known for known in keys if text_of(known) in told or known.hex().upper() in told] == []


def test_a_head_that_nobody_named_gets_an_entry_of_its_own(tmp_path: Path) -> None:
    sources = tmp_path / "sources.toml"
    with FakeHead("H-3K2QA") as head:
        head.at = "post"
        done = key(head, sources, "--house", "POS-1", "--rt", "03", "--home", "pos-1", "--json")
        assert json.loads(done.stdout) == {
            "head": "RT03-12",
            "keyed": True,
            "sources": str(sources),
            "resumed": False,
        }
        assert head.name == "RT03-12"
        source = load_sources(sources).find("head:RT03-12")
        assert source is not None and source.place is not None
        assert (source.head_key, source.place.house, source.place.rt) == (head.key, "POS-1", "03")
        assert (source.home, source.is_post) == ("pos-1", True)


def test_a_key_is_replaced_only_when_told_so(head: FakeHead, sources: Path) -> None:
    assert key(head, sources).returncode == 0
    first, before = head.key, sources.read_text()
    again = key(head, sources)
    assert (again.returncode, head.key, sources.read_text()) == (1, first, before)
    assert "To replace it: --replace" in again.stderr
    assert key(head, sources, "--replace").returncode == 0
    assert head.key != first and registered(sources) == head.key
    now, _, revoked = sources.read_text().partition("\n[[revoked]]\n")
    assert now == before.replace(text_of(first), text_of(head.key))
    assert revoked.startswith('head = "RT03-12"\n') and "head_key_id = " in revoked and text_of(first) not in revoked


def test_the_key_of_another_head_is_left_alone(head: FakeHead, sources: Path) -> None:
    sources.write_text(SOURCES.replace('head = "RT03-12"', 'head = "RT03-13"\nhead_key = "' + text_of(OTHER) + '"'))
    assert key(head, sources).returncode == 0
    register = load_sources(sources)
    assert (register.head_key("RT03-13"), register.head_key("RT03-12")) == (OTHER, head.key)


def test_a_neighbours_head_is_not_taken_for_ours(sources: Path) -> None:
    with FakeHead("RT03-13", OTHER) as head:
        wrong = key(head, sources)
        assert (wrong.returncode, head.key, sources.read_text()) == (1, OTHER, SOURCES)
        assert "this head calls itself RT03-13, not RT03-12" in wrong.stderr
        assert [file.name for file in sources.parent.iterdir()] == ["sources.toml"]


@pytest.mark.parametrize("moment", ["before !name", "after !name", "before !key", "after !key"])
@pytest.mark.parametrize("old", [b"", OTHER])
def test_a_cable_that_is_pulled_leaves_no_head_with_a_key_that_nobody_has(
    sources: Path, moment: str, old: bytes
) -> None:
    if old:
        sources.write_text(SOURCES.replace("[[sensor]]", f'head_key = "{text_of(old)}"\n\n[[sensor]]'))
    with FakeHead(key=old) as head:
        when, word = moment.split(" ")
        setattr(head, f"dies_{when}", word)
        cut = key(head, sources, "--replace")
        assert cut.returncode == 1 and "run the same command again" in cut.stderr
        assert registered(sources) == old
        assert head.key == old or head.key in on_disk(sources)
        head.plug_in_again()
        again = key(head, sources)  # what was begun is finished, without --replace
        assert again.returncode == 0 and "with the same key" in again.stdout
        assert head.key != old and registered(sources) == head.key
        assert [file.name for file in sources.parent.iterdir()] == ["sources.toml"]


@pytest.mark.parametrize("file", ["sources.toml", ".sources.toml.RT03-12.key"])
def test_a_full_disk_leaves_no_head_with_a_key_that_nobody_has(head: FakeHead, sources: Path, file: str) -> None:
    full = f"""
import pathlib
rename = pathlib.Path.rename
def is_full(self, target):
    if target.name == {file!r}:
        raise OSError(28, "No space left on device")
    return rename(self, target)
pathlib.Path.rename = is_full
"""
    failed = key(head, sources, script=full)
    assert failed.returncode == 1 and "No space left on device" in failed.stderr
    assert sources.read_text() == SOURCES
    assert head.key == b"" or head.key in on_disk(sources)
    assert (head.key != b"") is (file == "sources.toml")
    assert key(head, sources).returncode == 0
    assert registered(sources) == head.key


@pytest.mark.parametrize("is_entered", [False, True])
def test_a_command_that_is_killed_is_finished_by_the_next(head: FakeHead, sources: Path, is_entered: bool) -> None:
    """At the last two steps, where the head holds the new key already."""
    killed = f"""
import os, signal
from cli import head_register
enter = head_register.RegisterFile.enter
def killed(self, key, place):
    if {is_entered}:
        self._replace(self.path, self._with_key(key, place))
    os.kill(os.getpid(), signal.SIGKILL)
head_register.RegisterFile.enter = killed
"""
    assert key(head, sources, script=killed).returncode == -9
    given = head.key
    assert given in on_disk(sources)
    assert key(head, sources).returncode == 0
    assert head.key == given == registered(sources)
    assert on_disk(sources) == {given}


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ('source = [{head = "RT03-12"}]\n', "cannot be changed safely"),
        ('[[source]]\nhead = "RT03-12"\nhause = "x"\n', 'did you mean "house"?'),
        ("[[source]\n", "cannot be read"),
    ],
)
def test_a_register_that_cannot_be_kept_whole_stops_us_before_the_head(
    head: FakeHead, sources: Path, written: str, why: str
) -> None:
    sources.write_text(written)
    refused = key(head, sources)
    assert (refused.returncode, head.key, sources.read_text()) == (1, b"", written)
    assert why in refused.stderr


@pytest.mark.parametrize(
    "written",
    [
        "[[ source ]] # satu\nhead = 'RT03-12'\nhead_key = 'AAAAAAAAAAAAAAAAAAAAAAAAAA' # lama",
        '[[source]]\nhouse = """\n[[source]]\nhead_key = "x"\n"""\nhead = "RT03-12"\n',
        '[[source]]\nhead_key = "AAAAAAAAAAAAAAAAAAAAAAAAAA"\nhead = "RT03-12"\n[[source]]\nhead = "RT03-13"',
    ],
)
def test_however_it_is_written_the_rest_stays_or_nothing_changes(head: FakeHead, sources: Path, written: str) -> None:
    sources.write_text(written)
    done = key(head, sources, "--replace")
    if done.returncode:
        assert (head.key, sources.read_text()) == (b"", written)
        assert "cannot be changed safely" in done.stderr
    else:
        assert registered(sources) == head.key
        now = sources.read_text().partition("\n[[revoked]]\n")[0]
        assert [line for line in written.splitlines() if "head_key" not in line] == [
            line for line in now.splitlines() if "head_key" not in line
        ]


# test


def keyed(head: FakeHead, sources: Path) -> None:
    head.key = KEY
    sources.write_text(SOURCES.replace("[[sensor]]", f'head_key = "{text_of(KEY)}"\n\n[[sensor]]'))


def test_a_right_head_proves_itself_and_its_drill_is_ended(head: FakeHead, sources: Path) -> None:
    keyed(head, sources)
    done = tried(head, sources)
    assert (done.returncode, done.stderr) == (0, "")
    assert "K1 RT03-12 7QXD.1 TEST " in done.stdout
    assert done.stdout.endswith("OK: RT03-12 proves itself with its key\n")
    assert head.asked[:3] == ["!info", "!lamps", "!test"]
    assert len(head.answers) == 1 and head.answers[0].startswith("P1 usb RT03-12.7QXD.1=LC.")


def test_a_hand_is_waited_for_and_its_alarm_is_never_closed_from_here(head: FakeHead, sources: Path) -> None:
    keyed(head, sources)
    head.strikes_at = "!lamps"  # the hand was quick
    told = json.loads(tried(head, sources, "--strike", "--wait", "2", "--json").stdout)
    assert (told["well"], told["verdict"], head.answers) == (True, "right", [])
    assert [line.split(" ")[3] for line in told["lines"]] == ["PANIC"]
    assert "!test" not in head.asked


@pytest.mark.parametrize(
    ("heads", "registers", "verdict", "advice"),
    [
        (b"", b"", "no_key", "has no key: run kentongan head key"),
        (b"", KEY, "no_key", "has no key: run kentongan head key"),
        (KEY, b"", "unknown", "has a key, but"),
        (OTHER, KEY, "wrong", "--replace"),
    ],
)
def test_a_head_that_is_not_proved_is_told_with_the_next_step(
    head: FakeHead, sources: Path, heads: bytes, registers: bytes, verdict: str, advice: str
) -> None:
    keyed(head, sources)
    head.key = heads
    if not registers:
        sources.write_text(SOURCES)
    wrong = tried(head, sources)
    assert wrong.returncode == 1 and advice in wrong.stderr
    told = json.loads(tried(head, sources, "--json").stdout)
    assert (told["well"], told["verdict"]) == (False, verdict)
    assert head.answers == []


def test_a_head_that_says_nothing_or_believes_nothing_is_not_well(head: FakeHead, sources: Path) -> None:
    keyed(head, sources)
    head.is_silent = True
    assert "Check the pad's wire" in tried(head, sources, "--wait", "1").stderr
    head.is_silent, head.is_waiting = False, True
    assert "still waits for an answer" in tried(head, sources, "--wait", "1").stderr
    head.is_waiting, head.is_deaf = False, True
    assert "does not believe an answer" in tried(head, sources).stderr
    head.is_deaf, head.fault = False, "pad: it stays closed"
    sick = tried(head, sources)
    assert (sick.returncode, sick.stderr) == (1, "kentongan: the head reports a fault: pad: it stays closed\n")


# the port


def test_what_is_wrong_with_a_port_is_one_line_with_the_way_out(head: FakeHead, sources: Path, tmp_path: Path) -> None:
    head.is_mute = True
    mute = tried(head, sources)
    assert mute.stderr == (
        f"kentongan: the head at {head.port} does not answer “!info”. If it is new: kentongan head flash "
        f"--port {head.port}\n"
    )
    lost = run("head", "test", "--port", tmp_path / "none", "--lang", "en")
    assert lost.returncode == 1 and lost.stderr.startswith(f"kentongan: there is nothing at {tmp_path}/none.")
    no_tty = run("head", "test", "--port", sources, "--lang", "en")
    assert no_tty.returncode == 1 and f"{sources} cannot be opened" in no_tty.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["key", "--port", "x", "--head", "rt03"],
        ["key", "--port", "x", "--head", "RT03-1234"],
        ["flash", "--port", "x", "--board", "uno"],
        ["flash", "--port", "x", "--at", "home"],
        ["flash", "--port", "x", "--name", "a b"],
        ["test"],
    ],
)
def test_wrong_use_is_two(words: list[str]) -> None:
    wrong = run("head", *words)
    assert wrong.returncode == 2 and "Traceback" not in wrong.stderr
