"""Whether the journal's worker moves and the disk is well, and that it is told once."""

import threading

import structlog

from bridge.domain.events import JournalTrouble, JournalWell
from bridge.domain.ports import Clock, Deliver

log = structlog.get_logger()

HUNG_S = 2.0  # a commit that takes so long is a fault to be told; the engine relays from memory by then


class Health:
    """Whether the worker moves, and whether its trouble was told. A thread of its own sees a disk that hangs."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._has_work = threading.Event()
        self._stopped = threading.Event()
        self._since: float | None = None  # None: at rest
        self._trouble = ""
        self.moved_at = clock.monotonic()
        self._thread = threading.Thread(target=self._watch, name="journal watch", daemon=True)

    def start(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._has_work.set()

    def stuck_s(self) -> float:
        since = self._since
        return 0.0 if since is None else self._clock.monotonic() - since

    def move(self) -> None:
        """The worker begins one piece of work."""
        with self._lock:
            self._since = self.moved_at = self._clock.monotonic()
        self._has_work.set()

    def rest(self) -> None:
        with self._lock:
            self._since = None
        self._has_work.clear()

    def well(self) -> None:
        with self._lock:
            self._since, self.moved_at = None, self._clock.monotonic()
            if self._trouble:
                self._trouble = ""
                self._deliver(JournalWell())

    def ill(self, why: str) -> None:
        """Told once as long as the reason stays the same."""
        with self._lock:
            self._since = None
            self._tell(why)

    def _tell(self, why: str) -> None:
        if why != self._trouble:
            self._trouble = why
            log.error("journal trouble", why=why)
            self._deliver(JournalTrouble(why))

    def _watch(self) -> None:
        while not self._stopped.is_set():
            self._has_work.wait()
            self._stopped.wait(HUNG_S)
            with self._lock:
                if self._since is not None and self._clock.monotonic() - self._since >= HUNG_S:
                    self._tell(f"the disk has not answered for {HUNG_S:.0f} s; alarms go out from memory meanwhile")
