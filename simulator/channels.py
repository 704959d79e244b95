"""Channels as the air knows them: a name and a key; what is heard without them stays sealed."""

from dataclasses import dataclass
from functools import reduce

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

_PUBLIC_KEY = bytes.fromhex("d4f1bb3a20290759f0bcffabcf4e6901")  # what the one-byte key AQ== stands for


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel's name and key; an empty name means the preset's, and a one-byte key means the public one."""

    name: str
    psk: bytes

    @property
    def key(self) -> bytes:
        """The AES key, 16 or 32 bytes."""
        if len(self.psk) == 1:
            return _PUBLIC_KEY[:-1] + bytes(((_PUBLIC_KEY[-1] + self.psk[0] - 1) & 0xFF,))
        return self.psk.ljust(16 if len(self.psk) <= 16 else 32, b"\0")

    @property
    def hash(self) -> int:
        """The one byte that stands for this channel on the air."""
        return _xor((self.name or "LongFast").encode()) ^ _xor(self.key)

    def seal(self, data: bytes, sender: int, packet_id: int) -> bytes:
        """`data` as those hear it who do not hold the key (AES-CTR, as long as the original)."""
        nonce = packet_id.to_bytes(8, "little") + sender.to_bytes(4, "little") + bytes(4)
        return Cipher(AES(self.key), CTR(nonce)).encryptor().update(data)


PUBLIC = Channel("", b"\x01")


def _xor(octets: bytes) -> int:
    return reduce(lambda left, right: left ^ right, octets, 0)
