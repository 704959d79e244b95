"""One setting of a Meshtastic node: where it stands, what it is to be, and why."""

from dataclasses import dataclass

Value = bool | int | float | str | bytes | tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Setting:
    """`path`: `config.lora.region`, `module.detection_sensor.enabled`, `owner.long_name`, `channel.0.psk`; enums by
    their protobuf name; keys as bytes. A secret value is never shown, logged or put into an error."""

    path: str
    value: Value
    why: str = ""
    is_secret: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """What a node has and what it should have; `now` None: the node did not tell."""

    setting: Setting
    now: Value | None
