"""The firmware's own HMAC against the standard library's, byte for byte."""

import base64
import hashlib
import hmac
import json
import random

from tests.head import interpreter

CHANCE = random.Random(16)
WORDS = [
    "K1 RT03-12 ABCD.17 FIRE",
    "K1 RT03-12 ABCD.17 FIRE=S",
    "P1 pos-1 RT03-12.ABCD.17=S",
    "",
    *("".join(CHANCE.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789=. -", k=length)) for length in range(1, 200)),
]


def expected(key: bytes, said: str) -> str:
    return base64.b32encode(hmac.new(key, said.encode(), hashlib.sha256).digest())[:6].decode()


def test_every_mac_is_the_standard_librarys() -> None:
    pairs = [(CHANCE.randbytes(16), said) for said in WORDS]
    given = "".join(json.dumps([key.hex(), said]) + "\n" for key, said in pairs)
    written = interpreter.run("say_macs.py", given=given).splitlines()
    assert written == [expected(key, said) for key, said in pairs]


def test_the_example_of_the_page_about_lines() -> None:
    """docs/lines.md, which a test holds against the post's codec."""
    given = "".join(json.dumps([bytes(range(16)).hex(), said]) + "\n" for said in WORDS[:3])
    assert interpreter.run("say_macs.py", given=given).split() == ["PMZ2WF", "OS2NGA", "YAD6DU"]
