"""The wires to a client: a TCP listener and a pseudo terminal, each with its threads, one client at a time."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import socket
import struct
import threading
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from simulator.frames import frame

BOOT = frame(b"\x40\x01")  # FromRadio.rebooted
BOOT_TEXT = (
    b"Upgrade time to quality Device\r\n\r\n//\\ E S H T /\\ S T / C\r\n\r\n"
    b"Booting, wake cause 0 (boot count 1), reset_reason=reset\r\nInit NodeDB\r\n"
    b"Transition powerFSM transition=boot timeout, from=BOOT to=POWER\n"
)
_CHUNK_BYTES = 65_536
_LOOK_UP_S = 0.2  # how long a blocked writer takes to notice that its client was hung up
_GIVE_UP_S = 1.0  # nobody reads the serial line: the bytes are gone, as on a real wire


class Receiver(Protocol):
    """Who is told about clients and their bytes (from a link's own threads)."""

    def client_came(self, link: Outgoing) -> None: ...

    def client_said(self, link: Outgoing, received: bytes) -> None: ...

    def client_reads(self, link: Outgoing) -> None: ...

    def client_left(self, link: Outgoing, noticed: bool) -> None: ...


class Outgoing:
    """Bytes on their way to one client; a thread writes them in batches, so `send` never waits."""

    def __init__(self, write: Callable[[bytes], None], drained: Callable[[Outgoing], None], name: str) -> None:
        self._write, self._drained = write, drained
        self._changed = threading.Condition()
        self._waiting = bytearray()
        self._in_flight = 0
        self.is_open = True
        self.muted = False
        self.is_lasting = False  # a serial line is always there: whoever speaks on it is the client
        threading.Thread(target=self._run, name=name, daemon=True).start()

    @property
    def backlog_bytes(self) -> int:
        """Bytes that the client has not taken yet."""
        return len(self._waiting) + self._in_flight

    def send(self, octets: bytes) -> None:
        """Hand over bytes; silently lost when the link is muted or closed."""
        with self._changed:
            if self.is_open and not self.muted:
                self._waiting += octets
                self._changed.notify()

    def flush(self, limit_s: float) -> None:
        """Wait until the client has taken everything, or for `limit_s`."""
        with self._changed:
            self._changed.wait_for(lambda: not self.backlog_bytes or not self.is_open, limit_s)

    def close(self) -> None:
        """Stop writing; what waits is lost."""
        with self._changed:
            self.is_open = False
            self._changed.notify_all()

    def _run(self) -> None:
        while (octets := self._take()) is not None:
            try:
                self._write(octets)
            except (OSError, ValueError):
                return self.close()  # gone meanwhile; the reading side reports it
            with self._changed:
                self._in_flight = 0
                self._changed.notify_all()
            self._drained(self)

    def _take(self) -> bytes | None:
        with self._changed:
            while self.is_open and not self._waiting:
                self._changed.wait()
            if not self.is_open:
                return None
            octets = bytes(self._waiting)
            self._waiting.clear()
            self._in_flight = len(octets)
            return octets


class Console(Outgoing):
    """A serial line that also carries the node's log: a line of text before every frame."""

    def send(self, octets: bytes) -> None:
        super().send(b"[SerialConsole] phone downloads %d bytes\r\n" % len(octets) + octets)


class TcpPort:
    """A node's TCP port. A second client throws out the first; `idle_s` seconds of silence end a talk."""

    def __init__(self, receiver: Receiver, port: int, idle_s: float) -> None:
        self._receiver, self._idle_s = receiver, idle_s
        self._lock = threading.Lock()
        self._listener: socket.socket | None = None
        self._client: _Client | None = None
        self.port = port
        self.muted = False
        self.listen()

    @property
    def url(self) -> str:
        """Where a client connects."""
        return f"tcp://127.0.0.1:{self.port}"

    def listen(self) -> None:
        """Accept clients (again)."""
        with self._lock:
            if self._listener is not None:
                return
            self._listener = listener = socket.create_server(("127.0.0.1", self.port), backlog=8)
            self.port = listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(listener,), name=f"port {self.port}", daemon=True).start()

    def refuse(self) -> None:
        """Close the door: whoever connects is refused. A client that is connected stays."""
        with self._lock:
            listener, self._listener = self._listener, None
        if listener is not None:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
            listener.close()

    def mute(self, muted: bool) -> None:
        """Half-open: connections stand, nothing is answered."""
        self.muted = muted
        with self._lock:
            if self._client is not None:
                self._client.link.muted = muted

    def hang_up(self, reset: bool = False) -> threading.Event | None:
        """End the client's connection, by FIN or by RST; the event is set when it has ended."""
        with self._lock:
            client, self._client = self._client, None
        return None if client is None else client.hang_up(reset)

    def close(self) -> None:
        """No more clients, no more listening."""
        self.refuse()
        self.hang_up()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return  # refused or closed
            self.hang_up()
            client = _Client(sock, self._receiver, self._idle_s, self.muted)
            with self._lock:
                self._client = client
            client.start()


