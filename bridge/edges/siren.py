"""The siren as a command of the technician's: rung by a worker, one process for each kind, whatever the burst."""

import contextlib
import os
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from bridge.domain.commands import Chirp, Silence, Sound
from bridge.domain.events import Fault
from bridge.domain.ports import Deliver
from bridge.domain.press import Kind

log = structlog.get_logger()

LOOK_S = 0.1  # how often a running command is looked at
MERCY_S = 2.0  # from SIGTERM to SIGKILL


@dataclass(slots=True)
class _Ringing:
    """A command that runs. `ends_by` is when it is told to end, `killed_at` when it is no longer asked."""

    kind: Kind | None  # None: only a chirp
    process: "subprocess.Popen[bytes]"
    ends_by: float
    killed_at: float | None = None

    def send(self, number: int) -> None:
        """To the command and everything it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)


class CommandSiren:
    """Runs `command` (split like a shell would, without a shell) for each kind that waits.

    `{kind}` in it is replaced; KENTONGAN_KIND, _ALARM and _PLACE stand in its environment. What waits is one sound for
    each kind, so a burst is bounded by nature. A kind that still rings is not rung twice. The command should run as
    long as it sounds: silence ends it, and what it started, by SIGTERM. `chirp`: the command for a short sound, if any.
    `on_stop` is called once nothing rings any more.
    """

    def __init__(
        self,
        command: str,
        *,
        chirp: str = "",
        name: str = "",
        limit_s: float = 120.0,
        monotonic: Callable[[], float] = time.monotonic,
        on_stop: Callable[[], None] = lambda: None,
    ) -> None:
        self._words, self._chirp = shlex.split(command), shlex.split(chirp)
        self._what, self._on_stop = f"siren:{name}" if name else "siren", on_stop
        self._limit_s, self._monotonic = limit_s, monotonic
        self._waiting: dict[Kind, Sound] = {}
        self._is_silenced = self._is_stopped = self._is_chirping = False
        self._changed = threading.Condition()
        self._ringing: list[_Ringing] = []
        self._is_faulty = False
        self._deliver: Deliver = _nobody
        self._worker = threading.Thread(target=self._run, name="siren", daemon=True)

    def start(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self._worker.start()

    def do(self, command: Sound | Silence | Chirp) -> None:
        """Taken at once; the worker rings."""
        with self._changed:
            if isinstance(command, Chirp):
                self._is_chirping = bool(self._chirp)
            elif isinstance(command, Silence):
                self._waiting.clear()
                self._is_silenced = True
            else:
                self._waiting.setdefault(command.kind, command)
            self._changed.notify()

    def stop(self) -> None:
        """Silence, then the end of the worker."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify()
        if self._worker.is_alive():
            self._worker.join(timeout=2 * MERCY_S)
        self._on_stop()

    # --- the worker's thread ------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._is_stopped:
                is_silenced, is_chirping, sounds = self._take()
                if is_silenced:
                    self._silence()
                for sound in sounds:
                    self._ring(sound)
                if is_chirping and not self._ringing:
                    self._start(self._chirp, None, {})
                self._look()
        except Exception as error:  # the top of this thread: a dead siren must be known
            log.exception("siren worker died")
            self._deliver(Fault(self._what, f"the siren's worker died ({error}); restart the bridge"))
        finally:
            self._end_all()

    def _take(self) -> tuple[bool, bool, list[Sound]]:
        with self._changed:
            if not (self._waiting or self._is_silenced or self._is_chirping or self._is_stopped):
                self._changed.wait(LOOK_S if self._ringing else None)
            is_silenced, is_chirping, sounds = self._is_silenced, self._is_chirping, list(self._waiting.values())
            self._waiting.clear()
            self._is_silenced = self._is_chirping = False
            return is_silenced, is_chirping, sounds

    def _ring(self, sound: Sound) -> None:
        if any(ringing.kind is sound.kind and ringing.killed_at is None for ringing in self._ringing):
            return
        place = str(sound.place) if sound.place else ""
        told = {"KENTONGAN_KIND": sound.kind.value, "KENTONGAN_ALARM": sound.alarm, "KENTONGAN_PLACE": place}
        words = [word.replace("{kind}", sound.kind.value) for word in self._words]
        if self._start(words, sound.kind, told):
            log.info("siren rings", alarm=sound.alarm, kind=sound.kind.value)

    def _start(self, words: list[str], kind: Kind | None, told: dict[str, str]) -> bool:
        try:
            process = subprocess.Popen(
                words,
                env=os.environ | told,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            self._fail(f"cannot start {words[0]}: {error}; correct {self._where}")
            return False
        self._ringing.append(_Ringing(kind, process, self._monotonic() + self._limit_s))
        return True

    @property
    def _where(self) -> str:
        return "[siren] command" if self._what == "siren" else f"[[output]] {self._what.removeprefix('siren:')}"

    def _silence(self) -> None:
        for ringing in self._ringing:
            self._end(ringing)

    def _look(self) -> None:
        """Who has ended, and how; who rings for too long; who does not listen."""
        now = self._monotonic()
        for ringing in list(self._ringing):
            code = ringing.process.poll()
            if code is not None:
                self._ringing.remove(ringing)
                self._ended(ringing, code)
            elif ringing.killed_at is None and now >= ringing.ends_by:
                self._end(ringing)
                self._fail(f"{self._words[0]} still ran after {self._limit_s:g} s and was ended; it must end by itself")
            elif ringing.killed_at is not None and now >= ringing.killed_at:
                ringing.send(signal.SIGKILL)

    def _ended(self, ringing: _Ringing, code: int) -> None:
        if ringing.killed_at is not None:
            return
        if code == 0:
            self._well()
        else:
            how = f"exit {code}" if code > 0 else f"signal {signal.Signals(-code).name}"
            self._fail(f"{self._words[0]} ended with {how}; run it by hand to see why")

    def _end(self, ringing: _Ringing) -> None:
        if ringing.killed_at is None:
            ringing.killed_at = self._monotonic() + MERCY_S
            ringing.send(signal.SIGTERM)

    def _end_all(self) -> None:
        for ringing in self._ringing:
            ringing.send(signal.SIGTERM)
        deadline = time.monotonic() + MERCY_S
        for ringing in self._ringing:
            with contextlib.suppress(subprocess.TimeoutExpired):
                ringing.process.wait(max(0.0, deadline - time.monotonic()))
            if ringing.process.poll() is None:
                ringing.send(signal.SIGKILL)
                ringing.process.wait()
        self._ringing.clear()

    def _fail(self, why: str) -> None:
        log.error("siren fails", why=why)
        if not self._is_faulty:
            self._is_faulty = True
            self._deliver(Fault(self._what, why))

    def _well(self) -> None:
        if self._is_faulty:
            self._is_faulty = False
            self._deliver(Fault(self._what, ""))


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


def _nobody(_: object) -> None:
    """Before `start` nobody listens."""
