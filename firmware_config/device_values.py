"""A node's settings by path, out of its protobuf sections and back into orders that change them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message
from meshtastic.protobuf import admin_pb2, channel_pb2, config_pb2, mesh_pb2, module_config_pb2

from firmware_config.device_errors import BadSetting
from firmware_config.settings import Found, Setting, Value

CHANNEL_SLOTS = 8
CONFIG_SECTIONS = ("device", "position", "power", "network", "display", "lora", "bluetooth", "security")
MODULE_SECTIONS = (
    *("mqtt", "serial", "external_notification", "store_forward", "range_test", "telemetry", "canned_message", "audio"),
    *("remote_hardware", "neighbor_info", "ambient_lighting", "detection_sensor", "paxcounter"),
)
SECRETS = (
    "config.security.private_key",
    "config.network.wifi_psk",
    "module.mqtt.password",
    "config.bluetooth.fixed_pin",
)
CLOSED = "DISABLED"
_OWNER = ("long_name", "short_name", "is_licensed")
_CHANNEL = ("name", "psk", "uplink_enabled", "downlink_enabled")
Role = channel_pb2.Channel.Role


@dataclass(slots=True)
class Sections:
    """What a node told about itself, as it told it. Never log or store one: it has the private key."""

    num: int = 0
    owner: mesh_pb2.User | None = None
    metadata: mesh_pb2.DeviceMetadata | None = None
    configs: dict[str, Message] = field(default_factory=dict)
    modules: dict[str, Message] = field(default_factory=dict)
    channels: dict[int, channel_pb2.Channel] = field(default_factory=dict)
    peers: dict[int, mesh_pb2.NodeInfo] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<settings of !{self.num:08x}>"

    def values(self) -> Found:
        """Every setting by its path, defaults filled in."""
        found = Found()
        if self.owner is not None:
            found |= {f"owner.{name}": getattr(self.owner, name) for name in _OWNER}
        for kind, sections in (("config", self.configs), ("module", self.modules)):
            for name, message in sections.items():
                found |= _flat(f"{kind}.{name}", message)
        for index, channel in sorted(self.channels.items()):
            found |= _channel_values(index, channel)
        return found


def _flat(prefix: str, message: Any) -> Iterator[tuple[str, Value]]:
    for known in message.DESCRIPTOR.fields:
        value, path = getattr(message, known.name), f"{prefix}.{known.name}"
        if isinstance(value, Message):
            yield from _flat(path, value)
        elif not isinstance(value, bool | int | float | str | bytes):  # repeated; messages in it are left alone
            if known.message_type is None:
                yield path, tuple(each for each in value if each)
        elif known.enum_type is not None:
            named = known.enum_type.values_by_number.get(value)
            yield path, named.name if named else value
        else:
            yield path, value


def _channel_values(index: int, channel: channel_pb2.Channel) -> Iterator[tuple[str, Value]]:
    yield f"channel.{index}.role", Role.Name(channel.role)
    for name in _CHANNEL:
        yield f"channel.{index}.{name}", getattr(channel.settings, name)
    yield f"channel.{index}.position_precision", channel.settings.module_settings.position_precision


def closing_surplus(wanted: Sequence[Setting]) -> tuple[Setting, ...]:
    """Where channels are wanted at all, those that nobody names are to be closed."""
    named = {setting.path.split(".")[1] for setting in wanted if setting.path.startswith("channel.")}
    if not named:
        return tuple(wanted)
    surplus = [str(index) for index in range(CHANNEL_SLOTS) if str(index) not in named]
    why = "a channel that nobody knows about is a way in"
    return (*wanted, *(Setting(f"channel.{index}.role", CLOSED, why) for index in surplus))


def section_of(path: str) -> str:
    """`config.lora`, `module.serial`, `channel.3`, `owner`: what is written as one."""
    parts = path.split(".")
    return parts[0] if parts[0] == "owner" else ".".join(parts[:2])


def known_paths() -> frozenset[str]:
    """Every path that a setting may have."""
    told = Sections(owner=mesh_pb2.User())
    told.configs = {name: getattr(config_pb2.Config(), name) for name in CONFIG_SECTIONS}
    told.modules = {name: getattr(module_config_pb2.ModuleConfig(), name) for name in MODULE_SECTIONS}
    told.channels = {index: channel_pb2.Channel() for index in range(CHANNEL_SLOTS)}
    return frozenset(told.values())


def check(wanted: Iterable[Setting]) -> None:
    """Raises BadSetting for paths that no node has, for values of the wrong kind and for two values of one path."""
    blank = Sections(owner=mesh_pb2.User())
    paths, seen, wrong = known_paths(), dict[str, Value](), list[str]()
    for setting in wanted:
        try:
            if setting.path not in paths or seen.setdefault(setting.path, setting.value) != setting.value:
                raise KeyError
            order(blank, section_of(setting.path), [setting])
        except (KeyError, BadSetting):
            wrong.append(setting.path)
    if wrong:
        raise BadSetting(tuple(wrong))


def order(told: Sections, section: str, settings: Iterable[Setting]) -> admin_pb2.AdminMessage:
    """The order that writes one section: as the node told it, with these settings changed."""
    message = admin_pb2.AdminMessage()
    kind, _, name = section.partition(".")
    match kind:
        case "owner":
            message.set_owner.CopyFrom(told.owner or mesh_pb2.User())
            part: Message = message.set_owner
        case "channel":
            return _channel_order(message, told, int(name), list(settings))
        case "config":
            part = getattr(message.set_config, name)
            part.SetInParent()
            part.MergeFrom(told.configs.get(name, type(part)()))
        case _:
            part = getattr(message.set_module_config, name)
            part.SetInParent()
            part.MergeFrom(told.modules.get(name, type(part)()))
    for setting in settings:
        _put(part, setting.path.removeprefix(section + "."), setting)
    return message


def _channel_order(
    message: admin_pb2.AdminMessage, told: Sections, index: int, settings: Sequence[Setting]
) -> admin_pb2.AdminMessage:
    channel = message.set_channel
    if index in told.channels:
        channel.CopyFrom(told.channels[index])
    channel.index = index
    for setting in settings:
        name = setting.path.rpartition(".")[2]
        part: Message = channel if name == "role" else channel.settings
        _put(channel.settings.module_settings if name == "position_precision" else part, name, setting)
    if channel.role == Role.DISABLED:
        channel.settings.Clear()  # its key goes with it
        channel.settings.SetInParent()
    return message


def _put(part: Any, name: str, setting: Setting) -> None:
    """Set one field, `a.b` deep. Raises BadSetting, without the value, for one that it cannot hold."""
    *way, last = name.split(".")
    for step in way:
        part = getattr(part, step)
    value = setting.value
    try:
        if isinstance(value, tuple):
            del getattr(part, last)[:]
            getattr(part, last).extend(each for each in value if each)
        elif isinstance(value, bool) is not isinstance(getattr(part, last), bool):
            raise TypeError
        else:
            setattr(part, last, value)
    except (TypeError, ValueError, AttributeError):
        raise BadSetting((setting.path,)) from None
