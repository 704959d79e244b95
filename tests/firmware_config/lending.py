"""The bridge's side of a lease, as its control socket gives it: JSON lines around the messages of a radio it holds."""

import base64
import contextlib
import json
import socket
import threading
from pathlib import Path

from meshtastic.protobuf import mesh_pb2

from simulator.frames import FrameReader, frame
from simulator.node import Node


class Lender:
    """Holds a node's one connection and lends it to one client at a time. A context manager."""

    def __init__(self, node: Node, path: Path) -> None:
        self._far = ("127.0.0.1", int(node.serve_tcp().rpartition(":")[2]))
        self.url = f"control+unix://{path}"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self.is_lending = True
        self.said: list[dict[str, object]] = []

    def __enter__(self) -> "Lender":
        threading.Thread(target=self._accept, name="lender", daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._lend, args=(client,), name="lease", daemon=True).start()

    def _lend(self, client: socket.socket) -> None:
        lines = client.makefile("rb")
        self.said.append(json.loads(lines.readline()))
        radio: socket.socket | None = None
        with contextlib.suppress(OSError), client, lines:
            if not self.is_lending:
                return _say(client, leased=False, why="somebody else has the lease")
            try:
                radio = socket.create_connection(self._far, timeout=5)
            except OSError:
                return _say(client, leased=False, why="the radio does not answer", is_radio_down=True)
            _say(client, leased=True, for_s=60)
            radio.settimeout(None)
            threading.Thread(target=self._tell, args=(radio, client), name="lent radio", daemon=True).start()
            for line in lines:
                self.said.append(json.loads(line))
                if "to_radio" in self.said[-1]:
                    radio.sendall(frame(base64.b64decode(str(self.said[-1]["to_radio"]))))
        if radio is not None:
            _hang_up(radio)

    def _tell(self, radio: socket.socket, client: socket.socket) -> None:
        reader = FrameReader()
        with contextlib.suppress(OSError):
            while received := radio.recv(65_536):
                for body in reader.feed(received):
                    _say(client, from_radio=base64.b64encode(body).decode())
            _say(client, ended="the radio is lost")
        radio.close()
        _hang_up(client)

    @property
    def messages(self) -> list[mesh_pb2.ToRadio]:
        """What the client wanted to tell the radio."""
        told = [str(line["to_radio"]) for line in self.said if "to_radio" in line]
        return [mesh_pb2.ToRadio.FromString(base64.b64decode(each)) for each in told]


def _say(client: socket.socket, **line: object) -> None:
    client.sendall(json.dumps(line).encode() + b"\n")


def _hang_up(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
