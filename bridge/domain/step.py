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


STEP_OF: dict[Stage, Step] = {
    Stage.JOURNALED: Step.JOURNALED,
    Stage.BROKERED: Step.JOURNALED,  # a broker is not the police: never more than "the post has it"
    Stage.STORED: Step.STORED,
    Stage.ACKNOWLEDGED: Step.ACKNOWLEDGED,
    Stage.DISPATCHED: Step.DISPATCHED,
    Stage.ON_SCENE: Step.ON_SCENE,
    Stage.CLOSED: Step.CLOSED,
}


# A striker is never told less than before: a step is said only when it ranks above the last one said.
RANK = {
    Step.DRILL: 0,
    Step.JOURNALED: 1,
    Step.NOT_CONNECTED: 2,
    Step.STORED: 3,
    Step.ACKNOWLEDGED: 4,
    Step.GUARDS: 4,
    Step.DISPATCHED: 5,
    Step.ON_SCENE: 6,
    Step.WITHDRAWN: 7,
    Step.CLOSED: 8,
}

STAGE_OF = {step: stage for stage, step in STEP_OF.items() if stage is not Stage.BROKERED} | {
    Step.NOT_CONNECTED: Stage.JOURNALED
}


def true_step(stage: Stage, desk_reachable: bool) -> Step | None:
    """The most that may be said now; None while nothing is on disk."""
    if stage is Stage.HEARD:
        return None
    if stage < Stage.STORED and not desk_reachable:
        return Step.NOT_CONNECTED
    return STEP_OF[stage]
