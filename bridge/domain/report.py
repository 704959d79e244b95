"""The whole alarm as one JSON string: frozen at its revision, hashed, and never built again."""

import hashlib
import json
from typing import Any

from bridge.domain.alarm import Alarm, Moment
from bridge.domain.commands import OutboxRow
from bridge.domain.ids import PostId, Run
from bridge.domain.place import Place
from bridge.domain.press import Sighting


def freeze(alarm: Alarm, post: PostId, run: Run) -> OutboxRow:
    """The row that carries `alarm` at its present revision; the schema is mqtt.contract.AlarmReport."""
    body = json.dumps(_report(alarm, post, run), separators=(",", ":"), ensure_ascii=False)
    digest = hashlib.sha256(body.encode()).hexdigest()
    return OutboxRow(alarm.id, alarm.sequence, alarm.revision, body, digest, alarm.first)


def _report(alarm: Alarm, post: PostId, run: Run) -> dict[str, Any]:
    return {
        "id": alarm.id,
        "rev": alarm.revision,
        "post": str(post),
        "journal": run.journal,
        "start": alarm.first.start,
        "seq": alarm.sequence,
        "ids": list(alarm.presses),
        "source": alarm.source,
        "kind": alarm.kind.value,
        "trust": alarm.trust.name,
        "via": alarm.via.value,
        "words": list(alarm.words),
        "remarks": sorted(alarm.remarks),
        "channel": alarm.channel,
        "place": _place(alarm.place),
        "first": _moment(alarm.first),
        "latest": _moment(alarm.latest),
        "told": alarm.told
        and {"stage": alarm.told.stage.name, "outcome": alarm.told.outcome.value, "at": round(alarm.told.at, 3)},
        "sightings": [_sighting(sighting) for sighting in alarm.sightings],
    }


def _place(place: Place | None) -> dict[str, Any] | None:
    if place is None:
        return None  # the desk shows "place unknown"
    fields = {name: getattr(place, name) for name in ("house", "rt", "rw", "landmark", "lat", "lon")}
    return {name: value for name, value in fields.items() if value not in ("", None)}


def _moment(moment: Moment) -> dict[str, Any]:
    return {"at": round(moment.wall_s, 3), "trusted": moment.trusted}


def _sighting(sighting: Sighting) -> dict[str, Any]:
    return {
        "radio": sighting.radio,
        "snr": sighting.snr_db,
        "rssi": sighting.rssi_dbm,
        "hops": sighting.hops,
        "at": round(sighting.at, 3),
    }
