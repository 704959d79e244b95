"""An officer's word is said again until its post has given the final account of it. Stages only climb."""

from typing import Any

import pytest

from bridge.domain.alarm import Stage
from bridge.domain.desk import OrderKind, Word
from desk.cases import NotHigher, UnknownAlarm, UnknownPost, find, message, order
from desk.outbox import AT_ONCE, Outbox
from desk.views import Delivery, case
from desk.words import Pending
from mqtt.contract import OrderBody, ReceiptBody, WordBody
from tests.desk.conftest import DESK, Table
from tests.desk.post import NOW, Post, press_id

ONE, TWO = Post("pos-1", seed=1), Post("pos-2", seed=2, journal="b7d1c1b0-0000-4000-8000-000000000002")


@pytest.fixture(autouse=True)
def known(table: Table) -> None:
    table.know(ONE, TWO)
    table.turn()
    table.hear(ONE.alarms(ONE.report(1)))


def words(said: list[tuple[str, Any]]) -> list[tuple[str, WordBody]]:
    return [(post, word) for post, body in said if isinstance(body, ReceiptBody) for word in body.words]


def told(table: Table, number: int = 1) -> list[Delivery]:
    with table.store.reading() as connection:
        return case(connection, number)[3]


def test_a_word_goes_out_at_once_with_all_that_the_post_needs(table: Table) -> None:
    (number,) = table.say(press_id(1), Stage.ACKNOWLEDGED, "Aiptu Budi")
    ((post, word),) = words(table.turn())
    assert (post, word.number, word.kind, word.alarm) == ("pos-1", number, OrderKind.STAGE, press_id(1))
    assert (word.stage, word.by, word.source) == ("ACKNOWLEDGED", "Aiptu Budi", "node:00000001")


def test_it_is_said_again_after_2_5_15_and_60_s_until_the_final_answer(table: Table) -> None:
    (number,) = table.say("1", Stage.DISPATCHED)
    table.turn()
    began, heard = table.mono_s, []
    for _ in range(205):
        if words(table.turn(1.0)):
            heard.append(round(table.mono_s - began))
    assert heard == [2, 7, 22, 82, 142, 202]
    table.hear(ONE.answer(DESK, number, "received"))
    assert words(table.turn(61)), "received is not final"
    table.hear(ONE.answer(DESK, number, "told", at=table.wall_s))
    assert not any(words(table.turn(100)) for _ in range(3))
    assert [(word.fate, word.is_final) for word in told(table)] == [("told", True)]


@pytest.mark.parametrize("sign", [ONE.hello(), ONE.status(True)], ids=["hello", "online"])
def test_a_post_that_shows_itself_is_told_at_once(table: Table, sign: tuple[str, bytes]) -> None:
    table.say("1", Stage.DISPATCHED)
    for _ in range(5):
        table.turn(20)
    assert words(table.turn(1)) == []
    assert [post for post, _ in words(table.hear(sign))] == ["pos-1"]
    assert words(table.hear(TWO.hello())) == []


def test_the_outbox_outlives_the_desk(table: Table) -> None:
    (number,) = table.say("1", Stage.DISPATCHED)
    table.turn()
    table.store.close()
    table.open()
    assert [word.number for _, word in words(table.turn())] == [number]


def test_words_arrive_in_the_order_of_their_numbers(table: Table) -> None:
    said = [table.say("1", stage)[0] for stage in (Stage.ACKNOWLEDGED, Stage.DISPATCHED, Stage.ON_SCENE, Stage.CLOSED)]
    assert said == sorted(set(said))
    assert [word.number for _, word in words(table.turn())] == said
    assert [word.stage for _, word in words(table.hear(ONE.hello()))][-1] == "CLOSED"


def test_a_stage_never_falls_and_is_not_said_twice(table: Table) -> None:
    table.say("1", Stage.DISPATCHED, "Bripka Siti")
    for stage in (Stage.ACKNOWLEDGED, Stage.DISPATCHED):
        with pytest.raises(NotHigher) as refused:
            table.say("1", stage)
        assert (refused.value.case, refused.value.stage, refused.value.by) == (1, Stage.DISPATCHED, "Bripka Siti")
    table.say("1", Stage.CLOSED)
    with pytest.raises(NotHigher):
        table.say("1", Stage.ACKNOWLEDGED)
    assert [word.stage for word in told(table)] == ["DISPATCHED", "CLOSED"]


def test_every_post_that_reported_is_told_also_when_it_reports_later(table: Table) -> None:
    table.hear(TWO.alarms(TWO.report(1)))
    table.say("1", Stage.DISPATCHED)
    first = words(table.turn())
    assert [post for post, _ in first] == ["pos-1", "pos-2"]
    assert len({word.number for _, word in first}) == 2, "each post answers for itself"
    three = Post("pos-3", seed=3, journal="b7d1c1b0-0000-4000-8000-000000000003")
    table.know(three)
    table.turn()
    table.hear(three.alarms(three.report(2, ids=[press_id(2), press_id(1)])))
    late = [(post, word.alarm, word.stage) for post, word in words(table.turn())]
    assert late == [("pos-3", press_id(2), "DISPATCHED")]
    table.hear(three.alarms(three.report(2, 2, ids=[press_id(2), press_id(1)])))
    assert len(told(table)) == 3, "a further revision is no reason to say it again"


