"""One striking pad: contact edges become presses and kinds. Runs in the head too: MicroPython's subset.

Times are whole milliseconds that only rise. An act is (what, kind):
PRESS a new press, an alarm at once; KIND its rhythm was read; LONE, AMAN, NOTICE only at the post's own kentongan;
STUCK the contact stays closed; FREED it is open again.
"""

from bridge.domain.codebook import KINDS, SAFE, Codebook
from bridge.domain.rhythm import FASTEST_MS, MOST_STRIKES, stop_ms

CONFIRM_MS = 4  # closed for so long in all, however it chatters: noise is shorter, the tap of a hand longer
OPEN_MS = 15  # a contact that was open for less only bounced
OVER_MS = 4000  # silence after which a press is over
LONGEST_MS = 30000  # who strikes on for longer begins a new press, and is rung again
STUCK_MS = 10000


class Pad:
    """`edge` at every change of the contact, `tick` when `next_ms` has come; both give the acts that follow."""

    def __init__(self, codebook: Codebook, at_post: bool = False) -> None:
        self._codebook = codebook
        self._at_post = at_post
        self._closed_at = -1  # when this closing began, its bounces included
        self._since = -1
        self._closed_ms = 0  # before the latest bounce
        self._opened_at = -1
        self._is_closed = False
        self._is_struck = False  # this closing was counted
        self._is_stuck = False
        self._times = []  # type: list[int]
        self._began_ms = 0
        self._is_pressed = False
        self._is_read = False  # the group that the last strike ended
        self._kind = ""

    def edge(self, closed: bool, now_ms: int) -> list[tuple[str, str]]:
        acts = self.tick(now_ms)
        if closed == self._is_closed:
            return acts
        self._is_closed = closed
        if closed:
            self._close(now_ms)
        else:
            self._open(now_ms, acts)
        return acts

    def tick(self, now_ms: int) -> list[tuple[str, str]]:
        acts = []  # type: list[tuple[str, str]]
        if self._is_closed and self._closed_ms + now_ms - self._since >= CONFIRM_MS:
            self._count(acts)
        if self._is_closed and not self._is_stuck and now_ms - self._closed_at >= STUCK_MS:
            self._is_stuck = True
            acts.append(("STUCK", ""))
        if self._times:
            silence = now_ms - self._times[-1]
            if silence >= OVER_MS:
                self._end(acts)
            elif not self._is_read and silence >= stop_ms(self._times):
                self._is_read = True
                self._tell(self._codebook.hear(self._times, True, False).kind, acts)
        return acts

    def next_ms(self) -> int | None:
        """When `tick` is next of use; None while nothing can come of itself."""
        dues = []
        if self._is_closed and not self._is_struck:
            dues.append(self._since + CONFIRM_MS - self._closed_ms)
        if self._is_closed and not self._is_stuck:
            dues.append(self._closed_at + STUCK_MS)
        if self._times:
            dues.append(self._times[-1] + OVER_MS)
            if not self._is_read:
                dues.append(self._times[-1] + stop_ms(self._times))
        return min(dues) if dues else None

    def _close(self, now_ms: int) -> None:
        self._since = now_ms
        open_ms = now_ms - self._opened_at if self._opened_at >= 0 else OPEN_MS
        if open_ms >= (OPEN_MS if self._is_struck else CONFIRM_MS):
            self._closed_at, self._closed_ms, self._is_struck = now_ms, 0, False

    def _open(self, now_ms: int, acts: list[tuple[str, str]]) -> None:
        self._opened_at = now_ms
        self._closed_ms += max(1, now_ms - self._since)
        if self._closed_ms >= CONFIRM_MS:
            self._count(acts)
        if self._is_stuck:
            self._is_stuck = False
            acts.append(("FREED", ""))

    def _count(self, acts: list[tuple[str, str]]) -> None:
        """This closing is a strike, once, since it began."""
        if not self._is_struck:
            self._is_struck = True
            self._strike(self._closed_at, acts)

    def _strike(self, at_ms: int, acts: list[tuple[str, str]]) -> None:
        if self._times and at_ms - self._times[-1] < FASTEST_MS:
            return
        if self._times and (at_ms - self._times[-1] >= OVER_MS or at_ms - self._began_ms >= LONGEST_MS):
            self._end(acts)
        if not self._times:
            self._began_ms = at_ms
        self._times.append(at_ms)
        del self._times[:-MOST_STRIKES]
        self._is_read = False
        if self._at_post and len(self._times) == 1:
            self._is_read = True
            acts.append(("LONE", ""))
            return
        self._press(acts)
        # The group that is under way may still grow; only what is before it, or titir, can be read now.
        self._tell(self._codebook.hear(self._times, False, False).kind, acts)

    def _press(self, acts: list[tuple[str, str]]) -> None:
        if not self._is_pressed:
            self._is_pressed = True
            acts.append(("PRESS", "PANIC"))

    def _tell(self, kind: str, acts: list[tuple[str, str]]) -> None:
        """A later reading may correct an earlier one, but what was danger is not talked down."""
        is_news = kind not in ("", self._kind, "PANIC")
        if is_news and (kind in KINDS or self._kind not in KINDS):
            self._kind = kind
            acts.append(("KIND", kind))

    def _end(self, acts: list[tuple[str, str]]) -> None:
        reading = self._codebook.hear(self._times)
        if not self._is_pressed:
            lone = self._codebook.once()
            if lone in SAFE and not self._is_closed:
                acts.append((lone, ""))
                self._forget()
                return
            self._press(acts)
        self._tell(reading.kind, acts)
        self._forget()

    def _forget(self) -> None:
        self._times = []
        self._is_pressed = False
        self._kind = ""
