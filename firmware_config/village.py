"""A village as its technician wrote it down: channel, frequency, keys, places, nodes; and what each node is to be."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bridge.domain.errors import ConfigError
from bridge.domain.place import Place
from firmware_config.band import Sending
from firmware_config.profile import load_profile
from firmware_config.settings import Setting, Value
from firmware_config.yaml_text import Mistake


@dataclass(frozen=True, slots=True)
class VillageNode:
    """One box. `number` None: not set up yet; `public_key` empty: begun perhaps, never finished."""

    name: str
    profile: str
    short: str
    place: Place
    home: str = ""
    number: int | None = None
    public_key: bytes = b""
    pins: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_done(self) -> bool:
        return self.number is not None and self.public_key != b""


@dataclass(frozen=True, slots=True)
class Village:
    """Everything that the nodes of a village are set to. Its channel's key is never shown."""

    file: Path
    code: str
    sending: Sending
    hops: int
    channel_key: bytes = field(repr=False)
    admin_keys: tuple[bytes, ...]
    admin_file: Path
    nodes: tuple[VillageNode, ...]
    sources: Path | None = None

    def find(self, name: str) -> VillageNode | None:
        return next((node for node in self.nodes if node.name == name), None)

    def wanted(self, node: VillageNode, language: str = "id") -> tuple[Setting, ...]:
        """What this node is to be: the profile's settings with the village's and the node's own values."""
        told = self._told(node)
        return tuple(wish.setting(told, language) for wish in load_profile(node.profile).wishes)

    def _told(self, node: VillageNode) -> dict[str, Value]:
        sending = self.sending
        return {
            "node.name": node.name,
            "node.short": node.short,
            "channel.name": sending.channel,
            "channel.key": self.channel_key,
            "admin.keys": tuple(key for key in self.admin_keys if key != node.public_key),  # nobody is his own admin
            "radio.region": sending.region,
            "radio.preset": sending.preset,
            "radio.slot": sending.slot_used,  # never 0: whoever renamed the channel would move the frequency
            "radio.power_dbm": sending.power_dbm,
            "radio.hops": self.hops,
            **{f"pins.{name}": pin for name, pin in node.pins.items()},
        }


class VillageWrong(ConfigError):
    """The file cannot be used; `mistakes` says why, each with its line."""

    def __init__(self, file: Path, mistakes: Iterable[Mistake]) -> None:
        self.file, self.mistakes = file, tuple(mistakes)
        super().__init__(self.said("id"))

    def said(self, language: str) -> str:
        """A line for each mistake."""
        return "\n".join(mistake.said(self.file.name, language) for mistake in self.mistakes)
