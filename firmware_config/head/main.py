"""The head's start: one loop, and a watchdog that is fed only after a whole step."""

import os
import time

from firmware_config.head.board import Board
from firmware_config.head.guard import guard
from firmware_config.head.head import Head


def chance(below: int) -> int:
    return int.from_bytes(os.urandom(4), "big") % below


def main() -> None:
    board = Board()
    try:
        head = Head(board, os.urandom, chance, time.ticks_ms())  # type: ignore[attr-defined]
        guard.release()
        while True:
            head.step(time.ticks_ms())  # type: ignore[attr-defined]
            guard.feed()
            time.sleep_ms(1)  # type: ignore[attr-defined]
    except KeyboardInterrupt:
        guard.hold()  # a technician wants the prompt
    except Exception as error:  # noqa: BLE001 - the top of everything; a traceback on USB would read as strange lines
        board.crash(error)


if __name__ == "__main__":
    main()
