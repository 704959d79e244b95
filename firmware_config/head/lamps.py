"""What three lamps show. Each burns in a pattern: one bit for each eighth of a second, two seconds long."""

OFF = "0" * 16
ON = "1" * 16
SLOW = "1111000011110000"
FAST = "1010101010101010"
DOUBLE = "1010000000000000"
TRIPLE = "1010100000000000"
WINK = "1000000000000000"
TICK_MS = 125
WINK_EACH = 2  # of how many turns a wink is shown once: it burns all night on a battery

DARK = (OFF, OFF, OFF)
HEARD = (WINK, OFF, OFF)
SENT = (SLOW, OFF, OFF)
NOBODY = (FAST, OFF, OFF)
CLOSED = (DOUBLE, DOUBLE, DOUBLE)
DRILL = ("1111100000000000", "0000011111000000", "0000000000111111")
TEST = DRILL
ROLL = (DOUBLE, OFF, OFF)


def for_letters(letters: str) -> tuple[str, str, str]:
    """What a post has said, in patterns. The highest letter decides; `letters` is not empty."""
    if "C" in letters:
        return CLOSED
    if "L" in letters:
        return DRILL
    if "W" in letters:
        return (ON, DOUBLE, OFF)
    return (ON, _police(letters), _coming(letters))


def _police(letters: str) -> str:
    if "O" in letters or "D" in letters or "A" in letters:
        return ON
    if "S" in letters:
        return SLOW
    return FAST if "N" in letters else OFF


def _coming(letters: str) -> str:
    if "O" in letters:
        return DOUBLE
    if "D" in letters:
        return ON
    return SLOW if "G" in letters else OFF


def with_fault(patterns: tuple[str, str, str]) -> tuple[str, str, str]:
    """A fault takes the post's lamp, unless that says that nobody has answered yet."""
    post, police, coming = patterns
    return (post if post in (SLOW, FAST) else TRIPLE, police, coming)


def lit(pattern: str, now_ms: int) -> bool:
    """Whether a lamp with this pattern burns now."""
    tick = now_ms // TICK_MS
    if pattern == WINK and tick // 16 % WINK_EACH:
        return False
    return pattern[tick % 16] == "1"
