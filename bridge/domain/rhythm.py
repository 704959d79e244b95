"""Strikes become groups, judged by the striker's own tempo. Runs in the head too: MicroPython's subset, whole numbers.

No source gives milliseconds (docs/rhythm.md). A gap is a beat, a short or a long stop by its ratio to the beat.
Hands differ in how long they stop too: the stops of one striking are compared with one another.
"""

SLOWEST_BEAT_MS = 1000  # 1.5 beats a second and a quarter beat of jitter at both ends; slower are single strikes
FASTEST_MS = 60  # 8 beats a second and as much jitter; what is nearer is a stick that bounced
SHORT_STOP = 175  # per cent of the beat: from here on a gap is a stop
FEW = 5  # strikes, of which the beat is not known well: where no short stop means anything, an uneven hand is forgiven
FEW_STOP = 260
LONG_STOP = 340
PLAIN_STOP = 260  # the long stop where there are no short ones: a missed beat leaves two and the jitter of both ends
GROUP_OVER = 380  # a silence of so much ends a group, whatever its stops were
UNLIKE = 120  # long stops, in per cent of the short ones
APART = 100  # stops, in per cent of the longest beat
UNEVEN = 160  # the longest beat, in per cent of the mean: more is a stop, or a beat that was missed
UNEVEN_FEW = {2: 148, 3: 150}  # of so few beats, which pull the mean with them
SHORT_AT_LEAST = 130
SHORT_AT_MOST = 420
LONG_AT_LEAST = 230
SURE_AT_LEAST = 280  # where a short stop would mean danger: and their mean is LONG_STOP
DOUBLE = 130  # two gaps that together are no longer than this were one beat, if the first is a bounce
BOUNCE, LAST_BOUNCE = 50, 45
TITIR = 8
MOST_STRIKES = 64


def apart(times: list[int]) -> list[int]:
    """Only strikes that a hand can make."""
    return [at for number, at in enumerate(times) if not number or at - times[number - 1] >= FASTEST_MS]


def beat_of(times: list[int]) -> int:
    """The striker's beat in ms, from strike times in ms; 0 with fewer than two strikes."""
    gaps = sorted(_gaps(times))
    if not gaps:
        return 0
    low = gaps[: (len(gaps) + 1) // 2]
    beat = sum(low) // len(low)
    for _ in range(4):
        inner = [gap for gap in gaps if gap * 100 < beat * SHORT_STOP]
        closer = sum(inner) // len(inner)
        if closer == beat:
            break
        beat = closer
    return max(beat, 1)


def gaps_of(times: list[int]) -> list[int]:
    """What lies between the strikes, in ms, bounces left out."""
    return _gaps(_without_doubles(times, beat_of(times)))


def fits(gaps: list[int], phrases: tuple[tuple[int, ...], ...], is_doubtful: bool = False) -> bool:
    """Whether a hand that meant exactly these groups could have left these gaps: every stop longer than every beat.

    `is_doubtful`: whether the long stops must be long beyond doubt.
    """
    beats, shorts, longs = _sorted_out(gaps, phrases)
    beat = sum(beats) // len(beats) if beats else 0
    if not 0 < beat <= SLOWEST_BEAT_MS or 100 * max(beats) > UNEVEN_FEW.get(len(beats), UNEVEN) * beat:
        return False
    stops = shorts + longs
    if stops and 100 * min(stops) < max(APART * max(beats), SHORT_AT_LEAST * beat):
        return False
    if longs and 100 * min(longs) < (SURE_AT_LEAST if is_doubtful else LONG_AT_LEAST) * beat:
        return False
    if longs and is_doubtful and 100 * sum(longs) < LONG_STOP * beat * len(longs):
        return False
    if shorts and longs and 100 * min(longs) < UNLIKE * max(shorts):
        return False
    return not shorts or 100 * max(shorts) < (SHORT_AT_MOST if longs else LONG_STOP) * beat


def may_hold_bounce(gaps: list[int], phrases: tuple[tuple[int, ...], ...]) -> bool:
    """Whether, if these groups were meant, one beat is so short that the stick may only have bounced."""
    beats, _, _ = _sorted_out(gaps, phrases)
    return 100 * min(beats) * len(beats) < BOUNCE * sum(beats)


def phrases_of(times: list[int], has_short: bool = True) -> list[tuple[int, ...]]:
    """Groups of beats between long stops; within one, counts between short stops: 000.0=000.0 is [(3, 1), (3, 1)].

    `has_short`: whether a short stop means anything in this village. Where it does not, it is a beat that was missed.
    """
    if not times:
        return []
    beat = beat_of(times)
    if beat > SLOWEST_BEAT_MS:
        return [(1,) for _ in times]
    phrases, counts = [], [1]
    stop = FEW_STOP if len(times) <= FEW and not has_short else SHORT_STOP
    long_stop = LONG_STOP if has_short or len(times) <= FEW else PLAIN_STOP
    for gap in _gaps(_without_doubles(times, beat)):
        ratio = 100 * gap // beat
        if ratio < stop:
            counts[-1] += 1
        elif ratio < long_stop:
            counts.append(1)
        else:
            phrases.append(tuple(counts))
            counts = [1]
    phrases.append(tuple(counts))
    return phrases


def stop_ms(times: list[int]) -> int:
    """After so long a silence the last group is over; its count will not change."""
    return max(beat_of(times) * GROUP_OVER // 100, 300) if len(times) > 1 else 0


def notation(phrases: list[tuple[int, ...]]) -> str:
    """As people write it: 0 a beat, . a short stop, = a long stop."""
    return "=".join([".".join(["0" * count for count in phrase]) for phrase in phrases])


def _sorted_out(gaps: list[int], phrases: tuple[tuple[int, ...], ...]) -> tuple[list[int], list[int], list[int]]:
    """Beats, short stops and long stops, if these groups were meant."""
    beats, shorts, longs = [], [], []  # type: tuple[list[int], list[int], list[int]]
    at = 0
    for number, phrase in enumerate(phrases):
        for part, count in enumerate(phrase):
            if part or number:
                (shorts if part else longs).append(gaps[at])
                at += 1
            beats.extend(gaps[at : at + count - 1])
            at += count - 1
    return beats, shorts, longs


def _gaps(times: list[int]) -> list[int]:
    return [times[at + 1] - times[at] for at in range(len(times) - 1)]


def _without_doubles(times: list[int], beat: int) -> list[int]:
    """A hand that bounces strikes twice within one beat; jitter alone seldom brings three strikes so near."""
    kept = times[:1]
    for at in range(1, len(times)):
        gap = times[at] - kept[-1]
        both = times[at + 1] - kept[-1] if at + 1 < len(times) else gap + beat * SHORT_STOP
        is_last = (both - gap) * 100 >= beat * SHORT_STOP
        is_bounce = gap * 100 < beat * (LAST_BOUNCE if is_last else BOUNCE)
        if not (is_bounce and (is_last or both * 100 < beat * DOUBLE)):
            kept.append(times[at])
    return kept
