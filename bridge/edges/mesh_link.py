"""The wire to a radio: a serial port or a TCP socket as one file descriptor, read and written without blocking."""

import errno
import os
import select
import socket
import termios
import threading
import time
from contextlib import suppress
from typing import Protocol
from urllib.parse import urlsplit

import serial

from bridge.domain.errors import ConfigError, RadioLost

SERIAL = "serial://"
TCP_PORT = 4403
_BAUD = 115_200
_CHUNK_BYTES = 65_536
# A cable that was cut, or a box that lost its power, says nothing, and a head on the wire may not either.
KEEPALIVE = ((socket.TCP_KEEPIDLE, 10), (socket.TCP_KEEPINTVL, 5), (socket.TCP_KEEPCNT, 3))
_GONE = select.POLLHUP | select.POLLERR | select.POLLNVAL


class _Descriptor(Protocol):
    def fileno(self) -> int: ...

    def close(self) -> None: ...


class Link:
    """An open wire. One thread reads, any may write; every fault is RadioLost with one clear line.

    `fault`: what the writing thread met; the reading thread raises it when there is nothing left to read.
    """

    def __init__(self, wire: _Descriptor, *, is_serial: bool, write_s: float) -> None:
        self._wire, self._fd, self._write_s = wire, wire.fileno(), write_s
        self.is_serial, self.fault = is_serial, ""
        self._closing, self._is_closed = threading.Lock(), False
        self._writing = threading.Lock()  # a frame in the middle of another one would be the end of both
        self._readable, self._writable = select.poll(), select.poll()
        self._readable.register(self._fd, select.POLLIN)
        self._writable.register(self._fd, select.POLLOUT)

    def read(self, wait_s: float) -> bytes:
        """What came within `wait_s`; b'' if nothing did. Raises RadioLost at the end of the stream."""
        if not self._readable.poll(wait_s * 1000):
            if self.fault:
                raise RadioLost(self.fault)
            return b""
        try:
            received = os.read(self._fd, _CHUNK_BYTES)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise RadioLost(f"sambungan radio putus (link to the radio lost): {error.strerror}") from error
        if not received:
            raise RadioLost("radio menutup sambungan (the radio closed the link)")
        return received

    def write(self, octets: bytes) -> None:
        """All of `octets`, or RadioLost when the radio does not take them in time."""
        with self._writing:
            self._write_all(octets)

    def _write_all(self, octets: bytes) -> None:
        until = time.monotonic() + self._write_s
        while octets:
            left_s = until - time.monotonic()
            if left_s <= 0 or not (ready := self._writable.poll(left_s * 1000)):
                raise RadioLost("radio tidak menerima data (the radio takes no bytes)")
            try:
                octets = octets[self._write(octets) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise RadioLost(f"sambungan radio putus (link to the radio lost): {error.strerror}") from error
            if ready[0][1] & _GONE and octets:
                raise RadioLost("sambungan radio putus (link to the radio lost)")

    def _write(self, octets: bytes) -> int:
        with self._closing:  # a number that was closed may be somebody else's file by now
            if self._is_closed:
                raise OSError(errno.EBADF, os.strerror(errno.EBADF))
            return os.write(self._fd, octets)

    def finish(self) -> None:
        """No more will be written. A TCP radio reads what came before; closing with bytes unread would cut it off."""
        if isinstance(self._wire, socket.socket):
            with suppress(OSError):
                self._wire.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """The reading thread's to do; a writer that comes later meets RadioLost."""
        with self._closing, suppress(OSError):
            self._is_closed = True
            self._wire.close()


def check_url(url: str) -> None:
    """Raises ConfigError when `url` names no radio."""
    if url.startswith(SERIAL + "/"):
        return
    try:
        parts = urlsplit(url)
        is_tcp = parts.scheme == "tcp" and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_tcp = False
    if not is_tcp:
        raise ConfigError(f"radio {url!r}: tulis (write) serial:///dev/serial/by-id/... atau (or) tcp://host:4403")


def open_link(url: str, *, connect_s: float, write_s: float, baud: int = _BAUD) -> Link:
    """Opens the wire anew; a by-id path finds a port that was renumbered. Raises RadioLost."""
    if url.startswith(SERIAL):
        return Link(_serial(url.removeprefix(SERIAL), baud), is_serial=True, write_s=write_s)
    parts = urlsplit(url)
    return Link(_tcp(parts.hostname or "", parts.port or TCP_PORT, connect_s), is_serial=False, write_s=write_s)


def _tcp(host: str, port: int, connect_s: float) -> socket.socket:
    try:
        wire = socket.create_connection((host, port), timeout=connect_s)
    except OSError as error:
        why = error.strerror or str(error)
        raise RadioLost(f"radio {host}:{port} tidak menjawab (does not answer): {why}") from error
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    keep_alive(wire)
    wire.setblocking(False)
    return wire


def keep_alive(wire: socket.socket) -> None:
    """So that a peer that is gone without a word is missed within 30 s."""
    for option, value in KEEPALIVE:
        wire.setsockopt(socket.IPPROTO_TCP, option, value)
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


def _serial(path: str, baud: int) -> serial.Serial:
    """pyserial opens with O_NOCTTY (unplugging must not hang up the daemon) and never lets DTR or RTS fall here."""
    try:
        wire = serial.Serial(path, baud, timeout=0, exclusive=True)
    except (OSError, ValueError) as error:
        raise RadioLost(_serial_trouble(path, error)) from error
    with suppress(termios.error):
        _keep_dtr(wire.fileno())
    return wire


def _serial_trouble(path: str, error: Exception) -> str:
    if not os.path.exists(path):
        return f"tidak ada radio di {path}: periksa kabel USB (no radio at {path}: check the USB cable)"
    if not os.access(path, os.R_OK | os.W_OK):
        return f"{path} tidak boleh dibuka: masukkan pengguna ke grup dialout ({path} not allowed: join group dialout)"
    if "lock" in str(error):
        return f"{path} sedang dipakai program lain ({path} is in use by another program)"
    return f"{path} tidak bisa dibuka: {error} ({path} cannot be opened: {error})"


def _keep_dtr(fd: int) -> None:
    """Without HUPCL, closing leaves DTR as it is: many boards reset when it falls."""
    attributes = termios.tcgetattr(fd)
    attributes[2] &= ~termios.HUPCL
    termios.tcsetattr(fd, termios.TCSANOW, attributes)
