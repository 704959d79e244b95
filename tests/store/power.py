"""A disk as a power cut leaves it, rebuilt from a program's system calls as strace recorded them.

What was synced is there. What was written since may be there whole, in parts, or not at all, in any order; the same
holds for a name that was made or removed since the folder was synced last. Syncing a file does not sync its name.
"""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

CALLS = (
    "openat,creat,open,pwrite64,pwritev,pwritev2,write,writev,fsync,fdatasync,sync_file_range,msync,ftruncate,"
    "truncate,fallocate,unlink,unlinkat,rename,renameat,renameat2,link,linkat"
)
SECTOR = 512
_CALL = re.compile(r"(?P<name>\w+)\((?P<rest>.*)\)\s+= (?P<result>-?\d+)")
_UNFINISHED = " <unfinished ...>"
_RESUMED = re.compile(r"<\.\.\. \w+ resumed>")
_FILE = re.compile(r"\d+<(?P<path>[^>]*)>(?:, )?(?P<rest>.*)")
_DATA = re.compile(r'"(?P<data>[^"]*)", \d+, (?P<at>\d+)')
_PROMISE = re.compile(rb"JOURNALED (\d+)\n")


@dataclass(frozen=True, slots=True)
class Make:
    name: str


@dataclass(frozen=True, slots=True)
class Remove:
    name: str


@dataclass(frozen=True, slots=True)
class Write:
    name: str
    at: int
    text: bytes


@dataclass(frozen=True, slots=True)
class Cut:
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Sync:
    """`name` '' is the folder."""

    name: str


@dataclass(frozen=True, slots=True)
class Promise:
    number: int


Happening = Make | Remove | Write | Cut | Sync | Promise


class Luck(Enum):
    """What becomes of writes that were not synced."""

    DROPPED = "dropped"
    KEPT_AT_RANDOM = "kept at random"
    TORN = "torn"


# --- what strace saw ----------------------------------------------------------------------------------------------


def happenings(trace: Path, folder: Path) -> Iterator[Happening]:
    """What the program did to files in `folder`, and what it promised, in order.

    A write counts from its beginning and a sync from its end: never to the disk's advantage.
    """
    known: set[str] = set()
    begun: dict[str, str] = {}
    for line in trace.read_text(encoding="ascii").splitlines():
        process, _, call = line.partition(" ")
        call = call.strip()
        if call.endswith(_UNFINISHED):
            begun[process] = call.removesuffix(_UNFINISHED)
            if call.startswith(("pwrite64", "write")):
                yield from _happened(begun[process] + ") = 0", folder, known)
        elif (resumed := _RESUMED.match(call)) is not None:
            start = begun.pop(process)
            if not start.startswith(("pwrite64", "write")):
                yield from _happened(start + call[resumed.end() :], folder, known)
        else:
            yield from _happened(call, folder, known)


def _happened(call: str, folder: Path, known: set[str]) -> Iterator[Happening]:
    found = _CALL.match(call)
    if found is None or int(found["result"]) < 0:
        return
    name, rest = found["name"], found["rest"]
    if name == "write":
        yield from (Promise(int(number)) for number in _PROMISE.findall(_bytes(rest.split('"')[1])))
        return
    path = _path(name, rest)
    if path is None or (path != folder and path.parent != folder):
        return
    own = "" if path == folder else path.name
    match name:
        case "openat":
            if "O_CREAT" in rest and own not in known:
                known.add(own)
                yield Make(own)
        case "pwrite64":
            data = _DATA.search(rest)
            assert data is not None, rest[-100:]
            yield Write(own, int(data["at"]), _bytes(data["data"]))
        case "ftruncate":
            yield Cut(own, int(rest.rpartition(", ")[2]))
        case "fsync" | "fdatasync":
            yield Sync(own)
        case "unlink":
            known.discard(own)
            yield Remove(own)
        case _:
            raise AssertionError(f"the model of the disk does not know {name}")


def _path(name: str, rest: str) -> Path | None:
    """The path of the file that a call is about; the strings of the trace are all in \\x form."""
    if name in ("openat", "unlink"):
        return Path(_bytes(rest.split('"')[1]).decode())
    file = _FILE.match(rest)
    return Path(_bytes(file["path"]).decode()) if file is not None else None


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


# --- what the disk holds ------------------------------------------------------------------------------------------


@dataclass(slots=True)
class File:
    durable: bytearray = field(default_factory=bytearray)
    unsynced: list[Write | Cut] = field(default_factory=list)

    def sync(self) -> None:
        for change in self.unsynced:
            _change(self.durable, change)
        self.unsynced.clear()

    def after_cut(self, luck: Luck, chance: random.Random) -> bytes:
        left = bytearray(self.durable)
        for change in self.unsynced:
            for survivor in _survivors(change, luck, chance):
                _change(left, survivor)
        return bytes(left)


def _survivors(change: Write | Cut, luck: Luck, chance: random.Random) -> Iterator[Write | Cut]:
    if luck is Luck.DROPPED:
        return
    if luck is Luck.KEPT_AT_RANDOM or isinstance(change, Cut):
        if chance.random() < 0.5:
            yield change
        return
    for begin in range(0, len(change.text), SECTOR):
        if chance.random() < 0.7:
            yield Write(change.name, change.at + begin, change.text[begin : begin + SECTOR])


def _change(content: bytearray, change: Write | Cut) -> None:
    match change:
        case Write(_, at, text):
            if len(content) < at:
                content.extend(bytes(at - len(content)))
            content[at : at + len(text)] = text
        case Cut(_, size):
            del content[size:]
            content.extend(bytes(size - len(content)))


@dataclass(slots=True)
class Disk:
    """`obeys`: whether it syncs when told to; `obeys_folder`: whether it syncs names. A disk that lies is found out."""

    obeys: bool = True
    obeys_folder: bool = True
    _names: dict[str, File] = field(default_factory=dict)  # as the program sees them
    _durable: dict[str, File] = field(default_factory=dict)
    _unsynced: dict[str, list[File | None]] = field(default_factory=dict)  # what each name became since

    def happen(self, what: Happening) -> None:
        match what:
            case Make(name):
                self._names[name] = File()
                self._unsynced.setdefault(name, []).append(self._names[name])
            case Remove(name):
                del self._names[name]
                self._unsynced.setdefault(name, []).append(None)
            case Write(name) | Cut(name):
                self._names[name].unsynced.append(what)
            case Sync(""):
                if self.obeys_folder:
                    self._durable = dict(self._names)
                    self._unsynced.clear()
            case Sync(name):
                if self.obeys:
                    self._names[name].sync()
            case Promise():
                pass

    def after_cut(self, folder: Path, luck: Luck, chance: random.Random) -> None:
        """Write into the empty `folder` what is left when the power comes back."""
        names: dict[str, File | None] = dict(self._durable)
        for name, became in self._unsynced.items():
            happened = 0 if luck is Luck.DROPPED else chance.randint(0, len(became))
            if happened:
                names[name] = became[happened - 1]
        for name, file in names.items():
            if file is not None:
                (folder / name).write_bytes(file.after_cut(luck, chance))
