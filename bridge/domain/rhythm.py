"""Strikes become groups, judged by the striker's own tempo. Runs in the head too: MicroPython's subset, whole numbers.

No source gives milliseconds (docs/rhythm.md). A gap is a beat, a short stop or a long stop by its ratio to the beat.
"""

SLOWEST_BEAT_MS = 1000  # 1.5 beats a second and a quarter beat of jitter at both ends; slower are single strikes
SHORT_STOP = 175  # per cent of the beat: from here on a gap is a stop
FEW = 5  # strikes, of which the beat is not known well: where no short stop means anything, an uneven hand is forgiven
FEW_STOP = 260
LONG_STOP = 380
DOUBLE = 130  # two gaps that together are no longer than this were one beat: the hand bounced
BOUNCE = 45  # a last gap shorter than this as well
TITIR = 8
MOST_STRIKES = 64


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
    for gap in _gaps(_without_doubles(times, beat)):
        ratio = gap * 100 // beat
        if ratio < stop:
            counts[-1] += 1
        elif ratio < LONG_STOP:
            counts.append(1)
        else:
            phrases.append(tuple(counts))
            counts = [1]
    phrases.append(tuple(counts))
    return phrases


def stop_ms(times: list[int]) -> int:
    """After so long a silence the last group is over; its count will not change."""
    return max(beat_of(times) * LONG_STOP // 100, 300) if len(times) > 1 else 0


def notation(phrases: list[tuple[int, ...]]) -> str:
    """As people write it: 0 a beat, . a short stop, = a long stop."""
    return "=".join([".".join(["0" * count for count in phrase]) for phrase in phrases])


def _gaps(times: list[int]) -> list[int]:
    return [times[at + 1] - times[at] for at in range(len(times) - 1)]


def _without_doubles(times: list[int], beat: int) -> list[int]:
    """A hand that bounces strikes twice within one beat; jitter alone cannot bring three strikes so near."""
    kept = times[:1]
    for at in range(1, len(times)):
        gap = times[at] - kept[-1]
        following = times[at + 1] - kept[-1] if at + 1 < len(times) else None
        is_last = following is None or (following - gap) * 100 >= beat * SHORT_STOP
        if is_last and gap * 100 < beat * BOUNCE:
            continue
        if not is_last and following is not None and following * 100 < beat * DOUBLE:
            continue
        kept.append(times[at])
    return kept
