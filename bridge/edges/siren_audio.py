"""A siren that is heard: each kind's rhythm as the village strikes it, played by a program such as ALSA's aplay.

The sounds live in memory without a name: no disk is needed to ring, and a bridge that is killed leaves nothing behind.
"""

import os
import shlex
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from bridge.domain.commands import Sound
from bridge.domain.press import Kind
from bridge.edges.siren import told_of
from bridge.edges.siren_process import LOOK_S, Playing, end_all
from bridge.edges.siren_sounds import Samples, knock, pattern_of, rhythm, seconds, wav
from bridge.edges.siren_worker import AGAIN_S, SirenWorker

log = structlog.get_logger()

TURN_S = 10.0  # one play of a rhythm; where several kinds wait, each has its turn
UNHEARD_S = 120.0  # so much longer a kind waits for its turn when it has had none
LATE_S = 5.0  # a player that takes so much longer than its sound hangs


def audio_siren(name: str, rules: Mapping[str, str], *, player: str, device: str, sound_s: float) -> SirenWorker:
    """`rules`: the village's rhythms, {pattern: kind}. `device`: of ALSA, '' for the default."""
    play = shlex.split(player) + (["-D", device] if device else [])
    return SirenWorker(f"siren:{name}", AudioDriver(play, rules, sound_s))


@dataclass(frozen=True, slots=True)
class _Clip:
    """A sound in memory: a file descriptor of ours, which the player is given."""

    fd: int
    long_s: float


@dataclass(slots=True)
class _Wanted:
    """A kind that is to sound until `until`, and at least once."""

    sound: Sound
    until: float
    is_heard: bool = False

    def lasts(self, now: float) -> bool:
        return now < self.until + (0.0 if self.is_heard else UNHEARD_S)


@dataclass(slots=True)
class _Turn:
    """What plays. `kind` None: a chirp."""

    kind: Kind | None
    process: Playing
    began: float
    long_s: float


class AudioDriver:
    """One sound at a time: two at once nobody understands, and a plain sound card refuses the second.

    A kind sounds until `sound_s` after its latest press, to the end of its play. Several take turns. When an alarm's
    kind becomes clearer, its plainer rhythm takes the vague one's place at once. A player that fails is tried again.
    """

    def __init__(
        self,
        play: list[str],
        rules: Mapping[str, str],
        sound_s: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.fault = ""
        self._play, self._rules, self._sound_s, self._monotonic = play, rules, sound_s, monotonic
        self._clips: dict[str, _Clip] = {}
        self._wanted: dict[Kind, _Wanted] = {}  # the first of them has its turn
        self._turn: _Turn | None = None
        self._next_at = 0.0
        self._is_chirping = False

    def begin(self) -> None:
        """Everything is made before the first press."""
        for kind in Kind:
            self._clip(pattern_of(kind, self._rules))
        self._clip("")

    def sound(self, sound: Sound) -> None:
        now = self._monotonic()
        others = {kind: wanted for kind, wanted in self._wanted.items() if kind is not sound.kind}
        vague = [kind for kind, other in others.items() if other.sound.alarm == sound.alarm]
        for kind in vague:
            del self._wanted[kind]
        new = {sound.kind: _Wanted(sound, now + self._sound_s)}
        self._wanted = new | self._wanted if vague else self._wanted | new
        if vague or self.fault:
            self._next_at = 0.0

    def silence(self) -> None:
        self._wanted.clear()
        self._next_at = 0.0
        if self._turn is not None:
            self._turn.process.end(self._monotonic())

    def chirp(self) -> None:
        self._is_chirping = not self._wanted

    def look(self) -> float | None:
        now = self._monotonic()
        self._wanted = {kind: wanted for kind, wanted in self._wanted.items() if wanted.lasts(now) or self._plays(kind)}
        if self._turn is not None:
            self._watch(self._turn, now)
        if self._turn is None and now >= self._next_at:
            self._start(now)
        self._is_chirping = False
        return LOOK_S if self._turn or self._wanted else None

    def end(self) -> None:
        end_all([self._turn.process] if self._turn else [])
        for clip in self._clips.values():
            os.close(clip.fd)
        self._clips.clear()

    def _plays(self, kind: Kind) -> bool:
        """What has begun plays to its end."""
        return self._turn is not None and self._turn.kind is kind

    def _watch(self, turn: _Turn, now: float) -> None:
        if turn.process.has_ended(now):
            self._turn = None
            self._ended(turn, now)
        elif turn.process.is_ending:
            return
        elif not (turn.kind in self._wanted or self._is_short(turn)):
            turn.process.end(now)
        elif now - turn.began >= turn.long_s + LATE_S:
            turn.process.end(now)
            self.fault = f"{turn.process.program} does not come to the end of its sound; look at the sound card"

    def _is_short(self, turn: _Turn) -> bool:
        """A chirp may end by itself, unless an alarm waits for it."""
        return turn.kind is None and not self._wanted

    def _ended(self, turn: _Turn, now: float) -> None:
        if turn.process.is_ending:
            return
        self.fault = turn.process.complaint
        if turn.kind is None:
            return
        self._next_at = now + AGAIN_S if self.fault else turn.began + turn.long_s
        if (wanted := self._wanted.pop(turn.kind, None)) is not None:
            wanted.is_heard |= not self.fault
            self._wanted[turn.kind] = wanted  # behind the others

    def _start(self, now: float) -> None:
        kind, sound = next(((kind, wanted.sound) for kind, wanted in self._wanted.items()), (None, None))
        if kind is None and not self._is_chirping:
            return
        try:
            clip = self._clip(pattern_of(kind, self._rules) if kind else "")
            words = [*self._play, f"/proc/self/fd/{clip.fd}"]
            process = Playing(words, told_of(sound) if sound else {}, (clip.fd,))
        except (OSError, ValueError) as error:
            self.fault = f"cannot start {self._play[0]}: {error}; correct [[output]] player"
            self._next_at = now + AGAIN_S
            return
        self._turn = _Turn(kind, process, now, clip.long_s)
        if sound is not None:
            log.info("siren rings", alarm=sound.alarm, kind=sound.kind.value)

    def _clip(self, pattern: str) -> _Clip:
        """The sound of a pattern, '' for one knock."""
        if pattern not in self._clips:
            sound = rhythm(pattern, min(TURN_S, self._sound_s)) if pattern else knock()
            self._clips[pattern] = _in_memory(sound)
        return self._clips[pattern]


def _in_memory(samples: "Samples[int]") -> _Clip:
    fd = os.memfd_create("kentongan.wav")
    octets = memoryview(wav(samples))
    while octets:
        octets = octets[os.write(fd, octets) :]
    return _Clip(fd, seconds(samples))
