"""What may be asked at the control socket: the bridge's state, a drill, the journal. Answers are JSON-able."""

import itertools
import queue
from collections.abc import Callable
from typing import Any, Protocol

from bridge.control import Ask
from bridge.domain.errors import BridgeError, JournalFailed
from bridge.domain.events import PressHeard, SilenceAsked, StatusAsked
from bridge.domain.ids import PostId, Run, wired_press, wired_source
from bridge.domain.ports import Clock, Deliver
from bridge.domain.press import Kind, Press, Remark, Via

STATUS_S = 2.0
LONGEST_TEST_S = 10.0
ENTRY = "command"
MOST_ALARMS = 10_000


class NotAsked(BridgeError):
    """The question itself is wrong, or nobody could answer it in time."""


class Reader(Protocol):
    """Looks into the journal from any thread; JournalFailed says why it cannot."""

    def pending(self) -> int: ...

    def alarms(self, limit: int, open_only: bool = False) -> list[dict[str, Any]]: ...

    def alarm(self, alarm_id: str) -> dict[str, Any]: ...


class Sirens(Protocol):
    """Sounds one of them for so long; its fault, or ''. Raises KeyError, BridgeError."""

    def test(self, name: str, for_s: float) -> str: ...


class Questions:
    """`about`: facts that never change while the bridge runs (version, radio, siren); `parts`: its edges' pictures;
    `stations`: how its radios send."""

    def __init__(
        self,
        *,
        post: PostId,
        run: Run,
        clock: Clock,
        deliver: Deliver,
        reader: Reader,
        about: dict[str, Any],
        parts: Callable[[], dict[str, Any]] = dict,
        stations: Callable[[], dict[str, Any]] = dict,
        sirens: Sirens | None = None,
    ) -> None:
        self._post, self._run, self._clock, self._deliver = post, run, clock, deliver
        self._reader, self._about, self._parts = reader, about, parts
        self._sirens, self._stations = sirens, stations
        self._presses = itertools.count(1)

    def asks(self) -> dict[str, Ask]:
        """By the words of the question."""
        return {
            "status": self._status,
            "doctor": self._doctor,
            "press": self._press,
            "siren off": self._silence,
            "siren test": self._test,
            "journal list": self._list,
            "journal show": self._show,
        }

    def _status(self, _: dict[str, Any]) -> dict[str, Any]:
        """The engine's own picture, asked through its inbox, and what only others know."""
        answer: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._deliver(StatusAsked(answer.put))
        try:
            picture = answer.get(timeout=STATUS_S)
        except queue.Empty:
            raise NotAsked(f"the bridge did not answer within {STATUS_S:.0f} s; restart it if that goes on") from None
        return picture | self._about | {"journal": self._journal(), "parts": self._parts()}

    def _doctor(self, question: dict[str, Any]) -> dict[str, Any]:
        """What only the bridge can tell of the post, since its radio has no second client."""
        return self._status(question) | {"stations": self._stations()}

    def _journal(self) -> dict[str, Any]:
        try:
            return {"waiting": self._reader.pending()}
        except JournalFailed as error:
            return {"error": str(error)}

    def _press(self, question: dict[str, Any]) -> dict[str, Any]:
        """A drill, always: what is typed at a keyboard is nobody's call for help."""
        try:
            kind = Kind(str(question.get("kind", Kind.PANIC.value)).upper())
        except ValueError:
            raise NotAsked(f"unknown kind; known: {', '.join(kind.value for kind in Kind)}") from None
        press = Press(
            wired_press(self._post.post, ENTRY, self._run.bits, next(self._presses)),
            wired_source(self._post.post, ENTRY),
            kind,
            Via.COMMAND,
            trusted=True,
            remarks=frozenset({Remark.DRILL}),
        )
        self._deliver(PressHeard(press, self._clock.monotonic()))
        return {"press": press.id, "uplinks": self._about["uplink_urls"]}

    def _silence(self, question: dict[str, Any]) -> dict[str, Any]:
        """Until the next press; nothing else is stopped by it."""
        by = str(question.get("by", ""))[:40] or "somebody at the post"
        self._deliver(SilenceAsked(by))
        return {"silenced": True, "by": by}

    def _test(self, question: dict[str, Any]) -> dict[str, Any]:
        """One siren, for some seconds; an alarm goes before it."""
        name, for_s = str(question.get("output", "")), question.get("seconds", STATUS_S)
        if type(for_s) not in (int, float) or not 0 < for_s <= LONGEST_TEST_S:
            raise NotAsked(f"seconds is more than 0, at most {LONGEST_TEST_S:g}")
        try:
            if self._sirens is None:
                raise KeyError(name)
            return {"output": name, "fault": self._sirens.test(name, for_s)}
        except KeyError:
            raise NotAsked(f"the bridge knows no siren {name!r}; restart it after a change of post.toml") from None

    def _list(self, question: dict[str, Any]) -> dict[str, Any]:
        limit = question.get("limit", MOST_ALARMS)
        if type(limit) is not int or not 1 <= limit <= MOST_ALARMS:
            raise NotAsked(f"limit is 1 to {MOST_ALARMS}")
        return {"alarms": self._reader.alarms(limit, question.get("open") is True)}

    def _show(self, question: dict[str, Any]) -> dict[str, Any]:
        return {"alarm": self._reader.alarm(str(question.get("id", "")))}
