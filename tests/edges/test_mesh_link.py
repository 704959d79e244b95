"""Opening a serial port as a daemon must: it never becomes our terminal, and nobody else reads it."""

import os
import pty
import signal
import socket
import subprocess
import sys
import termios
import tty
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bridge.domain.errors import RadioLost
from bridge.edges.mesh_link import Link, open_link

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass
class Plug:
    """A pseudo terminal: the radio holds `near`; `path` is the port."""

    near: int
    far: int
    path: str

    def pull(self) -> None:
        for fd in (self.far, self.near):
            os.close(fd)


@pytest.fixture
def plug() -> Iterator[Plug]:
    near, far = pty.openpty()
    tty.setraw(far)
    made = Plug(near, far, os.ttyname(far))
    yield made
    try:
        made.pull()
    except OSError:
        return  # the test pulled it


def open_port(path: str) -> Link:
    return open_link(f"serial://{path}", connect_s=1.0, write_s=1.0)


# A session leader without a terminal, as a daemon under systemd is.
DAEMON = """
import signal, sys
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever runs the tests may ignore it, as nohup does
from bridge.domain.errors import RadioLost
from bridge.edges.mesh_link import open_link
opened = {opened}
print("open", flush=True)
try:
    while True:
        opened.read(5.0)
except RadioLost as lost:
    print("alive:", lost, flush=True)
"""
OURS = 'open_link("serial://" + sys.argv[1], connect_s=1.0, write_s=1.0)'
NAIVE = 'type("N", (), {"f": open(sys.argv[1], "r+b", buffering=0), "read": lambda self, _s: self.f.read(1)})()'


def daemon(opened: str, port: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", DAEMON.replace("{opened}", opened), port],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize("opened", [OURS, NAIVE], ids=["ours", "without O_NOCTTY"])
def test_unplugging_hangs_up_nobody(plug: Plug, opened: str) -> None:
    """The second case shows that the test can fail: a plain open() dies by SIGHUP."""
    with daemon(opened, plug.path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        plug.pull()
        rest, _ = process.communicate(timeout=10)
    if opened is OURS:
        assert rest.startswith("alive: sambungan radio putus") or rest.startswith("alive: radio menutup")
        assert process.returncode == 0
    else:
        assert (rest, process.returncode) == ("", -signal.SIGHUP)


def test_a_port_is_read_by_one_program_only(plug: Plug) -> None:
    first = open_port(plug.path)
    with pytest.raises(RadioLost, match="program lain"):
        open_port(plug.path)
    first.close()
    open_port(plug.path).close()


def test_closing_lets_no_line_fall(plug: Plug) -> None:
    """HUPCL would drop DTR at the last close, and many boards restart on that."""
    attributes = termios.tcgetattr(plug.far)
    attributes[2] |= termios.HUPCL
    termios.tcsetattr(plug.far, termios.TCSANOW, attributes)
    open_port(plug.path).close()
    assert not termios.tcgetattr(plug.far)[2] & termios.HUPCL


def test_bytes_pass_unchanged_both_ways(plug: Plug) -> None:
    every = bytes(range(256))
    link = open_port(plug.path)
    os.write(plug.near, every)
    assert link.read(5.0) == every
    assert link.read(0.0) == b""
    link.write(every)
    assert os.read(plug.near, 1000) == every
    link.close()


def test_a_port_that_may_not_be_opened_says_so(tmp_path: Path) -> None:
    with pytest.raises(RadioLost, match="tidak bisa dibuka"):
        open_port(str(tmp_path))
    with pytest.raises(RadioLost, match="periksa kabel USB"):
        open_port(str(tmp_path / "missing"))


def test_who_takes_no_bytes_is_lost_in_time(plug: Plug) -> None:
    link = open_link(f"serial://{plug.path}", connect_s=1.0, write_s=0.2)
    with pytest.raises(RadioLost, match="tidak menerima"):
        link.write(b"x" * 1_000_000)
    link.close()


def test_a_closed_wire_is_never_written_to(plug: Plug) -> None:
    """Its number may belong to the journal by then."""
    link = open_port(plug.path)
    number = link._fd
    link.close()
    other = os.open(os.devnull, os.O_RDWR)
    assert other == number
    with pytest.raises(RadioLost):
        link.write(b"halo")
    os.close(other)


def test_a_peer_that_is_gone_without_a_word_is_missed_within_30_s() -> None:
    """A head says nothing for hours: only the kernel can ask whether it is still there."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        link = open_link(f"tcp://127.0.0.1:{server.getsockname()[1]}", connect_s=5, write_s=5)
        wire = link._wire
        assert isinstance(wire, socket.socket)
        assert wire.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
        idle_s, every_s, times = (wire.getsockopt(socket.IPPROTO_TCP, option) for option in options)
        assert idle_s + every_s * times <= 30
        link.close()