def test_an_answer_counts_only_from_the_post_that_was_told(table: Table) -> None:
    (number,) = table.say("1", Stage.DISPATCHED)
    table.hear(TWO.answer(DESK, number, "told"), ONE.answer("desk-elsewhere", number, "told"))
    table.hear(ONE.answer(DESK, number + 1, "told"), Post(seed=9).answer(DESK, number, "told"))
    assert [word.fate for word in told(table)] == [None]


def test_a_final_account_stands_against_older_ones(table: Table) -> None:
    (number,) = table.say("1", Stage.DISPATCHED)
    story = [("received", 1, "received"), ("not_reached", 5, "not_reached"), ("received", 6, "not_reached")]
    story += [("told", 4, "not_reached"), ("told", 7, "told"), ("not_reached", 5, "told")]
    for fate, at, expected in story:
        table.hear(ONE.answer(DESK, number, fate, at=NOW + at))
        assert told(table)[0].fate == expected, (fate, at)


def test_a_time_that_cannot_be_is_not_shown(table: Table) -> None:
    (number,) = table.say("1", Stage.DISPATCHED)
    table.hear(ONE.answer(DESK, number, "told", at=86400.0))
    assert (told(table)[0].fate, told(table)[0].told_at) == ("told", None)
    (number,) = table.say("1", Stage.CLOSED)
    table.hear(ONE.answer(DESK, number, "told", at=table.wall_s))
    assert told(table)[1].told_at == table.wall_s - 1


def test_numbers_rise_after_the_database_was_restored(table: Table, tmp_path: Any) -> None:
    table.copy_to(tmp_path / "yesterday")
    (lost,) = table.say("1", Stage.ACKNOWLEDGED)
    table.turn(5)
    table.restore_from(tmp_path / "yesterday")
    (number,) = table.say("1", Stage.DISPATCHED)
    assert number > lost


def test_orders_travel_on_their_own_topic(table: Table) -> None:
    order(table.store, OrderKind.SIREN_OFF, ONE.id, by="Polsek Ajung")
    _, (number,) = message(table.store, "1", "Tetap di dalam rumah", "Polsek Ajung")
    (body,) = [body for _, body in table.turn() if isinstance(body, OrderBody)]
    assert [(one.kind, one.alarm, one.text) for one in body.orders] == [
        (OrderKind.SIREN_OFF, "", ""),
        (OrderKind.MESSAGE, press_id(1), "Tetap di dalam rumah"),
    ]
    table.hear(ONE.answer(DESK, number, "done"))
    with pytest.raises(UnknownPost):
        order(table.store, OrderKind.DRILL, Post("pos-9").id)


def test_struck_again_after_it_was_closed_is_seen_and_can_be_read(table: Table) -> None:
    table.say("1", Stage.CLOSED)
    assert table.cases(everything=False) == []
    table.hear(ONE.alarms(ONE.report(1, 2)))
    assert table.cases(everything=False) == [], "a revision without a new press is no new call"
    table.hear(ONE.alarms(ONE.report(1, 3, ids=[press_id(1), press_id(4)])))
    (again,) = table.cases(everything=False)
    assert again.again_at is not None and again.stage == "CLOSED"
    assert table.say("1", Stage.ACKNOWLEDGED) == []
    assert table.cases(everything=False) == []


def test_an_unreadable_report_can_be_taken_though_nobody_can_be_told(table: Table) -> None:
    table.hear(ONE.alarms("rubbish"))
    assert table.say("2", Stage.ACKNOWLEDGED) == []
    assert table.cases()[0].stage == "ACKNOWLEDGED"


@pytest.mark.parametrize("said", ["1", "#1", press_id(1), "node:00000001"])
def test_a_case_is_found_by_number_id_or_the_beginning_of_it(table: Table, said: str) -> None:
    with table.store.reading() as connection:
        assert find(connection, said) == 1


@pytest.mark.parametrize("said", ["3", "", "#", "node:", "%", "9" * 30, "²"])
def test_an_unknown_alarm_is_refused_with_what_is_near(table: Table, said: str) -> None:
    table.hear(ONE.alarms(ONE.report(2)), TWO.alarms(TWO.report(1)))
    with table.store.reading() as connection, pytest.raises(UnknownAlarm):
        find(connection, said)
    with table.store.reading() as connection, pytest.raises(UnknownAlarm) as refused:
        find(connection, "node:00000001/00000009")
    assert refused.value.near[0] == press_id(1)


def test_one_publish_stays_small() -> None:
    outbox = Outbox()
    outbox.load(Pending("p", Word(DESK, number, OrderKind.STAGE), NOW) for number in range(100, 0, -1))
    sizes, numbers = [], []
    for _ in range(3):
        (batch,) = outbox.due(0.0).values()
        sizes.append(len(batch))
        numbers += [pending.word.number for pending in batch]
    assert sizes == [AT_ONCE, AT_ONCE, 20] and numbers == list(range(1, 101))
    assert outbox.due(0.0) == {}
