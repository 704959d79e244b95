"""Whatever a post has signed is read somehow; whatever it has not signed is not read at all."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.reading import UNREADABLE, Alarms, Answers, Hello, Status, Unfit, read
from mqtt.contract import Leaf
from mqtt.signature import Keyring, NotVerified
from tests.desk.post import Post, press_id, sha

POST = Post()
RINGS = {str(POST.id): Keyring.of([POST.signer.public_text])}


def alarms(*reports: str, **body: Any) -> Alarms:
    message = read(*POST.alarms(*reports, **body), RINGS)
    assert isinstance(message, Alarms)
    return message


def test_a_good_report_is_read_whole() -> None:
    text = POST.report(1, 3, ids=[press_id(1), press_id(2)])
    (item,) = alarms(text, batch="00000000000000aa", age_s=4.5).items
    assert (item.key, item.alarm, item.revision, item.sha) == (press_id(1), press_id(1), 3, sha(text))
    assert (item.presses, item.kind, item.place) == ((press_id(1), press_id(2)), "FIRE", "RT03-12, RT 03/RW 02")
    assert (item.age_s, item.reason, item.body) == (4.5, "", text)


BAD = {
    "no JSON": "{",
    "no object": "[1]",
    "no kind known here": POST.report(1, kind="FLOOD"),
    "another post": POST.report(1, post="35.09.14.2005/pos-2"),
    "no ids": POST.report(1, ids=[]),
    "an id that cannot be printed": POST.report(1, ids=["a\nb"]),
    "a NUL": POST.report(1, source="a\u0000b"),
    "a name of ours": POST.report(UNREADABLE + "x"),
    "revision 0": POST.report(1, 0),
    "a number that no database holds": POST.report(1, seq=2**63),
    "deep": "[" * 100_000,
    "empty": "",
    "control characters": "\u0000\u001b[2J",
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_what_cannot_be_understood_is_kept_with_its_reason_beside_what_can(text: str) -> None:
    message = alarms(POST.report(2), text, POST.report(3))
    good, bad, other = message.items
    assert (good.reason, other.reason) == ("", "")
    assert bad.reason and len(bad.reason) <= 200 and bad.reason.isprintable()
    assert (bad.sha, bad.body) == (sha(text), text)
    assert bad.key.startswith(UNREADABLE) and bad.kind == "UNKNOWN"


def test_an_unreadable_report_still_says_which_presses_it_holds() -> None:
    (item,) = alarms(POST.report(1, 4, kind="FLOOD", ids=[press_id(1), press_id(2)])).items
    assert item.presses == (press_id(1), press_id(2))
    assert (item.alarm, item.revision, item.source) == (press_id(1), 4, "node:00000001")


BODIES: dict[str, tuple[dict[str, Any], str]] = {
    "no clock": ({"now": None}, "00000000000000aa"),
    "a negative age": ({"age_s": -1}, "00000000000000aa"),
    "no run": ({"run": 7}, "00000000000000aa"),
    "no batch": ({"batch": "not hex"}, ""),
}


@pytest.mark.parametrize(("body", "batch"), BODIES.values(), ids=BODIES)
def test_a_body_that_is_not_as_agreed_is_taken_piece_by_piece(body: dict[str, Any], batch: str) -> None:
    text = POST.report(1)
    message = alarms(text, **{"batch": "00000000000000aa"} | body)
    assert message.why and message.batch == batch
    (item,) = message.items
    assert (item.sha, item.reason) == (sha(text), "")


@pytest.mark.parametrize("body", ["", "{", "7", "null", '{"items": []}', '{"items": 3, "batch": "00000000000000aa"}'])
def test_a_body_without_any_alarm_is_kept_as_a_whole(body: str) -> None:
    message = read(*POST.say(Leaf.ALARM, body), RINGS)
    assert isinstance(message, Alarms)
    (item,) = message.items
    assert item.reason and item.body == body


def test_more_alarms_than_agreed_are_all_taken() -> None:
    message = alarms(*(POST.report(number) for number in range(1, 41)))
    assert len(message.items) == 40 and not any(item.reason for item in message.items)
    assert "at most 32" in message.why


def test_an_item_without_its_string_is_kept() -> None:
    text = POST.report(1)
    message = read(*POST.say(Leaf.ALARM, {"items": [{"alarm": 3}, {"alarm": text}, "x", {"alarm": "\ud800"}]}), RINGS)
    assert isinstance(message, Alarms)
    assert [bool(item.reason) for item in message.items] == [True, False, True, True]


KINDS = [(Leaf.HELLO, Hello), (Leaf.STATUS, Status), (Leaf.ANSWER, Answers)]


def test_every_other_leaf_is_read_after_the_contract() -> None:
    said = [POST.hello(), POST.status(True), POST.answer("desk-ajung", 5, "told")]
    assert [type(read(*message, RINGS)) for message in said] == [kind for _, kind in KINDS]


@pytest.mark.parametrize("leaf", [*(leaf for leaf, _ in KINDS), Leaf.HEALTH, Leaf.RECEIPT])
@pytest.mark.parametrize("body", ["", "{}", "[]", '{"answers": []}'])
def test_anything_else_that_is_signed_is_unfit(leaf: Leaf, body: str) -> None:
    message = read(*POST.say(leaf, body), RINGS)
    assert isinstance(message, Unfit) and message.why.isprintable()


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["items", "alarm", "batch", "age_s", "ids", "id", "run"]), inner)
        ),
    )
)
def test_no_signed_body_is_dropped_or_breaks_the_desk(body: Any) -> None:
    for text in (json.dumps(body), json.dumps({"items": [body]}), json.dumps({"items": [{"alarm": json.dumps(body)}]})):
        message = read(*POST.say(Leaf.ALARM, text), RINGS)
        assert isinstance(message, Alarms) and message.items
        for item in message.items:
            assert item.reason and item.body.encode() and item.age_s is None


@given(st.binary())
def test_unsigned_bytes_are_nothing(payload: bytes) -> None:
    with pytest.raises(NotVerified):
        read(POST.topic(Leaf.ALARM), payload, RINGS)


def test_strangers_altered_and_moved_messages_are_refused() -> None:
    topic, payload = POST.alarms(POST.report(1))
    stranger, other = Post(seed=2), Post("pos-2")
    wrong = {
        "altered": (topic, payload.replace(b"FIRE", b"TEST")),
        "signed by a stranger": stranger.alarms(stranger.report(1)),
        "moved to another leaf": (POST.topic(Leaf.ANSWER), payload),
        "of a post that is not registered": other.alarms(other.report(1)),
        "on a topic of nobody": ("kentongan/v1/alarm", payload),
    }
    for what, message in wrong.items():
        with pytest.raises(NotVerified):
            pytest.fail(f"{what}: {read(*message, RINGS)}")
