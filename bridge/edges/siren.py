"""The siren as a command of the technician's: one process for each kind, whatever the burst."""

import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from bridge.domain.commands import Chirp, Silence, Sound
from bridge.domain.ports import Deliver
from bridge.domain.press import Kind
from bridge.edges.siren_process import LOOK_S, Playing, end_all
from bridge.edges.siren_worker import LIMIT_S, SirenWorker

log = structlog.get_logger()


def command_siren(command: str, *, chirp: str = "", name: str = "", limit_s: float = LIMIT_S) -> SirenWorker:
    """`name`: of its `[[output]]`; '' for `[siren] command`."""
    where = f"[[output]] {name}" if name else "[siren]"
    return SirenWorker(f"siren:{name}" if name else "siren", CommandDriver(command, chirp, where, limit_s))


@dataclass(slots=True)
class _Ringing:
    """`ends_by` is when it is told to end. `kind` None: only a chirp. `then`: what came meanwhile, to ring after it."""

    kind: Kind | None
    process: Playing
    ends_by: float
    then: Sound | None = None


class CommandDriver:
    """Runs `command` (split like a shell would, without a shell) for each kind.

    `{kind}` in it is replaced; KENTONGAN_KIND, _ALARM and _PLACE stand in its environment. A kind that still rings is
    not rung twice at once, but once more after that: the next house's fire must not fall silent with the first. The
    command should run as long as it sounds, and end by itself before `limit_s`: silence ends it, and what it started,
    by SIGTERM. `chirp`: the command for a short sound, if any.
    """

    def __init__(
        self, command: str, chirp: str, where: str, limit_s: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.fault = ""
        self._words, self._chirp, self._where = shlex.split(command), shlex.split(chirp), where
        self._limit_s, self._monotonic = limit_s, monotonic
        self._ringing: list[_Ringing] = []

    def begin(self) -> None:
        """Nothing of an earlier run is known here."""

    def sound(self, sound: Sound) -> None:
        for ringing in self._ringing:
            if ringing.kind is sound.kind and not ringing.process.is_ending:
                ringing.then = sound
                return
        words = [word.replace("{kind}", sound.kind.value) for word in self._words]
        if self._start(words, sound.kind, told_of(sound)):
            log.info("siren rings", alarm=sound.alarm, kind=sound.kind.value)

    def chirp(self) -> None:
        if self._chirp and not self._ringing:
            self._start(self._chirp, None, {})

    def silence(self) -> None:
        now = self._monotonic()
        for ringing in self._ringing:
            ringing.then = None
            ringing.process.end(now)

    def look(self) -> float | None:
        """Who has ended, and how; who rings for too long; who does not listen."""
        now = self._monotonic()
        for ringing in list(self._ringing):
            if ringing.process.has_ended(now):
                self._ringing.remove(ringing)
                if not ringing.process.is_ending:
                    self.fault = ringing.process.complaint
                if ringing.then is not None:
                    self.sound(ringing.then)
            elif not ringing.process.is_ending and now >= ringing.ends_by:
                ringing.process.end(now)
                program = ringing.process.program
                self.fault = f"{program} still ran after {self._limit_s:g} s and was ended; it must end by itself"
        return LOOK_S if self._ringing else None

    def end(self) -> None:
        end_all(ringing.process for ringing in self._ringing)
        self._ringing.clear()

    def _start(self, words: list[str], kind: Kind | None, told: dict[str, str]) -> bool:
        try:
            process = Playing(words, told)
        except (OSError, ValueError) as error:
            self.fault = f"cannot start {words[0]}: {error}; correct {self._where} {'command' if kind else 'chirp'}"
            return False
        self._ringing.append(_Ringing(kind, process, self._monotonic() + self._limit_s))
        return True


def told_of(sound: Sound) -> dict[str, str]:
    """What a command finds in its environment."""
    place = str(sound.place) if sound.place else ""
    return {"KENTONGAN_KIND": sound.kind.value, "KENTONGAN_ALARM": sound.alarm, "KENTONGAN_PLACE": place}


class NoSiren:
    """A post without a siren: the words go to the log."""

    def start(self, deliver: Deliver) -> None:
        log.info("this post has no siren; [siren] command is empty")

    def do(self, command: Sound | Silence | Chirp) -> None:
        match command:
            case Sound(alarm=alarm, kind=kind, place=place):
                log.warning("alarm, and no siren to sound", alarm=alarm, kind=kind.value, place=str(place or ""))
            case Chirp(why=why):
                log.info("chirp, and no siren to make it", why=why)
            case Silence(by=by):
                log.info("silence, and no siren to stop", by=by)

    def stop(self) -> None:
        """Nothing to end."""
