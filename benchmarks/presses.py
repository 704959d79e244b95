"""Who strikes and what they say: every press of a run has a number, and from it a source and a packet of its own."""

from collections.abc import Iterator

SOURCE = 0x2000_0000
PACKET = 0x4000_0000
WORDS = "TOLONG"
# Other kinds than the crowd's panic: a siren that already sounds for a kind is not started twice.
PROBES = ("kebakaran", "maling", "banjir", "pembunuhan", "sapi hilang", "kecelakaan", "tawuran", "ambulans")


def press_id(number: int) -> str:
    """As the journal and the desk must name it."""
    return f"node:{SOURCE + number:08x}/{PACKET + number:08x}"


class Numbers:
    """Numbers never used before in this run."""

    def __init__(self) -> None:
        self._next = 1

    def take(self, count: int) -> range:
        first, self._next = self._next, self._next + count
        return range(first, self._next)


def crowd(gateway: str, numbers: range) -> list[tuple[str, int, str]]:
    """Orders for the radio: everybody calls for help."""
    return [(gateway, number, WORDS) for number in numbers]


def probes(gateway: str, numbers: range) -> Iterator[tuple[str, int, str]]:
    """Orders for the radio: the kinds in turn."""
    for at, number in enumerate(numbers):
        yield gateway, number, PROBES[at % len(PROBES)]
