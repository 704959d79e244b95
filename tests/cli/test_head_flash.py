"""`kentongan head flash` on the genuine MicroPython behind a pty, written and read by the genuine mpremote."""

import json
import os
import pty
import signal
import subprocess
import sys
import tty
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from bridge.codebook_files import load_rules
from bridge.sources import load_sources
from cli.head_flash import program
from tests.cli.boards import GenuineBoard
from tests.cli.kentongan import ENVIRONMENT, ROOT, run
from tests.patience import until

FLASHED = program()
OLD = b"# of a version that was\n"


@pytest.fixture
def board(tmp_path: Path) -> Iterator[GenuineBoard]:
    """MicroPython as it comes: no file on it."""
    with GenuineBoard(tmp_path) as board:
        yield board


@pytest.fixture
def head(tmp_path: Path) -> Iterator[GenuineBoard]:
    """A head that has been flashed before, and runs."""
    board = GenuineBoard(tmp_path)
    for path, text in FLASHED.items():
        file = board.files / path.strip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text)
    with board:
        until((board.files / "keep").is_dir, why="the head runs")
        yield board


def flash(board: GenuineBoard, *more: str) -> subprocess.CompletedProcess[str]:
    return run("head", "flash", "--port", board.port, *more, KENTONGAN_LANG="en")


def told(done: subprocess.CompletedProcess[str]) -> dict[str, object]:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def on(board: GenuineBoard) -> dict[str, bytes]:
    """Its files but what it keeps itself."""
    files = [file for file in board.files.rglob("*") if file.is_file() and file.parent.name != "keep"]
    return {f"/{file.relative_to(board.files)}": file.read_bytes() for file in files}


def test_what_is_written_is_the_firmware_and_the_rules_of_the_post_as_they_are() -> None:
    firmware = {file.name for file in (ROOT / "firmware_config/head").glob("*.py")} - {"__init__.py"}
    assert {path.rpartition("/")[2] for path in FLASHED} == firmware | {"rhythm.py", "codebook.py", "pad.py"}
    assert list(FLASHED)[-2:] == ["/boot.py", "/main.py"]  # a head that was not written whole does not start
    for path, text in FLASHED.items():
        here = f"firmware_config/head{path}" if path.count("/") == 1 else path.strip("/")
        assert (ROOT / here).read_bytes() == text


def test_a_new_board_becomes_a_head_and_strikes_true(board: GenuineBoard, tmp_path: Path) -> None:
    """From the bare board to a verified strike, with the three commands that a technician types."""
    done = flash(board, "--codebook", "a", "--name", "RT03-12")
    assert (done.returncode, done.stderr) == (0, "")
    assert on(board) == FLASHED
    assert f"{len(FLASHED)} files written, read back, the same" in done.stdout
    assert "RT03-12: house, codebook a, key none yet" in done.stdout
    assert "kentongan head key --port" in done.stdout
    sources = tmp_path / "sources.toml"
    assert run("head", "key", "--port", board.port, "--head", "RT03-12", "--sources", sources).returncode == 0
    right = run("head", "test", "--port", board.port, "--sources", sources, "--lang", "en")
    assert (right.returncode, right.stderr) == (0, "")
    assert right.stdout.endswith("OK: RT03-12 proves itself with its key\n")
    key = load_sources(sources).head_key("RT03-12").hex()
    keep = b"".join(file.read_bytes() for file in (board.files / "keep").iterdir())
    assert key.encode() in keep
    assert "K1 RT03-12 " in board.uart and key not in board.uart + right.stdout + done.stdout


def test_a_hand_strikes_fire_and_the_key_proves_it(head: GenuineBoard, tmp_path: Path) -> None:
    sources = tmp_path / "sources.toml"
    assert flash(head, "--codebook", "a", "--name", "RT03-12").returncode == 0
    assert run("head", "key", "--port", head.port, "--head", "RT03-12", "--sources", sources).returncode == 0
    words = ["head", "test", "--port", head.port, "--sources", str(sources), "--strike", "--json"]
    with subprocess.Popen([sys.executable, "-m", "cli", *words], env=ENVIRONMENT, stdout=subprocess.PIPE) as process:
        try:
            until(lambda: head.has_lamps_lit, why="the lamps run")
            head.strike("000")
            out, _ = process.communicate(timeout=30)
        finally:
            process.kill()
    answer = json.loads(out)
    assert (answer["well"], answer["verdict"]) == (True, "right")
    assert [line.split(" ")[3] for line in answer["lines"]] == ["PANIC", "FIRE"]


