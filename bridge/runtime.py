"""Threads at the edges, one owner in the middle: the main thread runs the engine and touches no disk or socket."""

import os
import signal
import socket
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol, assert_never

import structlog

from bridge.domain import commands as cmd
from bridge.domain import events as ev
from bridge.domain.ports import Clock, Deliver, Input, Radio, Siren, Uplink
from bridge.engine import Engine
from bridge.story import narrate

log = structlog.get_logger()

WATCHDOG_S = 10.0
DRAIN_S = 2.0
HANDOVER_S = 0.05  # the longest that a burst may keep decisions from the disk
# A journal worker that stands still for so long, with work waiting, is not fed to the watchdog. Long, because a restart
# forgets what a hung disk has not taken, and cures only a worker that hangs through a fault of ours.
STUCK_S = 300.0
FAILED_WAIT_S = 1.0


URGENT = (ev.PressHeard, ev.HeadCalled, ev.SilenceAsked)


class _Part(Protocol):
    """A port of the domain, as far as starting and stopping go."""

    def start(self, deliver: Deliver) -> None: ...

    def stop(self) -> None: ...


class Writer(Protocol):
    """The journal worker: facts in, Committed out."""

    def start(self, deliver: Deliver) -> None: ...

    def put(self, number: int, facts: tuple[cmd.Fact, ...]) -> None: ...

    def stop(self) -> None: ...

    def stuck_s(self) -> float: ...


class Listener(Protocol):
    """Something that serves people beside the main flow: the control socket."""

    def start(self) -> None: ...

    def stop(self) -> None: ...


class Inbox:
    """Events from every thread: presses first, all else in the order it came. Memory only, and that is safe: nothing
    is promised before the commit.
    """

    def __init__(self) -> None:
        self._presses: deque[ev.Event] = deque()
        self._others: deque[ev.Event] = deque()
        self._news = threading.Condition()

    def put(self, event: ev.Event) -> None:
        with self._news:
            (self._presses if isinstance(event, URGENT) else self._others).append(event)
            self._news.notify()

    @property
    def has_press(self) -> bool:
        return bool(self._presses)

    def get(self, wait_s: float) -> ev.Event:
        """The next event, or Tick when none came within `wait_s`."""
        with self._news:
            self._news.wait_for(lambda: self._presses or self._others, wait_s)
            for events in (self._presses, self._others):
                if events:
                    return events.popleft()
        return ev.Tick()


