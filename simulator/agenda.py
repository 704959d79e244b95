"""What will happen in the village and when: one thread, one lock, one list."""

import heapq
import itertools
import threading
import time
from collections.abc import Callable


class Agenda:
    """Acts come due in order of time. Whoever touches a node holds `lock`, so nodes need none of their own.

    `clock` gives monotonic seconds. Without `start()` nothing runs by itself: a test with a clock of its own
    calls `run_due()`.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.lock = threading.Condition(threading.RLock())
        self.now = clock
        self._acts: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._open = False
        self._thread: threading.Thread | None = None

    def after(self, wait_s: float, act: Callable[[], None]) -> None:
        """Do `act` on the agenda's thread, holding the lock, `wait_s` seconds from now."""
        with self.lock:
            heapq.heappush(self._acts, (self.now() + wait_s, next(self._order), act))
            self.lock.notify_all()

    def run_due(self) -> float | None:
        """Do everything that is due; seconds until the next act, None when the list is empty."""
        with self.lock:
            while self._acts and self._acts[0][0] <= self.now():
                heapq.heappop(self._acts)[2]()
            return max(0.0, self._acts[0][0] - self.now()) if self._acts else None

    def start(self) -> None:
        """Run the acts as they come due, on a thread."""
        self._open = True
        self._thread = threading.Thread(target=self._run, name="village", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Forget what has not happened yet and end the thread."""
        with self.lock:
            self._open = False
            self._acts.clear()
            self.lock.notify_all()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _run(self) -> None:
        with self.lock:
            while self._open:
                self.lock.wait(self.run_due())
