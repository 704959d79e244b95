"""A journal in a temporary folder, closed whatever happens."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bridge.store import Journal
from tests.store.village import BITS, NOW


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def opened(path: Path) -> Iterator[Callable[[], Journal]]:
    """Opens the journal; all of them are closed at the end. One can be closed and opened again in between."""
    journals: list[Journal] = []

    def open_one() -> Journal:
        journals.append(Journal.open(path, run_bits=BITS, moment=NOW))
        return journals[-1]

    yield open_one
    for journal in journals:
        journal.close()


@pytest.fixture
def journal(opened: Callable[[], Journal]) -> Journal:
    return opened()