def test_epoch_press_and_key_outlive_a_new_program_but_not_a_wipe(head: GenuineBoard) -> None:
    (head.files / "firmware_config/head/old.py").write_text("of a version before")
    (head.files / "main.py").write_bytes(FLASHED["/main.py"] + OLD)
    with head.line("!key " + "00" * 16, "!ok key"):
        pass
    before = told(flash(head, "--name", "RT03-12", "--at", "post", "--codebook", "b", "--json"))
    assert on(head) == FLASHED
    after = told(flash(head, "--json"))
    assert after == before
    assert (after["name"], after["at"], after["codebook"], after["keyed"]) == ("RT03-12", "post", "b", True)
    wiped = told(flash(head, "--wipe", "--json"))
    assert (wiped["keyed"], wiped["at"], wiped["press"], wiped["wiped"]) == (False, "house", 0, True)
    assert wiped["name"] != "RT03-12" and wiped["epoch"] != before["epoch"]


@pytest.mark.parametrize(
    "last", ["/bridge/domain/codebook.py", "/firmware_config/head/line.py", "/firmware_config/head/talk.py"]
)
def test_a_flash_that_is_cut_off_is_ended_by_the_next(head: GenuineBoard, last: str) -> None:
    for path in FLASHED:
        with (head.files / path.strip("/")).open("ab") as file:
            file.write(OLD)
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", "head", "flash", "--port", head.port],
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # the cable is cut for mpremote too
    )
    try:
        file = head.files / last.strip("/")
        until(lambda: not (head.files / "main.py").exists() and file.exists() and OLD not in file.read_bytes())
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert not (head.files / "main.py").exists()  # never half of one program and half of another
    assert told(flash(head, "--json"))["fault"] == ""
    assert on(head) == FLASHED


def test_what_reads_back_otherwise_is_not_started(board: GenuineBoard) -> None:
    (board.files / "bridge/domain/pad.py").mkdir(
        parents=True
    )  # stands for a flash that does not hold what it was given
    unlike = flash(board)
    assert unlike.returncode == 1
    assert "differ from the originals: /bridge/domain/pad.py. This head DOES NOT WORK" in unlike.stderr
    assert not (board.files / "main.py").exists()


@pytest.mark.parametrize(
    ("script", "words", "why"),
    [
        ("", ["--board", "pico"], "there is linux, MicroPython 1."),
        ("from cli import head_flash\nhead_flash.OLDEST = (9, 0)", [], "is too old, 9.0 is needed"),
    ],
)
def test_a_board_that_is_refused_goes_on_as_it_was(head: GenuineBoard, script: str, words: list[str], why: str) -> None:
    wrong = run("head", "flash", "--port", head.port, "--lang", "en", *words, script=script)
    assert wrong.returncode == 1
    assert why in wrong.stderr and "nothing was changed" in wrong.stderr
    assert on(head) == FLASHED
    with head.line("!lamps", "!ok lamps"):
        pass  # it lives


def test_a_board_without_the_heads_program_says_so(board: GenuineBoard, tmp_path: Path) -> None:
    bare = run("head", "test", "--port", board.port, "--sources", tmp_path / "sources.toml", "--lang", "en")
    assert bare.returncode == 1
    assert bare.stderr.startswith(f"kentongan: at {board.port} there is MicroPython without the head's program.")


@pytest.mark.parametrize(
    ("board", "how", "not_how"), [("pico", "BOOTSEL", "esptool"), ("esp32", "esptool", "BOOTSEL"), ("", "BOOTSEL", "")]
)
def test_without_micropython_the_way_to_it_is_told(board: str, how: str, not_how: str) -> None:
    ours, theirs = pty.openpty()
    try:
        tty.setraw(theirs)
        words = ["head", "flash", "--port", os.ttyname(theirs), *(["--board", board] if board else [])]
        lost = run(
            *words, script="from cli import head_flash\nhead_flash.FIRST_S, head_flash.RESTART_S = 2, 0"
        )  # patience is not the story
    finally:
        os.close(ours)
        os.close(theirs)
    assert lost.returncode == 1 and "tidak ada MicroPython yang menjawab" in lost.stderr
    assert how in lost.stderr and (not not_how or not_how not in lost.stderr)
    assert len(lost.stderr.splitlines()) == 1


def test_a_port_in_use_and_a_missing_tool_are_told_before_anything_is_touched(head: GenuineBoard) -> None:
    with head.line("!lamps", "!ok lamps"):
        busy = flash(head)
    assert busy.returncode == 1 and "in use by another program; stop it first" in busy.stderr
    words = ["head", "flash", "--port", head.port, "--lang", "en"]
    bare = run(*words, script="sys.modules['mpremote'] = None")
    assert bare.returncode == 1 and "pip install 'kentongan[head]'" in bare.stderr
    with suppress(FileNotFoundError):
        assert on(head) == FLASHED


def test_a_codebook_that_does_not_exist_touches_no_board(head: GenuineBoard) -> None:
    wrong = flash(head, "--codebook", "z")
    assert wrong.returncode == 1 and "codebook 'z'" in wrong.stderr
    assert on(head) == FLASHED
    assert json.dumps({"name": "a-gunungkidul", "rules": load_rules("a-gunungkidul")}).isascii()
