"""Pins and ports of a Raspberry Pi Pico and an ESP32: the only file that knows hardware."""

import select
import sys
import time
from array import array

import machine  # type: ignore[import-not-found]

from firmware_config.head.flash import Files
from firmware_config.head.piezo import Piezo

PIEZO = False  # a disc on the ADC instead of a switch
BEEPS = False
BAUD = 38400  # as the node's Serial module by default

PICO = {"pad": 15, "adc": 26, "button": 14, "beep": 19, "uart": 1, "tx": 4, "rx": 5}
ESP32 = {"pad": 27, "adc": 34, "button": 26, "beep": 22, "uart": 2, "tx": 17, "rx": 16}
PINS = {"rp2": PICO, "esp32": ESP32}
LAMPS = {"rp2": (16, 17, 18), "esp32": (18, 19, 21)}  # post, police, coming

MOST_EDGES = 64
MOST_BYTES = 256  # taken from USB in one step


class Board:
    """`platform`: sys.platform of the board. Lamps are lit by a high pin."""

    def __init__(self, platform: str = sys.platform, piezo: bool = PIEZO, beeps: bool = BEEPS) -> None:
        pins = PINS[platform]
        self.files = Files("/keep")
        self.crashed = self._last_crash()
        self._button = machine.Pin(pins["button"], machine.Pin.IN, machine.Pin.PULL_UP)
        self._lamps = [machine.Pin(pin, machine.Pin.OUT, value=0) for pin in LAMPS[platform]]
        self._beep = machine.Pin(pins["beep"], machine.Pin.OUT, value=0) if beeps else None
        self._pad = Piezo(_adc(pins["adc"], platform)) if piezo else Switch(pins["pad"], platform)
        self.usb = Usb()
        self.uart = Uart(pins)

    def unique(self) -> bytes:
        return bytes(machine.unique_id())

    def edges(self) -> list[tuple[bool, int]]:
        """Changes of the pad's contact since the last look: (closed, age in ms)."""
        return self._pad.edges(time.ticks_ms())  # type: ignore[attr-defined]

    def button_down(self) -> bool:
        return self._button.value() == 0

    def lamps(self, lit: list[bool]) -> None:
        for pin, is_lit in zip(self._lamps, lit):  # noqa: B905 - MicroPython's zip knows no `strict`
            pin.value(1 if is_lit else 0)

    def beep(self, is_on: bool) -> None:
        if self._beep is not None:
            self._beep.value(1 if is_on else 0)

    def crash(self, error: Exception) -> None:
        """An error of ours: kept for the technician, once, and a new start."""
        said = f"crash: {type(error).__name__} {error}"[:120]
        try:
            if said != self.crashed:
                self.files.write("crash", said.encode())
        except OSError:
            pass  # the flash may be what is sick
        machine.reset()

    def forgive(self) -> None:
        if self.crashed:
            self.crashed = ""
            self.files.write("crash", b"")

    def _last_crash(self) -> str:
        try:
            return self.files.read("crash").decode()
        except (OSError, ValueError):
            return ""


class Switch:
    """A contact to ground. Its edges are taken by an interrupt, so that a busy step does not bend the rhythm."""

    def __init__(self, pin: int, platform: str) -> None:
        self._times = array("i", [0] * MOST_EDGES)  # nothing may be allocated in an interrupt
        self._levels = bytearray(MOST_EDGES)
        self._count = 0
        self._is_closed = False
        self._pin = machine.Pin(pin, machine.Pin.IN, machine.Pin.PULL_UP)
        both = machine.Pin.IRQ_FALLING | machine.Pin.IRQ_RISING
        if platform == "rp2":
            self._pin.irq(self._edge, both, hard=True)
        else:
            self._pin.irq(self._edge, both)

    def _edge(self, pin) -> None:
        if self._count < MOST_EDGES:
            self._times[self._count] = time.ticks_ms()  # type: ignore[attr-defined]
            self._levels[self._count] = pin.value()
            self._count += 1

    def edges(self, ticks: int) -> list[tuple[bool, int]]:
        """The level itself is looked at too: a storm of noise may have filled the room for edges."""
        state = machine.disable_irq()
        taken = [(self._levels[at] == 0, self._times[at]) for at in range(self._count)]
        self._count = 0
        is_closed = self._pin.value() == 0
        machine.enable_irq(state)
        edges = [(closed, max(0, time.ticks_diff(ticks, at))) for closed, at in taken]  # type: ignore[attr-defined]
        if is_closed != (edges[-1][0] if edges else self._is_closed):
            edges.append((is_closed, 0))
        self._is_closed = is_closed
        return edges


class Usb:
    """The USB serial port, which is the prompt's too. What a host does not take is dropped: nobody may hold us up."""

    def __init__(self) -> None:
        self._in, self._out = select.poll(), select.poll()
        self._in.register(sys.stdin, select.POLLIN)
        self._out.register(sys.stdout, select.POLLOUT)

    def read(self) -> bytes:
        octets = b""
        while len(octets) < MOST_BYTES and self._in.poll(0):
            octets += sys.stdin.buffer.read(1)
        return octets

    def write(self, octets: bytes) -> None:
        if self._out.poll(0):
            sys.stdout.buffer.write(octets)


class Uart:
    """The two wires to a node."""

    def __init__(self, pins: dict[str, int]) -> None:
        tx, rx = machine.Pin(pins["tx"]), machine.Pin(pins["rx"])
        self._uart = machine.UART(pins["uart"], BAUD, tx=tx, rx=rx, txbuf=512, rxbuf=1024)

    def read(self) -> bytes:
        return self._uart.read(MOST_BYTES) or b"" if self._uart.any() else b""

    def write(self, octets: bytes) -> None:
        self._uart.write(octets)


def _adc(pin: int, platform: str):
    adc = machine.ADC(machine.Pin(pin))
    if platform == "esp32":
        adc.atten(machine.ADC.ATTN_11DB)  # the whole 3.3 V
    return adc.read_u16
