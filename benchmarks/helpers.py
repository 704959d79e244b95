"""Helper processes: one order a line in JSON, one answer a line back. None shares an interpreter with another."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

ANSWER_S = 900.0


class BenchFailed(Exception):
    """Something was lost, doubled or never came; the message says what."""


def until(true: Callable[[], Any], limit_s: float, what: str, every_s: float = 0.01) -> Any:
    """The first true value; BenchFailed says what did not come."""
    end = time.monotonic() + limit_s
    while not (value := true()):
        if time.monotonic() > end:
            raise BenchFailed(f"not within {limit_s:.0f} s: {what}")
        time.sleep(every_s)
    return value


class Helper:
    """`python -m benchmarks.<name>` in a process of its own; gone when the `with` ends."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"benchmarks.{name}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> "Helper":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def ask(self, what: str, **facts: Any) -> Any:
        """The helper's answer. BenchFailed when it has died."""
        self.tell(what, **facts)
        return self.answer()

    def tell(self, what: str, **facts: Any) -> None:
        """Give an order whose answer is fetched later."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"ask": what} | facts) + "\n")
        self._process.stdin.flush()

    def answer(self) -> Any:
        """Of the oldest order not yet answered."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise BenchFailed(f"the helper {self._name} died")
        return json.loads(line)


def serve(asks: Mapping[str, Callable[..., Any]]) -> None:
    """The helper's side: answer orders until standard input ends."""
    for line in sys.stdin:
        facts = json.loads(line)
        print(json.dumps(asks[facts.pop("ask")](**facts)), flush=True)
