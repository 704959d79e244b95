"""board.py, guard.py, flash.py and the start on pretended chips: the pins of both boards, and what a crash does."""

import os
import sys
import time

from tests.head.bench import BOOK, KEY, Chance

PINS = {}  # by number, as last made
RUNNING = []  # timers


class Pin:
    IN, OUT, PULL_UP, IRQ_FALLING, IRQ_RISING = 0, 1, 2, 4, 8

    def __init__(self, number: int, mode: int = 0, pull: int = 0, value: int = 1) -> None:
        self.mode, self.level = mode, value
        PINS[number] = self

    def value(self, level: int | None = None) -> int | None:
        if level is not None:
            self.level = level
        return self.level

    def irq(self, handler, trigger: int, hard: bool = False) -> None:
        self.handler, self.is_hard = handler, hard

    def go(self, level: int) -> None:
        """A hand moves the contact."""
        self.level = level
        self.handler(self)


class Uart:
    last = None

    def __init__(self, number: int, baud: int, tx, rx, txbuf: int, rxbuf: int) -> None:
        self.number, self.baud, self.coming, self.said = number, baud, b"", b""
        Uart.last = self

    def any(self) -> int:
        return len(self.coming)

    def read(self, count: int) -> bytes | None:
        octets, self.coming = self.coming[:count], self.coming[count:]
        return octets or None

    def write(self, octets: bytes) -> None:
        self.said += octets


class Adc:
    ATTN_11DB = 3
    level = 0
    gain = None

    def __init__(self, pin) -> None:
        pass

    def atten(self, gain: int) -> None:
        Adc.gain = gain

    def read_u16(self) -> int:
        return Adc.level


class Dog:
    fed = 0

    def __init__(self, timeout: int) -> None:
        assert timeout <= 8388

    def feed(self) -> None:
        Dog.fed += 1


class Timer:
    def __init__(self, number: int) -> None:
        pass

    def init(self, period: int, callback) -> None:
        self.tick = callback
        RUNNING.append(self)

    def deinit(self) -> None:
        RUNNING.remove(self)


class Machine:
    Pin, UART, ADC, WDT, Timer = Pin, Uart, Adc, Dog, Timer
    resets = 0

    @staticmethod
    def unique_id() -> bytes:
        return b"\x01\x02\x03\x04"

    @staticmethod
    def disable_irq() -> int:
        return 1

    @staticmethod
    def enable_irq(state: int) -> None:
        pass

    @staticmethod
    def reset() -> None:
        Machine.resets += 1


sys.modules["machine"] = Machine

from firmware_config.head import board as boards  # noqa: E402 - machine must be there first
from firmware_config.head import guard as guards  # noqa: E402
from firmware_config.head.flash import Files  # noqa: E402
from firmware_config.head.head import Head  # noqa: E402

FOLDER = "keep"  # below the folder that the interpreter runs in


class InFolder(Files):
    """The chip's root is not ours to write."""

    def __init__(self, folder: str) -> None:
        super().__init__(FOLDER)


boards.Files = InFolder  # type: ignore[misc]


def empty() -> None:
    for name in os.listdir(FOLDER):
        os.remove(FOLDER + "/" + name)


def struck(platform: str, piezo: bool = False) -> Head:
    board = boards.Board(platform, piezo)
    empty()
    board.usb = Silent()  # type: ignore[assignment]
    chance = Chance(3)
    return Head(board, chance.octets, chance, time.ticks_ms())  # type: ignore[attr-defined]


class Silent:
    def read(self) -> bytes:
        return b""

    def write(self, octets: bytes) -> None:
        pass


def run(head: Head, ms: int) -> None:
    start = time.ticks_ms()  # type: ignore[attr-defined]
    while time.ticks_diff(time.ticks_ms(), start) < ms:  # type: ignore[attr-defined]
        head.step(time.ticks_ms())  # type: ignore[attr-defined]


def story_a_strike_on_either_board_is_said_to_the_node_and_lights_its_lamp() -> None:
    for platform, pad, lamp, port in (("rp2", 15, 16, 1), ("esp32", 27, 18, 2)):
        head = struck(platform)
        assert PINS[pad].is_hard == (platform == "rp2")
        run(head, 40)
        PINS[pad].go(0)
        run(head, 20)
        PINS[pad].go(1)
        run(head, 20)
        assert Uart.last.number == port and Uart.last.baud == 38400
        assert Uart.last.said.startswith(b"\nK1 H-") and b".1 PANIC ------\n" in Uart.last.said
        levels = set()
        for _ in range(60):
            run(head, 10)
            levels.add(PINS[lamp].level)
        assert levels == {0, 1}


