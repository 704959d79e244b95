"""The contract, v1: topics, QoS, retain, bodies. The one page that both ends share; asyncapi.yaml is made from it."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from bridge.domain.alarm import Outcome, Stage
from bridge.domain.desk import Fate, OrderKind
from bridge.domain.ids import TOPIC_ROOT, PostId
from bridge.domain.press import Kind, Remark, Trust, Via

MAX_ALARMS = 32  # in one publish: more gains nothing and a lost packet costs more
HELLO_EVERY_S = 300.0
HELLO_TIMEOUT_S = 15.0
DESK_AWAY_AFTER_S = 30.0
KEEPALIVE_S = 10
WILL_DELAY_S = 30
CONNECT_TIMEOUT_S = 60.0
RECEIPT_TIMEOUT_S = 15.0
RETRY_S = 60.0


class Leaf(StrEnum):
    """The last level of a topic. `desk_speaks` ones are published by the desk, all others by the post."""

    ALARM = "alarm"
    RECEIPT = "receipt"
    ORDER = "order"
    ANSWER = "answer"
    STATUS = "status"
    HEALTH = "health"
    HELLO = "hello"

    @property
    def qos(self) -> int:
        return 1 if self in (Leaf.ALARM, Leaf.ANSWER, Leaf.HELLO, Leaf.STATUS) else 0

    @property
    def is_retained(self) -> bool:
        return self is Leaf.STATUS

    @property
    def desk_speaks(self) -> bool:
        return self in (Leaf.RECEIPT, Leaf.ORDER)


def topic(post: PostId, leaf: Leaf) -> str:
    """`kentongan/v1/35/09/14/2005/pos-1/alarm`."""
    return f"{post.topic}/{leaf.value}"


def desk_filter(leaf: Leaf) -> str:
    """What a desk subscribes to for all posts of all villages."""
    return f"{TOPIC_ROOT}/+/+/+/+/+/{leaf.value}"


def parse_topic(text: str) -> tuple[PostId, Leaf]:
    """The inverse of `topic`. Raises ValueError."""
    levels = text.split("/")
    if len(levels) != 8 or "/".join(levels[:2]) != TOPIC_ROOT:
        raise ValueError(f"{text!r} is not a topic of this contract")
    return PostId(".".join(levels[2:6]), levels[6]), Leaf(levels[7])


Hex16 = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$", description="64 random bits in hex")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 in hex of the alarm's string in UTF-8")]
Number = Annotated[int, Field(ge=1, lt=2**53)]
Short = Annotated[str, Field(max_length=200)]


class Model(BaseModel):
    """Unknown fields are ignored: a newer post and an older desk must understand each other."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)  # NaN is no JSON

    def to_body(self) -> str:
        """Compact JSON text; absent values are left out."""
        return self.model_dump_json(exclude_none=True)


class PlaceBody(Model):
    house: Short = ""
    rt: Short = ""
    rw: Short = ""
    landmark: Short = ""
    lat: Annotated[float, Field(ge=-90, le=90)] | None = None
    lon: Annotated[float, Field(ge=-180, le=180)] | None = None


class MomentBody(Model):
    at: Annotated[float, Field(description="wall clock of the post, seconds UTC")]
    trusted: Annotated[bool, Field(description="false: the clock may be wrong by any amount")]


class ToldBody(Model):
    stage: Annotated[str, Field(json_schema_extra={"enum": [stage.name for stage in Stage]})]
    outcome: Outcome
    at: float


class SightingBody(Model):
    radio: Short
    snr: float | None = None
    rssi: int | None = None
    hops: int | None = None
    at: float


