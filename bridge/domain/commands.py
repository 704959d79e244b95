"""What the engine asks for: commands to the slow outputs, facts for the journal, and what must wait for what."""

from dataclasses import dataclass

from bridge.domain.alarm import Alarm, Moment, Outcome
from bridge.domain.desk import Answer, Mark, Stored, Word
from bridge.domain.head import Lamp
from bridge.domain.place import Place
from bridge.domain.press import Kind, Sighting
from bridge.domain.step import Step


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A whole alarm frozen at its revision: `body` is what travels, `sha256` (hex) is over its UTF-8 bytes."""

    alarm: str
    sequence: int
    revision: int
    body: str
    sha256: str
    first: Moment


@dataclass(frozen=True, slots=True)
class Sound:
    """Ring now; no disk may delay it."""

    alarm: str
    kind: Kind
    place: Place | None


@dataclass(frozen=True, slots=True)
class Silence:
    by: str


@dataclass(frozen=True, slots=True)
class Chirp:
    """One short sound: the post heard a lone strike, or something that is no alarm."""

    why: str


@dataclass(frozen=True, slots=True)
class Relay:
    """Send this live alarm to the desk. `unsafe`: from memory, the disk has not taken it."""

    row: OutboxRow
    unsafe: bool = False


@dataclass(frozen=True, slots=True)
class Sweep:
    """The outbox holds rows that nobody offered: page through it again."""


@dataclass(frozen=True, slots=True)
class Tell:
    """Answer a striker on the mesh. `text` overrides the step's own sentence (an officer's message)."""

    ticket: int
    to: int
    channel: str
    step: Step
    by: str = ""
    text: str = ""
    called: str = ""


@dataclass(frozen=True, slots=True)
class Announce:
    """Say it to a whole channel: an officer's message, or answers to strikers that cannot be reached directly."""

    ticket: int
    channel: str
    text: str = ""
    called: tuple[str, ...] = ()
    step: Step | None = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class Light:
    """One P1 line for heads. `route`: the wired input to say it through; '' is the mesh, on `channel`."""

    ticket: int
    route: str
    channel: str
    lamps: tuple[Lamp, ...]


@dataclass(frozen=True, slots=True)
class Beacon:
    """"The post hears", hourly, so that idle lamps may burn. `route` as for Light."""

    ticket: int
    route: str
    channel: str


@dataclass(frozen=True, slots=True)
class Account:
    """Tell the desk what became of its words."""

    answers: tuple[Answer, ...]


Words = Tell | Announce | Light | Beacon  # what a radio can be asked to say
Command = Sound | Silence | Chirp | Relay | Sweep | Words | Account


@dataclass(frozen=True, slots=True)
class SaveAlarm:
    """The alarm as it is now; `row` when its revision rose; `presses` are the ids that are new."""

    alarm: Alarm
    row: OutboxRow | None = None
    presses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SaveSighting:
    alarm: str
    press: str
    sighting: Sighting


@dataclass(frozen=True, slots=True)
class SaveReceipts:
    """Custody given away: only the row whose current revision and hash match is cleared."""

    mark: Mark
    items: tuple[Stored, ...]


@dataclass(frozen=True, slots=True)
class SaveReply:
    """The fate of one answer to a striker."""

    alarm: str
    step: Step
    outcome: Outcome
    at: float


@dataclass(frozen=True, slots=True)
class SaveWord:
    """An officer's word and what became of it so far."""

    word: Word
    answer: Answer


@dataclass(frozen=True, slots=True)
class SaveMark:
    mark: Mark


@dataclass(frozen=True, slots=True)
class Reopen:
    """The desk lost something: open alarms and everything retained are pending again."""

    desk: str
    why: str


Fact = SaveAlarm | SaveSighting | SaveReceipts | SaveReply | SaveWord | SaveMark | Reopen


@dataclass(frozen=True, slots=True)
class Decision:
    """`now` must wait for nothing; `facts` go to the journal in order as batch `number` (0: nothing to write).

    What must wait for the disk stays with the engine until Committed(number).
    """

    now: tuple[Command, ...] = ()
    facts: tuple[Fact, ...] = ()
    number: int = 0
