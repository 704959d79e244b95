"""Random faults, drawn from a seed before anything happens: what breaks, for how long, who strikes meanwhile."""

import random
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from tests.brokers import Mosquitto
from tests.village.scene import Scene


class Part(StrEnum):
    """What can be broken; one fault at a time on each, any number of parts at once."""

    BRIDGE = "bridge"
    BROKER = "broker"
    WIRE = "wire"
    DESK = "desk"
    RADIO = "radio"


class Fault(StrEnum):
    BRIDGE_KILL = "bridge kill -9"
    BRIDGE_STOP = "bridge SIGTERM"
    BROKER_KILL = "broker kill -9"
    BROKER_FREEZE = "broker frozen"
    WIRE_CUT = "wire cut"
    WIRE_FREEZE = "wire frozen"
    DESK_KILL = "desk kill -9"
    DESK_FREEZE = "desk frozen"
    RADIO_EOF = "radio EOF"
    RADIO_RST = "radio RST"
    RADIO_REBOOT = "radio reboot"
    RADIO_GARBAGE = "radio garbage"

    @property
    def part(self) -> Part:
        return Part(self.value.split()[0])

    @property
    def lasts(self) -> bool:
        """Whether somebody must mend it."""
        return self.part is not Part.RADIO


class Way(StrEnum):
    """AIR: a house's node sends. HANDED: the gateway hands its client the packet of a house, as if it had heard it.
    AGAIN: a house that struck before strikes anew."""

    AIR = "air"
    HANDED = "handed"
    AGAIN = "again"


@dataclass(frozen=True, slots=True)
class Round:
    """`pick` of [0, 1) chooses among the known alarms; `pauses` in seconds, one after each press and one at the end."""

    breaks: Fault | None
    mends: tuple[Fault, ...]
    ways: tuple[Way, ...]
    verb: str | None
    pick: float
    pauses: tuple[float, ...]

    def __str__(self) -> str:
        done = [f"mend {fault}" for fault in self.mends] + ([str(self.breaks)] if self.breaks else [])
        said = f"officer {self.verb} at {self.pick:.2f}" if self.verb else ""
        pauses = " ".join(f"{pause_s:.2f}" for pause_s in self.pauses)
        return "; ".join(filter(None, [*done, f"press {' '.join(self.ways)}", said, f"pauses {pauses}"]))


VERBS = ("take", "take", "dispatch", "dispatch", "close")
WAYS = (Way.AIR, Way.AIR, Way.HANDED, Way.HANDED, Way.AGAIN)


def draw(seed: int, rounds: int, longest_rounds: int = 4) -> tuple[Round, ...]:
    """The whole night, before it begins."""
    chance = random.Random(seed)
    standing: dict[Part, tuple[Fault, int]] = {}
    plan = []
    for number in range(rounds):
        over = tuple(fault for fault, until in standing.values() if until <= number)
        for fault in over:
            del standing[fault.part]
        breaks = chance.choice([fault for fault in Fault if fault.part not in standing])
        if breaks.lasts:
            standing[breaks.part] = breaks, number + chance.randint(1, longest_rounds)
        ways = tuple(chance.choice(WAYS) for _ in range(chance.randint(1, 3)))
        verb = chance.choice(VERBS) if chance.random() < 0.6 else None
        pauses = (*(chance.uniform(0.0, 0.4) for _ in ways), chance.choice((0.0, 0.5, 1.0, 2.0)))
        plan.append(Round(breaks, over, ways, verb, chance.random(), pauses))
    return tuple(plan)


class Breaker:
    """Breaks parts and mends them. The garbage comes from the seed too."""

    def __init__(self, stage: Scene, broker: Mosquitto, seed: int) -> None:
        self._stage, self._broker = stage, broker
        self._chance = random.Random(seed)
        self.standing: list[Fault] = []

    def break_(self, fault: Fault) -> None:
        stage, broker = self._stage, self._broker
        ways: dict[Fault, Callable[[], object]] = {
            Fault.BRIDGE_KILL: stage.post.kill,
            Fault.BRIDGE_STOP: self._stop_bridge,
            Fault.BROKER_KILL: broker.kill,
            Fault.BROKER_FREEZE: broker.freeze,
            Fault.WIRE_CUT: stage.wire.cut,
            Fault.WIRE_FREEZE: stage.wire.freeze,
            Fault.DESK_KILL: stage.desk.kill,
            Fault.DESK_FREEZE: stage.desk.freeze,
            Fault.RADIO_EOF: lambda: stage.gateway.close_client("eof"),
            Fault.RADIO_RST: lambda: stage.gateway.close_client("rst"),
            Fault.RADIO_REBOOT: stage.gateway.reboot,
            Fault.RADIO_GARBAGE: self._garble,
        }
        ways[fault]()
        if fault.lasts:
            self.standing.append(fault)

    def mend(self, fault: Fault) -> None:
        stage, broker = self._stage, self._broker
        ways: dict[Fault, Callable[[], object]] = {
            Fault.BRIDGE_KILL: self._start_bridge,
            Fault.BRIDGE_STOP: self._start_bridge,
            Fault.BROKER_KILL: broker.start,
            Fault.BROKER_FREEZE: broker.thaw,
            Fault.WIRE_CUT: stage.wire.heal,
            Fault.WIRE_FREEZE: stage.wire.thaw,
            Fault.DESK_KILL: stage.desk.start,
            Fault.DESK_FREEZE: stage.desk.thaw,
        }
        ways[fault]()
        self.standing.remove(fault)

    def mend_all(self) -> None:
        for fault in tuple(self.standing):
            self.mend(fault)

    def _stop_bridge(self) -> None:
        code = self._stage.post.stop()
        assert code in (0, -signal.SIGTERM), f"SIGTERM ended the bridge with {code}"  # < 0: it had hardly begun

    def _start_bridge(self) -> None:
        self._stage.post.start()

    def _garble(self) -> None:
        for _ in range(self._chance.randint(1, 20)):
            self._stage.gateway.inject(self._chance.randbytes(self._chance.randint(1, 600)))


def pauses(round_: Round) -> Iterator[None]:
    """Sleeps as drawn, once for each press and once more."""
    for pause_s in round_.pauses:
        yield
        time.sleep(pause_s)
