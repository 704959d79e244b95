"""K1 lines written, P1 lines read, and their MACs (docs/lines.md). Text and bytes only, no state."""

import hashlib

NO_MAC = "------"
BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
LONGEST_NAME = 7
MOST_PRESSES = 99999
_NAME = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"
_BLOCK = 64  # of SHA-256


def is_name(name: str) -> bool:
    return 0 < len(name) <= LONGEST_NAME and all([letter in _NAME for letter in name])


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """RFC 2104 for a key of at most 64 bytes; MicroPython brings the hash alone."""
    padded = key + bytes(_BLOCK - len(key))
    inner = hashlib.sha256(bytes([octet ^ 0x36 for octet in padded]))
    inner.update(message)
    outer = hashlib.sha256(bytes([octet ^ 0x5C for octet in padded]))
    outer.update(inner.digest())
    return outer.digest()


def mac(key: bytes, said: str) -> str:
    """The first six letters of base32, which are the first 30 bits."""
    if not key:
        return NO_MAC
    bits = int.from_bytes(hmac_sha256(key, said.encode())[:4], "big") >> 2
    return "".join([BASE32[bits >> shift & 31] for shift in (25, 20, 15, 10, 5, 0)])


def call(key: bytes, name: str, press: str, kind: str, shows: str) -> str:
    """One K1 line without its newlines. `press` is epoch and number; `shows` the last letter of the lamps or ''."""
    said = f"K1 {name} {press} {kind}" + ("=" + shows if shows else "")
    return f"{said} {mac(key, said)}"


def is_beacon(line: str) -> bool:
    """Whether a post says that it hears."""
    words = line.split(" ")
    return len(words) == 3 and words[0] == "P1" and words[1] != "" and words[2] == "."


def answers(key: bytes, name: str, presses: list[str], line: str) -> list[tuple[str, str]]:
    """What a P1 line tells this head: (press, letters) where it is about one of `presses` and the MAC is right."""
    words = line.split(" ")
    if not key or len(words) < 3 or words[0] != "P1":
        return []
    told = []
    for word in words[2:]:
        said, _, given = word.rpartition(".")
        about, _, letters = said.partition("=")
        press = about[len(name) + 1 :]
        if about != f"{name}.{press}" or press not in presses or not letters:
            continue  # somebody else's: its MAC is not worth our time
        if mac(key, f"P1 {words[1]} {said}") == given:
            told.append((press, letters))
    return told
