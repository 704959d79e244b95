"""A key that people can keep on paper: eight groups of four letters, or the QR code of them."""

import base64
import binascii
import hashlib
import secrets
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from firmware_config.faults import Refused

SECRET_BYTES = 18  # 144 bits; with the sum just 32 letters of base32
SUM_BYTES = 2  # a letter misread is noticed before anything is tried


@dataclass(frozen=True, slots=True)
class PaperKey:
    """18 secret bytes. The text is shown once to the person who keeps it, and to nobody else."""

    secret: bytes = field(repr=False)

    @classmethod
    def new(cls) -> "PaperKey":
        return cls(secrets.token_bytes(SECRET_BYTES))

    @classmethod
    def read(cls, text: str) -> "PaperKey":
        """Small letters, blanks and dashes as people write them. Raises Refused; the text is not repeated."""
        letters = "".join(text.split()).replace("-", "").upper().translate({ord("0"): "O", ord("1"): "I"})
        try:
            raw = base64.b32decode(letters)
        except binascii.Error as error:
            raise Refused("key_misread") from error
        secret, check = raw[:SECRET_BYTES], raw[SECRET_BYTES:]
        if len(raw) != SECRET_BYTES + SUM_BYTES or check != _sum(secret):
            raise Refused("key_misread")
        return cls(secret)

    @property
    def text(self) -> str:
        letters = base64.b32encode(self.secret + _sum(self.secret)).decode("ascii")
        return "-".join(letters[at : at + 4] for at in range(0, len(letters), 4))

    def private(self) -> X25519PrivateKey:
        """For backups: a post holds only the public half, so that it can lock and not open."""
        derived = HKDF(SHA256(), 32, salt=None, info=b"kentongan backup x25519").derive(self.secret)
        return X25519PrivateKey.from_private_bytes(derived)

    @property
    def public(self) -> bytes:
        return self.private().public_key().public_bytes_raw()


def _sum(secret: bytes) -> bytes:
    return hashlib.sha256(b"kentongan paper key" + secret).digest()[:SUM_BYTES]
