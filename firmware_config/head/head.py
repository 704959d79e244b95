"""The head: pad, button, lamps, lines and flash tied together in one step. The clock and the pins are parameters."""

from bridge.domain.codebook import Codebook
from bridge.domain.pad import Pad
from firmware_config.head import lamps, service
from firmware_config.head.button import Button
from firmware_config.head.call import DONE, OPEN, Call
from firmware_config.head.calls import Calls, new_epoch
from firmware_config.head.line import answers, call, is_beacon
from firmware_config.head.settings import Settings
from firmware_config.head.store import Log
from firmware_config.head.talk import NODE_GAP_MS, Wire

NOBODY_MS = 80_000
HEARD_MS = 3_600_000
CLOSED_MS = 120_000
RUN_MS = 3000
ROLL_MS = 300_000
BEEP_MS = 1000
LOOK_MS = 50  # how often a pad is looked at that waits for no moment
TICKS_MASK = (1 << 30) - 1  # MicroPython's ticks_ms wraps there
USB_LINE, UART_LINE = 1000, 260


class Clock:
    """Milliseconds since the start that only rise, out of ticks that wrap. Ask more often than every twelve days."""

    def __init__(self, ticks: int) -> None:
        self._ticks, self._now_ms = ticks, 0

    def now_ms(self, ticks: int) -> int:
        self._now_ms += (ticks - self._ticks) & TICKS_MASK
        self._ticks = ticks
        return self._now_ms


class RollCall(Codebook):
    """The village's codebook, but a lone strike only says that somebody is here."""

    def once(self) -> str:
        return "NOTICE"