def story_edges_are_dated_when_they_came_however_busy_the_step_was() -> None:
    board = boards.Board("rp2")
    pad = PINS[15]
    pad.go(0)
    time.sleep_ms(30)  # type: ignore[attr-defined]
    pad.go(1)
    time.sleep_ms(20)  # type: ignore[attr-defined]
    (first, first_age), (second, second_age) = board.edges()
    assert (first, second) == (True, False) and 29 <= first_age - second_age <= 45 and second_age >= 19
    assert board.edges() == []


def story_a_storm_of_edges_fills_no_memory_and_the_level_is_still_seen() -> None:
    board = boards.Board("rp2")
    pad = PINS[15]
    for turn in range(500):
        pad.go(turn % 2)
    pad.go(0)
    edges = board.edges()
    assert len(edges) <= boards.MOST_EDGES + 1 and edges[-1] == (True, 0)
    pad.level = 1  # an interrupt that was missed
    assert board.edges() == [(False, 0)]


def story_a_blow_on_a_piezo_is_one_strike_while_it_rings() -> None:
    head = struck("esp32", piezo=True)
    assert Adc.gain == Adc.ATTN_11DB
    run(head, 40)
    for level in (30000, 9000, 20000, 5000, 14000, 100):
        Adc.level = level
        run(head, 8)
    run(head, 100)
    assert head.calls.number == 1 and head.calls.latest.kind == "PANIC"
    Adc.level = 5000  # wind and rain
    run(head, 50)
    assert head.calls.number == 1


def story_files_are_read_back_and_what_is_not_there_is_empty() -> None:
    files = Files(FOLDER)
    empty()
    assert files.read("x") == b""
    files.write("x", b"one")
    files.append("x", b"two")
    assert Files(FOLDER).read("x") == b"onetwo"
    files.write("x", b"three")
    assert files.read("x") == b"three"
    os.remove(FOLDER + "/x")
    os.rmdir(FOLDER)
    try:
        files.write("x", b"")
    except OSError:
        Files(FOLDER)
        return
    raise AssertionError("written into nothing")


def story_settings_and_presses_live_in_real_files() -> None:
    head = struck("rp2")
    head.settings.set_name("RT1")
    head.settings.set_key(KEY)
    head.settings.set_codebook(BOOK)
    head.calls.begin("PANIC", 0)
    chance = Chance(9)
    again = Head(head._board, chance.octets, chance, 0)
    assert (again.settings.name, again.is_keyed, again.calls.press) == ("RT1", True, head.calls.press)
    assert sorted(os.listdir(FOLDER)) == ["own.0", "press.0"]


def story_a_crash_is_kept_once_and_the_chip_starts_anew() -> None:
    board = boards.Board("rp2")
    resets = Machine.resets
    board.crash(TypeError("no such thing"))
    assert Machine.resets == resets + 1
    again = boards.Board("rp2")
    assert again.crashed == "crash: TypeError no such thing"
    again.forgive()
    assert boards.Board("rp2").crashed == ""


def story_the_watchdog_is_fed_by_a_timer_while_a_technician_holds_the_prompt() -> None:
    guard = guards.Guard()
    guard.hold()
    guard.hold()
    (timer,) = RUNNING
    fed = Dog.fed
    for _ in range(2 * guards.HOLD_S):
        timer.tick(timer)
    assert Dog.fed == fed + guards.HOLD_S - 1  # then it starts anew
    guard.release()
    assert RUNNING == [] and Dog.fed == fed + guards.HOLD_S


def story_the_loop_feeds_the_watchdog_after_each_whole_step_and_not_after_a_broken_one() -> None:
    from firmware_config.head import main as starts

    class Twice:
        steps = 0

        def __init__(self, board, urandom, chance, ticks: int) -> None:
            pass

        def step(self, ticks: int) -> None:
            Twice.steps += 1
            if Twice.steps == 3:
                raise ValueError("broken")

    starts.Head, starts.Board = Twice, lambda: boards.Board("rp2")  # type: ignore[misc, assignment]
    fed, resets = Dog.fed, Machine.resets
    starts.main()
    assert (Dog.fed - fed, Machine.resets - resets) == (3, 1)  # one as it takes over, two whole steps


def story_a_technicians_break_leaves_the_prompt_with_the_watchdog_fed() -> None:
    from firmware_config.head import main as starts

    class Broken:
        def __init__(self, board, urandom, chance, ticks: int) -> None:
            raise KeyboardInterrupt()

    resets = Machine.resets
    starts.Head, starts.Board = Broken, lambda: boards.Board("rp2")  # type: ignore[misc, assignment]
    starts.main()
    assert Machine.resets == resets and len(RUNNING) == 1
    guards.guard.release()
