"""A village without hardware: gateways, houses and an impostor on one seeded air."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from simulator.agenda import Agenda
from simulator.air import Air
from simulator.channels import PUBLIC, Channel
from simulator.head import Head
from simulator.identity import Identity
from simulator.node import IDLE_S, Node
from simulator.preferences import Preferences
from simulator.serial_module import SILENCE_S

_FIRST_GATEWAY = 0x67770001
_FIRST_HOUSE = 0x0A01


class Village:
    """Everybody knows everybody's key unless a node is made a stranger. A context manager: start and stop.

    psk: the private channel's key, 16 or 32 bytes (default: made from the seed). clock: monotonic seconds; wall: Unix
    seconds. With a clock of your own do not start the village but call `run_due`.
    """

    def __init__(
        self,
        seed: int = 0,
        channel: str = "SiagaDesa",
        psk: bytes | None = None,
        air: Air | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.seed = seed
        self.channel = Channel(channel, psk or hashlib.sha256(f"psk {seed}".encode()).digest())
        self.air = air or Air(seed)
        self.nodes: dict[str, Node] = {}
        self.heads: dict[str, Head] = {}
        self._wall = wall
        self._agenda = Agenda(clock)
        self.air.attach(self._agenda.after)

    def __enter__(self) -> Village:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Let time pass."""
        self._agenda.start()

    def stop(self) -> None:
        """Close every port and end the village's thread."""
        for node in self.nodes.values():
            node.stop_serving()
        self._agenda.stop()

    def run_due(self) -> float | None:
        """Do what is due by the village's clock; seconds until the next act, None when there is none."""
        return self._agenda.run_due()

    def gateway(
        self,
        name: str,
        num: int | None = None,
        channels: Mapping[int, Channel] | None = None,
        queue_limit: int | None = 32,
        idle_s: float = IDLE_S,
        identity: Identity | None = None,
        **more: Any,
    ) -> Node:
        """A node for an API client.

        channels: by index (default: 0 the public one, 1 the village's). queue_limit: packets kept for a client that
        is not there, None for no limit; 8 on a classic ESP32. more: as Node takes it.
        """
        kept = self._kept(identity or self._identity(name, num, _FIRST_GATEWAY), channels)
        return self._add(Node(kept, *self._place, queue_limit, idle_s, name=name, wall=self._wall, **more))

    def factory_new(self, name: str, num: int | None = None, **more: Any) -> Node:
        """A node as out of the box: no region, no keys, the public channel; nobody knows it. more: as Node takes it."""
        kept = Preferences.factory_new(self._identity(name, num, _FIRST_GATEWAY).num)
        return self._add(Node(kept, *self._place, name=name, wall=self._wall, **more), known=False)

    def house(
        self,
        name: str,
        num: int | None = None,
        channels: Mapping[int, Channel] | None = None,
        relays: bool = True,
        stranger: bool = False,
        identity: Identity | None = None,
    ) -> Node:
        """A villager's node. stranger: nobody has its key and it has nobody's, so its direct texts use the channel."""
        kept = self._kept(identity or self._identity(name, num, _FIRST_HOUSE), channels)
        node = Node(kept, *self._place, relays=relays, name=name, wall=self._wall)
        return self._add(node, known=not stranger)

    def carrier(self, name: str, num: int | None = None, relays: bool = False) -> Node:
        """A head's node: its primary channel is the village's, for the Serial module speaks on no other."""
        channels = {0: self.channel, 1: PUBLIC}
        node = Node(
            self._kept(self._identity(name, num, _FIRST_HOUSE), channels),
            *self._place,
            relays=relays,
            speaks_on=0,
            name=name,
            wall=self._wall,
        )
        return self._add(node)

    def head(self, name: str, key: bytes = b"", silence_s: float = SILENCE_S, **more: Any) -> Head:
        """A head at the UART of a node of its own; `more` as Head takes it. Key: 16 bytes, or none yet."""
        head = Head(name, key, self._agenda, **({"seed": self.seed} | more))
        head.say = self.carrier(name).wire(head.hear, silence_s)
        self.heads[name] = head
        return head

    def impostor(self, of: Node, name: str = "impostor") -> Node:
        """A node with another's number and the village's channels, but a key of its own."""
        identity = Identity.make(of.num, name, of.identity.short_name, seed=("impostor", self.seed))
        node = Node(self._kept(identity, None), *self._place, name=name, wall=self._wall)
        for other in self.nodes.values():
            node.meet(other)
        self.nodes[name] = node
        return node

    def link(self, one: Node, other: Node) -> None:
        """From the first link on, only linked nodes hear each other."""
        self.air.link(one.name, other.name)

    def cut(self, one: Node, other: Node | None = None) -> None:
        """Two nodes stop hearing each other; without `other`, `one` is cut off from all."""
        self.air.cut(one.name, other.name if other else None)

    def heal(self, one: Node, other: Node | None = None) -> None:
        """Undo a cut."""
        self.air.heal(one.name, other.name if other else None)

    @property
    def _place(self) -> tuple[Air, Agenda]:
        return self.air, self._agenda

    def _kept(self, identity: Identity, channels: Mapping[int, Channel] | None) -> Preferences:
        return Preferences.settled(identity, channels or {0: PUBLIC, 1: self.channel})

    def _identity(self, name: str, num: int | None, first: int) -> Identity:
        taken = {node.num for node in self.nodes.values()}
        while num is None:
            num, first = (None if first in taken else first), first + 1
        return Identity.make(num, name, seed=self.seed)

    def _add(self, node: Node, known: bool = True) -> Node:
        if node.name in self.nodes:
            raise ValueError(f"the village already has a {node.name}")
        if known:
            for other in self.nodes.values():
                node.meet(other)
                other.meet(node)
        self.nodes[node.name] = node
        return node
