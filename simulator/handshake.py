"""The answer to want_config, section by section, as firmware 2.7.26 gives it (tests/recorded/01_handshake)."""

from collections.abc import Iterable, Iterator, Mapping

from meshtastic.protobuf import channel_pb2, config_pb2, mesh_pb2, module_config_pb2

from simulator.channels import PUBLIC, Channel
from simulator.identity import Identity

CHANNEL_SLOTS = 8
FILES = {
    "/prefs/device.proto": 97,
    "/prefs/nodes.proto": 542,
    "/prefs/channels.proto": 104,
    "/prefs/config.proto": 179,
    "/prefs/module.proto": 96,
    "/prefs/transmit_history.dat": 13,
}


def answer(
    me: Identity, channels: Mapping[int, Channel], peers: Iterable[mesh_pb2.NodeInfo], nonce: int
) -> Iterator[mesh_pb2.FromRadio]:
    """Every message from my_info to config_complete_id, in order."""
    peers = list(peers)
    yield mesh_pb2.FromRadio(my_info=_my_info(me, len(peers) + 1))
    yield mesh_pb2.FromRadio(deviceuiConfig={"screen_brightness": 153, "screen_timeout": 30})
    yield mesh_pb2.FromRadio(node_info=_own_node(me))
    yield mesh_pb2.FromRadio(metadata=_metadata())
    for index in range(CHANNEL_SLOTS):
        yield mesh_pb2.FromRadio(channel=_channel(index, channels))
    for config in _configs(me):
        yield mesh_pb2.FromRadio(config=config)
    for module in _modules():
        yield mesh_pb2.FromRadio(moduleConfig=module)
    for peer in peers:
        yield mesh_pb2.FromRadio(node_info=peer)
    for name, size in FILES.items():
        yield mesh_pb2.FromRadio(fileInfo={"file_name": name, "size_bytes": size})
    yield mesh_pb2.FromRadio(config_complete_id=nonce)


def _my_info(me: Identity, nodes: int) -> mesh_pb2.MyNodeInfo:
    return mesh_pb2.MyNodeInfo(my_node_num=me.num, min_app_version=30200, pio_env="native", nodedb_count=nodes)


def _own_node(me: Identity) -> mesh_pb2.NodeInfo:
    return mesh_pb2.NodeInfo(num=me.num, user=me.user(), position={}, is_favorite=True)


def _metadata() -> mesh_pb2.DeviceMetadata:
    return mesh_pb2.DeviceMetadata(
        firmware_version="2.7.26.54e0d8d",
        device_state_version=24,
        hasWifi=True,
        position_flags=811,
        hw_model="PORTDUINO",
        hasPKC=True,
        excluded_modules=13632,
    )


def _channel(index: int, channels: Mapping[int, Channel]) -> channel_pb2.Channel:
    channel = channels.get(index)
    if channel is None:
        return channel_pb2.Channel(index=index, settings={})
    settings = channel_pb2.ChannelSettings(psk=channel.psk, name=channel.name)
    if channel == PUBLIC:
        settings.module_settings.position_precision = 13
    return channel_pb2.Channel(index=index, settings=settings, role="PRIMARY" if index == 0 else "SECONDARY")


def _configs(me: Identity) -> Iterator[config_pb2.Config]:
    yield config_pb2.Config(device={"node_info_broadcast_secs": 10800})
    yield config_pb2.Config(
        position={
            "position_broadcast_secs": 3600,
            "position_broadcast_smart_enabled": True,
            "gps_update_interval": 120,
            "position_flags": 811,
            "broadcast_smart_minimum_distance": 100,
            "broadcast_smart_minimum_interval_secs": 300,
            "gps_mode": "NOT_PRESENT",
        }
    )
    yield config_pb2.Config(
        power={"wait_bluetooth_secs": 60, "sds_secs": 0xFFFFFFFF, "ls_secs": 300, "min_wake_secs": 10}
    )
    yield config_pb2.Config(network={"ntp_server": "meshtastic.pool.ntp.org"})
    yield config_pb2.Config(display={"screen_on_secs": 600})
    yield config_pb2.Config(lora=_lora())
    yield config_pb2.Config(bluetooth={"enabled": True, "mode": "FIXED_PIN", "fixed_pin": 123456})
    yield config_pb2.Config(
        security={"public_key": me.public_key, "private_key": me.private_key, "serial_enabled": True}
    )
    yield config_pb2.Config(sessionkey={})
    yield config_pb2.Config(device_ui={})


def _lora() -> config_pb2.Config.LoRaConfig:
    lora = config_pb2.Config.LoRaConfig(
        use_preset=True,
        bandwidth=250,
        spread_factor=11,
        coding_rate=5,
        region="KR",
        hop_limit=3,
        tx_enabled=True,
        tx_power=23,
        sx126x_rx_boosted_gain=True,
    )
    # `fem_lna_mode: NOT_PRESENT`, which older protobuf packages do not know, is written as raw bytes.
    lora.MergeFromString(b"\xd0\x06\x02")
    return lora


def _modules() -> Iterator[module_config_pb2.ModuleConfig]:
    config = module_config_pb2.ModuleConfig
    yield config(
        mqtt={
            "address": "mqtt.meshtastic.org",
            "username": "meshdev",
            "password": "large4cats",
            "encryption_enabled": True,
            "root": "msh/KR",
        }
    )
    yield config(serial={})
    yield config(external_notification={})
    yield config(store_forward={})
    yield config(range_test={})
    yield config(telemetry={"device_update_interval": 0x7FFFFFFF})
    yield config(canned_message={})
    yield config(audio={})
    yield config(remote_hardware={})
    yield config(neighbor_info={})
    yield config(ambient_lighting={"current": 10, "green": 11, "blue": 2})
    yield config(detection_sensor={"minimum_broadcast_secs": 45, "detection_trigger_type": "LOGIC_HIGH"})
    yield config(paxcounter={})
    for _ in range(3):  # types that this firmware counts but does not fill
        yield config()
