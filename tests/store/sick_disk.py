"""A small bridge without an engine: decides presses one after another and says what its journal's worker delivers.

    python -m tests.store.sick_disk JOURNAL COUNT [full]

With `full` the disk takes nothing from the tenth press until trouble was heard.
"""

import os
import resource
import sys
import time
from pathlib import Path

from bridge.domain.events import Committed, Event, JournalTrouble, JournalWell
from bridge.store import Journal, JournalWorker
from tests.store.village import BITS, NOW, Ear, StillClock, heard

PATIENCE_S = 40.0


def say(line: str) -> None:
    os.write(1, line.encode() + b"\n")


class LoudEar(Ear):
    def __call__(self, event: Event) -> None:
        match event:
            case Committed(number):
                say(f"COMMITTED {number}")
            case JournalTrouble(why):
                say(f"TROUBLE {why}")
            case JournalWell():
                say("WELL")
            case _:
                say(f"OTHER {event}")
        super().__call__(event)


def fill_disk(path: Path) -> None:
    size = path.with_name(path.name + "-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def main(path: Path, count: int, is_full: bool) -> None:
    journal = Journal.open(path, run_bits=BITS, moment=NOW)
    worker, ear, slowest_s = JournalWorker(journal, StillClock()), LoudEar(), 0.0
    worker.start(ear)
    for number in range(1, count + 1):
        if is_full and number == 10:
            ear.until_committed(9)
            fill_disk(path)
        began = time.monotonic()
        worker.put(number, heard(number))
        slowest_s = max(slowest_s, time.monotonic() - began)
        time.sleep(0.01)  # the pace of the village
    if is_full:
        ear.until(lambda event: isinstance(event, JournalTrouble), PATIENCE_S)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    ear.until_committed(count, PATIENCE_S)
    worker.stop()
    say(f"SLOWEST PUT {slowest_s:.3f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), "full" in sys.argv[3:])
