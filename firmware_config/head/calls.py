"""The presses of this head: their numbers, which of them are alive, and what of them is in flash."""

from firmware_config.head import call as calling
from firmware_config.head.call import DONE, OPEN, TOLD, Call
from firmware_config.head.line import BASE32, MOST_PRESSES

QUIET = ("AMAN", "NOTICE", "HERE")  # no alarms; no lamp waits for them
NO_ALARM = ("CANCEL", "TEST")
WAKE_SPREAD_MS = 5000
QUIET_MS = 90_000  # so long such a word is repeated


class Calls:
    """`latest` is what the lamps are about; `behind` an alarm that nobody had answered when it was taken back.

    A press is in flash before it can be said. Where the flash is sick, a new epoch is used that no flash knows.
    """

    def __init__(self, log, new_epoch, chance, now_ms: int) -> None:
        self._log, self._new_epoch, self._chance = log, new_epoch, chance
        self.epoch = ""
        self.number = 0
        self.latest = None  # type: Call | None
        self.behind = None  # type: Call | None
        self.quiet = None  # type: Call | None
        self.fault = ""
        self._load(now_ms)

    @property
    def press(self) -> str:
        return f"{self.epoch}.{self.number}"

    @property
    def is_open(self) -> bool:
        """Whether the lamps still wait for something."""
        return self.latest is not None and self.latest.state != DONE

    @property
    def alive(self) -> list[Call]:
        """In the order in which they are said: an alarm before the word that takes it back."""
        return [call for call in (self.behind, self.latest, self.quiet) if call is not None]

    def _load(self, now_ms: int) -> None:
        words = self._log.newest.split(" ") if self._log is not None else []
        try:
            self.epoch, self.number = words[0], int(words[1])
            kept = [calling.read(word, now_ms) for word in words[2:]]
        except (ValueError, IndexError):
            self.epoch, self.number, kept = self._new_epoch(), 0, []
            self._save()
        for call in kept:
            call.wait(self._chance(WAKE_SPREAD_MS))
        self.latest = kept[0] if kept else None
        self.behind = kept[1] if len(kept) > 1 else None

    def begin(self, kind: str, now_ms: int) -> Call:
        """A new press, in flash when this returns."""
        if self.number >= MOST_PRESSES:
            self.epoch, self.number = self._new_epoch(), 0
        self.number += 1
        call = Call(self.press, kind, now_ms)
        self._place(call, now_ms)
        if not self._save():
            self.epoch, self.number = self._new_epoch(), 1
            call.press = self.press
        return call

    def _place(self, call: Call, now_ms: int) -> None:
        before = self.latest
        if call.kind in QUIET:
            self.quiet = call
            return
        if call.kind not in NO_ALARM:
            self.behind = None
        elif call.kind == "CANCEL" and before is not None:
            if before.state == OPEN and before.kind not in NO_ALARM:
                self.behind = before
            if before.state == TOLD and before.is_fresh and before.kind != "TEST":
                call.learn(before.letters, now_ms)  # they are about the same alarm
        self.latest = call

    def refine(self, call: Call, kind: str, now_ms: int) -> None:
        """The rhythm of a press was read, even if a button took it back meanwhile."""
        if call.kind == kind:
            return
        call.refine(kind, now_ms)
        if call is not self.latest:
            self.behind = call
        self._save()

    def hear(self, press: str, letters: str, now_ms: int) -> bool:
        """A post has answered `press`, proved. Whether the lamps have news."""
        for call in self.alive:
            if call.press == press and calling.is_known(letters):
                return self._hear(call, letters, now_ms)
        return False

    def _hear(self, call: Call, letters: str, now_ms: int) -> bool:
        if call is self.quiet:
            self.quiet = None
            return False
        before = self.latest.letters if self.latest is not None else ""
        is_changed = call.hear(letters, now_ms, self._chance)
        if call is self.behind and self.latest is not None:
            self.behind = None
            self.latest.learn(letters, now_ms)
        elif call.state == DONE and self.behind is not None:
            # "Nothing to take back", said before the alarm itself was heard: the lamps are about that.
            self.latest, self.behind = self.behind, None
        if is_changed:
            self._save()
        return self.latest is not None and self.latest.letters != before

    def forget(self, now_ms: int, is_keyed: bool) -> None:
        """Whoever has waited for long enough waits no more."""
        if self.quiet is not None and now_ms - self.quiet.since_ms >= QUIET_MS:
            self.quiet = None
        gone = [call for call in (self.latest, self.behind) if call is not None and call.is_forgotten(now_ms, is_keyed)]
        for call in gone:
            call.state = DONE
            if call is self.behind:
                self.behind = None
        if gone:
            self._save()

    def _save(self) -> bool:
        record = f"{self.epoch} {self.number}"
        for call in (self.latest, self.behind):
            record += " " + call.written() if call is not None else ""
        try:
            if self._log is None:
                raise OSError("it cannot be read")
            self._log.add(record)
        except OSError as error:
            self.fault = f"flash: {error}"
            return False
        self.fault = ""
        return True


def new_epoch(urandom) -> str:
    return "".join([BASE32[octet & 31] for octet in urandom(4)])
