"""Rules with a number in them."""

from dataclasses import dataclass

from bridge.domain.alarm import Alarm, Moment

HOUR_S = 3600.0
SAME_HAND_S = 120.0  # a further press this soon after the last belongs to the same call for help
LONGEST_ALARM_S = 1800.0  # after half an hour a press is news again, however often it was struck
GIVE_UP_S = 2 * HOUR_S  # nobody waits at a lamp or a screen for longer
RING_AGAIN_S = 20.0  # somebody who strikes on is heard again, but not at every beat


@dataclass(frozen=True, slots=True)
class StillOpen:
    """Presses that may share an alarm agree in all of these; a drill or mere talk never swallows a call for help."""

    source: str
    is_drill: bool
    is_talk: bool
    is_unknown: bool


def stays_open(alarm: Alarm, now: Moment) -> bool:
    """Whether a further press of the same hand at `now` is a report of `alarm`. Clocks that cannot tell mean no."""
    since_first, since_latest = alarm.first.age_s(now), alarm.latest.age_s(now)
    if since_first is None or since_latest is None or not alarm.is_open:
        return False
    return since_latest <= SAME_HAND_S and since_first <= LONGEST_ALARM_S
