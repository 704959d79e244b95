"""What is plugged in: serial ports by the name that stays, what they are, who holds them. No port is ever opened:

that alone would restart many boards.
"""

import grp
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BY_ID = Path("/dev/serial/by-id")
PROC = Path("/proc")

# By vendor and product; the vendor alone where one has many. Source: meshtastic's supported devices and the makers.
KNOWN: dict[tuple[int, int] | int, str] = {
    (0x10C4, 0xEA60): "CP210x: Heltec V2/V3, T-Beam, ESP32",
    (0x1A86, 0x7523): "CH340: ESP32, CTS / relay",
    (0x1A86, 0x55D4): "CH9102: T-Beam, T-Lora, Heltec",
    (0x239A, 0x8029): "RAK4631 (nRF52840)",
    (0x2E8A, 0x0005): "Raspberry Pi Pico, MicroPython: kepala kentongan (head)",
    0x10C4: "Silicon Labs",
    0x1A86: "WCH",
    0x239A: "nRF52840: RAK, T-Echo, Heltec T114",
    0x2886: "Seeed: XIAO, Wio Tracker, T1000-E",
    0x2E8A: "Raspberry Pi Pico (RP2040)",
    0x303A: "ESP32-S3/C3: Heltec V3, T-Deck, Station G2",
    0x0403: "FTDI: CTS / relay",
    0x067B: "Prolific PL2303: CTS / relay",
}


@dataclass(frozen=True, slots=True)
class Holder:
    """A program that has the port open. `name` as the system calls it; `is_bridge`: it is `kentongan run`."""

    pid: int
    name: str
    is_bridge: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """One port. `group`: whose members may use it; `used_for`: what post.toml says that it is."""

    path: str
    device: str
    what: str
    is_allowed: bool
    group: str
    holders: tuple[Holder, ...] = ()
    used_for: str = ""


def candidates(used_for: dict[str, str] | None = None, by_id: Path = BY_ID) -> list[Candidate]:
    """Every USB serial port. `used_for`: a word for each device path that the post uses."""
    from serial.tools import list_ports

    used = {os.path.realpath(path): word for path, word in (used_for or {}).items()}
    names = {os.path.realpath(link): str(link) for link in by_id.iterdir()} if by_id.is_dir() else {}
    ports = sorted((port for port in list_ports.comports() if port.vid is not None), key=lambda port: port.device)
    return [candidate(port, names, used) for port in ports]


def candidate(port: Any, names: dict[str, str], used: dict[str, str]) -> Candidate:
    """`port` as pyserial lists it."""
    real = os.path.realpath(port.device)
    return Candidate(
        path=names.get(real, port.device),
        device=port.device,
        what=what_it_is(port),
        is_allowed=os.access(port.device, os.R_OK | os.W_OK),
        group=group_of(Path(port.device)),
        holders=holders(Path(real)),
        used_for=used.get(real, ""),
    )


def what_it_is(port: Any) -> str:
    """Its own word, and what it is known for."""
    said = " ".join(part for part in (port.manufacturer, port.product) if part)
    known = KNOWN.get((port.vid, port.pid)) or KNOWN.get(port.vid, "")
    return " - ".join(part for part in (said, known) if part) or f"{port.vid:04x}:{port.pid:04x}"


def group_of(path: Path) -> str:
    try:
        return grp.getgrgid(path.stat().st_gid).gr_name
    except (OSError, KeyError):
        return "dialout"


def holders(path: Path, proc: Path = PROC) -> tuple[Holder, ...]:
    """Who has this file open or locked, as far as the system lets us see."""
    pids = sorted({*_locking(path, proc), *_opening(path, proc)} - {os.getpid()})
    return tuple(_holder(pid, proc) for pid in pids)


def _locking(path: Path, proc: Path) -> Iterator[int]:
    """Everybody may read the list of locks, also those of other users' programs."""
    try:
        about, lines = path.stat(), (proc / "locks").read_text().splitlines()
    except OSError:
        return
    wanted = (os.major(about.st_dev), os.minor(about.st_dev), about.st_ino)
    for words in map(str.split, lines):
        if len(words) >= 8 and words[1] != "->":
            major, minor, inode = words[5].split(":")
            if (int(major, 16), int(minor, 16), int(inode)) == wanted and int(words[4]) > 0:
                yield int(words[4])


def _opening(path: Path, proc: Path) -> Iterator[int]:
    for folder in proc.glob("[0-9]*/fd"):
        try:
            if str(path) in map(os.readlink, _entries(folder)):
                yield int(folder.parent.name)
        except OSError:
            continue  # it ended meanwhile, or is another user's


def _entries(folder: Path) -> Iterable[str]:
    return [f"{folder}/{name}" for name in os.listdir(folder)]


def _holder(pid: int, proc: Path) -> Holder:
    try:
        name = (proc / str(pid) / "comm").read_text().strip()
        words = (proc / str(pid) / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return Holder(pid, "?")
    return Holder(pid, name, "run" in words and any(Path(word).name in ("kentongan", "cli") for word in words[:4]))
