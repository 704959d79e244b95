"""A desk without a broker: its real database, its real intake, and what it would publish."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bridge.domain.alarm import Stage
from desk.cases import say_stage
from desk.run import Desk
from desk.store import Store
from desk.views import CaseView, cases
from mqtt.contract import OrderBody, ReceiptBody, parse_topic
from mqtt.signature import Keyring, Signer
from tests.desk.post import NOW, Post, signer

DESK = "desk-ajung"


@dataclass
class Table:
    """A police desk on a table in front of us: we turn its clock and its thread by hand."""

    file: Path
    signer: Signer = field(default_factory=lambda: signer(99))
    wall_s: float = NOW
    mono_s: float = 0.0
    said: list[tuple[str, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.open()

    def open(self) -> None:
        """Start, or start again, on whatever the file holds now."""
        self.store = Store(f"sqlite:///{self.file}", DESK, wall=lambda: self.wall_s)
        self.store.open()
        self.desk = Desk(self.store, self.signer, monotonic=lambda: self.mono_s)
        self.desk.voice = self

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool) -> None:
        assert (qos, retain) == (0, False)
        self.said.append((topic, payload))

    def know(self, *posts: Post) -> None:
        for post in posts:
            self.store.add_post(post.id, post.signer.public_text)

    def hear(self, *messages: tuple[str, bytes]) -> list[tuple[str, ReceiptBody | OrderBody]]:
        """All in one group; what the desk published then, verified, with the post's name."""
        for topic, payload in messages:
            self.desk.hear(topic, payload)
        return self.turn()

    def turn(self, seconds: float = 1.0) -> list[tuple[str, ReceiptBody | OrderBody]]:
        """Time goes by; the desk looks around once."""
        self.mono_s += seconds
        self.wall_s += seconds
        self.said.clear()
        self.desk.once(patience_s=0.0)
        return [self._heard(topic, payload) for topic, payload in self.said]

    def _heard(self, topic: str, payload: bytes) -> tuple[str, ReceiptBody | OrderBody]:
        post, leaf = parse_topic(topic)
        envelope = Keyring.of([self.signer.public_text]).open(topic, payload)
        model = ReceiptBody if leaf.value == "receipt" else OrderBody
        return post.post, model.model_validate_json(envelope.body)

    def cases(self, everything: bool = True) -> list[CaseView]:
        with self.store.reading() as connection:
            return cases(connection, everything)

    def say(self, alarm: str, stage: Stage, by: str = "Polsek Ajung") -> list[int]:
        return say_stage(self.store, alarm, stage, by)[1]

    def copy_to(self, file: Path) -> None:
        """A backup as technicians make it: the desk is off, the file is copied."""
        self.store.close()
        file.write_bytes(self.file.read_bytes())
        self.open()

    def restore_from(self, file: Path) -> None:
        self.store.close()
        self.file.write_bytes(file.read_bytes())
        self.open()


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Table]:
    table = Table(tmp_path / "desk.sqlite3")
    yield table
    table.store.close()
