"""Sealed files: AES-256-GCM in chunks, under a key that a lock makes. A header line in the clear says which lock.

Cut short, lengthened, mixed or changed by one bit, a sealed file does not open. The wrong key is told from a damaged
file by eight bytes that are derived from the key and say nothing about it.
"""

import io
import json
import secrets
from collections.abc import Mapping
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from firmware_config.faults import Refused
from firmware_config.locks import Lock, raw_of, text_of

MAGIC = b"KENTONGAN SEALED 1\n"
CHUNK = 64 * 1024
TAG = 16
CHECK_BYTES = 8
HEADER_MOST = 8192


class Sealer(io.RawIOBase):
    """Writes a sealed file. Only `finish` makes it one that opens."""

    def __init__(self, out: BinaryIO, lock: Lock, said: Mapping[str, Any]) -> None:
        """`said` stands in the header, for everybody to read and for nobody to change."""
        facts, master = lock.fresh()
        salt = secrets.token_bytes(16)
        key, check = _derive(master, salt)
        told = dict(said) | {"lock": facts, "salt": text_of(salt), "check": text_of(check)}
        self._header = MAGIC + json.dumps(told, ensure_ascii=True).encode() + b"\n"
        self._cipher, self._out = AESGCM(key), out
        self._waiting, self._count = bytearray(), 0
        out.write(self._header)

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        piece = bytes(content)
        self._waiting += piece
        while len(self._waiting) > CHUNK:  # the last chunk is marked, so one is always held back
            self._put(bytes(self._waiting[:CHUNK]), is_last=False)
            del self._waiting[:CHUNK]
        return len(piece)

    def finish(self) -> None:
        self._put(bytes(self._waiting), is_last=True)
        self._waiting.clear()

    def _put(self, chunk: bytes, is_last: bool) -> None:
        self._out.write(self._cipher.encrypt(_nonce(self._count, is_last), chunk, self._header))
        self._count += 1


class Opener(io.RawIOBase):
    """Reads a sealed file as it was before. Raises Refused at the first chunk that is not what was written."""

    def __init__(self, source: BinaryIO, lock: Lock, name: object) -> None:
        self._source, self._name = source, name
        self.said, self._header = _read_header(source, name)
        try:
            key, check = _derive(lock.find(self.said["lock"]), raw_of(self.said["salt"]))
            is_ours = secrets.compare_digest(check, raw_of(self.said["check"]))
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise Refused("damaged", file=name) from error
        if not is_ours:
            raise Refused("key_wrong", file=name)
        self._cipher = AESGCM(key)
        self._ready, self._count = b"", 0
        self._next = source.read(CHUNK + TAG)
        if not self._next:
            raise Refused("damaged", file=name)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready and self._next:
            self._ready = self._take()
        piece = self._ready[: len(buffer)]
        self._ready = self._ready[len(piece) :]
        buffer[: len(piece)] = piece
        return len(piece)

    def _take(self) -> bytes:
        chunk, self._next = self._next, self._source.read(CHUNK + TAG)
        try:
            plain = self._cipher.decrypt(_nonce(self._count, is_last=not self._next), chunk, self._header)
        except (InvalidTag, ValueError) as error:
            raise Refused("damaged", file=self._name) from error
        self._count += 1
        return plain


def seal(content: bytes, lock: Lock, said: Mapping[str, Any]) -> bytes:
    """A whole sealed file."""
    out = io.BytesIO()
    sealer = Sealer(out, lock, said)
    sealer.write(content)
    sealer.finish()
    return out.getvalue()


def unseal(content: bytes, lock: Lock, name: object) -> bytes:
    """Raises Refused: the wrong key, or no longer what was sealed."""
    return Opener(io.BytesIO(content), lock, name).readall()


def said_of(source: BinaryIO, name: object) -> dict[str, Any]:
    """What the header says in the clear; unproved until the file was opened. Raises Refused."""
    return _read_header(source, name)[0]


def _read_header(source: BinaryIO, name: object) -> tuple[dict[str, Any], bytes]:
    magic = source.read(len(MAGIC))
    line = source.readline(HEADER_MOST) if magic == MAGIC else b""
    try:
        said = json.loads(line)
    except ValueError as error:
        raise Refused("not_sealed" if magic != MAGIC else "damaged", file=name) from error
    if not isinstance(said, dict) or not line.endswith(b"\n"):
        raise Refused("damaged", file=name)
    return said, magic + line


def _derive(master: bytes, salt: bytes) -> tuple[bytes, bytes]:
    raw = HKDF(SHA256(), 32 + CHECK_BYTES, salt=salt, info=b"kentongan sealed 1").derive(master)
    return raw[:32], raw[32:]


def _nonce(count: int, is_last: bool) -> bytes:
    """Each file has a key of its own, so counting is enough. The last chunk says so: a file cut short is noticed."""
    return count.to_bytes(11, "big") + bytes([is_last])
