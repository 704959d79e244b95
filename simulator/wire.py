"""The internet of the village, or a cable: a TCP line that can be cut, frozen, late or narrow."""

import contextlib
import socket
import threading
import time
from collections import deque

CHUNK = 65_536
NEVER_S = 3600.0


class Wire:
    """Forwards 127.0.0.1:`port` to (host, port) of the far end; `delay_s` and at most `bytes_s` each way."""

    def __init__(self, far: tuple[str, int], delay_s: float = 0.0, bytes_s: float | None = None) -> None:
        self._far, self._delay_s, self._bytes_s = far, delay_s, bytes_s
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._whole = threading.Event()
        self._whole.set()
        self._thawed = threading.Event()
        self._thawed.set()
        self._lock = threading.Lock()
        self._sockets: set[socket.socket] = set()
        threading.Thread(target=self._accept, name="wire", daemon=True).start()

    def cut(self) -> None:
        """Every connection breaks and new ones are closed at once."""
        self._whole.clear()
        self._break_all()

    def heal(self) -> None:
        self._whole.set()

    def freeze(self) -> None:
        """Connections stand, nothing passes: a half-open link."""
        self._thawed.clear()

    def thaw(self) -> None:
        self._thawed.set()

    def stop(self) -> None:
        self._whole.clear()
        self._thawed.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._break_all()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return  # stopped
            if not self._whole.is_set():
                near.close()
                continue
            try:
                far = socket.create_connection(self._far, timeout=5)
            except OSError:
                near.close()
                continue
            far.settimeout(None)
            for end in (near, far):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._sockets |= {near, far}
            for source, sink in ((near, far), (far, near)):
                _Way(source, sink, self._delay_s, self._bytes_s, self._thawed).start()

    def _break_all(self) -> None:
        with self._lock:
            ends, self._sockets = self._sockets, set()
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


class _Way:
    """One direction: a reader stamps what comes, a writer sends it when its time has come."""

    def __init__(
        self,
        source: socket.socket,
        sink: socket.socket,
        delay_s: float,
        bytes_s: float | None,
        thawed: threading.Event,
    ) -> None:
        self._source, self._sink, self._delay_s, self._bytes_s, self._thawed = source, sink, delay_s, bytes_s, thawed
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._news = threading.Condition()

    def start(self) -> None:
        for target in (self._read, self._write):
            threading.Thread(target=target, name="wire way", daemon=True).start()

    def _read(self) -> None:
        chunk = b"."
        while chunk:
            try:
                chunk = self._source.recv(CHUNK)
            except OSError:
                chunk = b""
            with self._news:
                self._waiting.append((time.monotonic() + self._delay_s, chunk))
                self._news.notify()

    def _write(self) -> None:
        while True:
            with self._news:
                self._news.wait_for(lambda: self._waiting, NEVER_S)
                due, chunk = self._waiting.popleft()
            time.sleep(max(0.0, due - time.monotonic()))
            self._thawed.wait()
            try:
                if not chunk:
                    self._sink.shutdown(socket.SHUT_WR)
                    return
                self._send(chunk)
            except OSError:
                return

    def _send(self, chunk: bytes) -> None:
        """A narrow line lets a hundredth of a second pass at a time."""
        size = max(1, int(self._bytes_s / 100)) if self._bytes_s else len(chunk)
        for at in range(0, len(chunk), size):
            piece = chunk[at : at + size]
            self._sink.sendall(piece)
            time.sleep(len(piece) / self._bytes_s if self._bytes_s else 0.0)
