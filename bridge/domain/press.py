"""What comes in: a packet off the mesh, and the press that a codec read in it."""

from dataclasses import dataclass, field
from enum import Enum, IntEnum, StrEnum

BROADCAST = 0xFFFFFFFF


class Kind(StrEnum):
    """What is happening. UNKNOWN is an alarm too: nobody strikes for nothing."""

    PANIC = "PANIC"
    THEFT = "THEFT"
    FIRE = "FIRE"
    DISASTER = "DISASTER"
    MURDER = "MURDER"
    LIVESTOCK = "LIVESTOCK"
    ACCIDENT = "ACCIDENT"
    BRAWL = "BRAWL"
    MEDICAL = "MEDICAL"
    UNKNOWN = "UNKNOWN"

    @property
    def is_vague(self) -> bool:
        """A vague kind is refined by a later, plainer one; never the other way round."""
        return self in (Kind.PANIC, Kind.UNKNOWN)


class Trust(IntEnum):
    """How well we know who struck. Keys decide, never names or numbers."""

    UNKNOWN = 0
    CHANNEL = 1
    VERIFIED = 2


class Remark(StrEnum):
    """A fact beside the ladder of stages."""

    CANCEL_CLAIMED = "cancel_claimed"
    GUARDS_COMING = "guards_coming"
    CLOSED_AT_POST = "closed_at_post"
    SECOND_SOURCE = "second_source"
    DRILL = "drill"
    LATE = "late"
    PERHAPS_TALK = "perhaps_talk"
    PLACE_CLAIMED = "place_claimed"
    PERHAPS_NO_DANGER = "perhaps_no_danger"  # a rhythm that says "safe" or tells of a death; no rhythm clears an alarm


class Via(StrEnum):
    """How the press was said."""

    TEXT = "text"
    BELL = "bell"
    ALERT = "alert"
    DETECTION = "detection"
    LINE = "line"
    WIRED = "wired"
    COMMAND = "command"


class Port(IntEnum):
    """The Meshtastic port numbers we act on (meshtastic/portnums.proto)."""

    TEXT_MESSAGE = 1
    ROUTING = 5
    DETECTION_SENSOR = 10
    ALERT = 11
    TELEMETRY = 67


class ChannelKey(Enum):
    """What kind of key a channel has. PUBLIC: none, or one of the well-known default keys."""

    PUBLIC = "public"
    PRIVATE = "private"


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel of our gateway radio. An unnamed channel has `name` ''."""

    index: int
    name: str
    key: ChannelKey

    @property
    def is_private(self) -> bool:
        return self.key is ChannelKey.PRIVATE


@dataclass(frozen=True, slots=True)
class Sighting:
    """One reception by one radio. `hops` None when the sender did not say; `at` is UTC seconds of our own clock."""

    radio: str
    snr_db: float | None = None
    rssi_dbm: int | None = None
    hops: int | None = None
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class MeshPacket:
    """A decoded packet as the gateway radio gave it to us. `channel` None for PKI messages; keys are 32 raw bytes."""

    sender: int
    to: int
    packet_id: int
    port: int
    payload: bytes
    channel: Channel | None
    pki_key: bytes = b""
    want_ack: bool = False
    request_id: int = 0
    reply_id: int = 0
    is_reaction: bool = False
    snr_db: float | None = None
    rssi_dbm: int | None = None
    hops: int | None = None
    heard_at: float = 0.0
    radio: str = ""

    @property
    def is_direct(self) -> bool:
        return self.to != BROADCAST


@dataclass(frozen=True, slots=True)
class Press:
    """One strike by one hand, as a codec read it. `words`: the text as heard; `pki_key` proves the sender if pinned.

    `trusted`: proved already, by a wire or a right MAC. `is_open`: said where anybody may speak, so a name proves less.
    """

    id: str
    source: str
    kind: Kind
    via: Via
    words: str = ""
    channel: str = ""
    pki_key: bytes = b""
    trusted: bool = False
    is_open: bool = False
    remarks: frozenset[Remark] = field(default_factory=frozenset)
    sighting: Sighting | None = None

    @property
    def is_drill(self) -> bool:
        return Remark.DRILL in self.remarks
