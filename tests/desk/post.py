"""A post as the desk knows it: what it signs, word by word after the contract, and with no bridge behind it."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bridge.domain.desk import Mark
from bridge.domain.ids import PostId
from mqtt.contract import Leaf, ReceiptBody, topic
from mqtt.signature import Keyring, Signer

NOW = 1_760_000_000.0


def signer(seed: int) -> Signer:
    """The same key for the same seed."""
    return Signer(Ed25519PrivateKey.from_private_bytes(seed.to_bytes(32, "big")))


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass
class Post:
    """Says things as this post would; `say` signs anything."""

    name: str = "pos-1"
    village: str = "35.09.14.2005"
    journal: str = "0f3c2f6e-8f5f-4a53-8f36-0d8c0a4f6e11"
    seed: int = 1
    start: int = 1
    signer: Signer = field(init=False)
    counter: int = 0

    def __post_init__(self) -> None:
        self.signer = signer(self.seed)

    @property
    def id(self) -> PostId:
        return PostId(self.village, self.name)

    def topic(self, leaf: Leaf) -> str:
        return topic(self.id, leaf)

    def say(self, leaf: Leaf, body: Any) -> tuple[str, bytes]:
        """Topic and payload; a body that is no text is written as JSON."""
        text = body if isinstance(body, str) else json.dumps(body)
        where = self.topic(leaf)
        return where, self.signer.seal(where, text).encode()

    @property
    def run(self) -> dict[str, Any]:
        return {"journal": self.journal, "start": self.start, "bits": "00112233aabbccdd"}

    def report(self, press: int | str, revision: int = 1, **said: Any) -> str:
        """The frozen string of one alarm; `press` is a number of a stock node or a whole press id."""
        first = press if isinstance(press, str) else press_id(press)
        whole: dict[str, Any] = {
            "id": first,
            "rev": revision,
            "post": str(self.id),
            "journal": self.journal,
            "start": self.start,
            "seq": 7,
            "ids": [first],
            "source": first.partition("/")[0],
            "kind": "FIRE",
            "trust": "CHANNEL",
            "via": "text",
            "words": ["kebakaran!"],
            "remarks": [],
            "channel": "Suci",
            "place": {"house": "RT03-12", "rt": "03", "rw": "02"},
            "first": {"at": NOW, "trusted": True},
            "latest": {"at": NOW, "trusted": True},
            "told": None,
            "sightings": [],
        }
        return json.dumps(whole | said)

    def batch(self) -> str:
        self.counter += 1
        return f"{self.seed:08x}{self.counter:08x}"

    def alarms(self, *reports: str, batch: str = "", age_s: float | None = 2.0, **body: Any) -> tuple[str, bytes]:
        """One publish that carries these strings."""
        items = [{"alarm": report, "age_s": age_s} for report in reports]
        now = {"at": NOW, "trusted": True}
        return self.say(
            Leaf.ALARM, {"batch": batch or self.batch(), "run": self.run, "now": now, "items": items} | body
        )

    def hello(self, seen: dict[str, Mark] | None = None, nonce: str = "") -> tuple[str, bytes]:
        return self.say(Leaf.HELLO, {"nonce": nonce or self.batch(), "run": self.run, "seen": marks(seen or {})})

    def status(self, online: bool, connection: int = 1, **run: Any) -> tuple[str, bytes]:
        body = {"online": online, "version": "0.1.0", "run": self.run | run, "connection": connection}
        return self.say(Leaf.STATUS, body)

    def answer(self, desk: str, number: int, fate: str, at: float = NOW, detail: str = "") -> tuple[str, bytes]:
        one = {"desk": desk, "number": number, "fate": fate, "at": at, "detail": detail}
        return self.say(Leaf.ANSWER, {"answers": [one]})


def marks(seen: dict[str, Mark]) -> dict[str, Any]:
    return {
        desk: {"database": mark.database, "commit": mark.commit, "token": mark.token} for desk, mark in seen.items()
    }


def press_id(number: int) -> str:
    return f"node:0000{number:04x}/{number:08x}"


def receipt(post: Post, desk: Signer, payload: bytes) -> ReceiptBody:
    """What the desk said to this post, if it was the desk who said it."""
    ring = Keyring.of([desk.public_text])
    return ReceiptBody.model_validate_json(ring.open(post.topic(Leaf.RECEIPT), payload).body)
