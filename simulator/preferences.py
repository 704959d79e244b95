"""What a node keeps in its flash: names, settings, channels; as firmware 2.7.26 has them (tests/recorded)."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass

from google.protobuf import text_format
from meshtastic.protobuf import channel_pb2, config_pb2, localonly_pb2, mesh_pb2

from simulator.channels import PUBLIC, Channel
from simulator.identity import Identity

CHANNEL_SLOTS = 8
UNSET = config_pb2.Config.LoRaConfig.RegionCode.UNSET
Role = channel_pb2.Channel.Role

_CONFIG = """
device { node_info_broadcast_secs: 10800 }
position {
    position_broadcast_secs: 3600 position_broadcast_smart_enabled: true gps_update_interval: 120
    position_flags: 811 broadcast_smart_minimum_distance: 100 broadcast_smart_minimum_interval_secs: 300
    gps_mode: NOT_PRESENT
}
power { wait_bluetooth_secs: 60 sds_secs: 4294967295 ls_secs: 300 min_wake_secs: 10 }
network { ntp_server: "meshtastic.pool.ntp.org" }
display { screen_on_secs: 600 }
lora {
    use_preset: true bandwidth: 250 spread_factor: 11 coding_rate: 5 hop_limit: 3 tx_enabled: true
    sx126x_rx_boosted_gain: true fem_lna_mode: NOT_PRESENT
}
bluetooth { enabled: true mode: FIXED_PIN fixed_pin: 123456 }
security { serial_enabled: true }
"""
_MODULES = """
mqtt {
    address: "mqtt.meshtastic.org" username: "meshdev" password: "large4cats" encryption_enabled: true root: "msh"
}
serial {} external_notification {} store_forward {} range_test {}
telemetry { device_update_interval: 2147483647 }
canned_message {} audio {} remote_hardware {} neighbor_info {}
ambient_lighting { current: 10 }
detection_sensor { minimum_broadcast_secs: 45 detection_trigger_type: LOGIC_HIGH }
paxcounter {}
"""


@dataclass(slots=True)
class Preferences:
    """One node's settings. Always eight channels; a closed one has role DISABLED."""

    owner: mesh_pb2.User
    config: localonly_pb2.LocalConfig
    modules: localonly_pb2.LocalModuleConfig
    channels: list[channel_pb2.Channel]

    @classmethod
    def factory_new(cls, num: int) -> Preferences:
        """As out of the box: no region, no keys, the public channel."""
        blank = Identity(num, f"Meshtastic {num & 0xFFFF:04x}", f"{num & 0xFFFF:04x}", b"", b"")
        config = text_format.Parse(_CONFIG, localonly_pb2.LocalConfig())
        modules = text_format.Parse(_MODULES, localonly_pb2.LocalModuleConfig())
        light = modules.ambient_lighting  # in a colour of the node's own
        light.red, light.green, light.blue = num >> 16 & 0xFF, num >> 8 & 0xFF, num & 0xFF
        return cls(blank.user(), config, modules, _slots({0: PUBLIC}))

    @classmethod
    def settled(cls, identity: Identity, channels: Mapping[int, Channel]) -> Preferences:
        """As the recorded nodes stood: region KR, keys, channels."""
        kept = cls.factory_new(identity.num)
        kept.owner.CopyFrom(identity.user())
        kept.config.lora.region = config_pb2.Config.LoRaConfig.RegionCode.KR
        kept.config.lora.tx_power = 23
        kept.modules.mqtt.root = "msh/KR"
        kept.config.security.public_key = identity.public_key
        kept.config.security.private_key = identity.private_key
        kept.channels = _slots(channels)
        return kept

    def copy(self) -> Preferences:
        """The same, apart."""
        return deepcopy(self)

    @property
    def has_region(self) -> bool:
        """Without a region a node is not on the air."""
        return self.config.lora.region != UNSET

    def identity(self) -> Identity:
        """Who the node is by what it keeps."""
        keys, owner = self.config.security, self.owner
        return Identity(
            int(owner.id[1:], 16),
            owner.long_name,
            owner.short_name,
            keys.private_key,
            keys.public_key,
            owner.is_unmessagable,
        )

    def open_channels(self) -> dict[int, Channel]:
        """What its radio listens to, by index."""
        in_use = (channel for channel in self.channels if channel.role != Role.DISABLED)
        return {channel.index: Channel(channel.settings.name, channel.settings.psk) for channel in in_use}


def _slots(channels: Mapping[int, Channel]) -> list[channel_pb2.Channel]:
    return [_slot(index, channels.get(index)) for index in range(CHANNEL_SLOTS)]


def _slot(index: int, known: Channel | None) -> channel_pb2.Channel:
    if known is None:
        return channel_pb2.Channel(index=index, settings=channel_pb2.ChannelSettings())
    settings = channel_pb2.ChannelSettings(psk=known.psk, name=known.name)
    if known == PUBLIC:
        settings.module_settings.position_precision = 13
    return channel_pb2.Channel(index=index, settings=settings, role=Role.SECONDARY if index else Role.PRIMARY)
