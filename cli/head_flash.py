"""Writes a head's program with MicroPython's own tool, mpremote, and reads it back.

main.py goes first and comes last: a head never runs half of an old and half of a new program, and without main.py
there is no watchdog that would restart the board in the middle.
"""

import hashlib
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from cli.head_link import HeadFault, HeadInfo, HeadLink

RULES = ("rhythm.py", "codebook.py", "pad.py")  # of bridge/domain; the same files as at the post
STARTERS = ("boot.py", "main.py")
FOLDERS = ("/firmware_config", "/firmware_config/head", "/bridge", "/bridge/domain")
OPTIONS = ("PIEZO", "BEEPS")  # of board.py; a head that has one keeps it
OLDEST = (1, 24)
PLATFORMS = {"pico": "rp2", "esp32": "esp32"}
FIRST_S = 15.0
CALL_S = 30.0
WRITE_S = 240.0
BOOT_S = 20.0
RESTART_S = 8.0  # mpremote waits for 10 s where nobody answers; a port that vanishes ends it sooner

# Runs on the board. Only what is surely ours is stopped, so that a wrong board is left as it was.
STOP = """
import os, sys
v = sys.implementation.version
try:
    with open("/firmware_config/head/board.py") as file:
        text = file.read()
except OSError:
    text = ""
options = [name for name in {options} if "\\n" + name + " = True" in text]
print("HEAD", sys.implementation.name, sys.platform, v[0], v[1], *options)
if sys.implementation.name == "micropython" and v[:2] >= {oldest} and {wanted!r} in ("", sys.platform):
    for name in {starters}:
        try:
            os.remove("/" + name)
        except OSError:
            pass
"""
MAKE_ROOM = """
import os
def gone(path):
    try:
        for name in os.listdir(path):
            gone(path + "/" + name)
        os.rmdir(path)
    except OSError:
        try:
            os.remove(path)
        except OSError:
            pass
if {wipe}:
    gone("/keep")
for folder in {folders}:
    try:
        os.mkdir(folder)
    except OSError:
        pass
for folder in {leaves}:
    for name in os.listdir(folder):
        if folder + "/" + name not in {ours}:
            gone(folder + "/" + name)
"""
READ_BACK = """
import binascii, hashlib
for path in {paths}:
    hash = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while True:
                octets = file.read(512)
                if not octets:
                    break
                hash.update(octets)
    except OSError:
        continue
    print("HEAD", path, binascii.hexlify(hash.digest()).decode())
"""


@dataclass(frozen=True, slots=True)
class Board:
    """What runs on a board: `platform` as MicroPython calls it, its version, `options` that it was flashed with."""

    platform: str
    version: tuple[int, int]
    options: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"{self.platform}, MicroPython {self.version[0]}.{self.version[1]}"


def program(options: Iterable[str] = ()) -> dict[str, bytes]:
    """Every file of the head by its path there; those that start it come last. `options`: of OPTIONS, switched on."""
    firmware = {
        file.name: file.read_bytes() for file in (files("firmware_config") / "head").iterdir() if _runs(file.name)
    }
    domain = files("bridge") / "domain"
    for option in options:
        firmware["board.py"] = firmware["board.py"].replace(
            f"\n{option} = False".encode(), f"\n{option} = True".encode()
        )
    parts = {f"/firmware_config/head/{name}": text for name, text in firmware.items() if name not in STARTERS}
    rules = {f"/bridge/domain/{name}": (domain / name).read_bytes() for name in RULES}
    return dict(sorted((parts | rules).items())) | {f"/{name}": firmware[name] for name in STARTERS}


def _runs(name: str) -> bool:
    return name.endswith(".py") and name != "__init__.py"


