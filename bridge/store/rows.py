"""Alarms and words as rows, and back. Explicit, so that a change of the domain is a decision about old journals."""

import json
from typing import Any

from bridge.domain.alarm import Alarm, Moment, Outcome, Stage, Told
from bridge.domain.desk import Answer, Fate, OrderKind, Word
from bridge.domain.place import Place
from bridge.domain.press import Kind, Remark, Sighting, Trust, Via

GARBLED = (ValueError, LookupError, TypeError, AttributeError)  # what reading a row may raise that the disk garbled

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


def alarm_to_state(alarm: Alarm) -> str:
    """The whole alarm as JSON text. Floats come back exactly."""
    return _encode(
        {
            "id": alarm.id,
            "sequence": alarm.sequence,
            "source": alarm.source,
            "kind": alarm.kind.value,
            "trust": alarm.trust.value,
            "via": alarm.via.value,
            "first": _moment_to(alarm.first),
            "latest": _moment_to(alarm.latest),
            "presses": alarm.presses,
            "place": alarm.place and _place_to(alarm.place),
            "words": alarm.words,
            "remarks": sorted(alarm.remarks),
            "channel": alarm.channel,
            "sightings": [_sighting_to(sighting) for sighting in alarm.sightings],
            "revision": alarm.revision,
            "stage": alarm.stage.value,
            "by": alarm.by,
            "told": alarm.told and (alarm.told.stage.value, alarm.told.outcome.value, alarm.told.at),
        }
    )


def alarm_from_state(state: str, stage: int) -> Alarm:
    """The inverse; `stage` is the row's own column, which a receipt may have raised above the text's."""
    fields: dict[str, Any] = json.loads(state)
    told = fields["told"]
    return Alarm(
        id=fields["id"],
        sequence=fields["sequence"],
        source=fields["source"],
        kind=Kind(fields["kind"]),
        trust=Trust(fields["trust"]),
        via=Via(fields["via"]),
        first=Moment(*fields["first"]),
        latest=Moment(*fields["latest"]),
        presses=tuple(fields["presses"]),
        place=None if fields["place"] is None else Place(*fields["place"]),
        words=tuple(fields["words"]),
        remarks=frozenset(Remark(remark) for remark in fields["remarks"]),
        channel=fields["channel"],
        sightings=tuple(Sighting(*sighting) for sighting in fields["sightings"]),
        revision=fields["revision"],
        stage=Stage(max(stage, fields["stage"])),
        by=fields["by"],
        told=None if told is None else Told(Stage(told[0]), Outcome(told[1]), told[2]),
    )


def word_to_row(word: Word, answer: Answer) -> tuple[Any, ...]:
    """In the order of the `word` table's columns."""
    stage = None if word.stage is None else word.stage.value
    asked = (word.desk, word.number, word.kind.value, word.alarm, word.source, stage, word.by, word.text)
    return (*asked, answer.fate.value, answer.at, answer.detail)


def word_from_row(row: Any) -> tuple[Word, Answer]:
    """The inverse; `row` has the `word` table's columns as attributes."""
    stage = None if row.stage is None else Stage(row.stage)
    word = Word(row.desk, row.number, OrderKind(row.kind), row.alarm, row.source, stage, row.by, row.text)
    return word, Answer(row.desk, row.number, Fate(row.fate), row.at, row.detail)


def _moment_to(moment: Moment) -> tuple[int, float, float, bool, str]:
    return moment.start, moment.mono_s, moment.wall_s, moment.trusted, moment.boot


def _place_to(place: Place) -> tuple[Any, ...]:
    return place.house, place.rt, place.rw, place.landmark, place.lat, place.lon


def _sighting_to(sighting: Sighting) -> tuple[Any, ...]:
    return sighting.radio, sighting.snr_db, sighting.rssi_dbm, sighting.hops, sighting.at
