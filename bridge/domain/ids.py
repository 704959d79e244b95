"""Who and where: posts, sources, presses. Ids are plain strings so that they travel and compare unchanged."""

import re
from dataclasses import dataclass

VILLAGE = re.compile(r"\d{2}\.\d{2}\.\d{2}\.\d{4}")
LEVEL = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
TOPIC_ROOT = "kentongan/v1"


@dataclass(frozen=True, slots=True)
class PostId:
    """A guard post: Kemendagri village code `PP.KK.CC.DDDD` and a name of `a-z0-9-`. Raises ValueError otherwise."""

    village: str
    post: str

    def __post_init__(self) -> None:
        if not VILLAGE.fullmatch(self.village):
            raise ValueError(f"village code {self.village!r} is not PP.KK.CC.DDDD, for example 35.09.14.2005")
        if not LEVEL.fullmatch(self.post) or len(self.post) > 32:
            raise ValueError(f"post {self.post!r} may hold only a-z, 0-9 and '-', at most 32, for example pos-1")

    def __str__(self) -> str:
        return f"{self.village}/{self.post}"

    @classmethod
    def parse(cls, text: str) -> "PostId":
        """The inverse of `str`. Raises ValueError."""
        village, slash, post = text.partition("/")
        if not slash:
            raise ValueError(f"{text!r} is not VILLAGE/POST")
        return cls(village, post)

    @property
    def topic(self) -> str:
        """Everything this post says and hears lives below this MQTT topic."""
        return "/".join((TOPIC_ROOT, *self.village.split("."), self.post))


def node_id(num: int) -> str:
    """Meshtastic's way to write a node number: 2561 -> '!00000a01'."""
    return f"!{num:08x}"


def node_source(num: int) -> str:
    """The source id of a stock node."""
    return f"node:{num:08x}"


def node_of(source: str) -> int | None:
    """The node number of a stock node's source id; None for every other kind of source."""
    kind, _, number = source.partition(":")
    return int(number, 16) if kind == "node" else None


def packet_press(num: int, packet_id: int) -> str:
    """A stock node's press: its number and the packet's id. The same at every post that hears the packet."""
    return f"node:{num:08x}/{packet_id:08x}"


def wired_source(post: str, entry: str) -> str:
    """The source id of a wired input (or of the technician's `press` command) at a post."""
    return f"wired:{post}/{entry}"


def wired_press(post: str, entry: str, run_bits: str, count: int) -> str:
    """A wired switch cannot number its presses across power cuts: 8 hex of the run's random bits keep them apart."""
    return f"wired:{post}/{entry}/{run_bits[:8]}/{count}"


@dataclass(frozen=True, slots=True)
class Run:
    """One life of a bridge process: journal UUID, start counter, 64 random bits (hex). Order is (start, sequence)."""

    journal: str
    start: int
    bits: str
