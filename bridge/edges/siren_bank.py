"""Several sirens as one: each has a worker of its own, so a dead one never stops the others."""

from collections.abc import Callable
from contextlib import ExitStack

import structlog

from bridge.domain.commands import Chirp, Silence, Sound
from bridge.domain.ports import Deliver, Siren

log = structlog.get_logger()


class SirenBank:
    """Fans out. `is_quiet`: whether chirps are not wanted now; an alarm is never muted."""

    def __init__(self, sirens: tuple[Siren, ...], is_quiet: Callable[[], bool] = lambda: False) -> None:
        self._sirens, self._is_quiet = sirens, is_quiet

    def start(self, deliver: Deliver) -> None:
        for siren in self._sirens:
            siren.start(deliver)

    def do(self, command: Sound | Silence | Chirp) -> None:
        """Taken at once by each."""
        if isinstance(command, Chirp) and self._is_quiet():
            log.info("quiet hours: no chirp", why=command.why)
            return
        for siren in self._sirens:
            siren.do(command)

    def stop(self) -> None:
        """Each, whatever the others do."""
        with ExitStack() as leave:
            for siren in self._sirens:
                leave.callback(siren.stop)
