"""A small bridge whose disk is watched: it promises presses and says each promise aloud, through two runs.

    python -m tests.store.promising JOURNAL

The first run commits through the worker, one press at a time and then a burst; the second writes directly, with
checkpoints in between, as a bridge does that runs for long.
"""

import os
import sys
from pathlib import Path

from bridge.domain.events import Committed, Event
from bridge.store import Journal, JournalWorker
from tests.store.village import BITS, NOW, Ear, StillClock, heard

ONE_BY_ONE, BURST, DIRECT = 25, 100, 30


def promise(number: int) -> None:
    """Every press up to `number` is said to be on the disk."""
    os.write(1, f"JOURNALED {number}\n".encode())


class Promising(Ear):
    def __call__(self, event: Event) -> None:
        if isinstance(event, Committed):
            promise(event.number)
        super().__call__(event)


def main(path: Path) -> None:
    worker, ear = JournalWorker(Journal.open(path, run_bits=BITS, moment=NOW), StillClock()), Promising()
    worker.start(ear)
    for number in range(1, ONE_BY_ONE + 1):
        worker.put(number, heard(number))
        ear.until_committed(number)
    for number in range(ONE_BY_ONE + 1, ONE_BY_ONE + BURST + 1):
        worker.put(number, heard(number))
    ear.until_committed(ONE_BY_ONE + BURST)
    worker.stop()
    journal = Journal.open(path, run_bits=BITS, moment=NOW)
    for number in range(ONE_BY_ONE + BURST + 1, ONE_BY_ONE + BURST + DIRECT + 1):
        journal.write(heard(number))
        promise(number)
        if number % 7 == 0:
            journal.checkpoint()
    journal.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
