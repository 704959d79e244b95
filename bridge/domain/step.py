"""The steps a striker is told, and what may truthfully be said at each stage."""

from enum import StrEnum

from bridge.domain.alarm import Stage


class Step(StrEnum):
    """One letter on air each (docs: On the air)."""

    NOT_CONNECTED = "N"
    JOURNALED = "J"
    STORED = "S"
    ACKNOWLEDGED = "A"
    DISPATCHED = "D"
    GUARDS = "G"
    ON_SCENE = "O"
    WITHDRAWN = "W"
    CLOSED = "C"
    DRILL = "L"


STEP_OF = {
    Stage.JOURNALED: Step.JOURNALED,
    Stage.BROKERED: Step.JOURNALED,  # a broker is not the police: never more than "the post has it"
    Stage.STORED: Step.STORED,
    Stage.ACKNOWLEDGED: Step.ACKNOWLEDGED,
    Stage.DISPATCHED: Step.DISPATCHED,
    Stage.ON_SCENE: Step.ON_SCENE,
    Stage.CLOSED: Step.CLOSED,
}


def true_step(stage: Stage, desk_reachable: bool) -> Step | None:
    """The most that may be said now; None while nothing is on disk."""
    if stage is Stage.HEARD:
        return None
    if stage < Stage.STORED and not desk_reachable:
        return Step.NOT_CONNECTED
    return STEP_OF[stage]
