"""The radio lent to one technician's tool at a time, over the control socket; the bridge goes on hearing and answering.

`{"ask": "lease", "for_s": 60}` is answered by `{"leased": true, "for_s": 60}`; from then on each line of the client is
`{"to_radio": "<base64>"}`, `{"keep": 60}` or `{"end": true}`, and each of ours `{"from_radio": "<base64>"}` (with
`"doubtful": true` where bytes were lost nearby), `{"refused": "why"}` or, at last, `{"ended": "why"}`.
What passes may hold keys: it is never logged.
"""

import base64
import binascii
import json
import select
import threading
import time
from collections.abc import Iterable
from typing import Any, Protocol

import structlog

from bridge.domain.errors import BridgeError
from bridge.wire import Wire

log = structlog.get_logger()

Line = dict[str, Any]

LONGEST_S = 600.0
SETTLE_S = 3.0  # the last lease may be just ending: its client comes back after a restart of the radio


class NoRadio(BridgeError):
    """There is no radio to lend now; it may come back."""


class Loan(Protocol):
    """A radio's frames, lent. `ended`: why it was taken back, '' while it stands. It is readable (`fileno`) at news."""

    ended: str

    def fileno(self) -> int: ...

    def take(self) -> Iterable[tuple[bytes, bool]]:
        """What the radio has said since: a message, and whether it may be spliced from two."""

    def give(self, to_radio: bytes) -> str:
        """Pass a message to the radio; '' or why not."""

    def close(self) -> None: ...


class Lender(Protocol):
    """A radio that can be lent. Raises NoRadio."""

    def lend(self) -> Loan: ...


class Leasing:
    """Takes over a client's connection when it asks for the lease."""

    def __init__(self, lenders: Iterable[Lender]) -> None:
        self._lenders = tuple(lenders)
        self._one = threading.Lock()

    def __call__(self, question: Line, wire: Wire) -> None:
        """Until the client goes, its time is over or the radio is lost."""
        if not self._one.acquire(timeout=SETTLE_S):
            wire.say({"leased": False, "why": "somebody else has the lease; try again when he is done"})
            return
        try:
            self._serve(question, wire)
        finally:
            self._one.release()

    def _serve(self, question: Line, wire: Wire) -> None:
        for_s = _span(question.get("for_s"))
        try:
            loan = self._lend()
        except NoRadio as error:
            wire.say({"leased": False, "why": str(error), "is_radio_down": True})
            return
        why = "the client has gone"
        try:
            log.info("radio lent", for_s=for_s)
            wire.say({"leased": True, "for_s": for_s})
            why = _Talk(loan, wire, for_s).run()
            wire.say({"ended": why})
        finally:
            loan.close()
            log.info("radio taken back", why=why)

    def _lend(self) -> Loan:
        if not self._lenders:
            raise NoRadio("this post has no radio; set [radio] url in post.toml")
        return self._lenders[0].lend()


class _Talk:
    """One lease, on the client's own thread."""

    def __init__(self, loan: Loan, wire: Wire, for_s: float) -> None:
        self._loan, self._wire = loan, wire
        self._until = time.monotonic() + for_s
        self._is_over = False

    def run(self) -> str:
        """Why it ended."""
        news = select.poll()
        news.register(self._loan.fileno(), select.POLLIN)
        news.register(self._wire.fileno(), select.POLLIN)
        while not self._is_over:
            left_s = self._until - time.monotonic()
            if left_s <= 0:
                return "the time is over"
            for line in self._wire.lines():
                self._hear(parse(line))
            for message, is_doubtful in self._loan.take():
                if time.monotonic() >= self._until:  # one who takes them slowly would hold the radio for hours
                    return "the time is over"
                told = {"from_radio": base64.b64encode(message).decode()}
                self._wire.say(told | ({"doubtful": True} if is_doubtful else {}))
            if self._loan.ended or self._wire.has_ended:
                return self._loan.ended or "the client has gone"
            if not self._is_over:
                news.poll(left_s * 1000)
        return "the client has finished"

    def _hear(self, line: Line | None) -> None:
        match line:
            case {"to_radio": str(text)}:
                if why := self._pass(text):
                    self._wire.say({"refused": why})
            case {"keep": int() | float() as for_s}:
                self._until = time.monotonic() + _span(for_s)
            case {"end": True}:
                self._is_over = True
            case _:
                self._wire.say({"refused": "not understood; known: to_radio, keep, end"})

    def _pass(self, text: str) -> str:
        try:
            message = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            return "not base64"
        return self._loan.give(message)


def _span(wanted: Any) -> float:
    """Seconds as asked for, within limits; a minute for what is no number."""
    is_number = isinstance(wanted, int | float) and not isinstance(wanted, bool)
    return float(min(max(wanted, 1), LONGEST_S)) if is_number and wanted == wanted else 60.0


def parse(octets: bytes) -> Line | None:
    """One line of a client; None for what is no JSON object."""
    try:
        said = json.loads(octets)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None
