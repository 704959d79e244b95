"""What the uplink's worker is told by others, in the order it came."""

import threading
from collections import deque
from dataclasses import dataclass

from bridge.domain.commands import Relay
from bridge.domain.desk import Answer

ROOM = 20_000


@dataclass(frozen=True, slots=True)
class Up:
    number: int


@dataclass(frozen=True, slots=True)
class Down:
    why: str


@dataclass(frozen=True, slots=True)
class Denied:
    why: str


@dataclass(frozen=True, slots=True)
class Got:
    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Acked:
    token: int
    code: int


@dataclass(frozen=True, slots=True)
class SweepAsked:
    pass


@dataclass(frozen=True, slots=True)
class Accounted:
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class HealthAsked:
    pass


Note = Up | Down | Denied | Got | Acked | SweepAsked | Accounted | HealthAsked | Relay


class Mailbox:
    """Bounded: it refuses what can be found or asked for again, never the session's own news."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._notes: deque[Note] = deque()
        self._news = threading.Condition()
        self._is_closed = False

    def put(self, note: Note) -> bool:
        """Never waits. False: no room."""
        with self._news:
            if len(self._notes) >= self._room and isinstance(note, Relay | Got | Accounted):
                return False
            self._notes.append(note)
            self._news.notify()
            return True

    def take(self, wait_s: float) -> list[Note]:
        """All that wait; empty when none came within `wait_s` or the mailbox was closed."""
        with self._news:
            self._news.wait_for(lambda: self._notes or self._is_closed, wait_s)
            notes = list(self._notes)
            self._notes.clear()
            return notes

    def close(self) -> None:
        with self._news:
            self._is_closed = True
            self._news.notify()
