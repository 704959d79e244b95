"""Ed25519 over topic and body: the envelope that is the same on MQTT, on a USB stick, on any other carrier."""

import base64
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

VERSION = 1
_DOMAIN = b"kentongan/v1\0"


class NotVerified(Exception):
    """The envelope changes nothing; the message says why in one line."""


def to_text(raw: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def from_text(text: str) -> bytes:
    """The inverse of `to_text`. Raises ValueError."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def key_id(public: Ed25519PublicKey) -> str:
    """A short name for a key: 16 hex of the SHA-256 of its 32 raw bytes."""
    return hashlib.sha256(public.public_bytes_raw()).hexdigest()[:16]


def read_public(text: str) -> Ed25519PublicKey:
    """A public key from base64url text (32 bytes). Raises ValueError."""
    return Ed25519PublicKey.from_public_bytes(from_text(text.strip()))


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message as it travels: `kid` names the key, `sig` is base64url, `body` is JSON text."""

    kid: str
    sig: str
    body: str

    def encode(self) -> bytes:
        """The payload: compact JSON in UTF-8."""
        fields = {"v": VERSION, "kid": self.kid, "sig": self.sig, "body": self.body}
        return json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode()

    @classmethod
    def decode(cls, payload: bytes) -> "Envelope":
        """Raises NotVerified when the payload is not an envelope of this version."""
        try:
            fields = json.loads(payload)
        except (ValueError, RecursionError) as error:
            raise NotVerified("not an envelope: not JSON") from error
        if not isinstance(fields, dict):
            raise NotVerified("not an envelope: not an object")
        if fields.get("v") != VERSION:
            raise NotVerified(f"envelope version {fields.get('v')!r} is not {VERSION}; upgrade this side")
        match fields:
            case {"kid": str(kid), "sig": str(sig), "body": str(body)}:
                return cls(kid, sig, body)
        raise NotVerified("not an envelope: kid, sig and body must be text")


def signed_bytes(topic: str, body: str) -> bytes:
    """Exactly what is signed."""
    return _DOMAIN + topic.encode() + b"\0" + body.encode()


class Signer:
    """Holds one private key; never prints it."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.kid = key_id(key.public_key())

    @classmethod
    def create(cls, path: Path) -> "Signer":
        """A new key in a new PEM file that only its owner may read. Raises FileExistsError."""
        key = Ed25519PrivateKey.generate()
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.touch(mode=0o600, exist_ok=False)
        path.write_bytes(pem)
        return cls(key)

    @classmethod
    def load(cls, path: Path) -> "Signer":
        """Raises OSError, or ValueError when the file holds no Ed25519 private key."""
        try:
            key = load_pem_private_key(path.read_bytes(), password=None)
        except (TypeError, ValueError, UnsupportedAlgorithm) as error:
            raise ValueError(f"{path} holds no usable private key") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError(f"{path} holds a key, but not an Ed25519 one")
        return cls(key)

    @property
    def public_text(self) -> str:
        """What to give to the other side: 43 characters of base64url."""
        return to_text(self._key.public_key().public_bytes_raw())

    def seal(self, topic: str, body: str) -> Envelope:
        """Sign `body` for `topic`."""
        return Envelope(self.kid, to_text(self._key.sign(signed_bytes(topic, body))), body)


class Keyring:
    """The keys one side accepts (current, spare). An empty ring accepts nothing.

    `revoked`: ids of keys that it did accept once, so that whoever still signs with one is told apart from a stranger.
    """

    def __init__(self, keys: tuple[Ed25519PublicKey, ...], revoked: frozenset[str] = frozenset()) -> None:
        self._keys = {key_id(key): key for key in keys}
        self._revoked = revoked - set(self._keys)

    @classmethod
    def of(cls, texts: tuple[str, ...] | list[str], revoked: Iterable[str] = ()) -> "Keyring":
        """From base64url texts. Raises ValueError."""
        return cls(tuple(read_public(text) for text in texts), frozenset(revoked))

    def __len__(self) -> int:
        return len(self._keys)

    def open(self, topic: str, payload: bytes) -> Envelope:
        """The envelope, if one of our keys signed exactly this body for exactly this topic. Raises NotVerified."""
        envelope = Envelope.decode(payload)
        key = self._keys.get(envelope.kid)
        if key is None and envelope.kid in self._revoked:
            raise NotVerified(f"signed with the key {envelope.kid}, which was revoked; switch the old machine off")
        if key is None:
            raise NotVerified(f"signed by an unknown key {envelope.kid[:16]!r}")
        try:
            key.verify(from_text(envelope.sig), signed_bytes(topic, envelope.body))
        except (InvalidSignature, ValueError, UnicodeEncodeError) as error:
            raise NotVerified("the signature does not fit this topic and body") from error
        return envelope
