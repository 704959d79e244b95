"""What the stories of edges share."""

from collections.abc import Iterator

import gpiozero
import pytest
from gpiozero.pins.mock import MockFactory

from simulator.village import Village


@pytest.fixture
def pins() -> Iterator[MockFactory]:
    """gpiozero's own pretended pins."""
    before, gpiozero.Device.pin_factory = gpiozero.Device.pin_factory, MockFactory()
    yield gpiozero.Device.pin_factory
    gpiozero.Device.pin_factory.reset()
    gpiozero.Device.pin_factory = before


@pytest.fixture
def village() -> Iterator[Village]:
    """An air of their own for a few nodes."""
    with Village(seed=3) as made:
        yield made
