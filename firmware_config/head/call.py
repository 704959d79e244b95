"""One press of this head: what it says, what was answered, and when it is said again. Times are milliseconds."""

OPEN, TOLD, DONE = "open", "told", "done"

REPEATS = 4  # in 80 s
REPEAT_MS = 20_000
REPEAT_SLOWLY_MS = 300_000
ASK_AFTER_MIN = (1, 5, 10, 20, 40, 80)  # after the first answer
FORGET_MS = 7_200_000
ECHO_MS, ECHO_SPREAD_MS = 1000, 4000  # after a new letter; many heads hear one line
ECHO_AGAIN_MS = 15_000  # a letter that is said again so long after ours: our echo was lost
BREATH_MS = 3000
MOST_ECHOES = 3  # of one letter

LADDER = "JNSADOWC"  # a lower letter than one that was shown changes nothing
FLAGS = "LG"  # said beside the ladder
_RANK = {"L": 0, "J": 1, "N": 2, "S": 3, "A": 4, "G": 4, "D": 5, "O": 6, "W": 7, "C": 8}  # for the echo


class Call:
    """`press`: epoch and number. `state`: OPEN until a post answers, TOLD until closed or forgotten, then DONE.

    `is_fresh`: a post has said so since the head was started; what was true before a power cut may no longer be.
    """

    def __init__(self, press: str, kind: str, now_ms: int, state: str = OPEN, letters: str = "") -> None:
        self.press = press
        self.kind = kind
        self.state = state
        self.letters = letters  # every one that counts, in the order they came
        self.since_ms = now_ms
        self.changed_ms = now_ms
        self.is_fresh = False
        self._told_ms = now_ms
        self._turn = 0
        self._due_ms = now_ms
        self._echo_ms = -1
        self._echoes = 0
        self._said_ms = now_ms

    @property
    def shows(self) -> str:
        """The letter that is said back: the highest, the latest of equals."""
        top = ""
        if self.is_fresh:
            for letter in self.letters:
                if not top or _RANK[letter] >= _RANK[top]:
                    top = letter
        return top

    def refine(self, kind: str, now_ms: int) -> None:
        """The rhythm was read: said at once, and again until somebody answers that."""
        self.kind = kind
        self.state, self._turn, self._due_ms = OPEN, 0, now_ms

    def wait(self, ms: int) -> None:
        """Said a little later: when the power comes back, every head wakes at once."""
        self._due_ms += ms

    def hear(self, letters: str, now_ms: int, chance) -> bool:
        """A post has answered this press. Whether that changes what must survive a power cut."""
        before = (self.state, self.letters)
        self._echo(self.learn(letters, now_ms), now_ms, chance)
        if self.state == OPEN:
            self.state, self._told_ms, self._turn = TOLD, now_ms, 0
            self._due_ms = now_ms + _minutes(ASK_AFTER_MIN[0], chance)
        if "C" in self.letters:
            self.state = DONE
        return (self.state, self.letters) != before

    def learn(self, letters: str, now_ms: int) -> bool:
        """Letters that are true of this call. Whether there was news in them."""
        is_news = not self.is_fresh
        self.is_fresh = True
        for letter in letters:
            if self._is_new(letter):
                self.letters += letter
                is_news = True
        if is_news:
            self.changed_ms = now_ms
        return is_news

    def _is_new(self, letter: str) -> bool:
        if letter in self.letters or letter not in _RANK:
            return False
        reached = max([LADDER.find(shown) for shown in self.letters] + [-1])
        return letter in FLAGS or LADDER.find(letter) > reached

    def _echo(self, is_news: bool, now_ms: int, chance) -> None:
        if is_news:
            self._echoes = 0
        elif self._echoes >= MOST_ECHOES or now_ms - self._said_ms < ECHO_AGAIN_MS:
            return  # a post answers every line: what is known is not said back for ever
        if self._echo_ms < 0:
            self._echoes += 1
            self._echo_ms = now_ms + ECHO_MS + chance(ECHO_SPREAD_MS)

    def is_due(self, now_ms: int) -> bool:
        """Whether it is to be said now. What is closed is only echoed."""
        return self._is_echo(now_ms) or (self.state != DONE and now_ms >= self._due_ms)

    def letter(self, now_ms: int) -> str:
        """What stands after the kind. Nothing while an answer is wanted: a post lets a mere echo pass."""
        return self.shows if self.state != OPEN or self._is_echo(now_ms) else ""

    def _is_echo(self, now_ms: int) -> bool:
        return 0 <= self._echo_ms <= now_ms

    def was_said(self, now_ms: int, chance) -> None:
        """It was said: when next?"""
        was_echo = self._is_echo(now_ms)
        self._said_ms = now_ms
        if was_echo:
            self._echo_ms = -1
            if self.state == OPEN:  # an answer is still wanted, but not in the same breath
                self._due_ms = max(self._due_ms, now_ms + BREATH_MS)
        if self.state == DONE or now_ms < self._due_ms:
            return
        self._turn += 1
        if self.state == OPEN:
            wait_ms = REPEAT_MS if self._turn <= REPEATS else REPEAT_SLOWLY_MS
            self._due_ms = now_ms + wait_ms - wait_ms // 20 + chance(wait_ms // 10)  # never in one breath for ever
        elif self._turn < len(ASK_AFTER_MIN):
            self._due_ms = self._told_ms + _minutes(ASK_AFTER_MIN[self._turn], chance)
        else:
            self._due_ms = self._told_ms + FORGET_MS

    def is_forgotten(self, now_ms: int, is_keyed: bool) -> bool:
        """Nobody waits at the lamps any more. A head without a key can hear no answer, so it ends of itself."""
        if self.state == TOLD:
            return now_ms - self._told_ms >= FORGET_MS
        return self.state == OPEN and not is_keyed and now_ms - self.since_ms >= FORGET_MS

    def written(self) -> str:
        return f"{self.press}:{self.kind}:{self.state}:{self.letters}"


def read(written: str, now_ms: int) -> Call:
    """The inverse of `written`; raises ValueError."""
    press, kind, state, letters = written.split(":")
    return Call(press, kind, now_ms, state, letters)


def is_known(letters: str) -> bool:
    """Whether there is anything in them that this firmware can show."""
    return any([letter in _RANK for letter in letters])


def _minutes(count: int, chance) -> int:
    return count * 60_000 + chance(count * 3000)
