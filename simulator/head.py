"""A kentongan head without hardware: a pad, three lamps, a flash, and lines over whatever wire it hangs on.

It runs on the village's clock and has no thread, so a village may have hundreds. Its pad and codebook are the
domain's, as in a real head; its lines are its own (head_lines).
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from functools import partial

from bridge.domain.codebook import Codebook
from bridge.domain.pad import Pad
from simulator.agenda import Agenda
from simulator.head_lines import Lines, call, is_beacon, letters_for

TAP_S = 0.03  # how long a stick closes the contact
STOPS = {".": 2.5, "=": 5.0}  # short and long, in beats
LOOK_S = 0.05  # how often a waiting pad is looked at
REPEAT_S = (20.0, 20.0, 20.0, 20.0)  # until answered: four times in 80 s, then each five minutes
REPEAT_SLOWLY_S = 300.0
NOBODY_S = 80.0
CLOSED_S = 120.0  # for so long the lamps tell that it is closed
ASK_S = (60.0, 240.0, 300.0, 600.0, 1200.0, 2400.0)  # once answered: after 1, 5, 10, 20, 40, 80 minutes
HEARS_S = 3600.0
_RANK = {"L": 0, "J": 1, "N": 2, "S": 3, "A": 4, "G": 4, "D": 5, "O": 6, "W": 7, "C": 8}
_EPOCH = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
EAST_JAVA = Codebook(
    "A", {"1": "MURDER", "2": "THEFT", "3": "FIRE", "4": "DISASTER", "5": "LIVESTOCK", "1-7-1": "AMAN"}
)


class Glow(Enum):
    """How one lamp burns."""

    OFF = "○"
    SLOW = "◔"
    FAST = "◑"
    DOUBLE = "◉"
    ON = "●"


@dataclass(frozen=True, slots=True)
class Lamps:
    """The three pictograms: the post, the police, somebody is coming."""

    post: Glow = Glow.OFF
    police: Glow = Glow.OFF
    coming: Glow = Glow.OFF

    def __str__(self) -> str:
        return f"{self.post.value}{self.police.value}{self.coming.value}"


@dataclass(slots=True)
class Flash:
    """What survives a power cut. `key`: 16 bytes, or none until a technician writes it."""

    key: bytes
    epoch: str
    number: int = 0


@dataclass(slots=True)
class _Call:
    """The press that the lamps are about."""

    number: int
    kind: str
    since_s: float
    closed_s: float = 0.0
    letters: str = ""  # every one that was shown, in order
    waits: Iterator[float] = field(default_factory=lambda: itertools.chain(REPEAT_S, itertools.repeat(REPEAT_SLOWLY_S)))
    turn: int = 0


class Head:
    """One head. `say` is where its bytes go; give it `hear` for what comes back. Safe to use from any thread.

    `epoch` '' is made from the seed. `echo_s`: between these seconds after a new letter it says that it shows it.
    """

    def __init__(
        self,
        name: str,
        key: bytes,
        agenda: Agenda,
        codebook: Codebook = EAST_JAVA,
        at_post: bool = False,
        epoch: str = "",
        seed: int = 0,
        echo_s: tuple[float, float] = (1.0, 5.0),
    ) -> None:
        self.name, self._agenda, self._codebook, self._at_post, self._echo_s = name, agenda, codebook, at_post, echo_s
        self._chance = random.Random(f"head {seed} {name}")
        self.flash = Flash(key, epoch or self._new_epoch())
        self.say: Callable[[bytes], None] = lambda octets: None
        self.pressed: list[str] = []
        self.history: list[tuple[str, Lamps]] = []  # every change: the last letter ('' sent), and how they burned
        self.is_stuck = False
        self._start()

    # What is seen

    @property
    def press_id(self) -> str:
        """The latest press as everybody must call it."""
        return self.pressed[-1]

    @property
    def letters(self) -> str:
        """What the lamps were told about the latest press, in order."""
        return self._call.letters if self._call else ""

    @property
    def kind(self) -> str:
        """What it took the latest press for, so far; '' before the first."""
        return self._call.kind if self._call else ""

    @property
    def lamps(self) -> Lamps:
        """How the lamps burn now."""
        with self._agenda.lock:
            return self._lamps()

    # What a hand does

    def strike(self) -> None:
        """One strike of a stick, now."""
        at_ms = self._now_ms()
        self.contact(True, at_ms)
        self._agenda.after(TAP_S, partial(self.contact, False, at_ms + round(1000 * TAP_S)))

    def play(self, rhythm: str, beat_s: float = 0.3) -> float:
        """Strike as people write it, `000=000`; the seconds until the last strike.

        Each touch counts when the hand meant it: a machine that is late runs them late, and in their order.
        """
        at_s, gap_s, began_ms = 0.0, 0.0, self._now_ms()
        for sign in rhythm:
            if sign == "0":
                at_s += gap_s
                for closed, due_s in ((True, at_s), (False, at_s + TAP_S)):
                    self._agenda.after(due_s, partial(self.contact, closed, began_ms + round(1000 * due_s)))
                gap_s = beat_s
            else:
                gap_s = STOPS[sign] * beat_s
        return at_s

    def contact(self, closed: bool, at_ms: int | None = None) -> None:
        """The pad's contact closes or opens, now or at `at_ms`; a pad that is held stays closed."""
        with self._agenda.lock:
            if self._is_on:
                self._act(self._pad.edge(closed, self._now_ms() if at_ms is None else at_ms))

    def press(self, kind: str = "PANIC") -> str:
        """A press without a rhythm, or by the recessed button CANCEL or TEST; its id."""
        with self._agenda.lock:
            self._begin(kind)
            return self.press_id

    # What befalls it

    def power(self, on: bool) -> None:
        """Off: everything but the flash is gone."""
        with self._agenda.lock:
            self._start()
            self._is_on = on

    def wipe(self, key: bytes = b"") -> None:
        """A new flash, or a new head of the same name: another epoch, numbers from one, no key before a technician."""
        with self._agenda.lock:
            self.flash = Flash(key, self._new_epoch())
            self._start()

    def hear(self, octets: bytes) -> None:
        """Bytes from the wire."""
        with self._agenda.lock:
            if self._is_on:
                for line in self._lines.feed(octets):
                    self._read(line)

    # Inside, with the lock held

    def _start(self) -> None:
        self._is_on = True
        self._pad = Pad(self._codebook, self._at_post)
        self._lines = Lines()
        self._call: _Call | None = None
        self._beacon_s: float | None = None

    def _new_epoch(self) -> str:
        return "".join(self._chance.choices(_EPOCH, k=4))

    def _now_ms(self) -> int:
        return int(self._agenda.now() * 1000)

    def _act(self, acts: list[tuple[str, str]]) -> None:
        for act, kind in acts:
            match act:
                case "PRESS" | "AMAN" | "NOTICE":
                    self._begin(kind or act)
                case "KIND":
                    self._refine(kind)
                case "STUCK" | "FREED":
                    self.is_stuck = act == "STUCK"
        if (next_ms := self._pad.next_ms()) is not None:
            pad, wait_s = self._pad, (next_ms - self._now_ms() + 1) / 1000
            self._agenda.after(wait_s if wait_s > 0 else LOOK_S, lambda: self._tick(pad))

    def _tick(self, pad: Pad) -> None:
        if self._is_on and self._pad is pad:
            next_ms = pad.next_ms()
            if next_ms is not None and next_ms <= self._now_ms():
                self._act(pad.tick(next_ms))  # not now: what was struck meanwhile may still stand in the agenda

    def _begin(self, kind: str) -> None:
        self.flash.number += 1  # in flash before it is first sent
        self._call = _Call(self.flash.number, kind, self._agenda.now())
        self.pressed.append(f"head:{self.name}/{self.flash.epoch}.{self.flash.number}")
        self._send(self._call)
        self._note()
        self._plan(self._call)
        self._agenda.after(NOBODY_S, self._note)

    def _refine(self, kind: str) -> None:
        if self._call is not None:
            self._call.kind = kind
            self._send(self._call)

    def _send(self, about: _Call) -> None:
        press = f"{self.flash.epoch}.{about.number}"
        self.say(call(self.flash.key, self.name, press, about.kind, about.letters[-1:]))

    def _plan(self, about: _Call) -> None:
        """The next repetition; while unanswered for ever, then as long as its waits last."""
        about.turn += 1
        turn, wait_s = about.turn, next(about.waits, None)
        if wait_s is not None:
            wait_s *= self._chance.uniform(0.95, 1.05)  # many heads must not speak in one breath for ever
            self._agenda.after(wait_s, lambda: self._again(about, turn))

    def _again(self, about: _Call, turn: int) -> None:
        if self._is_on and self._call is about and about.turn == turn and "C" not in about.letters:
            self._send(about)
            self._plan(about)

    def _read(self, line: str) -> None:
        if is_beacon(line):
            self._beacon_s = self._agenda.now()
        about = self._call
        if about is None:
            return
        letters = letters_for(self.flash.key, self.name, f"{self.flash.epoch}.{about.number}", line)
        if letters:
            self._show(about, letters)

    def _show(self, about: _Call, letters: str) -> None:
        before = about.letters
        for letter in letters:
            if _RANK.get(letter, -1) > max((_RANK[shown] for shown in about.letters), default=-1):
                about.letters += letter
        if about.letters == before:
            return  # known: a post that answers each line would never come to rest if this were said back
        if not before:
            about.waits = iter(ASK_S)
            self._plan(about)
        shows = about.letters[-1]
        about.closed_s = self._agenda.now()
        self._note()
        self._agenda.after(self._chance.uniform(*self._echo_s), lambda: self._echo(about, shows))

    def _echo(self, about: _Call, letter: str) -> None:
        if self._is_on and self._call is about and about.letters.endswith(letter):
            self._send(about)

    def _note(self) -> None:
        now = (self.letters[-1:], self._lamps())
        if not self.history or self.history[-1] != now:
            self.history.append(now)
            self._agenda.lock.notify_all()

    def _lamps(self) -> Lamps:
        about, now_s = self._call, self._agenda.now()
        if not self._is_on:
            return Lamps()
        if about is None or ("C" in about.letters and now_s - about.closed_s >= CLOSED_S):
            hears = self._beacon_s is not None and now_s - self._beacon_s < HEARS_S
            return Lamps(post=Glow.ON if hears else Glow.OFF)
        if not about.letters:
            return Lamps(post=Glow.FAST if now_s - about.since_s >= NOBODY_S else Glow.SLOW)
        if "C" in about.letters:
            return Lamps(Glow.DOUBLE, Glow.DOUBLE, Glow.DOUBLE)
        told = set(about.letters)
        return Lamps(Glow.ON, _police(told), _coming(told))


def _police(told: set[str]) -> Glow:
    if "W" in told:
        return Glow.DOUBLE
    if told & set("ADO"):
        return Glow.ON
    if "S" in told:
        return Glow.SLOW
    return Glow.FAST if "N" in told else Glow.OFF


def _coming(told: set[str]) -> Glow:
    if "W" in told:
        return Glow.OFF
    if "O" in told:
        return Glow.DOUBLE
    if "D" in told:
        return Glow.ON
    return Glow.SLOW if "G" in told else Glow.OFF
