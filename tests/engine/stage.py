"""A post whose disk, radio and desk are played by hand: the engine is real, time is a number."""

from dataclasses import dataclass, field, replace

from bridge.domain import commands as cmd
from bridge.domain import events as ev
from bridge.domain.alarm import Moment, Stage
from bridge.domain.desk import Fate, Mark, OrderKind, Stored, Word
from bridge.domain.ids import PostId, Run, node_source, packet_press
from bridge.domain.place import Place, Source
from bridge.domain.press import Kind, Press, Remark, Sighting, Trust, Via
from bridge.domain.step import Step
from bridge.engine import Engine
from bridge.ledger import Memory, Register

POST = PostId("35.09.14.2005", "pos-1")
RUN = Run("journal-1", 1, "00112233445566aa")
HOUSE = 0x0A01
NUMBERS = 1_800_000_000_000  # a desk's numbers are at least its clock in milliseconds
WELL = Mark("desk-1", "database-1", 10, "t10")


class Village:
    """A register with one known house."""

    has_heads = False

    def find(self, source: str) -> Source | None:
        return Source(source, Place(house="RT03-12"), label="RT03-12") if source == node_source(HOUSE) else None

    def trust(self, press: Press) -> Trust:
        if press.pki_key:
            return Trust.VERIFIED
        return Trust.CHANNEL if press.source == node_source(HOUSE) else Trust.UNKNOWN


class Everybody(Village):
    """A register in which every node has a house."""

    def find(self, source: str) -> Source:
        return Source(source, Place(house=source[-4:]), label=source[-4:])

    def trust(self, press: Press) -> Trust:
        return Trust.CHANNEL


def press(packet: int, kind: Kind = Kind.FIRE, num: int = HOUSE, *remarks: Remark) -> Press:
    return Press(
        packet_press(num, packet),
        node_source(num),
        kind,
        Via.TEXT,
        words=kind.value,
        channel="SiagaDesa",
        remarks=frozenset(remarks),
        sighting=Sighting("gw1", 6.0, -80, 0, 1.0),
    )


@dataclass
class Post:
    """Feeds the engine; plays disk and radio only when told to."""

    uplinks: tuple[str, ...] = ("police",)
    memory: Memory = field(default_factory=Memory)
    register: Register = field(default_factory=Village)
    now: Moment = field(default_factory=lambda: Moment(1, 100.0, 1_800_000_000.0, True))
    done: list[cmd.Command] = field(default_factory=list)
    facts: list[cmd.Fact] = field(default_factory=list)
    number: int = 0

    def __post_init__(self) -> None:
        self.engine = Engine(POST, RUN, self.memory, self.register, self.now, self.uplinks)

    def happen(self, event: ev.Event, after_s: float = 0.0) -> list[cmd.Command]:
        self.now = replace(self.now, mono_s=self.now.mono_s + after_s, wall_s=self.now.wall_s + after_s)
        decision = self.engine.handle(event, self.now)
        self.number = decision.number or self.number
        self.facts += decision.facts
        self.done += decision.now
        return list(decision.now)

    def hear(self, press_: Press, after_s: float = 0.0) -> list[cmd.Command]:
        return self.happen(ev.PressHeard(press_, self.now.mono_s + after_s), after_s)

    def commit(self) -> list[cmd.Command]:
        return self.happen(ev.Committed(self.number))

    def deliver(self, tell: cmd.Tell | cmd.Announce, after_s: float = 1.0) -> list[cmd.Command]:
        return self.happen(ev.TextSent(tell.ticket)) + self.happen(ev.TextDelivered(tell.ticket), after_s)

    def take(self, said: cmd.Command) -> list[cmd.Command]:
        """Whatever it is, the air carried it."""
        return self.deliver(said) if isinstance(said, cmd.Tell | cmd.Announce) else []

    def of(self, kind: type) -> list:
        return [command for command in self.done if isinstance(command, kind)]

    def told(self) -> list[Step]:
        return [tell.step for tell in self.of(cmd.Tell)]

    def fates(self, number: int) -> list[Fate]:
        """What was journaled of a word, in order."""
        saved = [fact for fact in self.facts if isinstance(fact, cmd.SaveWord)]
        return [fact.answer.fate for fact in saved if fact.word.number == NUMBERS + number]

    def restarted(self, away_s: float = 60.0, trusted: bool = True) -> "Post":
        """Another run on what this one journaled."""
        alarms = {fact.alarm.id: fact.alarm for fact in self.facts if isinstance(fact, cmd.SaveAlarm)}
        words = {fact.word.number: (fact.word, fact.answer) for fact in self.facts if isinstance(fact, cmd.SaveWord)}
        presses = {press: alarm.id for alarm in alarms.values() for press in alarm.presses}
        memory = Memory(tuple(alarms.values()), presses, tuple(words.values()), sequence=len(alarms))
        now = Moment(self.now.start + 1, 5.0, self.now.wall_s + away_s, trusted)
        return Post(memory=memory, now=now)

    def rows(self) -> list[cmd.OutboxRow]:
        return [fact.row for fact in self.facts if isinstance(fact, cmd.SaveAlarm) and fact.row]


def receipt(row: cmd.OutboxRow, mark: Mark = WELL) -> ev.Receipted:
    return ev.Receipted(mark, (Stored(row.alarm, row.revision, row.sha256),))


def word(number: int, stage: Stage | None, alarm: str, kind: OrderKind = OrderKind.STAGE, **more: str) -> ev.DeskSpoke:
    said = Word("desk-1", NUMBERS + number, kind, alarm, node_source(HOUSE), stage, "Polsek Ajung", **more)
    return ev.DeskSpoke(said)
