"""Reads the journal's waiting rows a page at a time, so that a week's backlog never lies in memory."""

import structlog

from bridge.domain.commands import OutboxRow
from bridge.domain.errors import BridgeError
from bridge.domain.ports import Page

log = structlog.get_logger()

ROWS = 320


class Pages:
    """One pass from the newest row to the oldest; `is_open` while there may be more."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._before: int | None = None
        self.is_open = False

    def begin(self) -> None:
        self._before, self.is_open = None, True

    def close(self) -> None:
        self.is_open = False

    def turn(self) -> list[OutboxRow]:
        """The next rows. A journal that cannot be read ends the pass; the journal's own worker says why."""
        try:
            rows = self._page(self._before, ROWS)
        except BridgeError as error:
            log.warning("journal not readable", why=str(error))
            rows = []
        self.is_open = len(rows) == ROWS
        if rows:
            self._before = rows[-1].sequence
        return rows
