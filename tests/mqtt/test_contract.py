"""The contract's topics and bodies, and the file that other people read."""

import json
from dataclasses import replace

import pytest
from pydantic import ValidationError

from bridge.domain.alarm import Alarm, Moment
from bridge.domain.ids import PostId
from bridge.domain.press import Kind, Remark, Trust, Via
from bridge.domain.report import freeze
from mqtt import asyncapi
from mqtt.contract import (
    BODIES,
    MAX_ALARMS,
    AlarmBody,
    AlarmItem,
    AlarmReport,
    Leaf,
    MomentBody,
    ReceiptBody,
    RunBody,
    StatusBody,
    desk_filter,
    parse_topic,
    topic,
)
from tests.mqtt.people import POST, RUN, alarm

RUN_BODY = RunBody(journal=RUN.journal, start=RUN.start, bits=RUN.bits)


@pytest.mark.parametrize("leaf", Leaf)
@pytest.mark.parametrize("post", [POST, PostId("11.01.01.2001", "a"), PostId("91.71.05.1009", "pos-12-b")], ids=str)
def test_a_topic_comes_back_from_its_text(post: PostId, leaf: Leaf) -> None:
    assert parse_topic(topic(post, leaf)) == (post, leaf)


def test_this_is_how_a_topic_looks() -> None:
    assert topic(POST, Leaf.ALARM) == "kentongan/v1/35/09/14/2005/pos-1/alarm"
    assert desk_filter(Leaf.ALARM) == "kentongan/v1/+/+/+/+/+/alarm"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "kentongan/v1/35/09/14/2005/pos-1",
        "kentongan/v2/35/09/14/2005/pos-1/alarm",
        "kentongan/v1/35/09/14/2005/pos-1/alarms",
        "kentongan/v1/35/09/14/2005/pos-1/alarm/x",
        "kentongan/v1/35/9/14/2005/pos-1/alarm",
        "kentongan/v1/35/09/14/2005/Pos 1/alarm",
        "kentongan/v1/+/09/14/2005/pos-1/alarm",
    ],
)
def test_another_topic_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_topic(text)


def test_the_table_of_the_design_holds() -> None:
    table = {leaf.value: (leaf.qos, leaf.is_retained, leaf.desk_speaks) for leaf in Leaf}
    assert table == {
        "alarm": (1, False, False),
        "receipt": (0, False, True),
        "order": (0, False, True),
        "answer": (1, False, False),
        "status": (1, True, False),
        "health": (0, False, False),
        "hello": (1, False, False),
    }


PLAIN = Alarm(
    id="wired:pos-1/pad/00112233/1",
    sequence=0,
    source="wired:pos-1/pad",
    kind=Kind.UNKNOWN,
    trust=Trust.UNKNOWN,
    via=Via.WIRED,
    first=Moment(0, 1.0, 2.0, False),
    latest=Moment(0, 1.0, 2.0, False),
    presses=("wired:pos-1/pad/00112233/1",),
)


@pytest.mark.parametrize("given", [PLAIN, alarm(5), replace(alarm(6), remarks=frozenset(Remark), place=None)])
def test_a_frozen_alarm_is_an_alarm_report_in_every_field(given: Alarm) -> None:
    frozen = json.loads(freeze(given, POST, RUN).body)
    report = AlarmReport.model_validate(frozen)
    assert set(frozen) == set(AlarmReport.model_fields), "a field that only one side knows"
    said = json.loads(report.to_body())
    assert said == without_none(frozen)
    assert (report.id, report.rev, report.kind, report.via) == (given.id, given.revision, given.kind, given.via)


def without_none(value: object) -> object:
    """Absent and null mean the same."""
    if isinstance(value, dict):
        return {name: without_none(item) for name, item in value.items() if item is not None}
    return [without_none(item) for item in value] if isinstance(value, list) else value


def test_what_a_newer_side_adds_is_ignored() -> None:
    body = ReceiptBody.model_validate(
        {"desk": "d", "mark": {"database": "x", "commit": 1, "token": "t", "new": 1}, "colour": "red"}
    )
    assert body == ReceiptBody.model_validate({"desk": "d", "mark": {"database": "x", "commit": 1, "token": "t"}})


def test_a_publish_holds_at_most_so_many_alarms() -> None:
    def build(count: int) -> AlarmBody:
        items = [AlarmItem(alarm="{}")] * count
        return AlarmBody(batch="0" * 16, run=RUN_BODY, now=MomentBody(at=0, trusted=True), items=items)

    assert len(build(MAX_ALARMS).items) == 32
    for count in (0, MAX_ALARMS + 1):
        with pytest.raises(ValidationError):
            build(count)


def test_status_is_ordered_by_start_connection_and_state() -> None:
    def order(start: int, connection: int, online: bool) -> tuple[int, int, int]:
        run = RUN_BODY.model_copy(update={"start": start})
        return StatusBody(online=online, version="1", run=run, connection=connection).order

    rising = [order(1, 1, True), order(1, 1, False), order(1, 2, True), order(1, 2, False), order(2, 1, True)]
    assert rising == sorted(rising)
    assert len(set(rising)) == len(rising)


def test_the_file_for_others_is_what_the_models_say() -> None:
    assert asyncapi.FILE.read_text(encoding="utf-8") == asyncapi.render(), "run: python -m mqtt.asyncapi"


def test_the_file_for_others_names_every_topic_and_body() -> None:
    document = asyncapi.document()
    assert set(document["channels"]) == {leaf.value for leaf in Leaf}
    assert {model.__name__ for model in BODIES.values()} | {"AlarmReport"} <= set(document["components"]["schemas"])
    assert list(dangling(document, document)) == []


def dangling(value: object, document: dict[str, object]) -> list[str]:
    """References that lead nowhere."""
    if isinstance(value, list):
        return [name for item in value for name in dangling(item, document)]
    if not isinstance(value, dict):
        return []
    found = [name for item in value.values() for name in dangling(item, document)]
    if isinstance(target := value.get("$ref"), str):
        place: object = document
        for step in target.removeprefix("#/").split("/"):
            place = place.get(step) if isinstance(place, dict) else None
        found += [] if place is not None else [target]
    return found
