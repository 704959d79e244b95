"""What can happen. Sources put these in the inbox; the engine alone reads them."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bridge.domain.desk import Mark, Stored, Word
from bridge.domain.head import HeadCall, Lamp
from bridge.domain.ids import Run
from bridge.domain.press import Channel, Press


@dataclass(frozen=True, slots=True)
class PressHeard:
    """A codec read a press; `mono_s` is when its last byte came in."""

    press: Press
    mono_s: float


@dataclass(frozen=True, slots=True)
class HeadCalled:
    """A head's K1 line; `mono_s` is when its last byte came in."""

    call: HeadCall
    mono_s: float


@dataclass(frozen=True, slots=True)
class LampsHeard:
    """Another post has answered heads of ours; only lamps whose MAC is right."""

    post: str
    lamps: tuple[Lamp, ...]


class Tap(StrEnum):
    """What a wired kentongan said that is no call for help."""

    LONE = "lone"  # the post's own, one strike: perhaps the hourly beat
    AMAN = "aman"
    NOTICE = "notice"
    HERE = "here"


@dataclass(frozen=True, slots=True)
class Tapped:
    """`source` as in domain.ids."""

    source: str
    tap: Tap
    mono_s: float


@dataclass(frozen=True, slots=True)
class SilenceAsked:
    """Somebody at the post wants the siren off; `by` for the log: the control socket's user or a button's name."""

    by: str


@dataclass(frozen=True, slots=True)
class RadioUp:
    """The radio answered our handshake. `own` is its node number."""

    radio: str
    own: int
    channels: tuple[Channel, ...]
    firmware: str


@dataclass(frozen=True, slots=True)
class RadioDown:
    radio: str
    why: str


@dataclass(frozen=True, slots=True)
class TextSent:
    """The radio took our text; the 30 s wait for a real ACK starts now."""

    ticket: int


@dataclass(frozen=True, slots=True)
class TextDelivered:
    """An ACK whose `from` is the destination."""

    ticket: int


@dataclass(frozen=True, slots=True)
class TextFailed:
    """A NAK, a full queue, no ACK in time, or no radio."""

    ticket: int
    why: str


@dataclass(frozen=True, slots=True)
class Committed:
    """Everything up to and including batch `number` is on disk."""

    number: int


@dataclass(frozen=True, slots=True)
class Unwritable:
    """Batch `number` alone can never be written, whatever the disk does: what waits for it is promised to nobody."""

    number: int
    why: str


@dataclass(frozen=True, slots=True)
class JournalTrouble:
    """The disk does not take what it must. One clear line that says what to do."""

    why: str


@dataclass(frozen=True, slots=True)
class JournalWell:
    pass


@dataclass(frozen=True, slots=True)
class JournalReplaced:
    """The old journal was damaged and set aside; a new one was begun: the run has a new journal UUID."""

    run: Run
    why: str


@dataclass(frozen=True, slots=True)
class DeskReachable:
    """A verified answer from the desk came over this uplink."""

    uplink: str


@dataclass(frozen=True, slots=True)
class DeskAway:
    """No way to the desk over this uplink: no broker, a denial, or silence."""

    uplink: str
    why: str


@dataclass(frozen=True, slots=True)
class Brokered:
    """The broker acknowledged these (alarm, revision) pairs and had somebody to give them to."""

    items: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Receipted:
    """A verified receipt that answers one of our own publishes."""

    mark: Mark
    items: tuple[Stored, ...]


@dataclass(frozen=True, slots=True)
class DeskSpoke:
    """A verified officer's word or order."""

    word: Word


@dataclass(frozen=True, slots=True)
class Fault:
    """Something a technician must know; `what` names the part, `why` is '' when it is well again."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class StatusAsked:
    """Somebody at the control socket asks; `reply` takes a JSON-able dict and returns at once."""

    reply: Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Tick:
    """Time went by and nothing else happened."""


@dataclass(frozen=True, slots=True)
class Stop:
    why: str


Event = (
    PressHeard
    | HeadCalled
    | LampsHeard
    | Tapped
    | SilenceAsked
    | RadioUp
    | RadioDown
    | TextSent
    | TextDelivered
    | TextFailed
    | Committed
    | Unwritable
    | JournalTrouble
    | JournalWell
    | JournalReplaced
    | DeskReachable
    | DeskAway
    | Brokered
    | Receipted
    | DeskSpoke
    | Fault
    | StatusAsked
    | Tick
    | Stop
)
