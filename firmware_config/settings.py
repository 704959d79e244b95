"""One setting of a Meshtastic node: where it stands, what it is to be, and why."""

from dataclasses import dataclass

Value = bool | int | float | str | bytes | tuple[bytes, ...]


class Found(dict[str, Value]):
    """What a node has, by path. It holds its keys, so a traceback or a log shows how many there are, and no more."""

    def __repr__(self) -> str:
        return f"<{len(self)} settings>"


@dataclass(frozen=True, slots=True, repr=False)
class Setting:
    """`path`: `config.lora.region`, `module.detection_sensor.enabled`, `owner.long_name`, `channel.0.psk`; enums by
    their protobuf name; keys as bytes. A secret value is never shown, logged or put into an error."""

    path: str
    value: Value
    why: str = ""
    is_secret: bool = False

    def __repr__(self) -> str:
        return f"Setting({self.path}={_told(self, self.value)})"


@dataclass(frozen=True, slots=True, repr=False)
class Difference:
    """What a node has and what it should have; `now` None: the node did not tell."""

    setting: Setting
    now: Value | None

    def __repr__(self) -> str:
        return f"Difference({self.setting!r}, now={_told(self.setting, self.now)})"


def _told(setting: Setting, value: Value | None) -> str:
    return "..." if setting.is_secret else repr(value)
