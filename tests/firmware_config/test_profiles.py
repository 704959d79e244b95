"""The profiles themselves: every path, type and name is the protobufs', and every setting says why, twice."""

from typing import Any

import pytest
from meshtastic.protobuf import channel_pb2, config_pb2, mesh_pb2, module_config_pb2

from bridge.domain.said import Said
from firmware_config.profile import PROFILES, Profile, Wish, load_profile

ORIGINS = {
    *("node.name", "node.short", "channel.name", "channel.key", "admin.keys"),
    *("radio.region", "radio.preset", "radio.slot", "radio.power_dbm", "radio.hops"),
    *("pins.button", "pins.serial_rx", "pins.serial_tx", "pins.siren"),
}
TOPS = {
    "config": config_pb2.Config.DESCRIPTOR,
    "module": module_config_pb2.ModuleConfig.DESCRIPTOR,
    "owner": mesh_pb2.User.DESCRIPTOR,
}


def field_of(path: str) -> Any:
    """The protobuf field that a path means; KeyError where there is none."""
    top, *rest = path.split(".")
    if top == "channel":
        index, name = rest
        assert 0 <= int(index) <= 7
        message = channel_pb2.Channel.DESCRIPTOR if name == "role" else channel_pb2.ChannelSettings.DESCRIPTOR
        if name == "position_precision":
            message = channel_pb2.ModuleSettings.DESCRIPTOR
        return message.fields_by_name[name]
    message = TOPS[top]
    for section in rest[:-1]:
        message = message.fields_by_name[section].message_type
    return message.fields_by_name[rest[-1]]


def fits(field: Any, value: object) -> bool:
    match field.cpp_type:
        case field.CPPTYPE_ENUM:
            return value in field.enum_type.values_by_name
        case field.CPPTYPE_BOOL:
            return isinstance(value, bool)
        case field.CPPTYPE_FLOAT:
            return isinstance(value, float)
        case field.CPPTYPE_STRING:
            return isinstance(value, str)
        case _:
            return isinstance(value, int) and not isinstance(value, bool)


def is_sound(wish: Wish) -> bool:
    """Known to the protobufs, of the right type or the village's to say, and explained twice."""
    field = field_of(wish.path)
    is_said = wish.origin in ORIGINS if wish.value is None else not wish.origin and fits(field, wish.value)
    why = wish.why
    return is_said and bool(wish.source and why.indonesian and why.english) and why.indonesian != why.english


@pytest.mark.parametrize("name", PROFILES)
def test_every_setting_is_one_that_the_locked_protobufs_know(name: str) -> None:
    profile = load_profile(name)
    assert len(profile.wishes) > 50
    assert [wish for wish in profile.wishes if not is_sound(wish)] == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("config.lora.modem_preset", "MEDIUM_FASTER"),
        ("config.lora.hop_limit", True),
        ("config.lora.hop_limit", "3"),
        ("module.mqtt.enabled", 0),
    ],
)
def test_a_value_of_another_kind_would_be_found(path: str, value: Any) -> None:
    assert not is_sound(Wish(path, value, "", Said("karena", "because"), "somewhere"))


@pytest.mark.parametrize(
    "path",
    ["config.lora.regoin", "config.detection_sensor.enabled", "module.lora.region", "owner.name", "channel.0.key"],
)
def test_a_path_that_is_not_there_would_be_found(path: str) -> None:
    with pytest.raises(KeyError):
        field_of(path)


def values(name: str) -> dict[str, object]:
    return {wish.path: wish.value for wish in load_profile(name).wishes}


@pytest.mark.parametrize("name", PROFILES)
def test_what_every_node_keeps_to(name: str) -> None:
    told = values(name)
    assert (
        told.items()
        >= {
            "config.lora.ignore_mqtt": True,
            "config.lora.config_ok_to_mqtt": False,
            "config.lora.use_preset": True,
            "config.lora.override_frequency": 0.0,
            "config.lora.frequency_offset": 0.0,
            "owner.is_licensed": False,
            "config.device.rebroadcast_mode": "LOCAL_ONLY",
            "config.bluetooth.enabled": False,
            "module.mqtt.enabled": False,
            "channel.0.role": "PRIMARY",
            **{f"channel.{spare}.role": "DISABLED" for spare in range(1, 8)},
        }.items()
    )
    assert {"config.lora.channel_num", "config.lora.tx_power", "config.security.admin_key", "channel.0.psk"} <= set(
        told
    )
    assert not {"config.security.private_key", "config.security.public_key"} & set(told), "a node's own key is its own"


def test_each_kind_of_node_does_its_own_work() -> None:
    roles = {name: values(name)["config.device.role"] for name in PROFILES}
    assert roles == {
        "button": "CLIENT_MUTE",
        "head": "CLIENT_MUTE",
        "relay": "ROUTER",
        "gateway": "CLIENT",
        "siren": "CLIENT_MUTE",
    }
    modules = ("detection_sensor", "serial", "external_notification")
    on = {name: [module for module in modules if values(name)[f"module.{module}.enabled"]] for name in PROFILES}
    assert on == {
        "button": ["detection_sensor"],
        "head": ["serial"],
        "relay": [],
        "gateway": [],
        "siren": ["external_notification"],
    }
    assert values("head")["module.serial.mode"] == "TEXTMSG"
    assert values("button")["module.detection_sensor.minimum_broadcast_secs"] == 10  # 0 would be an hour


def test_only_the_posts_own_radio_obeys_the_hand_that_holds_it() -> None:
    managed = {name for name in PROFILES if values(name)["config.security.is_managed"]}
    assert managed == set(PROFILES) - {"gateway"}


def test_the_channels_key_is_the_only_secret() -> None:
    told: dict[str, Any] = dict.fromkeys(ORIGINS, "x")
    for profile in map(load_profile, PROFILES):
        assert secrets(profile, told) == ["channel.0.psk"]


def secrets(profile: Profile, told: dict[str, Any]) -> list[str]:
    return [wish.path for wish in profile.wishes if wish.setting(told, "id").is_secret]
