"""A head on USB: the technician's lines (`!info` and others), and the K1 lines that come between."""

import json
import os
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import serial

from bridge.domain.errors import BridgeError

BAUD = 115_200
ANSWER_S = 3.0
TRIES = 3
LOOK_S = 0.1
REPL = ">>>"
CALL = "K1 "


class HeadFault(BridgeError):
    """What went wrong with a head: `key` and `facts` of a sentence in head_words."""

    def __init__(self, key: str, **facts: object) -> None:
        super().__init__(key)
        self.key, self.facts = key, facts


@dataclass(frozen=True, slots=True)
class HeadInfo:
    """What a head says of itself. `press`: its latest number; the key is never told, only whether there is one."""

    name: str
    epoch: str
    press: int
    keyed: bool
    codebook: str
    at: str
    version: str
    fault: str

    @classmethod
    def read(cls, text: str) -> "HeadInfo":
        """From the JSON of an `!info` answer; what is unknown in it is passed over. Raises ValueError."""
        told: dict[str, Any] = json.loads(text)
        try:
            words = {name: str(told[name]) for name in ("name", "epoch", "codebook", "at", "version", "fault")}
            return cls(press=int(told["press"]), keyed=told["keyed"] is True, **words)
        except (KeyError, TypeError) as error:
            raise ValueError(f"no {error}") from error


class HeadLink:
    """An open port with a head behind it. Everything raises HeadFault."""

    def __init__(self, port: str) -> None:
        self._port = port
        self._wire = _open(port)
        self._rest = b""
        self._lines: deque[str] = deque()
        self.heard: list[str] = []  # its K1 lines that came before an answer

    def __enter__(self) -> "HeadLink":
        return self

    def __exit__(self, *_: object) -> None:
        self._wire.close()

    def info(self) -> HeadInfo:
        """Asked again if need be: half a line may wait in the head from before."""
        for turn in range(1, TRIES + 1):
            try:
                return HeadInfo.read(self._ask("!info", "!info ").removeprefix("!info "))
            except ValueError as error:
                if turn == TRIES:
                    raise HeadFault("strange", port=self._port) from error
            except HeadFault as fault:
                if turn == TRIES or fault.key not in ("mute", "refused"):
                    raise
        raise AssertionError("the last turn returns or raises")

    def order(self, word: str, rest: str = "") -> str:
        """`!name RT03-12` and the like; what follows `!ok`. A key in `rest` is in no message."""
        return self._ask(f"!{word} {rest}".rstrip(), f"!ok {word}").removeprefix("!ok ")

    def say(self, text: str) -> None:
        """A text as it is, with the newlines that its lines need."""
        self._write(text.encode("ascii"))

    def calls(self, wait_s: float, settle_s: float) -> Iterator[str]:
        """Its K1 lines as they come: the first within `wait_s`, and on until none has come for `settle_s`."""
        until = time.monotonic() + wait_s
        while (line := self._next(until)) is not None:
            if line.startswith(CALL):
                yield line
                until = time.monotonic() + settle_s

    def _ask(self, said: str, wanted: str) -> str:
        word = said.partition(" ")[0]
        self._write(f"\n{said}\n".encode("ascii"))
        until = time.monotonic() + ANSWER_S
        while (line := self._next(until)) is not None:
            if line.startswith(wanted):
                return line
            if line.startswith("!err"):
                raise HeadFault("refused", asked=word, why=_without(said, line.removeprefix("!err ")))
            if REPL in line:
                raise HeadFault("bare", port=self._port)
            if line.startswith(CALL):
                self.heard.append(line)
        raise HeadFault("bare" if REPL.encode() in self._rest else "mute", port=self._port, asked=word)

    def _next(self, until: float) -> str | None:
        """The next whole line that is not empty; None when none comes in time."""
        while not self._lines:
            if time.monotonic() >= until:
                return None
            self._read()
        return self._lines.popleft()

    def _read(self) -> None:
        try:
            octets = self._wire.read(max(self._wire.in_waiting, 1))
        except (OSError, serial.SerialException) as error:
            raise HeadFault("gone", port=self._port) from error
        *whole, self._rest = (self._rest + octets).split(b"\n")
        self._lines += [line.strip(b"\r").decode("ascii", "replace") for line in whole if line.strip(b"\r")]

    def _write(self, octets: bytes) -> None:
        try:
            self._wire.write(octets)
        except (OSError, serial.SerialException) as error:
            raise HeadFault("gone", port=self._port) from error


def _open(port: str) -> serial.Serial:
    try:
        return serial.Serial(port, BAUD, timeout=LOOK_S, write_timeout=ANSWER_S, exclusive=True)
    except (OSError, ValueError, serial.SerialException) as error:
        if not os.path.exists(port):
            raise HeadFault("no_port", port=port) from error
        if not os.access(port, os.R_OK | os.W_OK):
            raise HeadFault("port_denied", port=port) from error
        if "lock" in str(error):
            raise HeadFault("port_busy", port=port) from error
        raise HeadFault("port_wrong", port=port, why=error) from error


def _without(said: str, answer: str) -> str:
    """A head may repeat what it did not understand; a key must not come back that way."""
    for word in said.split(" ")[1:]:
        answer = answer.replace(word, "…")
    return answer
