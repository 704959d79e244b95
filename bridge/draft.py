"""One decision of the engine while it is being made."""

from dataclasses import dataclass, field

from bridge.domain.commands import Command, Fact


@dataclass(slots=True)
class Draft:
    """`after` waits for the facts to be on disk; `journaled` names the alarms that are then JOURNALED."""

    now: list[Command] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    after: list[Command] = field(default_factory=list)
    journaled: list[str] = field(default_factory=list)
