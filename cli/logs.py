"""The bridge's log: readable on a terminal, JSON for a machine, always on standard output."""

import atexit
import logging
import os
import sys
import threading
from collections import deque
from typing import TextIO

import structlog

ROOM = 10_000  # lines that wait for a reader who stands still: about 3 MB
GOODBYE_S = 1.0


class Unbreakable:
    """A log must never stop an alarm: a full disk or a reader that went away costs the line, nothing else.

    Nor may a reader who stands still (a journal on a hung disk, a terminal after Ctrl-S): a thread of its own writes,
    past Python's buffers, whose lock would else be held for good.
    """

    def __init__(self, stream: TextIO, room: int = ROOM) -> None:
        self._wire, self._room = stream.fileno(), room
        self._lines: deque[bytes] = deque()
        self._lost = 0
        self._changed = threading.Condition()
        self._is_idle = True
        threading.Thread(target=self._live, name="log", daemon=True).start()

    def write(self, text: str) -> None:
        """Never waits for the reader."""
        with self._changed:
            if len(self._lines) >= self._room:
                self._lost += 1
                return
            self._lines.append(text.encode(errors="backslashreplace"))
            self._is_idle = False
            self._changed.notify_all()

    def flush(self) -> None:
        """Each line is written as soon as it can be."""

    def let_go(self) -> None:
        """What still waits is written, if somebody reads."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_idle, GOODBYE_S)

    def _live(self) -> None:
        while True:
            with self._changed:
                self._is_idle = not self._lines
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._lines)
                said, lost = b"".join(self._lines), self._lost
                self._lines.clear()
                self._lost = 0
            if lost:
                log.warning("log lines lost", lines=lost)
            self._say(said)

    def _say(self, said: bytes) -> None:
        while said:
            try:
                said = said[os.write(self._wire, said) :]
            except OSError:
                return


log = structlog.get_logger()


def set_up_logs(verbose: bool) -> None:
    """`verbose` shows bytes and every small step."""
    is_terminal = sys.stdout.isatty()
    stream = Unbreakable(sys.stdout)
    atexit.register(stream.let_go)
    look: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if is_terminal else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S" if is_terminal else "iso", utc=not is_terminal),
            *([] if is_terminal else [structlog.processors.format_exc_info]),
            look,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if verbose else logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=stream),  # type: ignore[arg-type]
    )
