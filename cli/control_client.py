"""Asks a running bridge over its control socket."""

import json
import socket
from pathlib import Path
from typing import Any

from bridge.domain.errors import BridgeError
from bridge.unix import folder_of

ANSWER_BYTES = 16_777_216
PATIENCE_S = 15.0


class NoBridge(BridgeError):
    """Nobody answers: no bridge runs here."""


class NotAnswered(BridgeError):
    """The bridge said no, or did not answer in time."""


def ask(path: Path, question: str, **facts: Any) -> dict[str, Any]:
    """One question, one answer. Raises NoBridge, or NotAnswered with the bridge's own words."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(PATIENCE_S)
        try:
            with folder_of(path) as address:
                sock.connect(address)
        except PermissionError as error:
            raise NotAnswered(
                f"{path}: tidak boleh; masuklah ke grup kentongan (not allowed: be its owner or in group kentongan)"
            ) from error
        except OSError as error:
            raise NoBridge(str(path)) from error
        try:
            sock.sendall(json.dumps({"ask": question} | facts).encode() + b"\n")
            answer = json.loads(_line(sock))
        except (OSError, ValueError) as error:
            raise NotAnswered(f"jembatan tidak menjawab (the bridge did not answer): {path}: {error}") from error
    if not isinstance(answer, dict) or "error" in answer:
        raise NotAnswered(
            answer["error"] if isinstance(answer, dict) else "jembatan tidak menjawab (the bridge gave no answer)"
        )
    return answer


def _line(sock: socket.socket) -> bytes:
    received = bytearray()
    while not received.endswith(b"\n"):
        more = sock.recv(65_536)
        if not more or len(received) > ANSWER_BYTES:
            break
        received += more
    return bytes(received)
