"""The answer to want_config, section by section, as firmware 2.7.26 gives it (tests/recorded/01_handshake)."""

from collections.abc import Iterable, Iterator

from google.protobuf import text_format
from meshtastic.protobuf import config_pb2, mesh_pb2, module_config_pb2

from simulator.preferences import Preferences

FIRMWARE = "2.7.26.54e0d8d"
CONFIGS = (
    *("device", "position", "power", "network", "display", "lora", "bluetooth", "security"),
    *("sessionkey", "device_ui"),  # shown empty
)
MODULES = (
    *("mqtt", "serial", "external_notification", "store_forward", "range_test", "telemetry", "canned_message", "audio"),
    *("remote_hardware", "neighbor_info", "ambient_lighting", "detection_sensor", "paxcounter"),
    *("", "", ""),  # types that this firmware counts but does not fill
)
_SCREEN = "deviceuiConfig { screen_brightness: 153 screen_timeout: 30 }"
_METADATA = """
    device_state_version: 24 hasWifi: true position_flags: 811
    hw_model: PORTDUINO hasPKC: true excluded_modules: 13632
"""
_FILES = {
    "/prefs/device.proto": 97,
    "/prefs/nodes.proto": 542,
    "/prefs/channels.proto": 104,
    "/prefs/config.proto": 179,
    "/prefs/module.proto": 96,
    "/prefs/transmit_history.dat": 13,
}


def answer(
    kept: Preferences, peers: Iterable[mesh_pb2.NodeInfo], nonce: int, firmware: str = FIRMWARE
) -> Iterator[mesh_pb2.FromRadio]:
    """Every message from my_info to config_complete_id, in order."""
    peers = list(peers)
    num = kept.identity().num
    info = mesh_pb2.MyNodeInfo(my_node_num=num, min_app_version=30200, pio_env="native", nodedb_count=len(peers) + 1)
    yield mesh_pb2.FromRadio(my_info=info)
    yield text_format.Parse(_SCREEN, mesh_pb2.FromRadio())
    own = mesh_pb2.NodeInfo(num=num, user=kept.owner, position=mesh_pb2.Position(), is_favorite=True)
    yield mesh_pb2.FromRadio(node_info=own)
    yield mesh_pb2.FromRadio(metadata=metadata(kept, firmware))
    for channel in kept.channels:
        yield mesh_pb2.FromRadio(channel=channel)
    for section in CONFIGS:
        yield mesh_pb2.FromRadio(config=config_section(kept, section))
    for section in MODULES:
        yield mesh_pb2.FromRadio(moduleConfig=module_section(kept, section))
    for peer in peers:
        yield mesh_pb2.FromRadio(node_info=peer)
    for name, size in _FILES.items():
        yield mesh_pb2.FromRadio(fileInfo=mesh_pb2.FileInfo(file_name=name, size_bytes=size))
    yield mesh_pb2.FromRadio(config_complete_id=nonce)


def metadata(kept: Preferences, firmware: str = FIRMWARE) -> mesh_pb2.DeviceMetadata:
    """What kind of device this is."""
    told = text_format.Parse(_METADATA, mesh_pb2.DeviceMetadata(firmware_version=firmware))
    told.role = kept.config.device.role
    return told


def config_section(kept: Preferences, section: str) -> config_pb2.Config:
    """One section of the settings; those that are not kept are shown empty."""
    told = config_pb2.Config()
    getattr(told, section).SetInParent()
    if section in kept.config.DESCRIPTOR.fields_by_name:
        getattr(told, section).CopyFrom(getattr(kept.config, section))
    return told


def module_section(kept: Preferences, section: str) -> module_config_pb2.ModuleConfig:
    """One module's settings; `section` may be empty, as firmware tells what it does not fill."""
    told = module_config_pb2.ModuleConfig()
    if section:
        getattr(told, section).SetInParent()
        getattr(told, section).CopyFrom(getattr(kept.modules, section))
    return told
