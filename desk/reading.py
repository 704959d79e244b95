"""What a post said, read without touching anything. Whatever was signed is read somehow: nothing signed is dropped."""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from bridge.domain.ids import PostId
from bridge.domain.place import Place
from bridge.domain.press import Kind
from mqtt.contract import (
    MAX_ALARMS,
    AlarmBody,
    AlarmReport,
    AnswerBody,
    AnswerItem,
    HelloBody,
    Leaf,
    MarkBody,
    StatusBody,
    parse_topic,
)
from mqtt.signature import Envelope, Keyring, NotVerified

BIGGEST = 2**53  # what every database and JSON reader can hold
LONGEST_ID = 200
UNREADABLE = "unreadable/"


@dataclass(frozen=True, slots=True)
class Item:
    """One alarm as a post reported it. `reason` says why it could not be understood; `sha` '' when it has no string.

    `alarm` is the id by which the post knows it, `key` the one by which we keep it.
    """

    key: str
    body: str
    sha: str
    reason: str = ""
    alarm: str = ""
    revision: int = 0
    journal: str = ""
    start: int = 0
    presses: tuple[str, ...] = ()
    source: str = ""
    kind: str = Kind.UNKNOWN.value
    place: str = ""
    age_s: float | None = None
    unsafe: bool = False


@dataclass(frozen=True, slots=True)
class Alarms:
    """`batch` '' when it could not be read: then no receipt can be addressed. `why` is a fault of the body around."""

    post: str
    topic: str
    envelope: Envelope
    batch: str
    items: tuple[Item, ...]
    why: str = ""
    seen: Mapping[str, MarkBody] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answers:
    post: str
    topic: str
    envelope: Envelope
    answers: tuple[AnswerItem, ...]


@dataclass(frozen=True, slots=True)
class Hello:
    post: str
    nonce: str
    seen: Mapping[str, MarkBody]


@dataclass(frozen=True, slots=True)
class Status:
    post: str
    status: StatusBody


@dataclass(frozen=True, slots=True)
class Unfit:
    """Signed by the post, no alarm, and not according to the contract."""

    post: str
    why: str


Message = Alarms | Answers | Hello | Status | Unfit


def read(topic: str, payload: bytes, rings: Mapping[str, Keyring]) -> Message:
    """The message of a post whose keys are in `rings`. Raises NotVerified; nothing else, whatever the bytes."""
    try:
        post, leaf = parse_topic(topic)
    except ValueError as error:
        raise NotVerified("not a topic of this contract") from error
    ring = rings.get(str(post))
    if ring is None:
        raise NotVerified("a post that is not registered here")
    try:
        envelope = ring.open(topic, payload)
    except NotVerified as error:
        raise NotVerified(f"{post}: {error}") from error
    if leaf is Leaf.ALARM:
        return _alarms(post, topic, envelope)
    try:
        match leaf:
            case Leaf.ANSWER:
                return Answers(str(post), topic, envelope, tuple(AnswerBody.model_validate_json(envelope.body).answers))
            case Leaf.HELLO:
                hello = HelloBody.model_validate_json(envelope.body)
                return Hello(str(post), hello.nonce, hello.seen)
            case Leaf.STATUS:
                return Status(str(post), _fit(StatusBody.model_validate_json(envelope.body)))
            case _:
                return Unfit(str(post), f"nothing for a desk: {leaf.value}")
    except ValidationError as error:
        return Unfit(str(post), f"{leaf.value}: {_first(error)}")
    except ValueError as error:
        return Unfit(str(post), f"{leaf.value}: {error}")


def _alarms(post: PostId, topic: str, envelope: Envelope) -> Alarms:
    try:
        body = AlarmBody.model_validate_json(envelope.body)
    except ValidationError as error:
        return _salvage(post, topic, envelope, _first(error))
    items = tuple(_item(post, given.alarm, given.age_s, given.unsafe) for given in body.items)
    return Alarms(str(post), topic, envelope, body.batch, items, seen=body.seen)


