"""The one hand on the disk: commits what the engine decided, and says so. A sick disk costs promises, never facts."""

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

import structlog

from bridge.domain.commands import Fact
from bridge.domain.errors import JournalFailed
from bridge.domain.events import Committed, Fault, JournalReplaced, Unwritable
from bridge.domain.ports import Clock, Deliver
from bridge.store.faults import UNWRITABLE, JournalDamaged
from bridge.store.health import HUNG_S, Health
from bridge.store.journal import Journal

log = structlog.get_logger()

GROUP = 64  # decisions in one commit
ROOM = 100_000  # facts that are kept while the disk does not take them: about 100 MB at worst
BACK_OFF_S = (0.2, 0.5, 1.0, 2.0, 5.0)
GOODBYE_S = 10.0  # for what still waits when the bridge stops
QUIET_S = 1.0  # nothing came for so long: time for the log's checkpoint
CHECKPOINT_COMMITS = 200
FIRST_RETAIN_S = 60.0
RETAIN_EVERY_S = 3600.0
RESTART = "alarms go out from memory; repair the disk and restart the bridge"


@dataclass(frozen=True, slots=True)
class Progress:
    """`moved_at`: monotonic seconds when the worker last moved; `waiting`: facts not yet on the disk."""

    moved_at: float
    waiting: int


@dataclass(frozen=True, slots=True)
class _Decided:
    number: int
    facts: tuple[Fact, ...]


