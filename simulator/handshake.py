"""The answer to want_config, section by section, as firmware 2.7.26 gives it (tests/recorded/01_handshake)."""

from collections.abc import Iterable, Iterator, Mapping

from google.protobuf import text_format
from meshtastic.protobuf import channel_pb2, config_pb2, mesh_pb2

from simulator.channels import PUBLIC, Channel
from simulator.identity import Identity

CHANNEL_SLOTS = 8
_SCREEN = "deviceuiConfig { screen_brightness: 153 screen_timeout: 30 }"
_METADATA = """metadata {
    firmware_version: "2.7.26.54e0d8d" device_state_version: 24 hasWifi: true position_flags: 811
    hw_model: PORTDUINO hasPKC: true excluded_modules: 13632
}"""
_CONFIGS = (
    "device { node_info_broadcast_secs: 10800 }",
    """position {
        position_broadcast_secs: 3600 position_broadcast_smart_enabled: true gps_update_interval: 120
        position_flags: 811 broadcast_smart_minimum_distance: 100 broadcast_smart_minimum_interval_secs: 300
        gps_mode: NOT_PRESENT
    }""",
    "power { wait_bluetooth_secs: 60 sds_secs: 4294967295 ls_secs: 300 min_wake_secs: 10 }",
    'network { ntp_server: "meshtastic.pool.ntp.org" }',
    "display { screen_on_secs: 600 }",
    """lora {
        use_preset: true bandwidth: 250 spread_factor: 11 coding_rate: 5 region: KR hop_limit: 3 tx_enabled: true
        tx_power: 23 sx126x_rx_boosted_gain: true fem_lna_mode: NOT_PRESENT
    }""",
    "bluetooth { enabled: true mode: FIXED_PIN fixed_pin: 123456 }",
    "security { serial_enabled: true }",  # the keys are each node's own
    "sessionkey {}",
    "device_ui {}",
)
_MODULES = (
    """mqtt {
        address: "mqtt.meshtastic.org" username: "meshdev" password: "large4cats" encryption_enabled: true
        root: "msh/KR"
    }""",
    "serial {}",
    "external_notification {}",
    "store_forward {}",
    "range_test {}",
    "telemetry { device_update_interval: 2147483647 }",
    "canned_message {}",
    "audio {}",
    "remote_hardware {}",
    "neighbor_info {}",
    "ambient_lighting { current: 10 green: 11 blue: 2 }",
    "detection_sensor { minimum_broadcast_secs: 45 detection_trigger_type: LOGIC_HIGH }",
    "paxcounter {}",
    *("", "", ""),  # types that this firmware counts but does not fill
)
_FILES = {
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
    yield _told(_SCREEN)
    yield mesh_pb2.FromRadio(node_info=_own_node(me))
    yield _told(_METADATA)
    for index in range(CHANNEL_SLOTS):
        yield mesh_pb2.FromRadio(channel=_channel(index, channels))
    for section in _CONFIGS:
        yield _with_keys(_told(f"config {{ {section} }}"), me)
    for section in _MODULES:
        yield _told(f"moduleConfig {{ {section} }}")
    for peer in peers:
        yield mesh_pb2.FromRadio(node_info=peer)
    for name, size in _FILES.items():
        yield _told(f'fileInfo {{ file_name: "{name}" size_bytes: {size} }}')
    yield mesh_pb2.FromRadio(config_complete_id=nonce)


def _told(words: str) -> mesh_pb2.FromRadio:
    return text_format.Parse(words, mesh_pb2.FromRadio())


def _my_info(me: Identity, nodes: int) -> mesh_pb2.MyNodeInfo:
    return mesh_pb2.MyNodeInfo(my_node_num=me.num, min_app_version=30200, pio_env="native", nodedb_count=nodes)


def _own_node(me: Identity) -> mesh_pb2.NodeInfo:
    return mesh_pb2.NodeInfo(num=me.num, user=me.user(), position=mesh_pb2.Position(), is_favorite=True)


def _channel(index: int, channels: Mapping[int, Channel]) -> channel_pb2.Channel:
    known = channels.get(index)
    if known is None:
        return channel_pb2.Channel(index=index, settings=channel_pb2.ChannelSettings())
    settings = channel_pb2.ChannelSettings(psk=known.psk, name=known.name)
    if known == PUBLIC:
        settings.module_settings.position_precision = 13
    role = channel_pb2.Channel.Role.PRIMARY if index == 0 else channel_pb2.Channel.Role.SECONDARY
    return channel_pb2.Channel(index=index, settings=settings, role=role)


def _with_keys(told: mesh_pb2.FromRadio, me: Identity) -> mesh_pb2.FromRadio:
    if told.config.HasField("security"):
        keys = config_pb2.Config.SecurityConfig(public_key=me.public_key, private_key=me.private_key)
        told.config.security.MergeFrom(keys)
    return told
