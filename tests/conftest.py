"""What every test shares: chance that repeats itself, and ports nobody else uses."""

import signal
import socket
from collections.abc import Callable

import pytest
from hypothesis import settings

# The same examples on every run, and no time limit for one of them: CI has two slow cores.
settings.register_profile("kentongan", derandomize=True, deadline=None, database=None)
settings.load_profile("kentongan")

# A shell that starts the tests in the background, or nohup, has these ignored, and so would every program of ours.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture
def free_port() -> Callable[[], int]:
    """Gives a TCP port of 127.0.0.1 on which nobody listens now."""

    def find() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    return find


FIGURE = "measured: "


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Figures for people, on the last page: what tests printed after `measured: `, also those that passed."""
    reports = [report for report in terminalreporter.stats.get("passed", []) if report.when == "call"]
    lines = [line for report in reports for line in report.capstdout.splitlines() if line.startswith(FIGURE)]
    if lines:
        terminalreporter.section("measured")
    for line in lines:
        terminalreporter.line(line.removeprefix(FIGURE))
