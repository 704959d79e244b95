"""What closes and opens a sealed file: a key on a stick, a passphrase, or the two halves of a paper key."""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from firmware_config.faults import Refused
from firmware_config.paper_key import PaperKey

SCRYPT_LOG_N = 17  # OWASP's; 128 MB and some seconds on a Raspberry Pi: what a thief pays for each guess, too
SCRYPT_LOG_N_MOST = 18  # a header may be anybody's: opening it must not take the memory that the bridge lives in


class Lock(Protocol):
    """Makes a fresh secret for a new file, or finds that of an old one by the facts in its header."""

    def fresh(self) -> tuple[dict[str, Any], bytes]: ...

    def find(self, facts: Mapping[str, Any]) -> bytes:
        """Raises Refused when the file was closed with a lock of another kind."""
        ...


@dataclass(frozen=True, slots=True)
class KeyLock:
    """A key in a file or on paper."""

    key: PaperKey

    def fresh(self) -> tuple[dict[str, Any], bytes]:
        return {"by": "key"}, self.key.secret

    def find(self, facts: Mapping[str, Any]) -> bytes:
        _by(facts, "key")
        return self.key.secret


@dataclass(frozen=True, slots=True)
class PassphraseLock:
    """What a person remembers."""

    passphrase: str = field(repr=False)

    def fresh(self) -> tuple[dict[str, Any], bytes]:
        salt = secrets.token_bytes(16)
        return {"by": "passphrase", "salt": text_of(salt), "log_n": SCRYPT_LOG_N}, self._stretch(salt, SCRYPT_LOG_N)

    def find(self, facts: Mapping[str, Any]) -> bytes:
        _by(facts, "passphrase")
        return self._stretch(raw_of(facts["salt"]), min(int(facts["log_n"]), SCRYPT_LOG_N_MOST))

    def _stretch(self, salt: bytes, log_n: int) -> bytes:
        return Scrypt(salt, 32, n=1 << log_n, r=8, p=1).derive(self.passphrase.encode())


@dataclass(frozen=True, slots=True)
class PublicLock:
    """Closes with the public half of a paper key: whoever closes cannot open."""

    public: bytes

    def fresh(self) -> tuple[dict[str, Any], bytes]:
        once = X25519PrivateKey.generate()
        shared = once.exchange(X25519PublicKey.from_public_bytes(self.public))
        return {"by": "paper", "once": text_of(once.public_key().public_bytes_raw())}, shared + self.public

    def find(self, facts: Mapping[str, Any]) -> bytes:
        raise Refused("key_other_kind", by=facts.get("by"))


@dataclass(frozen=True, slots=True)
class PaperLock:
    """Opens what a PublicLock closed."""

    key: PaperKey

    def fresh(self) -> tuple[dict[str, Any], bytes]:
        return PublicLock(self.key.public).fresh()

    def find(self, facts: Mapping[str, Any]) -> bytes:
        _by(facts, "paper")
        return self.key.private().exchange(X25519PublicKey.from_public_bytes(raw_of(facts["once"]))) + self.key.public


def text_of(raw: bytes) -> str:
    """Bytes in a header."""
    return base64.b64encode(raw).decode("ascii")


def raw_of(text: str) -> bytes:
    """The inverse. Raises ValueError."""
    return base64.b64decode(text, validate=True)


def _by(facts: Mapping[str, Any], kind: str) -> None:
    if facts.get("by") != kind:
        raise Refused("key_other_kind", by=facts.get("by"))
