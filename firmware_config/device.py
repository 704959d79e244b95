"""A node at hand: read it, make it as wanted, verify it. The other device_* files are its insides."""

from pathlib import Path

from firmware_config.device_apply import Progress, Report, Step, apply, verify
from firmware_config.device_errors import (
    BadSetting,
    DeviceBusy,
    DeviceError,
    DeviceLost,
    DeviceManaged,
    DeviceRefused,
    DeviceUnknown,
    OnlyAtTheCable,
)
from firmware_config.device_link import BY_ID
from firmware_config.device_node import Device, FarDevice, NearDevice
from firmware_config.device_timing import Timing
from firmware_config.device_values import SECRETS, closing_surplus, known_paths

__all__ = [
    "SECRETS",
    "BadSetting",
    "Device",
    "DeviceBusy",
    "DeviceError",
    "DeviceLost",
    "DeviceManaged",
    "DeviceRefused",
    "DeviceUnknown",
    "OnlyAtTheCable",
    "Progress",
    "Report",
    "Step",
    "Timing",
    "apply",
    "closing_surplus",
    "known_paths",
    "open_device",
    "verify",
]


def open_device(url: str, timing: Timing | None = None, remote: int | None = None, by_id: Path = BY_ID) -> Device:
    """A node that answers, at serial:///dev/…, tcp://host:4403 or control+unix:///path (the bridge's lease).

    `remote`: the number of a node over the mesh, reached through the one at `url`, which holds its admin key. Raises
    DeviceLost, DeviceBusy or DeviceRefused.
    """
    near = NearDevice(url, timing or Timing(), by_id)
    if remote is None or remote == near.node:
        return near
    try:
        return FarDevice(near, remote)
    except BaseException:
        near.close()
        raise
