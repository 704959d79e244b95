"""What the desk's messages mean once verified, and what a post does not understand."""

import json
from typing import Any

import pytest

from bridge.domain.alarm import Stage
from bridge.domain.desk import Mark, OrderKind, Stored, Word
from mqtt.contract import Leaf, topic
from mqtt.downlink import Downlink, Orders, Receipt, Unreadable
from mqtt.signature import Keyring, NotVerified, Signer
from tests.mqtt.people import DESK_KEY, OTHER_POST, POST, THIEF_KEY

MARK = {"database": "db-1", "commit": 7, "token": "t7"}
SHA = "ab" * 32
WORD = {"number": 5, "kind": "stage", "alarm": "a/1", "stage": "DISPATCHED", "by": "Budi", "at": 1.5}
ORDER = {"number": 6, "kind": "message", "alarm": "a/1", "text": "tenang", "at": 1.5}


@pytest.fixture
def downlink() -> Downlink:
    return Downlink(POST, Keyring.of([DESK_KEY.public_text]))


def sealed(leaf: Leaf, fields: Any, signer: Signer = DESK_KEY) -> bytes:
    body = fields if isinstance(fields, str) else json.dumps(fields)
    return signer.seal(topic(POST, leaf), body).encode()


def receipt(downlink: Downlink, **fields: Any) -> Receipt:
    given = {"desk": "polsek-1", "mark": MARK, **fields}
    heard = downlink.read(downlink.receipt_topic, sealed(Leaf.RECEIPT, given))
    assert isinstance(heard, Receipt)
    return heard


def orders(downlink: Downlink, *given: Any) -> Orders:
    heard = downlink.read(downlink.order_topic, sealed(Leaf.ORDER, {"desk": "polsek-1", "orders": list(given)}))
    assert isinstance(heard, Orders)
    return heard


def test_a_receipt_is_read_whole(downlink: Downlink) -> None:
    heard = receipt(
        downlink,
        re="0" * 16,
        stored=[{"alarm": "a/1", "rev": 2, "sha": SHA}],
        quarantined=[{"sha": SHA, "reason": "no kind"}, {"sha": SHA, "reason": ""}],
        words=[WORD],
    )
    assert heard.mark == Mark("polsek-1", "db-1", 7, "t7")
    assert heard.re == "0" * 16
    assert heard.items == (Stored("a/1", 2, SHA), Stored("", 0, SHA, "no kind"), Stored("", 0, SHA, "?"))
    assert heard.words == (Word("polsek-1", 5, OrderKind.STAGE, "a/1", "", Stage.DISPATCHED, "Budi"),)
    assert heard.odd == ()


def test_orders_are_read_whole(downlink: Downlink) -> None:
    heard = orders(downlink, ORDER, {"number": 7, "kind": "resend", "at": 2})
    assert heard.words == (
        Word("polsek-1", 6, OrderKind.MESSAGE, "a/1", text="tenang"),
        Word("polsek-1", 7, OrderKind.RESEND),
    )


@pytest.mark.parametrize(
    "word",
    [
        {**WORD, "kind": "fly"},
        {**WORD, "stage": "VANISHED"},
        {**WORD, "stage": "STORED"},  # only the desk's database may say that
        {**WORD, "stage": None},
        {**WORD, "alarm": ""},
        {**WORD, "number": 0},
        {**WORD, "number": 2**53},
        ORDER,
        "stage",
        None,
    ],
)
def test_a_word_that_is_too_new_costs_neither_the_receipt_nor_the_other_words(downlink: Downlink, word: Any) -> None:
    heard = receipt(downlink, re="0" * 16, stored=[{"alarm": "a/1", "rev": 2, "sha": SHA}], words=[word, WORD])
    assert heard.items == (Stored("a/1", 2, SHA),)
    assert [w.number for w in heard.words] == [5]
    assert len(heard.odd) == 1


def test_a_stage_is_no_order(downlink: Downlink) -> None:
    heard = orders(downlink, WORD, ORDER)
    assert [word.number for word in heard.words] == [6]
    assert "wrong topic" in heard.odd[0]


@pytest.mark.parametrize(
    "fields",
    [
        "not json",
        "[]",
        "[" * 100_000,
        {"desk": "d"},
        {"desk": "d", "mark": MARK, "re": "zz"},
        {"desk": "d", "mark": {**MARK, "commit": -1}},
        {"desk": "d", "mark": MARK, "stored": [{"alarm": "a", "rev": 1, "sha": "zz"}]},
    ],
)
def test_a_signed_receipt_of_another_contract_is_unreadable(downlink: Downlink, fields: Any) -> None:
    with pytest.raises(Unreadable):
        downlink.read(downlink.receipt_topic, sealed(Leaf.RECEIPT, fields))


def test_words_that_are_no_list_are_odd(downlink: Downlink) -> None:
    assert receipt(downlink, words={"a": 1}).odd
    heard = downlink.read(downlink.order_topic, sealed(Leaf.ORDER, {"desk": "d"}))
    assert heard.odd and not heard.words


@pytest.mark.parametrize("leaf", [Leaf.RECEIPT, Leaf.ORDER])
def test_a_stranger_and_another_topic_do_not_verify(downlink: Downlink, leaf: Leaf) -> None:
    fields = {"desk": "d", "mark": MARK, "orders": [ORDER]}
    other = Leaf.ORDER if leaf is Leaf.RECEIPT else Leaf.RECEIPT
    foreign = DESK_KEY.seal(topic(OTHER_POST, leaf), json.dumps(fields)).encode()
    for payload in (sealed(leaf, fields, THIEF_KEY), sealed(other, fields), foreign, b"{}", b""):
        with pytest.raises(NotVerified):
            downlink.read(topic(POST, leaf), payload)
