"""Publishes of QoS 1 that wait for PUBACK: paho would send more than the broker allows, so they are counted here."""

from dataclasses import dataclass, field

from bridge.domain.desk import Answer
from mqtt.contract import Leaf


@dataclass(frozen=True, slots=True)
class Sent:
    """`batch` names alarms; `answers` what was accounted."""

    leaf: Leaf
    at_s: float
    batch: str = ""
    answers: tuple[Answer, ...] = ()


@dataclass(slots=True)
class Window:
    """By the session's token."""

    _sent: dict[int, Sent] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._sent)

    @property
    def alarms(self) -> int:
        return sum(sent.leaf is Leaf.ALARM for sent in self._sent.values())

    def add(self, token: int, sent: Sent) -> None:
        self._sent[token] = sent

    def take(self, token: int) -> Sent | None:
        return self._sent.pop(token, None)

    def clear(self) -> None:
        self._sent.clear()

    def is_stuck(self, now_s: float, limit_s: float) -> bool:
        """Whether the broker owes us a PUBACK for so long."""
        return any(now_s - sent.at_s >= limit_s for sent in self._sent.values())
