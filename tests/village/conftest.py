"""The stage for whole-village stories: each on a broker of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.brokers import Mosquitto, mosquitto_broker
from tests.village.scene import Scene, scene


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """Debian's broker with its default persistence."""
    with mosquitto_broker(tmp_path) as running:
        yield running


@pytest.fixture
def evening(tmp_path: Path, broker: Mosquitto) -> Iterator[Scene]:
    """A post, a desk and a village that know each other already."""
    with scene(tmp_path, broker.url) as stage:
        stage.wait_desk()
        yield stage
