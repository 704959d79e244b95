"""One setting of a Meshtastic node: where it stands, what it is to be, and why."""

from dataclasses import dataclass

Value = bool | int | float | str | bytes | tuple[bytes, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Setting:
    """`path`: `config.lora.region`, `module.detection_sensor.enabled`, `owner.long_name`, `channel.0.psk`; enums by
    their protobuf name; keys as bytes. A secret value is never shown, logged or put into an error."""

    path: str
    value: Value
    why: str = ""
    is_secret: bool = False

    def __repr__(self) -> str:
        return f"<{self.path} = {_shown(self, self.value)}>"


@dataclass(frozen=True, slots=True, repr=False)
class Difference:
    """What a node has and what it should have; `now` None: the node did not tell."""

    setting: Setting
    now: Value | None

    def __repr__(self) -> str:
        return f"<{self.setting.path}: {_shown(self.setting, self.now)} -> {_shown(self.setting, self.setting.value)}>"


def _shown(setting: Setting, value: Value | None) -> str:
    return "***" if setting.is_secret and value is not None else repr(value)
