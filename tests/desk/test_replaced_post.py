"""A post on a new machine: from its backup it is the same post and is told everything again; without one, a new key."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bridge.domain.alarm import Stage
from mqtt.contract import ReceiptBody, WordBody
from tests.desk.conftest import Table
from tests.desk.live import LiveDesk
from tests.desk.post import NOW, Post, press_id, signer

OLD = Post("pos-1", seed=1)
RESTORED = Post("pos-1", seed=1, journal="b7d1c1b0-0000-4000-8000-000000000002")
STRANGER = Post("pos-1", seed=2, journal="b7d1c1b0-0000-4000-8000-000000000003")


@pytest.fixture(autouse=True)
def known(table: Table) -> None:
    table.know(OLD)
    table.turn()


def words(table: Table, *messages: tuple[str, bytes]) -> list[WordBody]:
    heard = [body for _, body in (*table.hear(*messages), *table.turn())]
    return [word for body in heard if isinstance(body, ReceiptBody) for word in body.words]


def closed_and_told(table: Table) -> None:
    table.hear(OLD.alarms(OLD.report(1)))
    (number,) = table.say(press_id(1), Stage.CLOSED)
    table.turn()
    table.hear(OLD.answer(table.store.desk, number, "told", at=NOW))
    assert words(table) == []


def test_a_restored_journal_is_told_what_the_old_one_was_told_and_only_once(table: Table) -> None:
    closed_and_told(table)
    (word,) = words(table, RESTORED.alarms(RESTORED.report(1, revision=2)))
    assert (word.stage, word.alarm) == ("CLOSED", press_id(1))
    table.hear(RESTORED.answer(table.store.desk, word.number, "told", at=NOW + 9))
    table.turn(60.0)
    assert words(table, RESTORED.alarms(RESTORED.report(1, revision=3))) == [], "one word, not one for each report"
    assert len(table.cases()) == 1
    assert table.store.accounting() == {press_id(1): 1}


def test_what_is_struck_after_the_restoring_is_what_officers_see(table: Table) -> None:
    table.hear(OLD.alarms(OLD.report(1, kind="THEFT")))
    table.hear(RESTORED.alarms(RESTORED.report(1, revision=2, kind="PANIC")))
    assert [case.kind for case in table.cases()] == ["THEFT"], "a copy that knows less takes nothing away"
    table.hear(RESTORED.alarms(RESTORED.report(1, revision=3, kind="FIRE")))
    assert [case.kind for case in table.cases()] == ["FIRE"]


def test_a_second_report_of_the_same_journal_is_told_nothing_twice(table: Table) -> None:
    closed_and_told(table)
    assert words(table, OLD.alarms(OLD.report(1, revision=2))) == []


def test_a_revoked_key_stores_nothing_and_is_named(table: Table) -> None:
    assert table.store.add_post(OLD.id, STRANGER.signer.public_text, replace=True)
    table.turn()
    with capture_logs() as logs:
        assert table.hear(OLD.alarms(OLD.report(1))) == []
        table.turn(60.0)
    (refused,) = (line["why"] for line in logs if line["event"] == "message refused")
    assert f"{OLD.id}: signed with the key {signer(1).kid}, which was revoked" in refused
    assert table.store.accounting() == {}
    assert table.hear(STRANGER.alarms(STRANGER.report(1)))
    assert table.store.accounting() == {press_id(1): 1}


def test_the_officer_is_told_which_key_went(tmp_path: Path) -> None:
    desk = LiveDesk.create(tmp_path / "desk", "mqtt://127.0.0.1:1")
    key = ("35.09.14.2005", "pos-1")
    desk.type("post", "add", *key, signer(1).public_text)
    refused = desk.type("post", "add", *key, signer(2).public_text, exit_code=1)
    assert signer(1).kid in refused and "--replace" in refused
    said = desk.type("post", "add", *key, signer(2).public_text, "--replace")
    assert signer(1).kid in said
    assert "sudah dicabut" in desk.type("post", "add", *key, signer(1).public_text, "--replace", exit_code=1)
