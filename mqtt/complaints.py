"""The faults of one uplink: each told once when it comes and once when it goes; forgeries counted, told rarely."""

import structlog

from bridge.domain.events import Fault
from bridge.domain.ports import Deliver

log = structlog.get_logger()

SIGNATURE = "desk:signature"
REMEMBERED = 60  # times the pause between two lines; then the status shows what is, and the log what was


class Complaints:
    """`pause_s`: at most one line about forgeries in that time."""

    def __init__(self, name: str, pause_s: float) -> None:
        self._name, self._pause_s = name, pause_s
        self._last_s: float | None = None
        self.suspects = 0
        self.standing: dict[str, str] = {}
        self.deliver: Deliver = _nobody

    def say(self, what: str, why: str) -> None:
        """`why` is '' when it is well again."""
        if self.standing.get(what, "") == why:
            return
        if why:
            self.standing[what] = why
            log.warning("uplink fault", uplink=self._name, what=what, why=why)
        else:
            del self.standing[what]
        self.deliver(Fault(what, why))

    def suspect(self, why: str, now_s: float) -> None:
        """Something that claims to be the desk's changed nothing."""
        self.suspects += 1
        if self._last_s is None or now_s - self._last_s >= self._pause_s:
            self._last_s = now_s
            self.say(SIGNATURE, f"{why}; {self.suspects} kali sejak mulai (times since the start)")

    def forgive(self, now_s: float) -> None:
        if self._last_s is not None and now_s - self._last_s >= REMEMBERED * self._pause_s:
            self._last_s = None
            self.say(SIGNATURE, "")


def _nobody(_: object) -> None:
    """Before the start nobody listens."""
