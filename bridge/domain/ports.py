"""What the middle needs from the edges. Structural: nobody inherits."""

from collections.abc import Callable
from typing import Any, Protocol

from bridge.domain.alarm import Moment
from bridge.domain.commands import Beacon, Chirp, Light, OutboxRow, Relay, Silence, Sound, Words
from bridge.domain.desk import Answer
from bridge.domain.events import Event

Deliver = Callable[[Event], None]


class Clock(Protocol):
    """Time as a parameter."""

    def monotonic(self) -> float: ...

    def now(self) -> Moment: ...


class Radio(Protocol):
    """A mesh radio: delivers RadioUp/RadioDown, what it heard and the fate of each ticket; never blocks its caller."""

    name: str

    def start(self, deliver: Deliver) -> None: ...

    def say(self, words: Words) -> None: ...

    def picture(self) -> dict[str, Any]: ...

    def stop(self) -> None: ...


class Input(Protocol):
    """A wired kentongan or head: delivers PressHeard, HeadCalled, Tapped, Fault and, for what it shows, TextSent or
    TextFailed; never blocks its caller. An input without lamps fails every ticket."""

    name: str

    def start(self, deliver: Deliver) -> None: ...

    def show(self, words: Light | Beacon) -> None: ...

    def picture(self) -> dict[str, Any]: ...

    def stop(self) -> None: ...


class Siren(Protocol):
    """Sounds are taken at once and played by a worker; a failure is delivered as a Fault."""

    def start(self, deliver: Deliver) -> None: ...

    def do(self, command: Sound | Silence | Chirp) -> None: ...

    def stop(self) -> None: ...


class Page(Protocol):
    """Reads pending outbox rows with sequence < `before` (None: all), newest first, on the caller's thread."""

    def __call__(self, before: int | None, limit: int) -> list[OutboxRow]: ...


class Uplink(Protocol):
    """One way to the desk: delivers DeskReachable/DeskAway, Brokered, Receipted, DeskSpoke, Fault."""

    name: str

    def start(self, deliver: Deliver) -> None: ...

    def relay(self, relay: Relay) -> None: ...

    def sweep(self) -> None: ...

    def account(self, answers: tuple[Answer, ...]) -> None: ...

    def picture(self) -> dict[str, Any]: ...

    def stop(self) -> None: ...
