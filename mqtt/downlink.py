"""What the desk says: verified against the exact topic, read tolerantly, never acted upon here."""

import json
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from bridge.domain.alarm import Stage
from bridge.domain.desk import Mark, OrderKind, Stored, Word
from bridge.domain.ids import PostId
from mqtt.contract import Leaf, MarkBody, OrderBody, ReceiptBody, WordBody, topic
from mqtt.signature import Keyring


class Unreadable(Exception):
    """Signed by the desk, and yet not of this contract: one side is older than the other."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A verified receipt; whether it answers anything of ours is for the caller to judge by `re`."""

    mark: Mark
    re: str
    items: tuple[Stored, ...]
    words: tuple[Word, ...]
    odd: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Orders:
    """Verified orders; `odd`: one line for each that this post does not understand."""

    words: tuple[Word, ...]
    odd: tuple[str, ...] = ()


class Downlink:
    """Reads the two topics on which a desk speaks to this post."""

    def __init__(self, post: PostId, desks: Keyring) -> None:
        self._desks = desks
        self.receipt_topic, self.order_topic = topic(post, Leaf.RECEIPT), topic(post, Leaf.ORDER)

    def read(self, topic: str, payload: bytes) -> Receipt | Orders:
        """Raises NotVerified, or Unreadable."""
        body = self._desks.open(topic, payload).body
        fields = _fields(body)
        return _receipt(fields) if topic == self.receipt_topic else _orders(fields)


def _fields(body: str) -> dict[str, Any]:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unreadable("isi pesan meja polisi bukan JSON (not JSON)") from error
    if not isinstance(fields, dict):
        raise Unreadable("isi pesan meja polisi bukan objek (not an object)")
    return fields


def _receipt(fields: dict[str, Any]) -> Receipt:
    given = fields.pop("words", [])  # read one by one: a word that is too new must not cost us the receipt
    try:
        body = ReceiptBody.model_validate(fields)
    except ValidationError as error:
        raise Unreadable(_line(error)) from error
    items = [Stored(item.alarm, item.rev, item.sha) for item in body.stored]
    items += [Stored(item.alarm, item.rev, item.sha, item.reason or "?") for item in body.quarantined]
    words, odd = _words(body.desk, given, is_order=False)
    return Receipt(_mark(body.desk, body.mark), body.re, tuple(items), words, odd)


def _orders(fields: dict[str, Any]) -> Orders:
    given = fields.get("orders")
    try:
        desk = OrderBody.model_validate({**fields, "orders": [_PLAIN]}).desk
    except ValidationError as error:
        raise Unreadable(_line(error)) from error
    return Orders(*_words(desk, given, is_order=True))


_PLAIN = {"number": 1, "kind": OrderKind.RESEND, "at": 0}  # stands for orders that are read one by one


def _words(desk: str, given: Any, is_order: bool) -> tuple[tuple[Word, ...], tuple[str, ...]]:
    if not isinstance(given, list):
        return (), ("daftar kata bukan daftar (words are not a list)",)
    words, odd = [], []
    for fields in given:
        try:
            words.append(_word(desk, fields, is_order))
        except ValidationError as error:
            odd.append(_line(error))
        except ValueError as error:
            odd.append(str(error))
    return tuple(words), tuple(odd)


def _word(desk: str, fields: Any, is_order: bool) -> Word:
    body = WordBody.model_validate(fields)
    if (body.kind is OrderKind.STAGE) is is_order:
        raise ValueError(f"kata {body.number} ({body.kind}) datang di topik yang salah (wrong topic)")
    return Word(desk, body.number, body.kind, body.alarm, body.source, _stage(body), body.by, body.text)


def _stage(body: WordBody) -> Stage | None:
    """Only an officer's own stages may be said by word; the others are earned otherwise."""
    if body.kind is not OrderKind.STAGE:
        return None
    stage = Stage.__members__.get(body.stage or "")
    if stage is None or stage < Stage.ACKNOWLEDGED or not body.alarm:
        raise ValueError(f"kata {body.number}: tahap {body.stage!r} tidak dikenal (unknown stage or no alarm)")
    return stage


def _mark(desk: str, body: MarkBody) -> Mark:
    return Mark(desk, body.database, body.commit, body.token)


def _line(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"pesan meja polisi tidak dimengerti; perbarui yang lebih tua ({place}: {first['msg']})"
