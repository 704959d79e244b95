"""The broker of the quick stories."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.brokers import Iotcore, iotcore_broker


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Iotcore]:
    with iotcore_broker(tmp_path) as running:
        yield running
