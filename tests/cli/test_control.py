"""The control socket: one question, one line; whoever is slow, loud or lost harms nobody else."""

import json
import os
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bridge import control
from bridge.control import CLIENTS, LINE_BYTES, ControlBusy, ControlSocket
from bridge.domain.errors import BridgeError
from bridge.unix import folder_of
from cli.control_client import NoBridge, NotAnswered, ask
from tests.patience import until


def refuse(_: dict[str, Any]) -> dict[str, Any]:
    raise BridgeError("the disk is full; make room")


@contextmanager
def served(path: Path, patience_s: float = 5.0, **asks: Callable[[dict[str, Any]], dict[str, Any]]) -> Iterator[Path]:
    asks = {"echo": lambda question: {"heard": question}, "refuse": refuse} | asks
    server = ControlSocket(path, asks, patience_s)
    server.start()
    try:
        yield path
    finally:
        server.stop()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "control.sock"


@contextmanager
def client(path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as sock, folder_of(path) as address:
        sock.settimeout(10)
        sock.connect(address)
        yield sock


def answer(sock: socket.socket) -> dict[str, Any]:
    received = b""
    while not received.endswith(b"\n"):
        more = sock.recv(65_536)
        assert more, "the bridge hung up without an answer"
        received += more
    return json.loads(received)


def test_a_question_and_its_facts_are_answered(path: Path) -> None:
    with served(path):
        assert ask(path, "echo", kind="FIRE") == {"heard": {"ask": "echo", "kind": "FIRE"}}


def test_what_cannot_be_answered_is_told_in_one_line(path: Path) -> None:
    with served(path):
        with pytest.raises(NotAnswered, match="unknown question 'weather'; known: echo, refuse"):
            ask(path, "weather")
        with pytest.raises(NotAnswered, match=r"^the disk is full; make room$"):
            ask(path, "refuse")


@pytest.mark.parametrize("line", [b"hello", b"[]", b'{"ask": 7}', b"null", b"\xff\xfe", b"[" * 60_000])
def test_nonsense_is_answered_and_the_talk_goes_on(path: Path, line: bytes) -> None:
    with served(path), client(path) as sock:
        sock.sendall(line + b"\n")
        assert "for example" in answer(sock)["error"]
        sock.sendall(b'{"ask": "echo"}\n')
        assert answer(sock) == {"heard": {"ask": "echo"}}


def test_many_questions_in_one_breath_are_answered_in_order(path: Path) -> None:
    with served(path), client(path) as sock:
        sock.sendall(b"".join(b'{"ask": "echo", "n": %d}\n' % n for n in range(50)))
        lines = sock.makefile("rb")
        assert [json.loads(lines.readline())["heard"]["n"] for _ in range(50)] == list(range(50))


def test_a_line_without_end_is_cut_off(path: Path) -> None:
    with served(path), client(path) as sock:
        sock.sendall(b"x" * (LINE_BYTES + 1))
        assert answer(sock) == {"error": f"a question may have {LINE_BYTES} bytes at most"}
        assert sock.recv(1) == b""


def test_silence_is_not_waited_for_for_ever(path: Path) -> None:
    with served(path, patience_s=0.2), client(path) as mute, client(path) as slow:
        slow.sendall(b'{"ask": ')
        assert (mute.recv(1), slow.recv(1)) == (b"", b"")


def test_a_client_that_never_reads_holds_up_nobody(path: Path) -> None:
    with served(path, patience_s=0.3, much=lambda _: {"text": "x" * 4_000_000}), client(path) as deaf:
        deaf.sendall(b'{"ask": "much"}\n')
        assert ask(path, "echo")["heard"] == {"ask": "echo"}
        assert len(ask(path, "much")["text"]) == 4_000_000


def test_too_many_at_once_are_turned_away_until_one_leaves(path: Path) -> None:
    with served(path):
        crowd = [client(path) for _ in range(CLIENTS)]
        first, *_ = [entered.__enter__() for entered in crowd]
        with client(path) as late:
            assert "too many" in answer(late)["error"]
        first.close()
        until(lambda: is_answered(path))
        for entered in crowd[1:]:
            entered.__exit__(None, None, None)


def is_answered(path: Path) -> bool:
    try:
        return bool(ask(path, "echo"))
    except NotAnswered:
        return False


def test_a_fault_of_ours_costs_one_talk_only(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with served(path, broken=lambda _: {}["nothing"]):
        with pytest.raises(NotAnswered):
            ask(path, "broken")
        assert ask(path, "echo")
    assert "control client failed" in capfd.readouterr().out


def test_without_a_group_only_the_owner_may_ask(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "GROUP", "no-such-group-here")
    with served(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_group_may_ask_and_others_not(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import grp

    own = grp.getgrgid(os.getgid())
    monkeypatch.setattr(control, "GROUP", own.gr_name)
    with served(path):
        assert (stat.S_IMODE(path.stat().st_mode), path.stat().st_gid) == (0o660, own.gr_gid)


def test_a_socket_left_by_a_killed_bridge_is_replaced(path: Path) -> None:
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as dead, folder_of(path) as address:
        dead.bind(address)
    assert path.exists()
    with pytest.raises(NoBridge):
        ask(path, "echo")
    with served(path):
        assert ask(path, "echo")
    assert not path.exists()


def test_a_living_socket_is_left_alone(path: Path) -> None:
    with served(path):
        with pytest.raises(ControlBusy, match="stop it first"):
            ControlSocket(path, {}).start()
        assert ask(path, "echo")


def test_a_folder_that_cannot_be_written_costs_only_the_socket(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file where the folder should be")
    server = ControlSocket(tmp_path / "run" / "control.sock", {})
    server.start()
    server.stop()


def test_a_path_longer_than_the_kernel_takes_is_served(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 90) / ("e" * 90) / "control.sock"
    with served(deep):
        assert ask(deep, "echo")


def test_stopping_ends_every_talk(path: Path) -> None:
    before = threading.active_count()
    with served(path), client(path) as sock:
        sock.sendall(b'{"ask": "echo"}\n')
        assert answer(sock)
    with pytest.raises(NoBridge):
        ask(path, "echo")
    until(lambda: threading.active_count() <= before)