class JournalWorker:
    """A thread that writes decisions in their order and delivers Committed, JournalTrouble and JournalWell."""

    def __init__(
        self,
        journal: Journal | None,
        clock: Clock,
        *,
        open_journal: Callable[[], Journal] | None = None,
        room: int = ROOM,
        checkpoint_commits: int = CHECKPOINT_COMMITS,
    ) -> None:
        """Takes the journal over, and closes it. Without one, `open_journal` is tried until it succeeds."""
        self._journal, self._clock, self._open_journal = journal, clock, open_journal
        self._room, self._checkpoint_commits = room, checkpoint_commits
        self._waiting: deque[_Decided] = deque()
        self._facts = 0
        self._refused: int | None = None  # the first decision that found no room: nothing beyond it is ever promised
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._give_up_at = math.inf
        self._is_suspect = False
        self._failures = 0
        self._group = GROUP
        self._commits = 0  # since the last checkpoint
        self._retain_at = clock.monotonic() + FIRST_RETAIN_S
        self._run_known = journal.run if journal and not journal.begun_anew else None
        self._health = Health(clock)
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)

    def start(self, deliver: Deliver) -> None:
        """`deliver` is called from threads of ours and must not block."""
        self._deliver = deliver
        self._health.start(deliver)
        self._thread.start()

    def put(self, number: int, facts: tuple[Fact, ...]) -> None:
        """Write `facts`, then deliver Committed(`number`) or a higher one. Never blocks; numbers must rise."""
        with self._changed:
            if self._facts + len(facts) <= self._room:
                self._waiting.append(_Decided(number, facts))
                self._facts += len(facts)
                self._changed.notify()
                return
            is_first = self._refused is None
            self._refused = number if self._refused is None else self._refused
        if is_first:
            self._deliver(Fault("journal memory", f"the disk takes nothing and {self._room} facts wait; {RESTART}"))

    def suspect(self) -> None:
        """Somebody met a damaged page: look at the whole file soon."""
        with self._changed:
            self._is_suspect = True
            self._changed.notify()

    def stuck_s(self) -> float:
        """Seconds since the worker last moved while it had work; 0 when it has none. For the watchdog."""
        return self._health.stuck_s()

    def is_hung(self) -> bool:
        """Whether the disk has kept us waiting for so long that nobody else should ask it."""
        return self._health.stuck_s() >= HUNG_S

    @property
    def progress(self) -> Progress:
        with self._changed:
            return Progress(self._health.moved_at, self._facts)

    def stop(self, wait_s: float = GOODBYE_S) -> None:
        """Write what waits, if the disk lets us within `wait_s`, and close the journal."""
        with self._changed:
            self._give_up_at = self._clock.monotonic() + wait_s
            self._stopping.set()
            self._changed.notify()
        self._thread.join(wait_s + 1.0)
        self._health.stop()
        if self._thread.is_alive() or self._waiting:
            log.error("journal stopped with facts unwritten", facts=self._facts)

    # --- the worker's own thread --------------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            try:
                self._work()
                return
            except Exception as error:  # the top of a thread: this one must not be lost while facts wait
                log.exception("journal worker failed")
                self._failed(f"the journal's worker failed ({error!r}); report this fault")

    def _work(self) -> None:
        try:
            while self._wait_for_work():
                try:
                    self._do_what_is_due()
                    self._failures = 0
                except JournalFailed as error:
                    self._is_suspect |= isinstance(error, JournalDamaged)
                    self._failed(str(error))
        finally:
            self._health.rest()
        if self._journal is not None:
            self._journal.close()

    def _wait_for_work(self) -> bool:
        """False when it is time to go."""
        with self._changed:
            self._health.rest()
            if not (self._waiting or self._is_suspect or self._is_new_journal() or self._stopping.is_set()):
                self._changed.wait(self._quiet_s())
            if self._stopping.is_set():
                return bool(self._waiting) and self._clock.monotonic() < self._give_up_at
            return True

    def _do_what_is_due(self) -> None:
        self._health.move()
        journal = self._open()
        if self._is_suspect:
            journal.check()
            self._is_suspect = False
        if batch := self._next_batch():
            self._write(journal, batch)
        else:
            self._keep_house(journal)
        self._report_new_journal(journal)
        self._health.well()

    def _write(self, journal: Journal, batch: list[_Decided]) -> None:
        try:
            journal.write([fact for decided in batch for fact in decided.facts])
        except UNWRITABLE as error:
            journal.write(())  # raises where it is the disk after all
            self._single_out(batch, error)
        else:
            self._commits += 1
            self._committed(batch)

    def _single_out(self, batch: list[_Decided], error: Exception) -> None:
        """Facts that can never be written must not keep all others from the disk: found one by one, and left out."""
        if len(batch) > 1:
            self._group = 1
            return
        (left_out,) = batch
        log.error("facts left out of the journal", why=str(error), facts=repr(left_out.facts)[:500])
        self._group = GROUP
        self._done(batch)
        self._deliver(Unwritable(left_out.number, str(error)))

    def _open(self) -> Journal:
        if self._journal is None:
            if self._open_journal is None:
                raise JournalFailed("there is no journal; check the disk and restart the bridge")
            self._journal = self._open_journal()
        return self._journal

    def _next_batch(self) -> list[_Decided]:
        """They stay in the queue until they are on the disk."""
        with self._changed:
            if not self._waiting:
                self._group = GROUP
            return list(islice(self._waiting, self._group))

    def _committed(self, batch: list[_Decided]) -> None:
        self._done(batch)
        last = batch[-1].number
        with self._changed:
            number = last if self._refused is None else min(last, self._refused - 1)
        self._deliver(Committed(number))

    def _done(self, batch: list[_Decided]) -> None:
        with self._changed:
            for decided in batch:
                self._waiting.popleft()
                self._facts -= len(decided.facts)

    def _failed(self, why: str) -> None:
        """Wait a little longer each time; a stop cuts the wait short."""
        self._health.ill(why)
        wait_s = BACK_OFF_S[min(self._failures, len(BACK_OFF_S) - 1)]
        self._failures += 1
        if not self._stopping.wait(wait_s):
            return
        time.sleep(BACK_OFF_S[0])  # stopping, and still trying

    def _is_new_journal(self) -> bool:
        """There is none yet, or nobody was told that it is another one."""
        return self._journal is None or self._journal.run != self._run_known

    def _report_new_journal(self, journal: Journal) -> None:
        """A damaged file was set aside, or the disk that was away at start is here now: memory fills the journal."""
        if self._is_new_journal():
            self._run_known = journal.run
            self._deliver(JournalReplaced(journal.run, journal.begun_anew or f"journal {journal.path} was opened late"))

    # --- housekeeping -------------------------------------------------------------------------------------------

    def _quiet_s(self) -> float:
        """How long to wait for work before the house is kept."""
        if self._failures:
            return BACK_OFF_S[-1]
        if self._commits >= self._checkpoint_commits:
            return QUIET_S
        return max(0.0, self._retain_at - self._clock.monotonic())

    def _keep_house(self, journal: Journal) -> None:
        if self._commits >= self._checkpoint_commits:
            journal.checkpoint()
            self._commits = 0
        if self._clock.monotonic() >= self._retain_at:
            now = self._clock.now()
            is_done = not now.trusted or journal.retain(now.wall_s) == 0
            self._retain_at = self._clock.monotonic() + (RETAIN_EVERY_S if is_done else 0.0)
