"""`kentongan run`: what stops it from starting is one clear line; what comes and goes does not stop it."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bridge.config import load_config
from bridge.domain.errors import JournalFailed
from bridge.domain.events import Event, JournalReplaced
from bridge.store import Journal
from cli.control_client import ask
from cli.wiring import build
from simulator.channels import PUBLIC
from simulator.village import Village
from tests.cli.kentongan import ENVIRONMENT
from tests.cli.posts import UPLINK, Post, make_post, terminal
from tests.patience import until


@pytest.fixture
def post(tmp_path: Path) -> Post:
    return make_post(tmp_path / "pos")


def refused(post: Post, *words: str) -> str:
    """The one line with which it does not start."""
    done = post.run("run", *words)
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_when_asked_and_leaves_nothing_behind(post: Post, how: signal.Signals) -> None:
    with post.bridge() as bridge:
        assert post.picture()["post"] == "35.09.14.2005/pos-1"
        bridge.send_signal(how)
        assert bridge.wait(15) == 0
    assert not post.socket.exists()
    with post.bridge():
        assert post.picture()["run"]["start"] == 2


def test_a_second_bridge_on_one_journal_is_refused(post: Post) -> None:
    with post.bridge() as bridge:
        said = refused(post)
        assert f"is held by another bridge (process {bridge.pid})" in said
        assert post.picture()["run"]["start"] == 1


def test_a_killed_bridge_stands_in_nobodys_way(post: Post) -> None:
    with post.bridge() as bridge:
        bridge.kill()
        bridge.wait()
        assert post.socket.exists()
        with post.bridge():
            assert post.picture()["run"]["start"] == 2


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[radio]\n", '[radio]\nchanels = ["x"]\n', '[radio] chanels: kunci tidak dikenal; maksudnya "channels"?'),
        ("[radio]\n", "[radio\n", "tidak dapat dibaca: "),
        ('village = "35.09.14.2005"', 'village = "Suci"', "[post] village: 'Suci' bukan PP.KK.CC.DDDD"),
        ("[desk]\n", '[[uplink]]\nurl = "mqtt://b"\nca = "no.pem"\n[desk]\n', "[[uplink]] 1 ca: tidak ada berkas "),
    ],
)
def test_bad_settings_are_one_line(post: Post, old: str, new: str, said: str) -> None:
    post.change(old, new)
    assert said in refused(post)


def test_all_mistakes_come_at_once(post: Post) -> None:
    post.change("[radio]\n", "[radio]\nvolume = 11\n")
    post.change('id = "pos-1"', 'id = "Pos 1"')
    done = post.run("run")
    assert done.returncode == 1
    assert [line.split(":")[1].strip() for line in done.stderr.splitlines()] == ["post.toml"] * 2


def test_a_missing_key_is_one_line(post: Post) -> None:
    post.change("[journal]\n", UPLINK + "\n[journal]\n")
    (post.folder / "keys" / "post.pem").unlink()
    assert "`kentongan setup` membuatnya" in refused(post)


def test_a_key_that_is_none_is_one_line(post: Post) -> None:
    post.change("[journal]\n", UPLINK + "\n[journal]\n")
    (post.folder / "keys" / "post.pem").write_text("-----BEGIN NONSENSE-----\n")
    assert "[identity] key: " in refused(post)


def test_a_wrong_register_is_one_line(post: Post) -> None:
    (post.folder / "sources.toml").write_text('[[source]]\nnode = "RT03-12"\n')
    assert "bukan nomor simpul" in refused(post)


def test_a_file_where_a_folder_should_be_is_one_line(post: Post) -> None:
    post.toml.unlink()
    post.toml.mkdir()
    assert "no such file" in post.run("run", "--lang", "en").stderr


@pytest.mark.parametrize("radio", ["serial:///dev/serial/by-id/none", "tcp://127.0.0.1:1", "tcp://radio.invalid:4403"])
def test_a_missing_radio_stops_nobody(tmp_path: Path, radio: str) -> None:
    post = make_post(tmp_path / "pos", radio=radio)
    with post.bridge():
        why = until(lambda: post.picture().get("faults", {}).get("radio:gw1"), why="the missing radio is a fault")
        assert why
        told = post.run("status", "--lang", "en")
        assert told.returncode == 1
        assert "Check the radio's power and cable" in told.stdout


def test_a_radio_fresh_from_the_shop_is_deaf_and_says_so(tmp_path: Path) -> None:
    """Its one channel has the key that everybody knows: all is connected, and no call would count."""
    with Village(seed=3) as village:
        radio = village.gateway("Pos 1", channels={0: PUBLIC}).serve_tcp()
        post = make_post(tmp_path / "pos", radio=radio)
        with post.bridge():
            until(lambda: "channels:gw1" in post.picture().get("faults", {}), why="the deaf radio is a fault")
            told = post.run("status", "--lang", "en")
            assert told.returncode == 1
            assert "no private channel, nobody is heard" in told.stdout
            assert "give the radio a channel with its own key" in told.stdout


def test_a_missing_broker_stops_nobody(post: Post) -> None:
    post.change("[journal]\n", '[[uplink]]\nurl = "mqtt://127.0.0.1:1"\n\n[journal]\n')
    with post.bridge():
        until(lambda: post.picture().get("desk_away"), why="the police are not connected")
        told = post.run("status", "--json")
        assert told.returncode == 1
        findings = [found for found in json.loads(told.stdout)["findings"] if found["part"] == "desk"]
        assert [found["state"] for found in findings] == ["fault"]


def test_a_sick_disk_stops_nobody(post: Post) -> None:
    (post.folder / "disk").write_text("a file where the journal's folder should be")
    post.change('path = "journal.db"', 'path = "disk/journal.db"')
    with post.bridge() as bridge:
        until(lambda: post.picture().get("faults", {}).get("journal"), why="the sick disk is a fault")
        (post.folder / "disk").unlink()
        until(lambda: "journal" not in post.picture()["faults"], why="the disk is well again")
        assert (post.folder / "disk" / "journal.db").exists()
        bridge.send_signal(signal.SIGTERM)
        assert bridge.wait(15) == 0
    assert "no journal; alarms go out from memory" in post.log.read_text()


def test_another_socket_in_the_way_is_one_line(post: Post) -> None:
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(post.socket))
        other.listen()
        assert "another bridge answers at" in refused(post)


def test_a_journal_that_opens_and_cannot_be_read_is_opened_once_more(post: Post) -> None:
    """The disk fails between the two; whoever goes on with it must be told that it is not the journal of this run."""

    def fails(_: Journal) -> None:
        raise JournalFailed("the disk refuses")

    with pytest.MonkeyPatch.context() as sick:
        sick.setattr(Journal, "load", fails)
        runtime = build(load_config(post.toml))
    deliver: list[Event] = []
    runtime._journal.start(deliver.append)
    try:
        until(lambda: any(isinstance(event, JournalReplaced) for event in deliver), why="the run's own journal")
    finally:
        runtime._journal.stop()


def test_the_log_is_json_for_machines(post: Post) -> None:
    with post.bridge() as bridge:
        bridge.terminate()
        bridge.wait(15)
    lines = [json.loads(line) for line in post.log.read_text().splitlines()]
    assert {"event": "caution", "what": "no [[uplink]]: no alarm gets to the police"}.items() <= lines[0].items()
    assert {"event": "bridge starts", "level": "info", "post": "35.09.14.2005/pos-1"}.items() <= lines[1].items()
    assert lines[-1]["event"] == "bridge stops"


def test_the_log_is_readable_for_people(post: Post) -> None:
    with terminal() as (ours, theirs), post.bridge(stdout=theirs):
        shown = os.read(ours, 65_536).decode()
    assert "bridge starts" in shown
    assert not shown.startswith("{")


def test_nobody_who_reads_the_log_stops_nobody(post: Post) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    try:
        with post.bridge(stdout=theirs) as bridge:
            assert post.run("press").returncode == 0
            bridge.terminate()
            assert bridge.wait(15) == 0
    finally:
        os.close(theirs)


def test_whoever_stands_still_reading_the_log_stops_nobody(post: Post) -> None:
    """A pipe that is full: as a journal on a hung disk, or a terminal after Ctrl-S."""
    ours, theirs = os.pipe()
    fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, 4096)
    try:
        with post.bridge(stdout=theirs) as bridge:
            pressed = [ask(post.socket, "press", kind="FIRE")["press"] for _ in range(40)]
            until(lambda: post.picture().get("unwritten") == 0, why="the journal")
            assert len(set(pressed)) == 40
            heard = b""
            while b"bridge stops" not in heard:
                bridge.terminate()
                heard += os.read(ours, 65_536)
            assert bridge.wait(15) == 0
        assert all(press.encode() in heard for press in pressed), "late, but whole"
    finally:
        os.close(ours)
        os.close(theirs)


def test_systemd_is_told_when_it_is_ready_and_when_it_stops(post: Post, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(15)
        process = subprocess.Popen(
            [sys.executable, "-m", "cli", "run", "--config", str(post.toml)],
            env=ENVIRONMENT | {"NOTIFY_SOCKET": str(tmp_path / "notify")},
            stdout=subprocess.DEVNULL,
        )
        try:
            assert manager.recv(100) == b"READY=1"
            process.terminate()
            heard = [manager.recv(100)]
            while heard[-1] != b"STOPPING=1":
                heard.append(manager.recv(100))
            assert process.wait(15) == 0
        finally:
            process.kill()
            process.wait()
