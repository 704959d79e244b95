"""Whether the desk answers over one way, why not, and since when. Pure: time is a parameter."""

from dataclasses import dataclass


@dataclass(slots=True)
class Presence:
    """Times are monotonic seconds. At first nobody knows: it does not answer, and nothing is known to be wrong."""

    since_s: float
    is_there: bool = False
    why_away: str = ""

    def found(self, now_s: float) -> bool:
        """It has answered; whether that is news."""
        if self.is_there:
            return False
        self.is_there, self.why_away, self.since_s = True, "", now_s
        return True

    def lost(self, why: str, now_s: float) -> bool:
        """It does not answer; whether that, or the reason, is news."""
        if why == self.why_away:
            return False
        if self.is_there or not self.why_away:
            self.since_s = now_s
        self.is_there, self.why_away = False, why
        return True
