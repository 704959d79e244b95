"""`kentongan simulate`: a village for people; what is typed happens on its air."""

import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bridge.sources import load_sources
from tests.cli.kentongan import ENVIRONMENT, run
from tests.cli.posts import make_post, start
from tests.patience import until


def test_a_script_is_done_and_heard(tmp_path: Path) -> None:
    script = tmp_path / "night.txt"
    script.write_text("# the second house\npress RT01-02 maling #2!\nalert RT01-01\nwait 1\n", encoding="utf-8")
    done = run("simulate", "--port", "0", "--script", script, "--once", "--lang", "en")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"The post's radio: tcp://127\.0\.0\.1:\d+ ", done.stdout)
    assert done.stdout.endswith("  Pos 1 receives: maling #2!\n  Pos 1 receives: TOLONG\n")


def test_typed_lines_are_done_and_nonsense_is_answered() -> None:
    typed = "press RT09-09 tolong\nhalo\npress RT01-01 tolong\nwait 1\ncut RT01-01\npress RT01-01 lagi\nwait 1\nquit\n"
    done = simulate_typed(typed)
    assert done.returncode == 0
    assert "RT09-09 tidak ada di desa ini; ada: Pos 1, RT01-01" in done.stdout
    assert done.stdout.count("press RT01-03 kebakaran") == 2  # at the start, and after the nonsense
    assert "Pos 1 menerima: tolong" in done.stdout
    assert "Pos 1 menerima: lagi" not in done.stdout
    assert done.stdout.endswith("Desa berhenti.\n")


def simulate_typed(typed: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli", "simulate", "--port", "0"],
        env=ENVIRONMENT,
        input=typed,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_script_that_means_nothing_is_wrong_use(tmp_path: Path) -> None:
    script = tmp_path / "night.txt"
    script.write_text("wait 0.1\nshout RT01-01\n", encoding="utf-8")
    wrong = run("simulate", "--port", "0", "--script", script, "--once")
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("kentongan: 2: 'shout RT01-01': press ")
    missing = run("simulate", "--script", tmp_path / "none.txt")
    assert (missing.returncode, missing.stderr.count("\n")) == (1, 1)


def test_a_port_in_use_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        busy = run("simulate", "--port", str(taken.getsockname()[1]), "--lang", "en")
    assert busy.returncode == 1
    assert "cannot be used" in busy.stderr
    assert busy.stderr.count("\n") == 1


def test_without_input_it_goes_on_until_it_is_told_to_stop(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with out.open("wb") as log, start("simulate", "--pty", tmp_path / "radio", stdout=log) as village:
        until(lambda: "quit" in out.read_text(), why="it is ready")
        time.sleep(0.3)  # the end of its input came long before
        assert village.poll() is None
        assert (tmp_path / "radio").is_char_device()
        village.send_signal(signal.SIGINT)
        assert village.wait(15) == 0
    assert f"serial://{tmp_path}/radio" in out.read_text()
    assert not (tmp_path / "radio").is_symlink()


def test_an_evening_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    def calls(seed: int) -> list[str]:
        out = tmp_path / f"evening-{seed}"
        words = ("simulate", "--port", "0", "--evening", "0.03", "--seed", str(seed))
        with out.open("wb") as log, start(*words, stdout=log):
            found = until(lambda: re.findall(r"^ *\d+\.\d s  RT.*\n", out.read_text(), re.MULTILINE)[9:] and out)
        return re.findall(r"^ *\d+\.\d s  RT.*$", found.read_text(), re.MULTILINE)

    assert calls(11) == calls(11)
    assert calls(11) != calls(12)


def test_a_post_hears_the_village_and_knows_its_houses(tmp_path: Path, free_port: Callable[[], int]) -> None:
    port = free_port()
    post = make_post(tmp_path / "pos", radio=f"tcp://127.0.0.1:{port}")
    out = tmp_path / "out"
    script = tmp_path / "night.txt"
    script.write_text("wait 2\npress RT01-02 kebakaran\nwait 8\n")
    with out.open("wb") as log, start("simulate", "--port", str(port), "--script", script, stdout=log):
        until(lambda: "# sources.toml" in out.read_text() and "quit" in out.read_text())
        listed = out.read_text().split("# sources.toml\n")[1].split("\n\npress")[0]
        (post.folder / "sources.toml").write_text(listed)
        assert len(load_sources(post.folder / "sources.toml")) == 5
        with post.bridge():
            (alarm,) = until(lambda: json.loads(post.run("journal", "list", "--json").stdout), why="the alarm")
            assert (alarm["kind"], alarm["place"], alarm["trust"]) == ("FIRE", "RT01-02", "CHANNEL")
            until(lambda: "RT01-02 menerima: P1 pos-1" in out.read_text(), why="the striker is answered")
