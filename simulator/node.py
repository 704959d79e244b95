"""A Meshtastic node without hardware: what a hand does with it, what a story asks it, what befalls its client."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from meshtastic.protobuf import admin_pb2, mesh_pb2, portnums_pb2

from simulator.agenda import Agenda
from simulator.air import EVERYBODY, Air
from simulator.core import NodeCore, Received
from simulator.handshake import FIRMWARE
from simulator.links import Outgoing, SerialLine, TcpPort
from simulator.preferences import Preferences
from simulator.radio import HOP_LIMIT, Outcome
from simulator.serial_module import SILENCE_S, SerialModule, Uart

IDLE_S = 900.0  # firmware hangs up after fifteen silent minutes
DOWN_S = 0.05  # for so long the port is closed
ORDERED_REBOOT_S = 7.0  # from a write that needs it to the restart
_SETS = {"set_owner", "set_config", "set_module_config", "set_channel", "begin_edit_settings", "commit_edit_settings"}
Found = TypeVar("Found")


class Node(NodeCore):
    """One node of the village; make it with `Village.gateway` or `Village.house`. Safe to use from any thread."""

    def __init__(
        self,
        kept: Preferences,
        air: Air,
        agenda: Agenda,
        queue_limit: int | None = 32,
        idle_s: float = IDLE_S,
        relays: bool = True,
        speaks_on: int = 1,
        name: str = "",
        wall: Callable[[], float] = time.time,
        reboot_s: float = ORDERED_REBOOT_S,
        down_s: float = DOWN_S,
        firmware: str = FIRMWARE,
    ) -> None:
        name = name or kept.owner.long_name
        super().__init__(name, kept, air, agenda, wall, queue_limit, relays, reboot_s, firmware)
        self._down_s, self._reboots, self._reboot_ordered = down_s, 0, 0
        self._idle_s, self._speaks_on = idle_s, speaks_on
        self._link: Outgoing | None = None
        self._tcp: TcpPort | None = None
        self._serial: SerialLine | None = None
        self._uart: Uart | None = None
        if kept.has_region:
            air.join(self.radio)

    # What a story asks

    @property
    def public_key(self) -> bytes:
        """32 bytes, as NodeInfo shows them."""
        return self.identity.public_key

    @property
    def inbox(self) -> tuple[Received, ...]:
        """The texts that arrived at this node, oldest first."""
        with self._agenda.lock:
            return tuple(self._inbox)

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """What this node learned about its own packets."""
        with self._agenda.lock:
            return tuple(self._outcomes)

    @property
    def sent(self) -> tuple[mesh_pb2.MeshPacket, ...]:
        """The packets that the API client handed over, as it wrote them."""
        with self._agenda.lock:
            return tuple(self._sent)

    @property
    def has_client(self) -> bool:
        """Whether a client has finished its handshake and is still there, as far as the node knows."""
        with self._agenda.lock:
            return self._link is not None and self.phone.is_sending

    @property
    def waiting(self) -> int:
        """Packets kept for a client that is not there."""
        with self._agenda.lock:
            return self.phone.waiting

    @property
    def admin_writes(self) -> tuple[admin_pb2.AdminMessage, ...]:
        """The orders about settings that this node has carried out, its own client's and those from afar."""
        with self._agenda.lock:
            return tuple(order for order in self._admin.written if order.WhichOneof("payload_variant") in _SETS)

    @property
    def flash(self) -> Preferences:
        """What would be left after a power cut."""
        with self._agenda.lock:
            return self._flash.copy()

    @property
    def reboots(self) -> int:
        """How often it has restarted."""
        return self._reboots

    def wait_for(self, predicate: Callable[[Received], bool], timeout_s: float) -> Received:
        """The first text in the inbox, now or later, that fits; TimeoutError tells what arrived instead."""
        return self._wait(lambda: next(filter(predicate, self._inbox), None), timeout_s)

    def wait_for_outcome(self, packet_id: int, timeout_s: float, by: int | None = None) -> Outcome:
        """What became of a packet of ours, by the word of node number `by` where given."""

        def found() -> Outcome | None:
            return next((o for o in self._outcomes if o.packet_id == packet_id and by in (None, o.by)), None)

        return self._wait(found, timeout_s)

    def wait_for_client(self, timeout_s: float) -> None:
        """Until a client has had its handshake."""
        self._wait(lambda: self.has_client or None, timeout_s)

    def _wait(self, find: Callable[[], Found | None], timeout_s: float) -> Found:
        deadline = time.monotonic() + timeout_s
        with self._agenda.lock:
            while (found := find()) is None:
                left_s = deadline - time.monotonic()
                if left_s <= 0 or not self._agenda.lock.wait(left_s):
                    texts = [received.text for received in self._inbox[-5:]]
                    raise TimeoutError(f"{self.name} waited {timeout_s} s; last texts {texts}, {self._outcomes[-5:]}")
            return found

    # What a hand does

    def text(
        self, text: str, channel: str | None = None, to: int | None = None, bell: bool = False, **fields: object
    ) -> int:
        """Send a text to all or to one number; the packet's id. `channel` is a name (default: the village's)."""
        words = f"\x07{text}" if bell else text
        fields = {"want_ack": True} | fields
        return self.raw(portnums_pb2.TEXT_MESSAGE_APP, words.encode(), channel, to, **fields)

    def alert(self, text: str, channel: str | None = None, to: int | None = None, **fields: object) -> int:
        """Send an ALERT_APP message; the packet's id."""
        fields = {"want_ack": True} | fields
        return self.raw(portnums_pb2.ALERT_APP, text.encode(), channel, to, **fields)

    def detect(self, name: str, channel: str | None = None, bell: bool = False, state: int | None = None) -> int:
        """What the Detection Sensor module sends: "… detected", or with `state` its periodic "… state: 0"."""
        words = f"{name} detected" if state is None else f"{name} state: {state}"
        payload = words.encode() + (b"\x07" if bell else b"")
        return self.raw(portnums_pb2.DETECTION_SENSOR_APP, payload, channel)

    def announce(self) -> int:
        """Broadcast this node's NodeInfo on the primary channel; the packet's id."""
        with self._agenda.lock:
            packet = mesh_pb2.MeshPacket(hop_limit=HOP_LIMIT)
            return self._originate(packet, portnums_pb2.NODEINFO_APP, self.identity.user().SerializeToString(), 0)

    def raw(
        self,
        portnum: portnums_pb2.PortNum.ValueType,
        payload: bytes,
        channel: str | None = None,
        to: int | None = None,
        **fields: object,
    ) -> int:
        """Send anything; the packet's id. `fields` belong to MeshPacket (id, want_ack, hop_limit) or to its Data."""
        packet = mesh_pb2.MeshPacket(to=EVERYBODY if to is None else to, hop_limit=HOP_LIMIT)
        for name, value in fields.items():
            setattr(packet if name in packet.DESCRIPTOR.fields_by_name else packet.decoded, name, value)
        with self._agenda.lock:
            return self._originate(packet, portnum, payload, self._index_of(channel))

    def meet(self, other: Node) -> None:
        """Know another node and its key, as after its NodeInfo."""
        with self._agenda.lock:
            self._know(other.identity)

    def power(self, on: bool) -> None:
        """Off: hears and sends nothing, and what was in memory is gone."""
        with self._agenda.lock:
            self._forget()
            self._reboot_ordered += 1  # what was ordered is forgotten, too
            if not on:
                self._air.leave(self.radio)

    def _index_of(self, channel: str | None) -> int:
        if channel is None:
            return self._speaks_on
        found = next((index for index, known in self.radio.channels.items() if known.name == channel), None)
        if found is None:
            raise ValueError(f"{self.name} has no channel {channel!r}")
        return found

    # What befalls its client

    def serve_tcp(self, port: int = 0) -> str:
        """Listen on loopback; the URL. Port 0: any free one."""
        self._tcp = self._tcp or TcpPort(self, port, self._idle_s)
        return self._tcp.url

    def serve_pty(self, alias: Path | None = None, log_text: bool = False) -> str:
        """Open a pseudo terminal; its URL. `alias`: a symbolic link to keep beside it. `log_text`: console lines
        stand between the frames, as on real USB."""
        self._serial = self._serial or SerialLine(self, alias, log_text)
        return self._serial.url

    def wire(self, write: Callable[[bytes], None], silence_s: float = SILENCE_S) -> Callable[[bytes], None]:
        """Switch the Serial module on in TEXTMSG mode, with a microcontroller in this process at its UART.

        `write` gets what comes out, on the village's thread; what is returned takes what the microcontroller says.
        """
        with self._agenda.lock:
            self._serial_module = module = SerialModule(self._send_primary, write, self._agenda, silence_s)

        def say(octets: bytes) -> None:
            with self._agenda.lock:
                module.feed(octets)

        return say

    def serve_textmsg(self, alias: Path | None = None, silence_s: float = SILENCE_S) -> str:
        """The same at a pseudo terminal; the path that a microcontroller in another process opens."""
        if self._uart is None:
            self._uart = Uart(alias)
            self._uart.said = self.wire(self._uart.write, silence_s)
        return self._uart.path

    def _send_primary(self, text: bytes) -> int:
        packet = mesh_pb2.MeshPacket(to=EVERYBODY, hop_limit=HOP_LIMIT, want_ack=True)
        return self._originate(packet, portnums_pb2.TEXT_MESSAGE_APP, text, 0)

    def stop_serving(self) -> None:
        """Close the ports and pull the plugs."""
        tcp, self._tcp = self._tcp, None
        serial, self._serial = self._serial, None
        uart, self._uart = self._uart, None
        if uart is not None:
            uart.close()
        if tcp is not None:
            tcp.close()
        if serial is not None:
            serial.close()

    def close_client(self, how: str = "eof") -> None:
        """Break the client's TCP connection, `eof` or `rst`. The node does not notice: later packets are lost."""
        ended = self._tcp.hang_up(reset=how == "rst") if self._tcp is not None else None
        if ended is not None:
            ended.wait(timeout=5)

    def refuse(self, refusing: bool = True) -> None:
        """Refuse new TCP clients, or accept them again."""
        if self._tcp is not None:
            self._tcp.refuse() if refusing else self._tcp.listen()

    def mute(self, muted: bool = True) -> None:
        """Half-open: connections stand and are accepted, nothing is answered, nothing is sent."""
        if self._tcp is not None:
            self._tcp.mute(muted)
        if self._serial is not None:
            self._serial.mute(muted)

    def inject(self, octets: bytes) -> None:
        """Bytes into the client's stream as they are: garbage, cuts, forged frames."""
        with self._agenda.lock:
            if self._link is not None:
                self._link.send(octets)

    def deliver(self, packet: bytes | mesh_pb2.MeshPacket) -> None:
        """Straight to the client, without air; a serialised packet is the fast way (it never evicts another)."""
        with self._agenda.lock:
            if isinstance(packet, bytes):
                self.phone.packet(packet, 0)
            else:
                self.phone.packet(packet.SerializeToString(), packet.decoded.portnum)

    def reboot(self, after_s: float = 0.0) -> None:
        """Restart as after an admin command, `after_s` seconds from now; a later order puts it off."""
        with self._agenda.lock:
            self._reboot_ordered += 1
            order = self._reboot_ordered
        self._agenda.after(after_s, lambda: self.restart() if self._reboot_ordered == order else None)

    def restart(self, down_s: float | None = None) -> None:
        """Lose what is in memory: waiting packets, what was heard, the clock, settings that were not committed. TCP
        ends and is closed for `down_s`; the serial line shows `rebooted` and boot text."""
        with self._agenda.lock:
            self._reboots += 1
            self._reboot_ordered += 1
            self._forget()
            tcp, serial = self._tcp, self._serial
            if serial is not None:
                serial.boot()
            if tcp is not None:
                tcp.refuse()
                tcp.hang_up()
                down_s = self._down_s if down_s is None else down_s
                self._agenda.after(down_s, lambda: tcp.listen() if self._tcp is tcp else None)

    # What the links tell

    def client_came(self, link: Outgoing) -> None:
        """A client is connected."""
        with self._agenda.lock:
            self._link = link
            self.phone.attach(link)

    def client_said(self, link: Outgoing, received: bytes) -> None:
        """Bytes from a client."""
        with self._agenda.lock:
            if self._link is not link and link.is_lasting:
                self.client_came(link)
            if self._link is link:
                self.phone.feed(received)
                self._agenda.lock.notify_all()

    def client_reads(self, link: Outgoing) -> None:
        """The client has taken what was sent."""
        if not self.phone.waiting:
            return
        with self._agenda.lock:
            if self._link is link:
                self.phone.refill()

    def client_left(self, link: Outgoing, noticed: bool) -> None:
        """A client is gone; `noticed`: the node hung up."""
        with self._agenda.lock:
            self.phone.detach(link, noticed)
            if self._link is link:
                self._link = None
