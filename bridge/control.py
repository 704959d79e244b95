"""The Unix control socket: people and scripts ask the running bridge, one JSON line each way.

A question is `{"ask": "status"}`; the answer is one object, or `{"error": "…"}`. Whoever is slow, silent or loud
costs a thread for a few seconds and nothing else: the engine never waits for a client.
"""

import contextlib
import grp
import json
import os
import socket
import threading
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import structlog

from bridge.domain.errors import BridgeError
from bridge.unix import folder_of
from bridge.wire import LINE_BYTES, LineTooLong, Wire, to_line

__all__ = ["LINE_BYTES", "Ask", "ControlBusy", "ControlSocket", "Talk"]

log = structlog.get_logger()

PATIENCE_S = 10.0  # for one whole question to arrive, and for one whole answer to be taken
CLIENTS = 16
GROUP = "kentongan"

Ask = Callable[[dict[str, Any]], dict[str, Any]]
Talk = Callable[[dict[str, Any], Wire], None]


class NotAQuestion(BridgeError):
    """Nobody knows what to do with such a line."""


class ControlBusy(BridgeError):
    """Somebody answers at this socket already."""


class ControlSocket:
    """Answers each question with the function named by its `ask`; such a function may raise BridgeError.

    A function of `talks` takes over the connection instead, until it returns.
    """

    def __init__(
        self,
        path: Path,
        asks: Mapping[str, Ask],
        patience_s: float = PATIENCE_S,
        talks: Mapping[str, Talk] = MappingProxyType({}),
    ) -> None:
        self._path, self._asks, self._talks, self._patience_s = path, dict(asks), dict(talks), patience_s
        self._listener: socket.socket | None = None
        self._inode = 0
        self._lock = threading.Lock()
        self._clients: set[socket.socket] = set()

    def start(self) -> None:
        """Raises ControlBusy. A disk that refuses the socket costs only the socket: the bridge must ring without it."""
        try:
            self._listener = self._listen()
        except OSError as error:
            log.warning("no control socket", path=str(self._path), why=error.strerror or str(error))
            return
        threading.Thread(target=self._accept, args=(self._listener,), name="control", daemon=True).start()

    def stop(self) -> None:
        if self._listener is None:
            return
        with contextlib.suppress(OSError):
            if self._path.stat().st_ino == self._inode:
                self._path.unlink()
        with contextlib.suppress(OSError):  # a listener that is shut down wakes its accept()
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for client in self._clients:
                with contextlib.suppress(OSError):
                    client.shutdown(socket.SHUT_RDWR)

    def _listen(self) -> socket.socket:
        self._path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        with folder_of(self._path) as address:
            if _is_live(address):
                raise ControlBusy(f"another bridge answers at {self._path}; stop it first")
            self._path.unlink(missing_ok=True)  # left behind by a bridge that was killed
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                listener.bind(address)
                _open_to_group(self._path)
                self._inode = self._path.stat().st_ino
                listener.listen(CLIENTS)  # only now: nobody was let in before the rights were set
            except OSError:
                listener.close()
                raise
        return listener

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return  # stopped
            with self._lock:
                is_room = len(self._clients) < CLIENTS
                if is_room:
                    self._clients.add(client)
            if is_room:
                threading.Thread(target=self._serve, args=(client,), name="control client", daemon=True).start()
            else:
                self._turn_away(client)

    def _turn_away(self, client: socket.socket) -> None:
        client.settimeout(0.0)
        with client, contextlib.suppress(OSError):
            client.sendall(to_line({"error": "too many ask at once; try again in a few seconds"}))

    def _serve(self, client: socket.socket) -> None:
        try:
            self._converse(Wire(client, self._patience_s))
        except OSError as error:
            log.debug("control client left", why=str(error))
        except Exception as error:  # noqa: BLE001 - the top of this thread
            # No traceback: with its locals it would show what a technician's tool writes to the radio, keys too.
            at = traceback.extract_tb(error.__traceback__)[-1]
            log.error("control client failed", error=type(error).__name__, at=f"{at.filename}:{at.lineno}")
        finally:
            with self._lock:
                self._clients.discard(client)
            client.close()

    def _converse(self, wire: Wire) -> None:
        """Until the client leaves, says a line without end, or is done with a talk of its own."""
        try:
            while (line := wire.line()) is not None:
                try:
                    question = _question(line)
                    if (talk := self._talks.get(question["ask"])) is not None:
                        return talk(question, wire)
                    answer = self._answer(question)
                except BridgeError as error:
                    answer = {"error": str(error)}
                wire.say(answer)
        except LineTooLong as error:
            wire.say({"error": str(error)})

    def _answer(self, question: dict[str, Any]) -> dict[str, Any]:
        ask = self._asks.get(question["ask"])
        if ask is None:
            known = ", ".join(sorted([*self._asks, *self._talks]))
            raise NotAQuestion(f"unknown question {question['ask'][:40]!r}; known: {known}")
        return ask(question)


def _question(line: bytes) -> dict[str, Any]:
    """What is asked, by its `ask`. Raises NotAQuestion."""
    try:
        question = json.loads(line)
    except (ValueError, RecursionError):
        raise NotAQuestion('not JSON; ask for example {"ask": "status"}') from None
    if not isinstance(question, dict) or not isinstance(question.get("ask"), str):
        raise NotAQuestion('say what you ask, for example {"ask": "status"}')
    return question


def _is_live(address: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(address)
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except TimeoutError:
            return True  # it listens, and is busy
        return True


def _open_to_group(path: Path) -> None:
    """0660 for the group where it exists and we may give it, else for the owner alone."""
    path.chmod(0o600)
    try:
        os.chown(path, -1, grp.getgrnam(GROUP).gr_gid)
    except (KeyError, PermissionError):
        return
    path.chmod(0o660)