class _Client:
    """One TCP connection: its reading thread alone closes the socket."""

    def __init__(self, sock: socket.socket, receiver: Receiver, idle_s: float, muted: bool) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setblocking(False)
        self._sock, self._receiver, self._idle_s = sock, receiver, idle_s
        self._wake, self._woken = socket.socketpair()
        self._reset = False
        self._gone = threading.Event()
        self.link = Outgoing(self._write, receiver.client_reads, "to a client")
        self.link.muted = muted

    def start(self) -> None:
        """Announce the client and read what it says."""
        self._receiver.client_came(self.link)
        threading.Thread(target=self._run, name="from a client", daemon=True).start()

    def hang_up(self, reset: bool) -> threading.Event:
        """Make the reading thread end the connection."""
        self._reset = reset
        with contextlib.suppress(OSError):  # it has ended by itself
            self._wake.send(b"!")
        return self._gone

    def _write(self, octets: bytes) -> None:
        while octets and self.link.is_open:
            if select.select([], [self._sock], [], _LOOK_UP_S)[1]:
                octets = octets[self._sock.send(octets) :]

    def _run(self) -> None:
        was_idle = self._read()
        self._receiver.client_left(self.link, noticed=was_idle)
        if self._reset:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            self.link.flush(_LOOK_UP_S)
            self._read_rest()
        self.link.close()
        for sock in (self._sock, self._wake, self._woken):
            sock.close()
        self._gone.set()

    def _read_rest(self) -> None:
        """Closing with unread bytes would make a reset of what should be an end."""
        with contextlib.suppress(OSError):
            while self._sock.recv(_CHUNK_BYTES):
                pass

    def _read(self) -> bool:
        """Until the connection ends; True when it ends because the client said nothing for too long."""
        while True:
            readable = select.select([self._sock, self._woken], [], [], self._idle_s)[0]
            if not readable or self._woken in readable:
                return not readable
            try:
                received = self._sock.recv(_CHUNK_BYTES)
            except OSError:
                return False  # reset by the client
            if not received:
                return False
            if not self.link.muted:
                self._receiver.client_said(self.link, received)


class SerialLine:
    """A node's USB port: a pseudo terminal. It cannot tell whether anybody reads.

    `alias` is a symbolic link to it, as udev keeps them under /dev/serial/by-id.
    """

    def __init__(self, receiver: Receiver, alias: Path | None = None, log_text: bool = False) -> None:
        self._receiver, self._alias = receiver, alias
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.path = os.ttyname(self._slave)
        self._open = True
        self._point_alias()
        outgoing = Console if log_text else Outgoing
        self._link = outgoing(self._write, receiver.client_reads, f"to {self.path}")
        self._link.is_lasting = True
        receiver.client_came(self._link)
        self._reader = threading.Thread(target=self._read, name=f"from {self.path}", daemon=True)
        self._reader.start()

    @property
    def url(self) -> str:
        """Where a client connects."""
        return f"serial://{self._alias or self.path}"

    def mute(self, muted: bool) -> None:
        """The device is there and says nothing."""
        self._link.muted = muted

    def boot(self) -> None:
        """What the console shows when the node starts."""
        self._link.send(BOOT)
        self._link.send(BOOT_TEXT)

    def close(self) -> None:
        """Pull the plug."""
        if not self._open:
            return
        self._open = False
        self._link.close()
        self._reader.join(timeout=5)
        os.close(self._slave)
        os.close(self._master)
        if self._alias is not None and self._alias.is_symlink():
            self._alias.unlink()

    def _point_alias(self) -> None:
        if self._alias is not None:
            if self._alias.is_symlink():
                self._alias.unlink()
            self._alias.symlink_to(self.path)  # FileExistsError rather than somebody's file lost

    def _write(self, octets: bytes) -> None:
        while octets and self._open:
            if not select.select([], [self._master], [], _GIVE_UP_S)[1]:
                return
            octets = octets[os.write(self._master, octets) :]

    def _read(self) -> None:
        while self._open:
            if not select.select([self._master], [], [], 0.1)[0]:
                continue
            received = os.read(self._master, _CHUNK_BYTES)
            if not self._link.muted:
                self._receiver.client_said(self._link, received)
        self._receiver.client_left(self._link, noticed=True)
