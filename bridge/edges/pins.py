"""A Raspberry Pi's pins through gpiozero, and its errors as one; the package is needed only where a pin is used."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bridge.domain.errors import BridgeError


class PinTrouble(BridgeError):
    """The pin cannot be used; one clear line."""


def open_pin(device: str, pin: str, table: str, **how: Any) -> Any:
    """gpiozero's `device` (DigitalInputDevice, OutputDevice) on the `pin` of a `table` of post.toml. PinTrouble."""
    try:
        import gpiozero
    except ImportError as error:
        why = "gpiozero tidak terpasang; ketik (not installed; type): pip install 'kentongan[gpio]'"
        raise PinTrouble(why) from error
    with pin_errors(pin, table):
        return getattr(gpiozero, device)(pin, **how)


@contextmanager
def pin_errors(pin: str, table: str) -> Iterator[None]:
    """Whatever gpiozero and the back end it has chosen say of a pin is PinTrouble."""
    from gpiozero import GPIOZeroError

    known: tuple[type[Exception], ...] = (GPIOZeroError, OSError, RuntimeError, ValueError)
    if lgpio := sys.modules.get("lgpio"):
        known = (*known, lgpio.error)  # "busy" is an error of its own there
    try:
        yield
    except known as error:
        raise PinTrouble(f"pin {pin} tidak bisa dipakai, periksa {table} pin (cannot be used): {error}") from error
