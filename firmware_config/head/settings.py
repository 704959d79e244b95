"""What a technician has written: name, key, codebook, place. All of it in flash, whole or as it was before."""

import binascii
import json

from bridge.domain.codebook import Codebook
from firmware_config.head.line import BASE32, is_name

KEY_BYTES = 16
PLACES = ("house", "post")


class Settings:
    """Raises ValueError, saying why, for what cannot be; OSError when the flash is sick."""

    def __init__(self, log, unique: bytes) -> None:
        self._log = log
        self.name = _name_of(unique)
        self.key = b""
        self.place = "house"
        self.rules = {}  # type: dict[str, str]
        self.codebook = Codebook("none", {})  # every rhythm is an unknown alarm until a village's book is written
        self.fault = ""
        if log is not None and log.newest:
            self._load(log.newest)

    @property
    def is_at_post(self) -> bool:
        return self.place == "post"

    def set_name(self, name: str) -> None:
        if not is_name(name):
            raise ValueError("a name is 1 to 7 of A-Z 0-9 -")
        self.name = name
        self._save()

    def set_key(self, text: str) -> None:
        self.key = _key(text)
        self._save()

    def set_place(self, place: str) -> None:
        if place not in PLACES:
            raise ValueError("at house or at post")
        self.place = place
        self._save()

    def set_codebook(self, text: str) -> None:
        """`text`: JSON with name and rules."""
        book = json.loads(text)
        self._use(book)
        self._save()

    def _use(self, book) -> None:
        if not isinstance(book, dict) or not isinstance(book.get("rules"), dict):
            raise ValueError('a codebook is {"name": "...", "rules": {pattern: kind}}')
        self.codebook = Codebook(str(book.get("name", "")), book["rules"])
        self.rules = book["rules"]

    def _load(self, written: str) -> None:
        try:
            kept = json.loads(written)
            self.name, self.key, self.place = kept["name"], binascii.unhexlify(kept["key"]), kept["at"]
            self._use(kept["codebook"])
        except (ValueError, KeyError):
            self.fault = "settings: not understood, write them again"

    def _save(self) -> None:
        if self._log is None:
            raise OSError("it cannot be read")
        book = {"name": self.codebook.name, "rules": self.rules}
        key = binascii.hexlify(self.key).decode()
        self._log.add(json.dumps({"name": self.name, "key": key, "at": self.place, "codebook": book}))
        self.fault = ""


def _key(text: str) -> bytes:
    try:
        key = binascii.unhexlify(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError("a key is 32 hex digits")  # what is wrong with it is not repeated
    return key


def _name_of(unique: bytes) -> str:
    """A name for a head that has none, the same after every wipe."""
    bits = binascii.crc32(unique) & 0xFFFFFFFF
    return "H-" + "".join([BASE32[bits >> shift & 31] for shift in (20, 15, 10, 5, 0)])
