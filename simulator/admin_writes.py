"""What becomes of a written setting: clamped, refused or widened as firmware 2.7.26 does it (AdminModule, NodeDB)."""

from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from meshtastic.protobuf import channel_pb2, config_pb2, mesh_pb2, module_config_pb2

from simulator.preferences import UNSET, Preferences, Role

Device = config_pb2.Config.DeviceConfig
Region = config_pb2.Config.LoRaConfig.RegionCode
Serial = module_config_pb2.ModuleConfig.SerialConfig
KeyMaker = Callable[[], bytes]

ROUTERS = {Device.Role.ROUTER, Device.Role.ROUTER_LATE}
_NO_MESSAGES = ROUTERS | {Device.Role.SENSOR, Device.Role.TRACKER}
_POWER_LIMIT_DBM = {Region.KR: 23, Region.SG_923: 20}
_ELSEWHERE_DBM = 30
_NODE_INFO_AT_LEAST_S = 3600
_KEY_BYTES = 32
_OUTPUT_ONLY = {Serial.Serial_Mode.NMEA, Serial.Serial_Mode.CALTOPO}
_LONG_NAME_BYTES, _SHORT_NAME_BYTES = 39, 4

# Only a change of these restarts the node; a section that is not named here restarts it whatever changed.
_NEEDS_RESTART = {
    "device": ("role", "rebroadcast_mode", "button_gpio", "buzzer_gpio"),
    "power": (
        *("is_power_saving", "on_battery_shutdown_after_secs", "wait_bluetooth_secs", "sds_secs", "ls_secs"),
        *("min_wake_secs", "device_battery_ina_address"),
    ),
    "display": ("screen_on_secs", "flip_screen", "oled", "displaymode"),
    "lora": (
        *("use_preset", "region", "modem_preset", "bandwidth", "spread_factor", "coding_rate", "tx_power"),
        *("frequency_offset", "override_frequency", "channel_num", "sx126x_rx_boosted_gain"),
    ),
    "security": (),
}


def write_owner(kept: Preferences, user: mesh_pb2.User) -> bool | None:
    """Take the names; whether anything changed, None where they are refused."""
    names = (user.long_name, user.short_name)
    if any(name and not name.strip() for name in names):
        return None
    before = kept.owner.SerializeToString()
    if user.long_name:
        kept.owner.long_name = _cut(user.long_name, _LONG_NAME_BYTES)
    if user.short_name:
        kept.owner.short_name = _cut(user.short_name, _SHORT_NAME_BYTES)
    kept.owner.is_unmessagable, kept.owner.is_licensed = user.is_unmessagable, user.is_licensed
    return kept.owner.SerializeToString() != before


def write_config(kept: Preferences, written: config_pb2.Config, make_key: KeyMaker) -> bool:
    """Take one section; whether the node must restart."""
    section = written.WhichOneof("payload_variant") or ""
    if section not in kept.config.DESCRIPTOR.fields_by_name:
        return False
    old, new = getattr(kept.config, section), getattr(written, section)
    fields = _NEEDS_RESTART.get(section)
    must_restart = fields is None or any(getattr(old, name) != getattr(new, name) for name in fields)
    match section:
        case "device":
            _write_device(kept, new)
        case "lora":
            _write_lora(kept, new, make_key)
        case "security":
            _write_security(kept, new, make_key)
        case _:
            old.CopyFrom(new)
    return must_restart


def write_module(kept: Preferences, written: module_config_pb2.ModuleConfig) -> bool:
    """Take one module's settings; False where they are refused."""
    section = written.WhichOneof("payload_variant") or ""
    serial = written.serial
    if section == "serial" and serial.override_console_serial_port and serial.mode not in _OUTPUT_ONLY:
        return False
    if section in kept.modules.DESCRIPTOR.fields_by_name:
        getattr(kept.modules, section).CopyFrom(getattr(written, section))
    return True


def write_channel(kept: Preferences, written: channel_pb2.Channel) -> bool:
    """Take one channel; a new primary demotes the old one. False for an index that does not exist."""
    if not 0 <= written.index < len(kept.channels):
        return False
    if written.role == Role.PRIMARY:
        for channel in kept.channels:
            if channel.role == Role.PRIMARY:
                channel.role = Role.SECONDARY
    kept.channels[written.index].CopyFrom(written)
    return True


def emptied(kept: Preferences, keeps_key: bool) -> Preferences:
    """As out of the box again; only the device's own reset forgets the private key."""
    blank = Preferences.factory_new(kept.identity().num)
    if keeps_key:
        blank.config.security.private_key = kept.config.security.private_key
    return blank


def _write_device(kept: Preferences, new: Device) -> None:
    device = kept.config.device
    is_new_role = device.role != new.role
    device.CopyFrom(new)
    if device.role in ROUTERS and device.rebroadcast_mode == Device.RebroadcastMode.NONE:
        device.rebroadcast_mode = Device.RebroadcastMode.ALL
    if is_new_role:
        _install_role(kept)
    device.node_info_broadcast_secs = max(_NODE_INFO_AT_LEAST_S, device.node_info_broadcast_secs)


def _install_role(kept: Preferences) -> None:
    """A role brings defaults of its own, over what was written with it."""
    device = kept.config.device
    if device.role in _NO_MESSAGES:
        kept.owner.is_unmessagable = True
    if device.role == Device.Role.ROUTER:
        device.rebroadcast_mode = Device.RebroadcastMode.CORE_PORTNUMS_ONLY
        device.node_info_broadcast_secs = 10800
        kept.config.position.position_broadcast_secs = 43200
        kept.modules.telemetry.device_update_interval = 1800


def _write_lora(kept: Preferences, new: config_pb2.Config.LoRaConfig, make_key: KeyMaker) -> None:
    lora = kept.config.lora
    is_first = lora.region == UNSET and new.region != UNSET
    lora.CopyFrom(new)
    if is_first:
        lora.tx_enabled = True
        kept.modules.mqtt.root = f"msh/{Region.Name(lora.region)}"
        _own_keys(kept, make_key)
    if lora.region != UNSET:
        limit = _POWER_LIMIT_DBM.get(lora.region, _ELSEWHERE_DBM)
        lora.tx_power = min(lora.tx_power, limit) or limit


def _write_security(kept: Preferences, new: config_pb2.Config.SecurityConfig, make_key: KeyMaker) -> None:
    security = kept.config.security
    security.CopyFrom(new)
    if kept.has_region:  # before that nobody makes keys
        _own_keys(kept, make_key)
    kept.owner.public_key = security.public_key
    if not any(len(key) == _KEY_BYTES for key in security.admin_key):
        security.is_managed = False


def _own_keys(kept: Preferences, make_key: KeyMaker) -> None:
    """A private key of the node's own if it has none, and the public one that belongs to it."""
    security = kept.config.security
    if len(security.private_key) != _KEY_BYTES:
        security.private_key = make_key()
    private = X25519PrivateKey.from_private_bytes(security.private_key)
    security.public_key = kept.owner.public_key = private.public_key().public_bytes_raw()


def _cut(name: str, octets: int) -> str:
    return name.encode()[:octets].decode(errors="ignore")