def _item(post: PostId, text: str, age_s: float | None, unsafe: bool) -> Item:
    try:
        report = AlarmReport.model_validate_json(text)
    except ValidationError as error:
        return _quarantined(text, _first(error), age_s, unsafe)
    if fault := _fault(report, post):
        return _quarantined(text, fault, age_s, unsafe)
    place = report.place
    return Item(
        key=report.id,
        body=text,
        sha=hashlib.sha256(text.encode()).hexdigest(),
        alarm=report.id,
        revision=report.rev,
        journal=report.journal,
        start=report.start,
        presses=tuple(dict.fromkeys(report.ids)),
        source=report.source,
        kind=report.kind.value,
        place=plain(str(Place(place.house, place.rt, place.rw, place.landmark, place.lat, place.lon))) if place else "",
        age_s=_finite(age_s),
        unsafe=unsafe,
    )


def _fault(report: AlarmReport, post: PostId) -> str:
    """What the schema does not say. '' when all is well."""
    if report.post != str(post):
        return f"reported for {plain(report.post)[:80]} under the topic of {post}"
    if not all(map(_is_id, (report.id, report.source, report.journal, *report.ids))):
        return "an id is empty or holds characters that cannot be printed"
    if report.id.startswith(UNREADABLE):
        return f"an id that begins with {UNREADABLE}"
    if max(report.rev, report.seq, report.start) >= BIGGEST:
        return "a number is too big"
    return ""


def _quarantined(text: str, reason: str, age_s: float | None = None, unsafe: bool = False) -> Item:
    """What can be made out of a string that is no report: who and which presses, if it says so plainly."""
    raw = text.encode("utf-8", "backslashreplace")
    digest = hashlib.sha256(raw).hexdigest()
    said = _loads(text)
    said = said if isinstance(said, dict) else {}
    ids = said.get("ids")
    rev = said.get("rev")
    return Item(
        key=f"{UNREADABLE}{digest[:32]}",
        body=raw.decode(),
        sha=digest,
        reason=reason[:LONGEST_ID],
        alarm=_id(said.get("id")),
        revision=rev if type(rev) is int and 0 < rev < BIGGEST else 0,
        journal=_id(said.get("journal")),
        presses=tuple(dict.fromkeys(filter(_is_id, ids))) if isinstance(ids, list) else (),
        source=_id(said.get("source")),
        age_s=_finite(age_s),
        unsafe=unsafe,
    )


def _salvage(post: PostId, topic: str, envelope: Envelope, why: str) -> Alarms:
    """A body that is not according to the contract: each string in it is taken by itself, else the body as a whole."""
    said = _loads(envelope.body)
    given = said.get("items") if isinstance(said, dict) else None
    items = tuple(_salvaged(post, one) for one in given) if isinstance(given, list) else ()
    batch = said.get("batch") if isinstance(said, dict) else ""
    if not items:
        items = (_quarantined(envelope.body, why),)
    elif len(items) > MAX_ALARMS:
        why = f"{len(items)} alarms in one publish; at most {MAX_ALARMS} are agreed"
    return Alarms(str(post), topic, envelope, _batch(batch), items, why)


def _salvaged(post: PostId, given: Any) -> Item:
    text = given.get("alarm") if isinstance(given, dict) else None
    if not isinstance(text, str):
        return _quarantined(json.dumps(given), "an item without its alarm's string")
    age_s, unsafe = given.get("age_s"), given.get("unsafe")
    age_s = float(age_s) if isinstance(age_s, int | float) and 0 <= age_s < BIGGEST else None
    return _item(post, text, age_s, unsafe is True)


def _loads(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _fit(status: StatusBody) -> StatusBody:
    if not _is_id(status.run.journal) or max(status.run.start, status.connection) >= BIGGEST:
        raise ValueError("a journal without a name, or a number that is too big")
    return status


def _batch(given: Any) -> str:
    return given if isinstance(given, str) and re.fullmatch("[0-9a-f]{16}", given) else ""


def _is_id(given: Any) -> bool:
    return isinstance(given, str) and 0 < len(given) <= LONGEST_ID and given.isprintable()


def _id(given: Any) -> str:
    return given if _is_id(given) else ""


def _finite(age_s: float | None) -> float | None:
    return age_s if age_s is not None and math.isfinite(age_s) else None


def plain(text: str) -> str:
    """Safe on a terminal and in every database: what cannot be printed becomes a blank."""
    return text if text.isprintable() else "".join(letter if letter.isprintable() else " " for letter in text)


def _first(error: ValidationError) -> str:
    """The first thing wrong, without repeating what was said."""
    found = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part) for part in found["loc"])
    return plain(f"{where}: {found['msg']}" if where else found["msg"])[:LONGEST_ID]
