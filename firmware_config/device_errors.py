"""What can go wrong with a node; no message ever holds a setting's value."""


class DeviceError(Exception):
    """A node that cannot be read or set up as asked."""


class DeviceLost(DeviceError):
    """It does not answer, or no longer: cable, power, port, distance."""


class DeviceRestarted(DeviceLost):
    """It says that it has just started anew."""


class DeviceUnknown(DeviceLost):
    """The radio at hand has not heard of it, or not of its key: `number`."""

    def __init__(self, number: int) -> None:
        super().__init__(f"!{number:08x} is not known to the radio, or has no key yet")
        self.number = number


class DeviceBusy(DeviceError):
    """Somebody else holds its port, or the bridge's lease."""


class DeviceManaged(DeviceError):
    """It takes orders only over the mesh, from the holder of its admin key."""


class DeviceRefused(DeviceError):
    """It, or the radio on the way, says no; `reason` is a Routing error's name."""

    def __init__(self, reason: str, what: str) -> None:
        super().__init__(f"{what}: {reason}")
        self.reason = reason


class BadSetting(DeviceError):
    """No node has these settings, or not with such a value, or two values are wanted at once."""

    def __init__(self, paths: tuple[str, ...]) -> None:
        super().__init__("no such setting, a value of the wrong kind, or two values: " + ", ".join(paths))
        self.paths = paths


class OnlyAtTheCable(DeviceError):
    """Settings that would take a node off the air on which it is being configured."""

    def __init__(self, paths: tuple[str, ...]) -> None:
        super().__init__("only over USB or TCP, never over the mesh: " + ", ".join(paths))
        self.paths = paths
