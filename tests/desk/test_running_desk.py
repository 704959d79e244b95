"""The desk as it runs: a process, a broker, a database on disk, and officers who type beside it."""

import json
import re
import signal
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mqtt.contract import Leaf
from tests.brokers import Iotcore, iotcore_broker
from tests.desk.live import LiveDesk, LivePost
from tests.desk.post import Post, press_id, sha
from tests.patience import until


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Iotcore]:
    with iotcore_broker(tmp_path) as broker:
        yield broker


@pytest.fixture
def desk(tmp_path: Path, broker: Iotcore) -> Iterator[LiveDesk]:
    desk = LiveDesk.create(tmp_path / "desk", broker.url)
    desk.know(Post())
    desk.start()
    yield desk
    desk.end(signal.SIGKILL)


@pytest.fixture
def post(desk: LiveDesk, broker: Iotcore) -> Iterator[LivePost]:
    post = LivePost(Post(), desk).connect(broker.url)
    post.greet()
    yield post
    post.session.stop()


def test_one_press_there_and_an_officers_words_back(desk: LiveDesk, post: LivePost) -> None:
    text = post.post.report(1)
    receipt = post.report(post.post.alarms(text, batch="00000000000000aa"), "00000000000000aa")
    assert [(one.alarm, one.sha) for one in receipt.stored] == [(press_id(1), sha(text))]
    (case,) = desk.cases()
    assert (case["ids"], case["kind"], case["place"], case["stage"]) == (
        [press_id(1)],
        "FIRE",
        "RT03-12, RT 03/RW 02",
        "STORED",
    )
    verbs = {"take": "ACKNOWLEDGED", "dispatch": "DISPATCHED", "on-scene": "ON_SCENE", "close": "CLOSED"}
    for number, (verb, stage) in enumerate(verbs.items(), 1):
        desk.type(verb, press_id(1), "--by", "Aiptu Budi")
        said = time.monotonic()
        until(lambda n=number: len(post.words) >= n, f"the word of {verb}")
        assert time.monotonic() - said < 5.0
        word = post.words[-1]
        assert (word.alarm, word.stage, word.by) == (press_id(1), stage, "Aiptu Budi")
        post.send(post.post.answer(desk.id, word.number, "told", at=time.time()))
        until(lambda s=stage: desk.cases()[0]["told"] == "told" and desk.cases()[0]["stage"] == s, "the answer")
    assert re.search(r"dikabari \d\d:\d\d:\d\d", desk.type("show", "1"))
    assert re.search(r"told \d\d:\d\d:\d\d", desk.type("list", "--all", "--lang", "en"))


def test_a_word_is_said_again_until_the_final_answer(desk: LiveDesk, post: LivePost) -> None:
    post.report(post.post.alarms(post.post.report(1), batch="00000000000000aa"), "00000000000000aa")
    desk.type("dispatch", "1")
    until(lambda: len(post.words) == 2, "the same word again after 2 s")
    assert len({word.number for word in post.words}) == 1
    post.send(post.post.answer(desk.id, post.words[0].number, "not_reached", at=time.time()))
    until(lambda: desk.cases()[0]["told"] == "not_reached", "the account")
    post.greet()
    assert len(post.words) == 2, "a word with a final account is not said again, not even to one who greets"
    assert "TIDAK TERJANGKAU" in desk.type("list")


def test_a_post_that_is_registered_while_the_desk_runs_is_heard(
    desk: LiveDesk, post: LivePost, broker: Iotcore
) -> None:
    other = LivePost(Post("pos-2", seed=2), desk).connect(broker.url)
    desk.know(other.post)
    other.greet()
    other.session.stop()


def test_strangers_and_altered_messages_get_no_answer_and_are_reported(desk: LiveDesk, post: LivePost) -> None:
    stranger = Post(seed=66)
    topic, payload = post.post.alarms(post.post.report(2), batch="00000000000000bb")
    post.send(stranger.alarms(stranger.report(1), batch="00000000000000aa"))
    post.send((topic, payload.replace(b"FIRE", b"TEST")))
    post.send((post.post.topic(Leaf.HELLO), b"\x00 rubbish"))
    post.greet()
    assert not {"00000000000000aa", "00000000000000bb"} & set(post.receipts)
    assert desk.cases() == []
    until(lambda: desk.log.read_text().count("message refused") >= 1, "the report of it")


def test_the_desk_finds_its_broker_again(desk: LiveDesk, post: LivePost, broker: Iotcore) -> None:
    post.report(post.post.alarms(post.post.report(1), batch="00000000000000aa"), "00000000000000aa")
    broker.kill()
    desk.type("dispatch", "1")
    broker.start()
    until(lambda: post.words, "the word, said while nobody could hear it", 30.0)


def test_a_copy_of_the_database_asks_for_everything(desk: LiveDesk, post: LivePost) -> None:
    """Yesterday's copy is put back while the desk is off; what was receipted since is not lost."""
    post.report(post.post.alarms(post.post.report(1), batch="00000000000000a1"), "00000000000000a1")
    assert desk.end(signal.SIGTERM) == 0
    database = desk.folder / "desk.sqlite3"
    yesterday = database.read_bytes()
    desk.start()
    post.greet()
    last = post.report(post.post.alarms(post.post.report(2), batch="00000000000000a2"), "00000000000000a2")
    assert desk.end(signal.SIGTERM) == 0
    database.write_bytes(yesterday)
    desk.start()
    post.greet()
    assert desk.stored() == {press_id(1): 1}
    seen = {desk.id: {"database": last.mark.database, "commit": last.mark.commit, "token": last.mark.token}}
    post.send(post.post.say(Leaf.HELLO, {"nonce": "00000000000000e1", "run": post.post.run, "seen": seen}))
    (order, *_) = until(lambda: post.orders, "the order to send everything again")
    assert order.kind.value == "resend"
    both = [post.post.report(number) for number in (1, 2)]
    receipt = post.report(post.post.alarms(*both, batch="00000000000000a3"), "00000000000000a3")
    assert len(receipt.stored) == 2
    assert desk.stored() == {press_id(1): 1, press_id(2): 1}


def test_the_log_tells_the_story_without_names_of_people(desk: LiveDesk, post: LivePost) -> None:
    text = post.post.report(1, words=["Bu Sumiati minta tolong"])
    post.report(post.post.alarms(text, batch="00000000000000aa"), "00000000000000aa")
    desk.type("dispatch", "1", "--by", "Aiptu Budi")
    until(lambda: post.words, "the word")
    assert desk.end(signal.SIGTERM) == 0
    log = desk.log.read_text()
    lines = [json.loads(line) for line in log.splitlines()]
    story = [line["event"] for line in lines]
    assert [event for event in story if event in ("desk runs", "alarm stored", "words sent", "desk stopped")] == [
        "desk runs",
        "alarm stored",
        "words sent",
        "desk stopped",
    ]
    stored = lines[story.index("alarm stored")]
    assert (stored["alarm"], stored["kind"], stored["place"]) == (press_id(1), "FIRE", "RT03-12, RT 03/RW 02")
    assert "Sumiati" not in log and "Budi" not in log


def test_only_the_owner_reads_key_and_settings(desk: LiveDesk) -> None:
    modes = {name: stat.S_IMODE((desk.folder / name).stat().st_mode) for name in ("desk.key", "desk.toml", ".")}
    assert modes == {"desk.key": 0o600, "desk.toml": 0o600, ".": 0o700}
