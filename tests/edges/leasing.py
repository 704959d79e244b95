"""A technician's tool at the control socket, line by line, and a post whose radio can be leased."""

import base64
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from meshtastic.protobuf import mesh_pb2

from bridge.control import ControlSocket
from bridge.edges.mesh_radio import MeshRadio
from bridge.lease import Leasing
from bridge.unix import folder_of


class Tool:
    """Speaks the lease's lines; reads what comes back."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(10)
        with folder_of(path) as address:
            self._socket.connect(address)
        self._lines = self._socket.makefile("rb")

    def __enter__(self) -> "Tool":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        self._lines.close()
        self._socket.close()

    def say(self, **line: Any) -> None:
        self._socket.sendall(json.dumps(line).encode() + b"\n")

    def lease(self, for_s: Any = 60) -> dict[str, Any]:
        self.say(ask="lease", for_s=for_s)
        return self.line()

    def line(self) -> dict[str, Any]:
        line = self._lines.readline()
        assert line, "the bridge hung up"
        return dict(json.loads(line))

    def until(self, key: str) -> Any:
        """The value of the next line that has `key`."""
        while key not in (line := self.line()):
            pass
        return line[key]

    def send(self, **message: Any) -> None:
        octets = mesh_pb2.ToRadio(**message).SerializeToString()
        self.say(to_radio=base64.b64encode(octets).decode())

    def told(self, kind: str) -> mesh_pb2.FromRadio:
        """The radio's next message of that kind."""
        while True:
            message = mesh_pb2.FromRadio.FromString(base64.b64decode(self.until("from_radio")))
            if message.WhichOneof("payload_variant") == kind:
                return message


@contextmanager
def lending(radio: MeshRadio, path: Path, patience_s: float = 10.0) -> Iterator[Path]:
    """The bridge's control socket with nothing but the lease."""
    server = ControlSocket(path, {}, patience_s, talks={"lease": Leasing((radio,))})
    server.start()
    try:
        yield path
    finally:
        server.stop()
