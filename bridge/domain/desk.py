"""What the desk says, as the bridge understands it once the signature was verified."""

from dataclasses import dataclass
from enum import StrEnum

from bridge.domain.alarm import Stage


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a desk's database had got: its id, a commit number that only rises, and that commit's random token."""

    desk: str
    database: str
    commit: int
    token: str


@dataclass(frozen=True, slots=True)
class Stored:
    """A whole alarm in the desk's custody. `reason`: empty when stored, else why it is quarantined (still shown)."""

    alarm: str
    revision: int
    sha256: str
    reason: str = ""


class OrderKind(StrEnum):
    """What a desk may ask of a post. STAGE is an officer's word about one alarm and arrives on the receipt topic."""

    STAGE = "stage"
    MESSAGE = "message"
    VILLAGE = "village"
    SIREN_OFF = "siren_off"
    DRILL = "drill"
    RESEND = "resend"


@dataclass(frozen=True, slots=True)
class Word:
    """An officer's word or an order. (desk, number) is its identity; numbers only rise.

    `source` lets a post whose journal is new find the striker.
    """

    desk: str
    number: int
    kind: OrderKind
    alarm: str = ""
    source: str = ""
    stage: Stage | None = None
    by: str = ""
    text: str = ""


class Fate(StrEnum):
    """What became of an officer's word. All but RECEIVED are final."""

    RECEIVED = "received"
    TOLD = "told"
    NOT_REACHED = "not_reached"
    SUPERSEDED = "superseded"
    DONE = "done"
    REFUSED = "refused"

    @property
    def is_final(self) -> bool:
        return self is not Fate.RECEIVED


@dataclass(frozen=True, slots=True)
class Answer:
    """The post's account of one word; `at` is wall seconds UTC, `detail` one clear line or empty."""

    desk: str
    number: int
    fate: Fate
    at: float
    detail: str = ""
