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
SHORT_AT_MOST = 420  # nothing longer is ever a short stop
GROUP_OVER = 380  # a silence of so much ends a group, whatever its stops were
NEVER = 1 << 20
UNLIKE = 125  # of two neighbours in size: from here on they are stops of two sorts
DOUBLE = 130  # two gaps that together are no longer than this were one beat: the hand bounced
BOUNCE = 45  # a last gap shorter than this as well
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


def ratios_of(times: list[int]) -> list[int]:
    """The gaps in per cent of the beat, bounces left out."""
    beat = beat_of(times)
    if beat > SLOWEST_BEAT_MS:
        return [NEVER] * (len(times) - 1)
    return [100 * gap // beat for gap in _gaps(_without_doubles(times, beat))] if beat else []


def stops_of(ratios: list[int], has_short: bool = True) -> list[int]:
    """From where on a stop may be a long one, in per cent of the beat, likeliest first."""
    if not has_short:
        return [PLAIN_STOP] + _plain_stops(ratios)  # noqa: RUF005 — MicroPython unpacks in calls only
    stops = sorted([ratio for ratio in ratios if ratio >= SHORT_STOP])
    jumps = [(100 * stops[at + 1] // stops[at], stops[at + 1]) for at in range(len(stops) - 1)]
    widest = max(jumps) if jumps else (0, 0)
    likeliest = [LONG_STOP, widest[1]] if widest[0] >= UNLIKE else [LONG_STOP]
    likeliest.extend((SHORT_STOP, SHORT_AT_MOST))
    return likeliest


def groups_of(ratios: list[int], has_short: bool, long_stop: int) -> list[tuple[int, ...]]:
    """Groups of beats between long stops; within one, counts between short stops: 000.0=000.0 is [(3, 1), (3, 1)].

    `has_short`: whether a short stop means anything in this village. Where it does not, it is a beat that was missed.
    """
    groups, counts = [], [1]
    stop = min(FEW_STOP, long_stop) if len(ratios) < FEW and not has_short else SHORT_STOP
    for ratio in ratios:
        if ratio < stop:
            counts[-1] += 1
        elif ratio < long_stop:
            counts.append(1)
        else:
            groups.append(tuple(counts))
            counts = [1]
    groups.append(tuple(counts))
    return groups


def phrases_of(times: list[int], has_short: bool = True) -> list[tuple[int, ...]]:
    """The likeliest groups of strikes at `times`."""
    if not times:
        return []
    ratios = ratios_of(times)
    return groups_of(ratios, has_short, stops_of(ratios, has_short)[0])


def stop_ms(times: list[int]) -> int:
    """After so long a silence the last group is over; its count will not change."""
    return max(beat_of(times) * GROUP_OVER // 100, 300) if len(times) > 1 else 0


def notation(phrases: list[tuple[int, ...]]) -> str:
    """As people write it: 0 a beat, . a short stop, = a long stop."""
    return "=".join([".".join(["0" * count for count in phrase]) for phrase in phrases])


def _plain_stops(ratios: list[int]) -> list[int]:
    """A few strikes may be a single uneven group; many alike groups may have been struck with little rest."""
    if len(ratios) < FEW:
        return [GROUP_OVER]
    groups = groups_of(ratios, True, SHORT_STOP)
    return [SHORT_STOP] if len(groups) > 2 and groups == groups[:1] * len(groups) else []


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
