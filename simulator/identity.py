"""Who a node is: number, names, and the key pair that proves it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from meshtastic.protobuf import mesh_pb2


@dataclass(frozen=True, slots=True)
class Identity:
    """A node as its owner set it up; keys are 32 bytes."""

    num: int
    long_name: str
    short_name: str
    private_key: bytes
    public_key: bytes
    is_unmessagable: bool = False

    @classmethod
    def make(cls, num: int, long_name: str, short_name: str = "", seed: object = 0) -> Identity:
        """An identity whose keys depend on the seed and the name alone."""
        secret = hashlib.sha256(repr((seed, num, long_name)).encode()).digest()
        public = X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()
        return cls(num, long_name, short_name or long_name.replace("-", "")[-4:], secret, public)

    def user(self) -> mesh_pb2.User:
        """What NodeInfo tells about this node."""
        return mesh_pb2.User(
            id=f"!{self.num:08x}",
            long_name=self.long_name,
            short_name=self.short_name,
            macaddr=b"\x02\xaa" + self.num.to_bytes(4, "big"),
            hw_model=mesh_pb2.HardwareModel.PORTDUINO,
            public_key=self.public_key,
            is_unmessagable=self.is_unmessagable,
        )