class AlarmReport(Model):
    """One whole alarm at its revision, frozen by bridge.domain.report."""

    id: Short
    rev: Annotated[int, Field(ge=1)]
    post: Short
    journal: Short
    start: Annotated[int, Field(ge=0)]
    seq: Annotated[int, Field(ge=0)]
    ids: Annotated[list[Short], Field(min_length=1)]
    source: Short
    kind: Kind
    trust: Annotated[str, Field(json_schema_extra={"enum": [trust.name for trust in Trust]})]
    via: Via
    words: list[str] = []
    remarks: list[Remark] = []
    channel: Short = ""
    place: PlaceBody | None = None
    first: MomentBody
    latest: MomentBody
    told: ToldBody | None = None
    sightings: list[SightingBody] = []


class RunBody(Model):
    journal: Short
    start: Annotated[int, Field(ge=0)]
    bits: Hex16


class AlarmItem(Model):
    """`alarm` is the frozen JSON string of an AlarmReport; its age stands here so that the string's hash holds."""

    alarm: str
    age_s: Annotated[float, Field(ge=0)] | None = None
    unsafe: Annotated[bool, Field(description="from memory: the post's disk has not taken it")] = False



class StoredBody(Model):
    alarm: Short
    rev: int
    sha: Sha256


class QuarantinedBody(Model):
    """Custody taken of what could not be understood; it is shown as an alarm all the same."""

    sha: Sha256
    reason: Short
    alarm: Short = ""
    rev: int = 0


class WordBody(Model):
    """An officer's word about one alarm, or (on the order topic) an order."""

    number: Number
    kind: OrderKind
    alarm: Short = ""
    source: Short = ""
    stage: Annotated[str, Field(json_schema_extra={"enum": [stage.name for stage in Stage]})] | None = None
    by: Short = ""
    text: Short = ""
    at: float


class MarkBody(Model):
    """How far the desk's database has got; `token` is that commit's own random text."""

    database: Short
    commit: Annotated[int, Field(ge=0, lt=2**53)]
    token: Short


class AlarmBody(Model):
    """`seen` as in a hello: a receipt's commit number must not rise past the loss of what was receipted before it."""

    batch: Hex16
    run: RunBody
    now: MomentBody
    items: Annotated[list[AlarmItem], Field(min_length=1, max_length=MAX_ALARMS)]
    seen: dict[str, MarkBody] = {}


class ReceiptBody(Model):
    """`re` is the batch or nonce this answers ('' when only words are carried)."""

    desk: Short
    mark: MarkBody
    re: Annotated[str, Field(pattern=r"^([0-9a-f]{16})?$")] = ""
    stored: list[StoredBody] = []
    quarantined: list[QuarantinedBody] = []
    words: list[WordBody] = []


class OrderBody(Model):
    desk: Short
    orders: Annotated[list[WordBody], Field(min_length=1)]


class AnswerItem(Model):
    desk: Short
    number: Number
    fate: Fate
    at: float
    detail: Short = ""


class AnswerBody(Model):
    answers: Annotated[list[AnswerItem], Field(min_length=1)]


class StatusBody(Model):
    """Compared by (start, connection, state) within one journal; the will carries state 1."""

    online: bool
    version: Short
    run: RunBody
    connection: Annotated[int, Field(ge=0)]
    at: MomentBody | None = None

    @property
    def order(self) -> tuple[int, int, int]:
        return self.run.start, self.connection, 0 if self.online else 1


class HealthBody(Model):
    run: RunBody
    now: MomentBody
    waiting: int
    faults: dict[str, str] = {}
    radio: dict[str, Any] = {}


class HelloBody(Model):
    """`seen`: the last mark that this post knows of each desk, which looks whether its database still holds it."""

    nonce: Hex16
    run: RunBody
    seen: dict[str, MarkBody] = {}


BODIES: dict[Leaf, type[Model]] = {
    Leaf.ALARM: AlarmBody,
    Leaf.RECEIPT: ReceiptBody,
    Leaf.ORDER: OrderBody,
    Leaf.ANSWER: AnswerBody,
    Leaf.STATUS: StatusBody,
    Leaf.HEALTH: HealthBody,
    Leaf.HELLO: HelloBody,
}
