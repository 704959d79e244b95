"""An alarm's story in a few lines of the log, the same `alarm=` in each; in a burst one line for many."""

import structlog

from bridge.domain import commands as cmd
from bridge.domain.desk import Stored

log = structlog.get_logger()

EACH = 4  # so many alarms at once get a line each


def narrate(decision: cmd.Decision) -> None:
    """What a decision did, for people who read the log."""
    for command in decision.now:
        if isinstance(command, cmd.Silence):
            log.info("siren silenced", by=command.by)
    _tell_relays([command for command in decision.now if isinstance(command, cmd.Relay)])
    for fact in decision.facts:
        _tell_fact(fact)


def _tell_relays(relays: list[cmd.Relay]) -> None:
    """A safe relay was released by its commit: the alarm is on this post's disk."""
    if len(relays) > EACH:
        unsafe = sum(relay.unsafe for relay in relays)
        log.info("alarms journaled", alarms=len(relays) - unsafe, latest=relays[-1].row.alarm)
        if unsafe:
            log.warning("alarms go out from memory", alarms=unsafe, latest=relays[-1].row.alarm)
        return
    for relay in relays:
        if relay.unsafe:
            log.warning("alarm goes out from memory", alarm=relay.row.alarm, revision=relay.row.revision)
        else:
            log.info("alarm journaled", alarm=relay.row.alarm, revision=relay.row.revision)


def _tell_fact(fact: cmd.Fact) -> None:
    match fact:
        case cmd.SaveAlarm(alarm, _, presses) if presses:
            log.info(
                "press heard",
                alarm=alarm.id,
                press=presses[-1],
                kind=alarm.kind.value,
                trust=alarm.trust.name,
                place=str(alarm.place or "unknown"),
            )
        case cmd.SaveReceipts(mark, items):
            _tell_receipts(mark.desk, items)
        case cmd.SaveReply(alarm_id, step, outcome):
            log.info("striker answered", alarm=alarm_id, step=step.name, outcome=outcome.value)
        case cmd.SaveWord(word, answer):
            log.info("desk spoke", alarm=word.alarm, kind=word.kind.value, number=word.number, fate=answer.fate.value)
        case cmd.Reopen(desk, why):
            log.warning("the desk has lost alarms; sending all again", desk=desk, why=why)


def _tell_receipts(desk: str, items: tuple[Stored, ...]) -> None:
    for item in items:
        if item.reason:
            log.error("alarm quarantined", alarm=item.alarm, revision=item.revision, desk=desk, why=item.reason)
    stored = [item for item in items if not item.reason]
    if len(stored) > EACH:
        log.info("alarms stored", alarms=len(stored), latest=stored[0].alarm, desk=desk)
        return
    for item in stored:
        log.info("alarm stored", alarm=item.alarm, revision=item.revision, desk=desk)
