"""The ways to a node: a serial port, TCP, or the lease that a running bridge gives on its control socket."""

from pathlib import Path
from urllib.parse import urlsplit

from firmware_config.device_errors import DeviceError
from firmware_config.device_lease import LeaseLink
from firmware_config.device_stream import PortWire, StreamLink, TcpWire
from firmware_config.device_told import Link

TCP_PORT = 4403
BY_ID = Path("/dev/serial/by-id")


def connect(url: str) -> Link:
    """Open serial:///dev/…, tcp://host:4403 or control+unix:///path. Raises DeviceLost or DeviceBusy."""
    where = urlsplit(url)
    match where.scheme:
        case "serial":
            return StreamLink(PortWire(where.path))
        case "tcp":
            return StreamLink(TcpWire(where.hostname or "", where.port or TCP_PORT))
        case "control+unix":
            return LeaseLink(where.path)
    raise DeviceError(f"{url}: not serial://, tcp:// or control+unix://")


def lasting_url(url: str, by_id: Path = BY_ID) -> str:
    """The same with the port's name that stays when a restart numbers it anew, where the system keeps such names."""
    where = urlsplit(url)
    if where.scheme != "serial" or not by_id.is_dir():
        return url
    target = Path(where.path).resolve()
    return next((f"serial://{link}" for link in sorted(by_id.iterdir()) if link.resolve() == target), url)
