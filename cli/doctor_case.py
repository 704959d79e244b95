"""What a doctor finds at a post before any check: its settings, its bridge, and how its radio sends."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bridge.domain.errors import BridgeError
from cli.control_client import NoBridge, NotAnswered, ask
from cli.doctor_words import DoctorVoice
from cli.status import Finding

if TYPE_CHECKING:
    from bridge.config import Config
    from bridge.sources import Register


class Bridge(Enum):
    """MUTE: one runs, holds the radio, and cannot be asked."""

    RUNS = auto()
    MUTE = auto()
    NONE = auto()


@dataclass(frozen=True, slots=True)
class RadioFacts:
    """How a radio sends. `channels`: name and whether it is private; `airtime`: per cent of the last hour, if known."""

    own: int
    firmware: str
    region: str
    preset: str
    slot: int
    power_dbm: int
    channels: tuple[tuple[str, bool], ...]
    airtime: float | None = None


class RadioAway(BridgeError):
    """The radio could not be asked; says why."""


@dataclass
class Case:
    """One visit. `picture`: the bridge's own answer; `why`: why it gave none."""

    settings: "Config"
    config: Path
    say: DoctorVoice
    wait_s: float
    bridge: Bridge = Bridge.NONE
    why: str = ""
    picture: dict[str, Any] = field(default_factory=dict)
    probes: dict[int, Any] = field(default_factory=dict)  # what was found at each broker, asked once

    def __post_init__(self) -> None:
        try:
            self.picture = ask(self.settings.control.socket, "doctor")
            self.bridge = Bridge.RUNS
        except NotAnswered as error:
            self.bridge, self.why = Bridge.MUTE, str(error)
        except NoBridge:
            self._look_for_a_mute_one()

    def _look_for_a_mute_one(self) -> None:
        """Whoever has the journal's lock also has the radio, even without a socket."""
        from cli.ports_found import holders

        lock = self.settings.journal.path.with_name(self.settings.journal.path.name + ".lock")
        if found := holders(lock):
            self.bridge, self.why = Bridge.MUTE, f"proses (process) {found[0].pid}"

    @property
    def faults(self) -> dict[str, str]:
        return dict(self.picture.get("faults", {}))

    @cached_property
    def register(self) -> "Register":
        """Raises ConfigError."""
        from bridge.sources import load_sources

        return load_sources(self.settings.sources, self.settings.post.id)

    @cached_property
    def _asked(self) -> "RadioFacts | RadioAway":
        try:
            return _from_bridge(self.picture) if self.bridge is Bridge.RUNS else _from_radio(self.settings.radio.url)
        except RadioAway as away:
            return away

    @property
    def radio(self) -> RadioFacts:
        """From the bridge where one runs: the radio has one client. Raises RadioAway."""
        if isinstance(self._asked, RadioAway):
            raise self._asked
        return self._asked


Check = Callable[[Case], Iterator[Finding]]


def _from_bridge(picture: dict[str, Any]) -> RadioFacts:
    for name, up in picture["radios"].items():
        station, part = picture["stations"][name], picture["parts"][name]
        if station["lora"]:
            channels = tuple((channel["name"], channel["is_private"]) for channel in station["channels"])
            told = station["lora"] | {"channels": channels, "airtime": part["air_util_tx"]}
            return RadioFacts(up["own"], up["firmware"], **told)
    down = [why for what, why in picture["faults"].items() if what.startswith("radio:")]
    raise RadioAway(down[0] if down else "belum menjawab (no answer yet)")


def _from_radio(url: str) -> RadioFacts:
    from bridge.domain.press import ChannelKey
    from bridge.edges.mesh_radio_packets import key
    from firmware_config.device import DeviceError, open_device

    try:
        with open_device(url) as device:
            found: dict[str, Any] = dict(device.read())
            own, firmware = device.node, device.firmware
    except DeviceError as error:
        raise RadioAway(str(error)) from None
    open_slots = [slot for slot in range(8) if found.get(f"channel.{slot}.role") not in ("DISABLED", None)]
    channels = tuple(
        (found[f"channel.{slot}.name"], key(found[f"channel.{slot}.psk"]) is ChannelKey.PRIVATE) for slot in open_slots
    )
    lora = {name: found[f"config.lora.{name}"] for name in ("region", "modem_preset", "channel_num", "tx_power")}
    preset = lora["modem_preset"] if found["config.lora.use_preset"] else "CUSTOM"
    return RadioFacts(own, firmware, lora["region"], preset, lora["channel_num"], lora["tx_power"], channels)


def day(stamp: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(stamp))
