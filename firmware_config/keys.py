"""The keys of a village: its channel's, and its admins'. They live in files; none is printed or put in an error."""

import base64
import binascii
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from bridge.domain.said import Wrong
from firmware_config.whole_file import write_whole

KEY_BYTES = 32
ADMIN_KEYS = 3  # as many as a node holds: SecurityConfig.admin_key


def new_channel_key() -> str:
    """32 random bytes, as the file holds them."""
    return _text(secrets.token_bytes(KEY_BYTES))


def new_admin_pair() -> tuple[str, str]:
    """A private and a public key (X25519), as Meshtastic writes them."""
    private = X25519PrivateKey.generate()
    return _text(private.private_bytes_raw()), _text(private.public_key().public_bytes_raw())


def to_public_key(text: object) -> bytes:
    """A node's or an admin's public key, 32 bytes of base64. Raises Wrong."""
    key = _bytes(text) if isinstance(text, str) else None
    if key is None or len(key) != KEY_BYTES:
        raise Wrong(
            "bukan kunci publik: salin seluruhnya, 44 huruf yang berakhir dengan =",
            "no public key: copy the whole of it, 44 letters that end in =",
        )
    return key


def read_channel_key(path: Path) -> bytes:
    """Raises Wrong, also where others may read the file."""
    text = _read(path)
    if path.stat().st_mode & 0o077:
        raise Wrong(
            f"{path} dapat dibaca orang lain; ketik: chmod 600 {path}", f"{path}: others may read it; chmod 600 {path}"
        )
    key = _bytes(text.strip())
    if key is None or len(key) != KEY_BYTES:
        raise Wrong(
            f"{path} bukan kunci kanal (32 byte base64); `kentongan node new` membuatnya",
            f"{path} holds no channel key (32 bytes of base64); `kentongan node new` makes one",
        )
    return key


def read_admin_keys(path: Path) -> tuple[bytes, ...]:
    """One to three public keys, a line each; `#` begins a remark. Raises Wrong."""
    lines = [line.partition("#")[0].strip() for line in _read(path).splitlines()]
    keys = tuple(dict.fromkeys(to_public_key(line) for line in lines if line))
    if not 1 <= len(keys) <= ADMIN_KEYS:
        raise Wrong(
            f"{path} berisi {len(keys)} kunci publik; perangkat menyimpan 1 sampai {ADMIN_KEYS}",
            f"{path} holds {len(keys)} public keys; a node keeps 1 to {ADMIN_KEYS}",
        )
    return keys


def add_admin_key(path: Path, key: bytes, remark: str) -> bool:
    """One more line; False where the file is full already. Raises Wrong, Refused."""
    keys = read_admin_keys(path)
    if key in keys:
        return True
    if len(keys) == ADMIN_KEYS:
        return False
    text = _read(path)
    gap = "" if text.endswith("\n") else "\n"
    write_whole(path, f"{text}{gap}{_text(key)}  # {remark}\n".encode())
    return True


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "UTF-8"
        raise Wrong(f"{path} tidak dapat dibaca: {why}", f"{path} cannot be read: {why}") from error


def _bytes(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _text(key: bytes) -> str:
    return base64.b64encode(key).decode("ascii")