class Head:
    """`board`: pins and ports (board.py). Call `step` as often as you can; feed the watchdog after each."""

    def __init__(self, board, urandom, chance, ticks: int) -> None:
        self._board, self._chance = board, chance
        self._clock = Clock(ticks)
        self.settings = Settings(_log(board.files, "own", 2), board.unique())
        self.calls = Calls(_log(board.files, "press", 4), lambda: new_epoch(urandom), chance, 0)
        self._usb = Wire(board.usb, 0, USB_LINE)
        self._uart = Wire(board.uart, NODE_GAP_MS, UART_LINE)
        self._button = Button()
        self._pad_ms = 0
        self._is_stuck = False
        self._heard_ms = -HEARD_MS
        self._run_until_ms = self._beep_until_ms = self._roll_until_ms = 0
        self._rolled = ""  # the press that a roll-call was about: said again, it is a replay
        self._struck = None  # type: Call | None
        self._wants_pad = False
        self.new_pad()
        self._change_pad()

    @property
    def is_keyed(self) -> bool:
        return self.settings.key != b""

    @property
    def fault(self) -> str:
        stuck = "pad: it stays closed" if self._is_stuck else ""
        faults = (stuck, self.calls.fault, self.settings.fault)
        return "; ".join([fault for fault in faults if fault])

    @property
    def crash(self) -> str:
        """What ended the run before this one, if it was an error of ours; a self-test forgets it."""
        return self._board.crashed

    def step(self, ticks: int) -> None:
        """Everything once. `ticks`: ticks_ms, which may wrap."""
        now_ms = self._clock.now_ms(ticks)
        self._strikes(now_ms)
        self._press(self._button.look(self._board.button_down(), now_ms), now_ms)
        for line in self._usb.hear():
            if line[0] == "!":
                self._usb.reply(service.answer(self, line, now_ms))
            else:
                self._answer(line, now_ms)
        for line in self._uart.hear():
            self._answer(line, now_ms)
        self._speak(now_ms)
        self._show(now_ms)

    # What a hand does

    def new_pad(self) -> None:
        """Codebook or place have changed: from the next silence on."""
        self._wants_pad = True

    def _change_pad(self) -> None:
        if self._roll_until_ms:
            self._pad = Pad(RollCall("roll-call", self.settings.rules), True)
        else:
            self._pad = Pad(self.settings.codebook, self.settings.is_at_post)
        self._pad_due_ms = None  # type: int | None
        self._wants_pad = False

    def _strikes(self, now_ms: int) -> None:
        if self._roll_until_ms and now_ms >= self._roll_until_ms:
            self._end_roll()
        if self._wants_pad and self._pad.next_ms() is None and not self._is_stuck:
            self._change_pad()
        for closed, age_ms in self._board.edges():
            self._pad_ms = max(self._pad_ms, now_ms - age_ms)  # an edge may have come while a step was under way
            self._act(self._pad.edge(closed, self._pad_ms), now_ms)
            self._pad_due_ms = self._pad.next_ms()
        if self._pad_due_ms is not None and now_ms >= self._pad_due_ms:
            self._pad_ms = max(self._pad_ms, now_ms)
            self._act(self._pad.tick(self._pad_ms), now_ms)
            due_ms = self._pad.next_ms()
            self._pad_due_ms = due_ms if due_ms is None or due_ms > now_ms else now_ms + LOOK_MS

    def _act(self, acts: list[tuple[str, str]], now_ms: int) -> None:
        for act, kind in acts:
            if act == "PRESS":
                self._end_roll()
                self._struck = self.calls.begin(kind, now_ms)
            elif act == "KIND" and self._struck is not None:
                self.calls.refine(self._struck, kind, now_ms)
            elif act in ("AMAN", "NOTICE"):
                self.calls.begin("HERE" if self._roll_until_ms else act, now_ms)
                self._end_roll()
            elif act in ("STUCK", "FREED"):
                self._is_stuck = act == "STUCK"

    def _press(self, how: str, now_ms: int) -> None:
        if how == "short":
            self.calls.begin("CANCEL", now_ms)
        elif how == "long":
            self.test(now_ms)

    def test(self, now_ms: int) -> str:
        """Lamps run, and a TEST goes out under its own number. While a call is open only the lamps; then ''."""
        self.run_lamps(now_ms)
        self._board.forgive()
        return "" if self.calls.is_open else self.calls.begin("TEST", now_ms).press

    def run_lamps(self, now_ms: int) -> None:
        self._run_until_ms = now_ms + RUN_MS

    # What is heard

    def _answer(self, line: str, now_ms: int) -> None:
        if is_beacon(line):
            self._heard_ms = now_ms
            return
        presses = [alive.press for alive in self.calls.alive] + [self.calls.press]
        for press, letters in answers(self.settings.key, self.settings.name, presses, line):
            self._heard_ms = now_ms
            if letters == "R":
                self._begin_roll(press, now_ms)
            elif self.calls.hear(press, letters, now_ms):
                self._beep_until_ms = now_ms + BEEP_MS

    def _begin_roll(self, press: str, now_ms: int) -> None:
        if press == self.calls.press != self._rolled and not self.calls.is_open:
            self._rolled, self._roll_until_ms = press, now_ms + ROLL_MS
            self.new_pad()

    def _end_roll(self) -> None:
        if self._roll_until_ms:
            self._roll_until_ms = 0
            self.new_pad()

    # What is said and shown

    def _speak(self, now_ms: int) -> None:
        self.calls.forget(now_ms, self.is_keyed)
        for due in self.calls.alive:
            if due.is_due(now_ms):
                line = call(self.settings.key, self.settings.name, due.press, due.kind, due.letter(now_ms))
                self._usb.say(due.press, line)
                self._uart.say(due.press, line)
                due.was_said(now_ms, self._chance)
        self._usb.flush(now_ms)
        self._uart.flush(now_ms)

    def _show(self, now_ms: int) -> None:
        patterns = self._patterns(now_ms)
        self._board.lamps([lamps.lit(pattern, now_ms) for pattern in patterns])
        self._board.beep(now_ms < self._beep_until_ms and lamps.lit(lamps.FAST, now_ms))

    def _patterns(self, now_ms: int) -> tuple[str, str, str]:
        if now_ms < self._run_until_ms:
            return lamps.TEST
        patterns = self._steps(now_ms)
        return lamps.with_fault(patterns) if self.fault else patterns

    def _steps(self, now_ms: int) -> tuple[str, str, str]:
        latest = self.calls.latest
        if self._roll_until_ms:
            return lamps.ROLL
        if latest is None or (latest.state == DONE and not self._is_just_closed(latest, now_ms)):
            return lamps.HEARD if now_ms - self._heard_ms < HEARD_MS else lamps.DARK
        if self.is_keyed and latest.is_fresh:
            return lamps.for_letters(latest.letters)
        is_lost = latest.state == OPEN and not latest.letters and now_ms - latest.since_ms >= NOBODY_MS
        return lamps.NOBODY if self.is_keyed and is_lost else lamps.SENT

    def _is_just_closed(self, latest: Call, now_ms: int) -> bool:
        return latest.is_fresh and "C" in latest.letters and now_ms - latest.changed_ms < CLOSED_MS


def _log(files, name: str, count: int) -> Log | None:
    """None where the flash cannot be read: the head works on without it, and says so."""
    try:
        return Log(files, name, count)
    except OSError:
        return None
