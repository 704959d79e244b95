"""When to say a word (again): at once, after 2, 5, 15, 60 … seconds, and whenever its post has just been heard."""

from collections.abc import Iterable
from dataclasses import dataclass

from bridge.domain.desk import OrderKind
from desk.words import Pending
from mqtt.contract import MarkBody, OrderBody, ReceiptBody, WordBody

WAITS_S = (2.0, 5.0, 15.0, 60.0)
AT_ONCE = 40  # words in one publish


@dataclass(slots=True)
class _Slot:
    pending: Pending
    due_s: float = 0.0
    tries: int = 0


class Outbox:
    """Pure: the clock is a parameter (monotonic seconds). What is final is dropped by the next `load`."""

    def __init__(self) -> None:
        self._slots: dict[int, _Slot] = {}

    def load(self, words: Iterable[Pending]) -> None:
        """What the database holds; words already known keep their waiting time."""
        known = self._slots
        self._slots = {
            pending.word.number: known.get(pending.word.number) or _Slot(pending)
            for pending in sorted(words, key=lambda pending: pending.word.number)
        }

    def hurry(self, post: str) -> None:
        """This post listens now."""
        for slot in self._slots.values():
            if slot.pending.post == post:
                slot.due_s, slot.tries = 0.0, 0

    def hurry_all(self) -> None:
        """What was said lately reached nobody."""
        for post in {slot.pending.post for slot in self._slots.values()}:
            self.hurry(post)

    def due(self, now_s: float) -> dict[str, list[Pending]]:
        """What to say now, by post, in the order of the numbers; it is then taken as said."""
        due: dict[str, list[Pending]] = {}
        for slot in self._slots.values():
            batch = due.setdefault(slot.pending.post, [])
            if slot.due_s <= now_s and len(batch) < AT_ONCE:
                batch.append(slot.pending)
                slot.due_s = now_s + WAITS_S[min(slot.tries, len(WAITS_S) - 1)]
                slot.tries += 1
        return {post: words for post, words in due.items() if words}

    def __len__(self) -> int:
        return len(self._slots)


def receipt_of(words: list[Pending], desk: str, mark: MarkBody) -> ReceiptBody | None:
    """An officer's words about alarms travel on the receipt topic."""
    stages = [_body(pending) for pending in words if pending.word.kind is OrderKind.STAGE]
    return ReceiptBody(desk=desk, mark=mark, words=stages) if stages else None


def order_of(words: list[Pending], desk: str) -> OrderBody | None:
    """Everything else is an order."""
    orders = [_body(pending) for pending in words if pending.word.kind is not OrderKind.STAGE]
    return OrderBody(desk=desk, orders=orders) if orders else None


def _body(pending: Pending) -> WordBody:
    word = pending.word
    return WordBody(
        number=word.number,
        kind=word.kind,
        alarm=word.alarm,
        source=word.source,
        stage=None if word.stage is None else word.stage.name,
        by=word.by,
        text=word.text,
        at=pending.at,
    )
