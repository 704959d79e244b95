"""The air between the radios: who hears whom, when, how well, how often. All chance comes from the seed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from simulator.channels import Channel

EVERYBODY = 0xFFFFFFFF
_REMEMBERED = 10_000
LONG_FAST = {"delay_s": 0.75, "retry_s": 7.0, "airtime_s": 0.56}  # as the recorded radios took: `Air(**LONG_FAST)`


def last_byte(num: int) -> int:
    """The byte by which relays name a node; 0 means nobody, so it is written 255."""
    return num & 0xFF or 0xFF


@dataclass(frozen=True, slots=True)
class OnAir:
    """One packet as it flies. `channel` None: sealed for one reader, `reader`, with `author`'s key."""

    sender: int
    to: int
    id: int
    data: bytes  # a serialised Data message
    channel: Channel | None
    hop_limit: int
    hop_start: int
    relay: int  # last byte of the node that transmitted this copy
    want_ack: bool = False
    next_hop: int = 0
    author: bytes = b""  # public keys, 32 bytes each
    reader: bytes = b""

    @property
    def key(self) -> tuple[int, int]:
        """What makes two copies the same packet."""
        return self.sender, self.id

    @property
    def is_first_hand(self) -> bool:
        """Heard from its sender, not from a relay."""
        return self.hop_start == self.hop_limit

    def way_back(self, most: int) -> int:
        """How many hops an answer may take: the way that this copy came, and a little more."""
        return min(most, self.hop_start - self.hop_limit + 2)

    def sealed(self) -> bytes:
        """The payload as it looks to a node that cannot open it."""
        if self.channel is not None:
            return self.channel.seal(self.data, self.sender, self.id)
        length = len(self.data) + 12  # tag and extra nonce
        return hashlib.shake_128(self.author + self.reader + self.data).digest(length)


@dataclass(frozen=True, slots=True)
class Signal:
    """How well a copy was heard; `at_reader`: the node it is meant for heard the same transmission."""

    snr_db: float
    rssi_dbm: int
    at_reader: bool = False


class Station(Protocol):
    """Whatever can hear."""

    name: str
    num: int

    def hear(self, packet: OnAir, signal: Signal) -> None: ...


class Air:
    """Carries packets between stations; by default everybody hears everybody.

    loss: chance that one copy does not reach one station. delay_s: one hop, varied by half of itself. copies: how
    often each copy is heard, `echo_s` apart. partitions: groups of station names that do not hear each other.
    retry_s: how long a sender waits for an acknowledgement. airtime_s: how long one packet occupies a sender.
    """

    def __init__(
        self,
        seed: int = 0,
        loss: float = 0.0,
        delay_s: float = 0.02,
        copies: int = 1,
        partitions: Iterable[Iterable[str]] = (),
        retry_s: float = 1.0,
        airtime_s: float = 0.0,
        echo_s: float = 0.05,
    ) -> None:
        self.seed, self.loss, self.delay_s, self.copies = seed, loss, delay_s, copies
        self.retry_s, self.airtime_s, self.echo_s = retry_s, airtime_s, echo_s
        self._stations: dict[str, Station] = {}
        self._group: dict[str, int] = {}
        self._links: set[frozenset[str]] | None = None
        self._cuts: set[frozenset[str]] = set()
        self._after: Callable[[float, Callable[[], None]], None] | None = None
        self._sent: dict[tuple[str, tuple[int, int]], int] = {}
        self.split(partitions)

    def attach(self, after: Callable[[float, Callable[[], None]], None]) -> None:
        """The agenda that makes things happen later."""
        self._after = after

    def join(self, station: Station) -> None:
        """A station switches on. Names are unique; numbers need not be (an impostor)."""
        self._stations[station.name] = station

    def leave(self, station: Station) -> None:
        """A station switches off."""
        self._stations.pop(station.name, None)

    def split(self, partitions: Iterable[Iterable[str]]) -> None:
        """Groups of names that hear only themselves; names in no group hear everybody. No groups: one air again."""
        self._group = {name: number for number, group in enumerate(partitions) for name in group}

    def link(self, one: str, other: str) -> None:
        """From the first link on, only linked stations hear each other."""
        self._links = (self._links or set()) | {frozenset((one, other))}

    def cut(self, one: str, other: str | None = None) -> None:
        """These two no longer hear each other; without `other`, nobody hears `one`."""
        self._cuts.add(frozenset((one, other or one)))

    def heal(self, one: str, other: str | None = None) -> None:
        """Undo a cut."""
        self._cuts.discard(frozenset((one, other or one)))

    def hears(self, one: str, other: str) -> bool:
        """Whether these two are in range of each other."""
        pair = frozenset((one, other))
        cut = pair in self._cuts or frozenset((one,)) in self._cuts or frozenset((other,)) in self._cuts
        linked = self._links is None or pair in self._links
        groups = {self._group[name] for name in pair if name in self._group}
        return one != other and linked and not cut and len(groups) < 2

    def transmit(self, by: Station, packet: OnAir) -> None:
        """Send one packet once, from `by`."""
        turn = self._turn(by, packet)
        near = (station for station in self._stations.values() if self.hears(by.name, station.name))
        heard = [station for station in near if not self._is_lost(station, packet, turn)]
        at_reader = any(station.num == packet.to for station in heard)
        for station in heard:
            for copy in range(self.copies):
                self._carry(station, packet, at_reader, turn, copy)

    def chance(self, *what: object) -> float:
        """A number in [0, 1) that depends on the seed and on `what` alone, never on the order of asking."""
        digest = hashlib.blake2b(repr((self.seed, what)).encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") / 2**64

    def later(self, wait_s: float, act: Callable[[], None]) -> None:
        """Do `act` after `wait_s` seconds."""
        assert self._after is not None, "the air belongs to a village first"
        self._after(wait_s, act)

    def _turn(self, by: Station, packet: OnAir) -> int:
        """How often this station has sent this packet, so that each repetition has chances of its own."""
        what = (by.name, packet.key)
        turn = self._sent.pop(what, 0) + 1
        self._sent[what] = turn
        if len(self._sent) > _REMEMBERED:
            del self._sent[next(iter(self._sent))]
        return turn

    def _is_lost(self, station: Station, packet: OnAir, turn: int) -> bool:
        return self.loss > 0 and self.chance("loss", station.name, packet.key, packet.relay, turn) < self.loss

    def _carry(self, station: Station, packet: OnAir, at_reader: bool, turn: int, copy: int) -> None:
        luck = self.chance("way", station.name, packet.key, packet.relay, turn, copy)
        signal = Signal(snr_db=5.75 + 0.25 * int(luck * 5), rssi_dbm=-80 + int(luck * 1000) % 5, at_reader=at_reader)
        wait_s = self.delay_s * (1 + luck / 2) + copy * self.echo_s
        self.later(wait_s, lambda: self._arrive(station, packet, signal))

    def _arrive(self, station: Station, packet: OnAir, signal: Signal) -> None:
        if self._stations.get(station.name) is station:
            station.hear(packet, signal)