class Flasher:
    """One board at a port. Every method raises HeadFault."""

    def __init__(self, port: str) -> None:
        self._port = port
        if importlib.util.find_spec("mpremote") is None:
            raise HeadFault("no_mpremote")
        HeadLink(port).__exit__()  # a port that is missing, forbidden or in use is told in our own words

    def stop(self, wanted: str) -> Board:
        """Takes the program's start away and restarts the board without it. `wanted`: pico, esp32 or ''."""
        platform = PLATFORMS.get(wanted, "")
        board = self._stop_once(STOP.format(oldest=OLDEST, wanted=platform, starters=STARTERS, options=OPTIONS), wanted)
        self.restart()  # what is refused goes on as it was
        if platform not in ("", board.platform):
            raise HeadFault("other_board", port=self._port, found=board, wanted=wanted)
        if board.version < OLDEST:
            raise HeadFault("old_micropython", port=self._port, board=wanted, found=board, wanted=_dotted(OLDEST))
        self._until_it_answers()
        return board

    def write(self, program: Mapping[str, bytes], wipe: bool) -> None:
        """Everything but the start first, and the start when that was read back."""
        leaves = sorted({path.rpartition("/")[0] for path in program} - {""})
        room = MAKE_ROOM.format(wipe=wipe, folders=FOLDERS, leaves=leaves, ours=sorted(program))
        self._must(["exec", room], CALL_S)
        starters = {path: text for path, text in program.items() if path.strip("/") in STARTERS}
        parts = {path: text for path, text in program.items() if path not in starters}
        for group in (parts, starters):
            self._copy(group)
            self._compare(group)

    def restart(self) -> None:
        """As the reset button does. mpremote may or may not see its port vanish; what follows tells."""
        self._call(["reset"], CALL_S)
        time.sleep(0.5)  # the board waits 0.1 s before it restarts: a call that comes sooner would stop that

    def wait(self) -> HeadInfo:
        """Until the program itself answers."""
        until = time.monotonic() + BOOT_S
        while time.monotonic() < until:
            try:
                with HeadLink(self._port) as link:
                    return link.info()
            except HeadFault:
                time.sleep(0.3)
        raise HeadFault("not_started", port=self._port, s=BOOT_S)

    def _stop_once(self, code: str, wanted: str) -> Board:
        began = time.monotonic()
        done = self._call(["exec", code], FIRST_S)
        if done.returncode and time.monotonic() - began < RESTART_S:  # it may have been restarting just then
            time.sleep(2)
            done = self._call(["exec", code], FIRST_S)
        told = [line.split(" ") for line in done.stdout.splitlines() if line.startswith("HEAD ")]
        if done.returncode or not told:
            raise HeadFault("no_micropython", port=self._port, board=wanted)
        _, name, platform, major, minor, *options = told[0]
        board = Board(platform if name == "micropython" else name, (int(major), int(minor)), frozenset(options))
        if name != "micropython":
            raise HeadFault("other_board", port=self._port, found=board, wanted="MicroPython")
        return board

    def _until_it_answers(self) -> None:
        until = time.monotonic() + BOOT_S
        while (done := self._call(["exec", "print()"], CALL_S)).returncode:
            if time.monotonic() > until:
                raise HeadFault("broken_off", why=_last_line(done))
            time.sleep(0.5)

    def _copy(self, group: Mapping[str, bytes]) -> None:
        with tempfile.TemporaryDirectory(prefix="kentongan-head-") as folder:
            words: list[str] = []
            for number, (path, text) in enumerate(group.items()):
                here = Path(folder) / f"{number}.py"
                here.write_bytes(text)
                words += ["+"] * bool(words) + ["fs", "cp", str(here), f":{path}"]
            self._must(words, WRITE_S)

    def _compare(self, group: Mapping[str, bytes]) -> None:
        done = self._must(["exec", READ_BACK.format(paths=list(group))], CALL_S)
        found = {tuple(line.split(" ")[1:]) for line in done.stdout.splitlines() if line.startswith("HEAD ")}
        unlike = [path for path, text in group.items() if (path, hashlib.sha256(text).hexdigest()) not in found]
        if unlike:
            raise HeadFault("unlike", files=", ".join(unlike))

    def _must(self, words: Iterable[str], limit_s: float) -> subprocess.CompletedProcess[str]:
        done = self._call(words, limit_s)
        if done.returncode:
            raise HeadFault("broken_off", why=_last_line(done))
        return done

    def _call(self, words: Iterable[str], limit_s: float) -> subprocess.CompletedProcess[str]:
        """`resume`: without a soft reset, which would start the program again."""
        command = [sys.executable, "-m", "mpremote", "connect", self._port, "resume", *words]
        try:
            return subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=limit_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(command, 1, "", f"no end within {limit_s:g} s")


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
    return lines[-1] if lines else os.strerror(0)
