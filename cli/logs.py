"""The bridge's log: readable on a terminal, JSON for a machine, always on standard output."""

import atexit
import logging
import os
import sys
from typing import TextIO

import structlog


class Unbreakable:
    """A log must never stop an alarm: a full disk or a reader that went away costs the line, nothing else."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        try:
            self._stream.write(text)
        except (OSError, ValueError):
            return

    def flush(self) -> None:
        try:
            self._stream.flush()
        except (OSError, ValueError):
            return

    def let_go(self) -> None:
        """Lines that nobody took must not become the exit code 120 when Python flushes the stream at its end."""
        try:
            self._stream.flush()
        except (OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())


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
