"""`kentongan ports`: what is plugged in and who holds it; no port is opened."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

from serial.tools.list_ports_common import ListPortInfo

from cli.doctor_words import DoctorVoice
from cli.ports import _said, udev_rule
from cli.ports_found import Candidate, Holder, candidate, holders
from tests.cli.kentongan import run

ENGLISH = DoctorVoice("en")
PLUGGED = """
from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo
port = ListPortInfo("/dev/null")
port.vid, port.pid, port.manufacturer, port.product = 0x239A, 0x8029, "RAKwireless", "WisCore RAK4631 Board"
bare = ListPortInfo("/dev/ttyS0")
list_ports.comports = lambda: [bare, port]
"""


def test_what_is_plugged_in_is_named() -> None:
    told = run("ports", "--json", script=PLUGGED)
    assert told.returncode == 0, told.stderr
    (found,) = json.loads(told.stdout)
    assert found["what"] == "RAKwireless WisCore RAK4631 Board - RAK4631 (nRF52840)"
    assert "RAK4631" in run("ports", script=PLUGGED).stdout


def test_nothing_plugged_in_is_a_fault_with_a_hint() -> None:
    none = run("ports", "--lang", "en", script="from serial.tools import list_ports\nlist_ports.comports = lambda: []")
    assert (none.returncode, none.stdout) == (1, "")
    assert "a data cable, not a charging one" in none.stderr


def test_the_lasting_name_is_shown_and_what_the_post_uses_it_for(tmp_path: Path) -> None:
    port = ListPortInfo("/dev/null")
    port.vid, port.pid = 0x10C4, 0xEA60
    found = candidate(port, {"/dev/null": "/dev/serial/by-id/usb-Silicon"}, {"/dev/null": "radio"})
    assert found.path == "/dev/serial/by-id/usb-Silicon"
    assert "CP210x" in found.what
    assert "    this post uses it for radio" in _said(found, ENGLISH)
    port.vid, port.pid = 0x1234, 0x5678
    assert candidate(port, {}, {}).what == "1234:5678"


def test_who_holds_a_port_is_seen_by_its_lock_and_by_its_file() -> None:
    ours, theirs = pty.openpty()
    path = Path(os.ttyname(theirs))
    script = "import serial, sys; p = serial.Serial(sys.argv[1], exclusive=True); print('ok', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == "ok\n"
        assert [holder.pid for holder in holders(path)] == [other.pid]
        other.communicate("\n")
    assert holders(path) == ()
    os.close(ours)
    os.close(theirs)


def test_the_bridge_is_told_from_other_programs(tmp_path: Path) -> None:
    device = tmp_path / "ttyUSB0"
    device.touch()
    at = device.stat()
    lock = f"1: FLOCK  ADVISORY  WRITE %d {os.major(at.st_dev):02x}:{os.minor(at.st_dev):02x}:{at.st_ino} 0 EOF\n"
    proc = tmp_path / "proc"
    programs = ((11, "python3", "python3\0/opt/bin/kentongan\0run\0"), (12, "minicom", "minicom\0-D\0"))
    for pid, name, words in programs:
        (proc / str(pid)).mkdir(parents=True)
        (proc / str(pid) / "comm").write_text(f"{name}\n")
        (proc / str(pid) / "cmdline").write_text(words)
    (proc / "locks").write_text(lock % 11 + lock % 12 + "2: -> FLOCK ADVISORY\n" + "3: POSIX x\n")
    assert holders(device, proc) == (Holder(11, "python3", True), Holder(12, "minicom"))


def test_a_port_that_may_not_be_used_comes_with_the_remedy() -> None:
    port = Candidate("/dev/ttyUSB0", "/dev/ttyUSB0", "CP210x", False, "dialout", (Holder(7, "kentongan", True),))
    said = "\n".join(_said(port, ENGLISH))
    assert "usermod -aG dialout" in said and "--udev" in said and "held by the bridge (process 7)" in said


def test_the_udev_rule_is_text_to_be_saved() -> None:
    assert 'ATTRS{idVendor}=="239a", GROUP="dialout", MODE="0660"' in udev_rule()
    told = run("ports", "--udev")
    assert told.returncode == 0 and told.stdout.startswith("# ") and udev_rule() in told.stdout
