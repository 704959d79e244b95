"""A head on a pty that speaks the technician's lines, and misbehaves where a story wants it to."""

import base64
import hashlib
import hmac
import json
import os
import pty
import select
import threading
import tty
from contextlib import suppress


class FakeHead:
    """`key`: 16 bytes or b''. `dies_before`, `dies_after`: hangs up around the act of that word, `!key` for example.
    `strikes_at`: a hand strikes it just then.

    Its faults: `is_mute`, `is_silent` (no K1 line), `is_deaf` (believes no answer), `is_waiting`, `repeats_errors`.
    """

    def __init__(self, name: str = "RT03-12", key: bytes = b"") -> None:
        self.name, self.key, self.fault = name, key, ""
        self.at, self.press = "house", 0
        self.dies_before = self.dies_after = self.strikes_at = ""
        self.is_mute = self.is_silent = self.is_deaf = self.is_waiting = self.repeats_errors = False
        self.asked: list[str] = []
        self.answers: list[str] = []
        self._stop = threading.Event()

    def __enter__(self) -> "FakeHead":
        self._plug_in()
        return self

    def __exit__(self, *_: object) -> None:
        self.unplug()

    @property
    def port(self) -> str:
        return self._port

    def plug_in_again(self) -> None:
        self.unplug()
        self.dies_before = self.dies_after = ""
        self._plug_in()

    def unplug(self) -> None:
        self._stop.set()
        self._thread.join()

    def call(self, kind: str) -> None:
        """A K1 line with its MAC, over USB."""
        self._say(self._k1(kind))

    def _plug_in(self) -> None:
        self._stop.clear()
        self._ours, theirs = pty.openpty()
        tty.setraw(theirs)
        self._port = os.ttyname(theirs)
        self._thread = threading.Thread(target=self._live, args=(theirs,))
        self._thread.start()

    def _live(self, theirs: int) -> None:
        rest, is_alive = b"", True
        with suppress(OSError):
            while is_alive and not self._stop.is_set():
                if not select.select([self._ours], [], [], 0.02)[0]:
                    continue
                *lines, rest = (rest + os.read(self._ours, 4096)).split(b"\n")
                is_alive = all([self._hear(line.decode()) for line in lines if line])
        os.close(self._ours)
        os.close(theirs)

    def _hear(self, line: str) -> bool:
        """False when it has died of it."""
        word, _, rest = line.partition(" ")
        self.asked.append(word)
        if word == self.strikes_at:
            self.call("PANIC")
        if word == self.dies_before:
            return False
        answer = "" if self.is_mute else self._act(word, rest, line)
        if word == self.dies_after:
            return False
        if answer:
            self._say(answer)
        if word == "!test" and not self.is_waiting and not self.is_silent:
            self.call("TEST")
        return True

    def _act(self, word: str, rest: str, line: str) -> str:
        if self.repeats_errors and word == "!key":
            return f"!err what is {line}"
        match word:
            case "!info":
                return "!info " + json.dumps(self._info())
            case "!name":
                self.name = rest
                return f"!ok name {rest}"
            case "!key":
                self.key = bytes.fromhex(rest)
                return "!ok key"
            case "!lamps":
                return "!ok lamps"
            case "!test":
                return "!err a call is open" if self.is_waiting else f"!ok test 7QXD.{self.press + 1}"
            case "P1":
                self.answers.append(line)
                return "" if self.is_deaf else self._k1("TEST=C", again=True)
        return "!err unknown"

    def _info(self) -> dict[str, object]:
        told = {"name": self.name, "epoch": "7QXD", "press": self.press, "keyed": bool(self.key), "codebook": "a"}
        return told | {"at": self.at, "version": "1", "fault": self.fault}

    def _k1(self, kind: str, again: bool = False) -> str:
        self.press += not again
        said = f"K1 {self.name} 7QXD.{self.press} {kind}"
        digest = hmac.new(self.key, said.encode(), hashlib.sha256).digest()
        return f"{said} {base64.b32encode(digest)[:6].decode() if self.key else '------'}"

    def _say(self, line: str) -> None:
        os.write(self._ours, f"\n{line}\n".encode())
