"""`kentongan siren`: what sounds is tried before the night, by the bridge where one runs, and silenced at the post."""

import json
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.kentongan import ENVIRONMENT
from tests.cli.posts import Post, make_post
from tests.edges.relay_board import OFF, ON, Board
from tests.patience import until


@pytest.fixture
def post(tmp_path: Path) -> Post:
    """A post without a siren."""
    return make_post(tmp_path / "post")


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    board = Board(tmp_path / "board")
    yield board
    board.unplug()


def output(post: Post, *lines: str) -> None:
    """One siren more."""
    post.toml.write_text(post.toml.read_text() + "\n".join(["", "[[output]]", *lines]) + "\n")


def relay(post: Post, folder: Path) -> None:
    output(post, 'name = "horn"', 'driver = "serial"', f'url = "serial://{folder}/board"')


def command(post: Post, folder: Path, *lines: str) -> None:
    """A `[siren] command` that notes what it was told."""
    script = folder / "ring"
    script.write_text("\n".join(["#!/bin/sh", f'echo "$KENTONGAN_KIND $KENTONGAN_ALARM" >> "{folder}/rang"', *lines]))
    script.chmod(0o755)
    with post.toml.open("a") as toml:
        toml.write(f"\n[siren]\ncommand = {json.dumps(shlex.quote(str(script)))}\n")


@contextmanager
def a_test_of(post: Post, seconds: int) -> Iterator[subprocess.Popen[bytes]]:
    """A test that goes on."""
    words = ("siren", "test", "--seconds", str(seconds), "--config", str(post.toml))
    process = subprocess.Popen([sys.executable, "-m", "cli", *words], env=ENVIRONMENT, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_without_a_bridge_each_siren_sounds_straight_from_the_settings(
    post: Post, tmp_path: Path, board: Board
) -> None:
    command(post, tmp_path, "exec sleep 30")
    relay(post, tmp_path)
    done = post.run("siren", "test", "--seconds", "2")
    assert (done.returncode, done.stdout) == (0, "command: berbunyi\nhorn: berbunyi\n"), done.stderr
    assert (tmp_path / "rang").read_text() == "PANIC test\n"
    until(lambda: ON in board.got and board.got.endswith(OFF), why="on, and then off")


def test_one_output_alone(post: Post, tmp_path: Path, board: Board) -> None:
    command(post, tmp_path)
    relay(post, tmp_path)
    done = post.run("siren", "test", "--seconds", "0.5", "--output", "horn", "--json")
    assert (done.returncode, json.loads(done.stdout)) == (0, {"horn": {"fault": ""}})
    until(lambda: ON in board.got)
    assert not (tmp_path / "rang").exists()


def test_a_pin_is_tried_too(post: Post) -> None:
    output(post, 'name = "horn"', 'driver = "gpio"', 'pin = "GPIO17"')
    done = post.run("siren", "test", "--seconds", "0.3", "--lang", "en", GPIOZERO_PIN_FACTORY="mock")
    assert (done.returncode, done.stdout) == (0, "horn: sounded\n"), done.stderr


def test_a_siren_that_fails_is_named_and_the_others_still_sound(post: Post, tmp_path: Path) -> None:
    command(post, tmp_path, "exit 3")
    relay(post, tmp_path)
    done = post.run("siren", "test", "--seconds", "2")
    assert done.returncode == 1
    first, second = done.stdout.splitlines()
    assert first == f"command: GANGGUAN: {tmp_path}/ring ended with exit 3; run it by hand to see why"
    assert second.startswith("horn: GANGGUAN: papan relai") and second.endswith("check its cable)")
    assert "Traceback" not in done.stderr


def test_a_post_without_a_siren_is_told_what_to_do(post: Post) -> None:
    done = post.run("siren", "test", "--lang", "en")
    assert (done.returncode, done.stdout) == (1, "")
    assert "this post has no siren" in done.stderr


def test_a_siren_that_is_not_there_is_a_wrong_use(post: Post, tmp_path: Path) -> None:
    relay(post, tmp_path)
    done = post.run("siren", "test", "--output", "hron", "--lang", "en")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no siren 'hron'; there are: horn" in done.stderr


def test_a_running_bridge_holds_the_board_and_sounds_the_test(post: Post, tmp_path: Path, board: Board) -> None:
    relay(post, tmp_path)
    with post.bridge():
        until(lambda: board.got == OFF)
        done = post.run("siren", "test", "--seconds", "0.3", "--json")
        assert (done.returncode, json.loads(done.stdout)) == (0, {"horn": {"fault": ""}}), done.stderr
        assert board.got == OFF + ON + OFF
        output(post, 'name = "new"', 'driver = "audio"')
        late = post.run("siren", "test", "--output", "new")
        assert late.returncode == 1
        assert "restart it after a change" in late.stderr


def test_silence_at_the_post(post: Post, tmp_path: Path, board: Board) -> None:
    relay(post, tmp_path)
    with post.bridge(), a_test_of(post, 10):
        until(lambda: board.is_on)
        done = post.run("siren", "off")
        assert done.returncode == 0 and done.stdout.startswith("Sirene dihentikan.")
        until(lambda: not board.is_on, within_s=5.0)
        told = post.run("siren", "off", "--json")
        assert json.loads(told.stdout)["silenced"] is True


def test_silence_needs_a_bridge(post: Post) -> None:
    done = post.run("siren", "off", "--lang", "en")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("no bridge runs") or "no bridge runs" in done.stderr


def test_a_bridge_killed_while_it_rings_leaves_nothing_on(post: Post, tmp_path: Path, board: Board) -> None:
    relay(post, tmp_path)
    with post.bridge() as bridge, a_test_of(post, 10):
        until(lambda: board.is_on)
        bridge.send_signal(signal.SIGKILL)
        bridge.wait()
    time.sleep(0.1)
    assert board.is_on, "nobody was there to switch it off"
    with post.bridge() as bridge:
        until(lambda: not board.is_on)
        with a_test_of(post, 10):
            until(lambda: board.is_on)
            bridge.send_signal(signal.SIGTERM)
            bridge.wait(20)
    until(lambda: not board.is_on)


def test_a_siren_that_is_away_is_a_fault_in_the_status_until_it_is_back(post: Post, tmp_path: Path) -> None:
    relay(post, tmp_path)
    with post.bridge():
        until(lambda: "siren:horn" in post.picture().get("faults", {}))
        shown = post.run("status", "--lang", "en")
        assert shown.returncode == 1
        assert re.search(r"siren +FAULT +horn: .*check its cable\n +The guards do not hear an alarm", shown.stdout)
        board = Board(tmp_path / "board")
        until(lambda: "siren:horn" not in post.picture()["faults"])
        board.unplug()


def test_one_siren_of_two_that_is_away_leaves_the_other(post: Post, tmp_path: Path) -> None:
    command(post, tmp_path)
    relay(post, tmp_path)
    with post.bridge():
        until(lambda: "siren:horn" in post.picture().get("faults", {}))
        assert "The other sirens still sound." in post.run("status", "--lang", "en").stdout
