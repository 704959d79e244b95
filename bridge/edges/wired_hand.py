"""What the closings of a contact mean: a hand on the kentongan, or a thumb on the button that silences the siren."""

from bridge.domain.codebook import SAFE, Codebook
from bridge.domain.events import Event, PressHeard, SilenceAsked, Tap, Tapped
from bridge.domain.ids import wired_press, wired_source
from bridge.domain.pad import STUCK_MS, Pad
from bridge.domain.press import Kind, Press, Remark, Via

STEADY_MS = 80  # a switch that people turn; what is shorter is noise
NOTICE_LONG_MS = 30 * 60_000  # nobody beats a notice for so long: the switch was forgotten, or its wire is bad

_STUCK = "kontak tertutup terus: lepaskan atau periksa (the contact stays closed: free it or look at it)"
_FORGOTTEN = (
    "sakelar berita menyala sejak 30 menit dan tidak berlaku lagi: matikan "
    "(notice switch on for 30 minutes, it counts no more: turn it off)"
)
_PLAIN: frozenset[Remark] = frozenset()
_SAFE = frozenset({Remark.PERHAPS_NO_DANGER})


class Steady:
    """A switch as it really stands: a level counts once it has held for STEADY_MS."""

    def __init__(self) -> None:
        self.is_on, self.since_ms = False, 0
        self._level, self._level_ms = False, 0

    def see(self, level: bool, now_ms: int) -> None:
        self.settle(now_ms)
        if level != self._level:
            self._level, self._level_ms = level, now_ms

    def settle(self, now_ms: int) -> bool:
        """Whether it has just been turned."""
        if self._level == self.is_on or now_ms - self._level_ms < STEADY_MS:
            return False
        self.is_on, self.since_ms = self._level, self._level_ms
        return True

    def next_ms(self) -> int | None:
        return None if self._level == self.is_on else self._level_ms + STEADY_MS


class Striker:
    """Turns a pad's acts into events. `run_bits` and a count that rises name the presses of this run."""

    def __init__(self, name: str, post: str, run_bits: str, codebook: Codebook, *, at_post: bool) -> None:
        self._name, self._post, self._run_bits = name, post, run_bits
        self._codebook, self._at_post = codebook, at_post
        self.source = wired_source(post, name)
        self.trouble = ""
        self._pad = Pad(codebook, at_post)
        self._notice = Steady()
        self._count = 0
        self._is_stuck = self._is_told_notice = self._is_forgotten = False

    def see(self, closed: bool, notice: bool, now_ms: int) -> list[Event]:
        events = self.tick(now_ms)
        self._notice.see(notice, now_ms)
        return events + self._told(self._pad.edge(closed, now_ms), now_ms)

    def lose(self, now_ms: int) -> list[Event]:
        """What nobody sees counts as open, so that closed when seen again is a strike; but not what was stuck before.

        A notice switch that nobody sees is off: what is struck is an alarm.
        """
        events = self.tick(now_ms)
        if not self._is_stuck:
            events += self._told(self._pad.edge(False, now_ms), now_ms)
        self._notice = Steady()
        self._begin_anew()
        return events

    def tick(self, now_ms: int) -> list[Event]:
        events = self._told(self._pad.tick(now_ms), now_ms)
        if self._notice.settle(now_ms) and not self._notice.is_on:
            self._begin_anew()
        self._judge(now_ms)
        return events

    def next_ms(self) -> int | None:
        forgotten_ms = self._notice.since_ms + NOTICE_LONG_MS if self._notice.is_on and not self.trouble else None
        dues = (self._pad.next_ms(), self._notice.next_ms(), forgotten_ms)
        return min((due for due in dues if due is not None), default=None)

    def _begin_anew(self) -> None:
        """The switch was turned off in the midst of a notice: the very next strike is a call of its own."""
        if self._is_told_notice and not self._is_stuck:
            self._pad, self._is_told_notice = Pad(self._codebook, self._at_post), False

    def _judge(self, now_ms: int) -> None:
        """A switch that was forgotten must not keep a post's kentongan from calling for help."""
        self._is_forgotten = self._notice.is_on and now_ms - self._notice.since_ms >= NOTICE_LONG_MS
        self.trouble = _STUCK if self._is_stuck else _FORGOTTEN if self._is_forgotten else ""

    @property
    def _is_notice(self) -> bool:
        return self._notice.is_on and not self._is_forgotten

    def _told(self, acts: list[tuple[str, str]], now_ms: int) -> list[Event]:
        events = [event for what, kind in acts if (event := self._event(what, kind, now_ms / 1000)) is not None]
        self._judge(now_ms)
        return events

    def _event(self, what: str, kind: str, now_s: float) -> Event | None:
        """At the post a sequence begins with LONE; the notice switch decides there, for all of the sequence."""
        match what:
            case "STUCK" | "FREED":
                self._is_stuck = what == "STUCK"
                return None
            case "LONE":
                self._is_told_notice = self._is_notice
                return Tapped(self.source, Tap.NOTICE if self._is_told_notice else Tap.LONE, now_s)
            case _ if self._is_told_notice:
                return None
            case "PRESS":
                self._count += 1
                return PressHeard(self._press(kind), now_s)
            case "KIND":
                return PressHeard(self._press(kind), now_s)
            case "AMAN" | "NOTICE":
                return Tapped(self.source, Tap(what.lower()), now_s)
        return None

    def _press(self, kind: str) -> Press:
        """At a house the notice switch only marks the alarm; a rhythm never clears one."""
        is_safe = kind in SAFE or (not self._at_post and self._is_notice)
        return Press(
            wired_press(self._post, self._name, self._run_bits, self._count),
            self.source,
            Kind.UNKNOWN if kind in SAFE else Kind(kind),
            Via.WIRED,
            trusted=True,
            remarks=_SAFE if is_safe else _PLAIN,
        )


class Button:
    """A contact that only silences the siren: once for each push that is surely one.

    Closed when it is found is no push: a button that is stuck on a loose cable would silence every alarm.
    """

    def __init__(self, name: str) -> None:
        self._name, self._switch = name, Steady()
        self._found_ms: int | None = None
        self.trouble = ""

    def see(self, closed: bool, _notice: bool, now_ms: int) -> list[Event]:
        events = self.tick(now_ms)
        if self._found_ms is None:
            self._found_ms = now_ms
        self._switch.see(closed, now_ms)
        return events

    def lose(self, now_ms: int) -> list[Event]:
        events = self.tick(now_ms)
        self._switch, self._found_ms, self.trouble = Steady(), None, ""
        return events

    def tick(self, now_ms: int) -> list[Event]:
        is_pushed = self._switch.settle(now_ms) and self._switch.is_on and self._was_open
        is_stuck = self._switch.is_on and now_ms - self._switch.since_ms >= STUCK_MS
        self.trouble = _STUCK if is_stuck else ""
        return [SilenceAsked(self._name)] if is_pushed else []

    def next_ms(self) -> int | None:
        if self._switch.is_on and not self.trouble:
            return self._switch.since_ms + STUCK_MS
        return self._switch.next_ms()

    @property
    def _was_open(self) -> bool:
        return self._found_ms is not None and self._switch.since_ms - self._found_ms >= STEADY_MS
