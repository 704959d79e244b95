"""What a node is to become in these stories, and the wires on which its settings get lost."""

import contextlib
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from meshtastic.protobuf import admin_pb2, mesh_pb2, portnums_pb2

from firmware_config.device import Timing
from firmware_config.device_values import Sections
from firmware_config.diff import plan
from firmware_config.settings import Setting
from simulator.frames import FrameReader, frame
from simulator.node import Node

QUICK = Timing(answer_s=3.0, hello_s=5.0, hop_s=2.0, restart_s=5.0, quiet_s=0.15, back_s=5.0, again_s=0.01, afar_s=0.1)
LOSSY = replace(QUICK, answer_s=0.1, hop_s=0.3, tries=10)  # silence is to be expected, so it is not waited for
ADMIN_KEY = bytes(range(100, 132))
PSK = bytes(range(32))
WRITES = {"set_owner", "set_config", "set_module_config", "set_channel", "begin_edit_settings", "commit_edit_settings"}

RELAY = (
    Setting("config.lora.region", "KR"),
    Setting("config.lora.modem_preset", "MEDIUM_FAST"),
    Setting("config.lora.channel_num", 4),
    Setting("config.lora.tx_power", 17),
    Setting("config.lora.ignore_mqtt", True),
    Setting("config.device.role", "ROUTER"),
    Setting("config.device.rebroadcast_mode", "LOCAL_ONLY"),
    Setting("config.device.node_info_broadcast_secs", 14400),
    Setting("owner.long_name", "Relai Masjid"),
    Setting("owner.short_name", "RM"),
    Setting("config.position.gps_mode", "DISABLED"),
    Setting("config.position.position_broadcast_secs", 86400),
    Setting("config.power.adc_multiplier_override", 1.1),
    Setting("config.network.ntp_server", ""),
    Setting("config.display.screen_on_secs", 30),
    Setting("config.bluetooth.enabled", False),
    Setting("channel.0.role", "PRIMARY"),
    Setting("channel.0.name", "SiagaDesa"),
    Setting("channel.0.psk", PSK, is_secret=True),
    Setting("channel.0.position_precision", 0),
    Setting("module.mqtt.enabled", False),
    Setting("module.mqtt.address", ""),
    Setting("module.telemetry.device_update_interval", 3600),
    Setting("module.detection_sensor.enabled", True),
    Setting("module.detection_sensor.name", "Tombol RT03"),
    Setting("module.neighbor_info.enabled", False),
    Setting("config.security.admin_key", (ADMIN_KEY,)),
    Setting("config.security.serial_enabled", True),
)


def kept(node: Node, wanted: Sequence[Setting]) -> bool:
    """Whether a power cut now would leave the node as wanted."""
    flash = node.flash
    told = Sections(num=node.num, owner=flash.owner)
    told.configs = {name: getattr(flash.config, name) for name in flash.config.DESCRIPTOR.fields_by_name}
    told.modules = {name: getattr(flash.modules, name) for name in flash.modules.DESCRIPTOR.fields_by_name}
    told.configs.pop("version"), told.modules.pop("version")
    told.channels = {channel.index: channel for channel in flash.channels}
    return not plan(told.values(), wanted)


def admin_of(message: mesh_pb2.ToRadio) -> admin_pb2.AdminMessage | None:
    """The order in a client's message that would change a setting, or begin or end a transaction."""
    decoded = message.packet.decoded
    if decoded.portnum != portnums_pb2.ADMIN_APP:
        return None
    order = admin_pb2.AdminMessage.FromString(decoded.payload)
    return order if order.WhichOneof("payload_variant") in WRITES else None


@dataclass(slots=True)
class Passing:
    """What a wire does with the orders on their way to the node: all pass, until told otherwise.

    `lose`: this one (from 0) is swallowed. `cut`: at this one the wire breaks, after `share` of its bytes; with
    `stays_cut` for good, and `before_cut` is called just before. `deaf_to`: this message of the node (from 0) is lost.
    """

    lose: int | None = None
    deaf_to: int | None = None
    cut: int | None = None
    share: float = 1.0
    stays_cut: bool = False
    before_cut: Callable[[], None] = lambda: None
    orders: list[admin_pb2.AdminMessage] = field(default_factory=list)

    def of(self, message: mesh_pb2.ToRadio) -> tuple[float, bool]:
        """The share of a message's bytes that passes, and whether the wire breaks behind them."""
        order = admin_of(message)
        if order is None:
            return 1.0, False
        self.orders.append(order)
        at = len(self.orders) - 1
        if at == self.lose:
            return 0.0, False
        return (self.share, True) if at == self.cut else (1.0, False)


class Wire:
    """A cable to a node's TCP port that counts bytes, loses orders and breaks. A context manager."""

    def __init__(self, node: Node, passing: Passing | None = None) -> None:
        self.passing = passing or Passing()
        self._far = ("127.0.0.1", int(node.serve_tcp().rpartition(":")[2]))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        self.bytes_up, self.bytes_down, self.messages_down = 0, 0, 0
        self._is_whole = True
        self._ends: list[socket.socket] = []

    def __enter__(self) -> "Wire":
        threading.Thread(target=self._accept, name="wire", daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._is_whole = False
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._break()

    def mend(self) -> None:
        """Plug it in again."""
        self._is_whole = True

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(self._far, timeout=5) if self._is_whole else None
            except OSError:
                far = None
            if far is None:
                near.close()
                continue
            far.settimeout(None)
            for end in (near, far):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._ends += [near, far]
            for run in (self._up, self._down):
                threading.Thread(target=run, args=(near, far), name="wire way", daemon=True).start()

    def _up(self, near: socket.socket, far: socket.socket) -> None:
        reader = FrameReader()
        with contextlib.suppress(OSError):
            while received := near.recv(65_536):
                self.bytes_up += len(received)
                for body in reader.feed(received):
                    self._pass(far, body)
        _hang_up(near, far)

    def _pass(self, far: socket.socket, body: bytes) -> None:
        share, breaks = self.passing.of(mesh_pb2.ToRadio.FromString(body))
        octets = frame(body)
        far.sendall(octets[: int(len(octets) * share)])
        if breaks:
            self.passing.before_cut()
            self._is_whole = not self.passing.stays_cut
            self._break()

    def _down(self, near: socket.socket, far: socket.socket) -> None:
        reader = FrameReader()
        with contextlib.suppress(OSError):
            while received := far.recv(65_536):
                self.bytes_down += len(received)
                near.sendall(b"".join(frame(body) for body in reader.feed(received) if not self._is_lost()))
        _hang_up(near, far)

    def _is_lost(self) -> bool:
        self.messages_down += 1
        return self.messages_down - 1 == self.passing.deaf_to

    def _break(self) -> None:
        ends, self._ends = self._ends, []
        _hang_up(*ends)


def _hang_up(*ends: socket.socket) -> None:
    for end in ends:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
