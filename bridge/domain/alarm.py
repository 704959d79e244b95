"""One source's call for help and the ladder it climbs."""

from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum

from bridge.domain.place import Place
from bridge.domain.press import Kind, Press, Remark, Sighting, Trust, Via

SIGHTINGS_IN_REPORT = 4


class Stage(IntEnum):
    """How far a call for help has got. It only ever climbs."""

    HEARD = 0  # in memory only; nothing may be promised
    JOURNALED = 1  # on this post's disk; the power may fail now
    BROKERED = 2  # the broker has it; nobody has read it; never shown to people
    STORED = 3  # in the desk's database
    ACKNOWLEDGED = 4  # an officer has read it
    DISPATCHED = 5  # they are on their way
    ON_SCENE = 6
    CLOSED = 7


class Outcome(StrEnum):
    """What became of an answer to the striker."""

    TOLD = "told"
    NOT_REACHED = "not_reached"


@dataclass(frozen=True, slots=True)
class Told:
    """The last answer whose fate is known."""

    stage: Stage
    outcome: Outcome
    at: float


@dataclass(frozen=True, slots=True)
class Moment:
    """When, on three clocks: the run's start counter, its monotonic seconds, and wall seconds UTC with a trust flag.

    `boot` names the machine's boot: all runs within it share one monotonic clock. '' when that is not known.
    """

    start: int
    mono_s: float
    wall_s: float
    trusted: bool
    boot: str = ""

    def shares_clock(self, other: "Moment") -> bool:
        """Whether the monotonic seconds of both can be compared. Two boots never share them, whatever the counter says:
        runs without a journal, and those on a copy of one, count the same start again.
        """
        if self.boot and other.boot:
            return self.boot == other.boot
        return self.start == other.start

    def age_s(self, now: "Moment") -> float | None:
        """Seconds from this moment to `now`; None when no clock can tell (another boot, and a clock not trusted)."""
        if self.shares_clock(now):
            return max(0.0, now.mono_s - self.mono_s)
        if self.trusted and now.trusted:
            return max(0.0, now.wall_s - self.wall_s)
        return None


@dataclass(frozen=True, slots=True)
class Alarm:
    """What is journaled and reported. `id` is the first press heard here; `revision` counts what the desk must know."""

    id: str
    sequence: int
    source: str
    kind: Kind
    trust: Trust
    via: Via
    first: Moment
    latest: Moment
    presses: tuple[str, ...]
    place: Place | None = None
    words: tuple[str, ...] = ()
    remarks: frozenset[Remark] = field(default_factory=frozenset)
    channel: str = ""
    sightings: tuple[Sighting, ...] = ()
    revision: int = 1
    stage: Stage = Stage.HEARD
    by: str = ""
    told: Told | None = None

    @property
    def is_drill(self) -> bool:
        return Remark.DRILL in self.remarks

    @property
    def is_open(self) -> bool:
        return self.stage < Stage.CLOSED

    def climb(self, stage: Stage, by: str = "") -> "Alarm":
        """The same alarm at `stage`, or unchanged if it is already there or higher."""
        return replace(self, stage=stage, by=by or self.by) if stage > self.stage else self

    def seen(self, sighting: Sighting) -> "Alarm":
        """One more reception. It raises no revision and only the first few are reported."""
        if len(self.sightings) >= SIGHTINGS_IN_REPORT:
            return self
        return replace(self, sightings=(*self.sightings, sighting))

    def joined(self, press: Press, trust: Trust, now: Moment) -> "Alarm":
        """A further press of the same hand: new id, the plainer or newer kind, higher trust. Raises the revision."""
        return replace(
            self,
            presses=(*self.presses, press.id),
            kind=self.kind if press.kind.is_vague else press.kind,
            trust=max(self.trust, trust),
            words=self._heard(press.words),
            remarks=self._remarked(press),
            latest=now,
            revision=self.revision + 1,
        )

    def refined(self, press: Press) -> "Alarm":
        """A press that we have already, and its rhythm is read now: a plainer kind, or "perhaps no danger".

        Unchanged, the same object, when that says no more. The newest press may change its mind; older ones only
        make plain what was vague.
        """
        may_tell = not press.kind.is_vague and (self.kind.is_vague or press.id == self.presses[-1])
        kind = press.kind if may_tell else self.kind
        remarks = self.remarks
        if not kind.is_vague:
            remarks -= {Remark.PERHAPS_NO_DANGER}
        elif self.presses == (press.id,):  # with other presses beside it, it is no longer the whole story
            remarks |= press.remarks & {Remark.PERHAPS_NO_DANGER}
        if kind is self.kind and remarks == self.remarks:
            return self
        words = self._heard(press.words)
        return replace(self, kind=kind, remarks=remarks, words=words, revision=self.revision + 1)

    def _heard(self, words: str) -> tuple[str, ...]:
        return (*self.words, words)[-8:] if words and words not in self.words else self.words

    def _remarked(self, press: Press) -> frozenset[Remark]:
        """One press of several that is danger is enough."""
        remarks = self.remarks | (press.remarks - {Remark.DRILL})
        is_safe = Remark.PERHAPS_NO_DANGER in self.remarks and Remark.PERHAPS_NO_DANGER in press.remarks
        return remarks if is_safe else remarks - {Remark.PERHAPS_NO_DANGER}

    def answered(self, told: Told) -> "Alarm":
        """The fate of an answer is something the desk must know: it raises the revision."""
        return replace(self, told=told, revision=self.revision + 1)