class Runtime:
    """Starts every part, runs the engine until told to stop, and stops every part in the reverse order."""

    def __init__(
        self,
        *,
        engine: Engine,
        inbox: Inbox,
        clock: Clock,
        journal: Writer,
        siren: Siren,
        radios: tuple[Radio, ...] = (),
        uplinks: tuple[Uplink, ...] = (),
        inputs: tuple[Input, ...] = (),
        listeners: tuple[Listener, ...] = (),
    ) -> None:
        self._engine, self._inbox, self._clock, self._journal = engine, inbox, clock, journal
        self._siren, self._radios, self._uplinks, self._listeners = siren, radios, uplinks, listeners
        self._inputs = {wired.name: wired for wired in inputs}
        self._fed_at = 0.0
        self._is_leaving = False
        self._decided: list[cmd.Decision] = []
        self._decided_s = 0.0
        self._least_wait_s = 0.0

    def run(self) -> None:
        """Until SIGTERM, SIGINT or a Stop event."""
        with self._signals(), self._parts():
            tell_systemd("READY=1")
            while True:
                event = self._inbox.get(self._wait_s())
                self._handle(event)
                if not self._inbox.has_press or self._clock.monotonic() - self._decided_s >= HANDOVER_S:
                    self._hand_over()
                self._feed_watchdog()
                if isinstance(event, ev.Stop):
                    self._hand_over()
                    log.info("bridge stops", why=event.why)
                    tell_systemd("STOPPING=1")
                    return

    def _wait_s(self) -> float:
        """A press cuts it short. What fails whenever time passes is tried again after a pause, not at once."""
        least_s, self._least_wait_s = self._least_wait_s, 0.0
        return min(max(self._engine.wait_s(self._clock.now()), least_s), WATCHDOG_S)

    def _handle(self, event: ev.Event) -> None:
        """One event that we cannot bear must not cost the next press its siren.

        Of one that fails half-way, what was decided by then is done: a fault in the answers costs no alarm.
        """
        for decide in (lambda now: self._engine.handle(event, now), self._engine.salvage):
            try:
                self._carry_out(decide(self._clock.now()))
                return
            except Exception as error:  # the top of the main thread
                log.exception("event failed", on=type(event).__name__)
                self._least_wait_s = FAILED_WAIT_S
                if not isinstance(event, ev.Fault):
                    what = f"{type(error).__name__} on {type(event).__name__}; report this"
                    self._inbox.put(ev.Fault("engine", what))

    def _carry_out(self, decision: cmd.Decision) -> None:
        if not self._decided:
            self._decided_s = self._clock.monotonic()
        self._decided.append(decision)  # first: what is decided is written even where an output fails
        for command in decision.now:
            self._command(command)

    def _hand_over(self) -> None:
        """To the journal and the log, once nothing waits to be decided: in a burst the sirens go before the disk."""
        decided, self._decided = self._decided, []
        for decision in decided:
            if decision.facts:
                self._journal.put(decision.number, decision.facts)
        for decision in decided:
            narrate(decision)

    def _command(self, command: cmd.Command) -> None:
        match command:
            case cmd.Sound() | cmd.Silence() | cmd.Chirp():
                self._siren.do(command)
            case cmd.Relay():
                for uplink in self._uplinks:
                    uplink.relay(command)
            case cmd.Sweep():
                for uplink in self._uplinks:
                    uplink.sweep()
            case cmd.Account(answers):
                for uplink in self._uplinks:
                    uplink.account(answers)
            case cmd.Light(route=route) | cmd.Beacon(route=route) if route:
                self._inputs[route].show(command)
            case cmd.Tell() | cmd.Announce() | cmd.Light() | cmd.Beacon():
                self._say(command)
            case _:
                assert_never(command)

    def _say(self, words: cmd.Words) -> None:
        if self._is_leaving:
            return  # the radio is gone; whoever struck strikes again, and a word is owed after the restart
        if not self._radios:
            self._inbox.put(ev.TextFailed(words.ticket, "this post has no radio"))
        for radio in self._radios:
            radio.say(words)

    def _feed_watchdog(self) -> None:
        """systemd restarts us when the main loop or the journal worker stands still."""
        now = self._clock.monotonic()
        if now - self._fed_at >= WATCHDOG_S / 2 and self._journal.stuck_s() < STUCK_S:
            self._fed_at = now
            tell_systemd("WATCHDOG=1")

    @contextmanager
    def _parts(self) -> Iterator[None]:
        """The radio starts last, when all is ready, and stops first: what it still delivered rings and is written.

        Each part is stopped whatever the others do, also one whose start failed half-way.
        """
        deliver = self._inbox.put
        with ExitStack() as leave:
            outputs: tuple[_Part, ...] = (self._journal, *self._uplinks, self._siren)
            parts: tuple[_Part, ...] = (*outputs, *self._inputs.values(), *self._radios)
            for part in parts:
                leave.callback(self._leave, part)
                part.start(deliver)
            for listener in self._listeners:
                leave.callback(self._leave, listener)
                listener.start()
            yield

    def _leave(self, part: _Part | Listener) -> None:
        """What a part said when it went is heard by all who are still there; the journal goes last."""
        self._is_leaving = True
        try:
            part.stop()
        except Exception:  # a part that cannot even stop must not keep the journal open
            log.exception("part not stopped", part=type(part).__name__)
        if part is not self._journal:
            self._drain()

    def _drain(self) -> None:
        """Uplinks may go on delivering: some seconds are enough for everything that matters."""
        until_s = self._clock.monotonic() + DRAIN_S
        while self._clock.monotonic() < until_s and not isinstance(event := self._inbox.get(0.0), ev.Tick):
            self._handle(event)
        self._hand_over()

    @contextmanager
    def _signals(self) -> Iterator[None]:
        def ask_to_stop(number: int, _frame: Any) -> None:
            self._inbox.put(ev.Stop(signal.Signals(number).name))

        before = {number: signal.signal(number, ask_to_stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def tell_systemd(state: str) -> None:
    """sd_notify(3): one datagram; nothing happens where no service manager listens, and nobody waits for a busy one."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    target = "\0" + address[1:] if address.startswith("@") else address
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK) as sock:
        try:
            sock.sendto(state.encode(), target)
        except OSError as error:
            log.warning("service manager not told", state=state, why=str(error))
