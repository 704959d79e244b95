"""Several sirens as one: each has a worker of its own, so a dead one never stops the others."""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack

import structlog

from bridge.domain.commands import Chirp, Silence, Sound
from bridge.domain.errors import BridgeError
from bridge.domain.ports import Deliver
from bridge.domain.press import Kind
from bridge.edges.siren_worker import HUNG_S, LIMIT_S, SirenWorker

log = structlog.get_logger()


class SirenBusy(BridgeError):
    """An alarm sounds, and a test would be taken for its end."""


class SirenBank:
    """Fans out. `sirens` by name; `is_quiet`: whether chirps are not wanted now; an alarm is never muted."""

    def __init__(
        self,
        sirens: Mapping[str, SirenWorker],
        is_quiet: Callable[[], bool] = lambda: False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.sirens, self._is_quiet, self._monotonic = dict(sirens), is_quiet, monotonic
        self._alarm_until = 0.0
        self._alarms = threading.Lock()  # held for no longer than it takes to give a command
        self._struck, self._stopped = threading.Event(), threading.Event()
        self._watch = threading.Thread(target=self._look_after, name="siren watch", daemon=True)

    def start(self, deliver: Deliver) -> None:
        for siren in self.sirens.values():
            siren.start(deliver)
        self._struck.set()
        self._watch.start()

    def do(self, command: Sound | Silence | Chirp) -> None:
        """Taken at once by each."""
        if isinstance(command, Chirp) and self._is_quiet():
            log.info("quiet hours: no chirp", why=command.why)
            return
        with self._alarms:
            if not isinstance(command, Chirp):
                self._alarm_until = self._monotonic() + LIMIT_S if isinstance(command, Sound) else 0.0
            for siren in self.sirens.values():
                siren.do(command)
        self._struck.set()

    def test(self, name: str, for_s: float) -> str:
        """Sounds one of them for so long, on the caller's thread; its fault, or ''. It never ends an alarm's sound.

        Raises KeyError, SirenBusy.
        """
        siren = self.sirens[name]
        with self._alarms:
            if self._is_alarm:
                raise SirenBusy("an alarm sounds or has just sounded; silence it first: kentongan siren off")
            siren.do(Sound("test", Kind.PANIC, None))
        self._stopped.wait(for_s)
        with self._alarms:
            if not self._is_alarm:
                siren.do(Silence("test"))
        siren.check()
        return siren.fault

    def stop(self) -> None:
        """Each, whatever the others do; one that hangs keeps none of them sounding."""
        self._stopped.set()
        self._struck.set()
        for siren in self.sirens.values():
            siren.leave()
        with ExitStack() as leave:
            for siren in self.sirens.values():
                leave.callback(siren.stop)

    @property
    def _is_alarm(self) -> bool:
        return self._monotonic() < self._alarm_until

    def _look_after(self) -> None:
        """Whoever got a command should be back soon; one that hangs cannot say so itself. Else it sleeps."""
        while not self._stopped.is_set():
            self._struck.wait()
            self._struck.clear()
            self._stopped.wait(HUNG_S + 0.1)
            for siren in self.sirens.values():
                siren.check()
