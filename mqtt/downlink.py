"""The desk's words: verified, parsed, and turned into what the bridge understands; the rest changes nothing."""

from dataclasses import dataclass

from pydantic import ValidationError

from bridge.domain.alarm import Stage
from bridge.domain.desk import Mark, Stored, Word
from mqtt.contract import Leaf, OrderBody, ReceiptBody, WordBody
from mqtt.signature import Keyring, NotVerified


@dataclass(frozen=True, slots=True)
class Heard:
    """A verified message of the desk. `re` is '' when it answers nothing; orders carry no mark."""

    re: str
    mark: Mark | None
    stored: tuple[Stored, ...]
    words: tuple[Word, ...]


def hear(leaf: Leaf, topic: str, payload: bytes, desks: Keyring) -> Heard:
    """Raises NotVerified with one line when the message is not the desk's, or not of this contract."""
    body = desks.open(topic, payload).body
    try:
        return _receipt(ReceiptBody.model_validate_json(body)) if leaf is Leaf.RECEIPT else _order(body)
    except (ValidationError, KeyError) as error:
        raise NotVerified(f"signed, but not of this contract: {str(error).splitlines()[0]}") from error


def _receipt(body: ReceiptBody) -> Heard:
    mark = Mark(body.desk, body.mark.database, body.mark.commit, body.mark.token)
    stored = [Stored(item.alarm, item.rev, item.sha) for item in body.stored]
    stored += [Stored(item.alarm, item.rev, item.sha, item.reason or "quarantined") for item in body.quarantined]
    return Heard(body.re, mark, tuple(stored), tuple(_word(body.desk, word) for word in body.words))


def _order(text: str) -> Heard:
    body = OrderBody.model_validate_json(text)
    return Heard("", None, (), tuple(_word(body.desk, word) for word in body.orders))


def _word(desk: str, word: WordBody) -> Word:
    stage = Stage[word.stage] if word.stage else None
    return Word(desk, word.number, word.kind, word.alarm, word.source, stage, word.by, word.text)
