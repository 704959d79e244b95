"""A node that answers: at a cable, on the network, through the bridge's lease, or over the mesh."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from types import TracebackType

from meshtastic.protobuf import admin_pb2

from firmware_config.device_errors import DeviceBusy, DeviceError, DeviceLost, DeviceUnknown
from firmware_config.device_link import connect, lasting_url
from firmware_config.device_remote import RemoteTalk
from firmware_config.device_talk import LocalTalk
from firmware_config.device_timing import Timing
from firmware_config.device_told import Link
from firmware_config.device_values import CHANNEL_SLOTS, CONFIG_SECTIONS, MODULE_SECTIONS, Sections, section_of
from firmware_config.settings import Value

AdminMessage = admin_pb2.AdminMessage
EVERYTHING = (
    "owner",
    *(f"config.{name}" for name in CONFIG_SECTIONS),
    *(f"module.{name}" for name in MODULE_SECTIONS),
    *(f"channel.{index}" for index in range(CHANNEL_SLOTS)),
)


class Device(ABC):
    """One node. A context manager; made by `open_device`. `restarts`: how often it was seen to start anew."""

    node: int = 0
    firmware: str = ""
    public_key: bytes = b""
    is_near: bool = True

    def __init__(self, url: str, timing: Timing) -> None:
        self.url, self.timing, self.restarts = url, timing, 0

    def __enter__(self) -> Device:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def read(self, paths: Iterable[str] | None = None) -> Mapping[str, Value]:
        """Every setting by its path, defaults filled in. It holds keys: never log it, never store it in the clear.

        `paths`: at least these. Over the mesh each section is a question of its own, so ask for no more.
        """
        sections = EVERYTHING if paths is None else sorted({section_of(path) for path in paths})
        return self.tell(sections).values()

    @abstractmethod
    def tell(self, sections: Collection[str] = EVERYTHING) -> Sections:
        """At least these sections, as messages."""

    @abstractmethod
    def give(self, order: AdminMessage) -> None:
        """Give an order until the node acknowledges it."""

    @abstractmethod
    def await_restart(self, wait_s: float) -> bool:
        """Whether it starts anew within `wait_s`; then it has also come back."""

    @abstractmethod
    def come_back(self) -> None:
        """Reach it again. Raises DeviceLost when it does not come back in time."""

    @abstractmethod
    def close(self) -> None:
        """Say goodbye and let go of the port."""


class NearDevice(Device):
    """The node at the other end of a link."""

    def __init__(self, url: str, timing: Timing, by_id: Path) -> None:
        super().__init__(lasting_url(url, by_id), timing)
        self._talk: LocalTalk | None = None
        self.link: Link | None = None
        try:
            self._connect()
        except BaseException:
            self.close()
            raise

    def tell(self, sections: Collection[str] = EVERYTHING) -> Sections:
        told = self._open_talk.tell()
        if self.node not in (0, told.num):
            raise DeviceError(f"another node answers: !{told.num:08x}, not !{self.node:08x}")
        self.node = told.num
        self.firmware = told.metadata.firmware_version if told.metadata else ""
        self.public_key = told.owner.public_key if told.owner else b""
        return told

    def give(self, order: AdminMessage) -> None:
        self._open_talk.order(order, self.node)

    def await_restart(self, wait_s: float) -> bool:
        if self._open_talk.outlives(wait_s):
            return False
        self.restarts += 1
        self.come_back()
        return True

    def come_back(self) -> None:
        end = time.monotonic() + self.timing.back_s
        while True:
            self.close()
            try:
                return self._connect()
            except (DeviceLost, DeviceBusy):  # the bridge too must find its radio again
                if time.monotonic() >= end:
                    raise
            time.sleep(self.timing.again_s)

    def close(self) -> None:
        talk, self._talk = self._talk, None
        if talk is not None:
            talk.close()

    @property
    def _open_talk(self) -> LocalTalk:
        if self._talk is None:
            raise DeviceLost("the connection is closed")
        return self._talk

    def _connect(self) -> None:
        self.link = connect(self.url)
        self._talk = LocalTalk(self.link, self.timing)
        self.tell()


class FarDevice(Device):
    """A node over the mesh; `near`: the radio whose key is among its admin keys. It closes `near` with itself."""

    is_near = False

    def __init__(self, near: NearDevice, node: int) -> None:
        super().__init__(near.url, near.timing)
        self._near, self.node = near, node
        self._talk = self._reach()
        self.firmware = self._talk.metadata().firmware_version

    def tell(self, sections: Collection[str] = EVERYTHING) -> Sections:
        return self._talk.tell(sections)

    def give(self, order: AdminMessage) -> None:
        self._talk.order(order)

    def await_restart(self, wait_s: float) -> bool:
        before, end = self._talk.passkey, time.monotonic() + self.timing.afar_s + wait_s
        while time.monotonic() < end:
            if self._near.await_restart(self.timing.afar_s):  # our own radio, of all
                self._talk = self._reach()
            if self._has_restarted(before):
                self.restarts += 1
                return True
        return False

    def come_back(self) -> None:
        self._near.come_back()
        self._talk = self._reach()

    def close(self) -> None:
        self._near.close()

    def _has_restarted(self, before: bytes) -> bool:
        try:
            return self._talk.renew() != before
        except DeviceLost:
            return False  # still on its way

    def _reach(self) -> RemoteTalk:
        told = self._near.tell()
        peer = told.peers.get(self.node)
        if peer is None or not peer.user.public_key:
            raise DeviceUnknown(self.node)
        self.public_key = peer.user.public_key
        assert self._near.link is not None
        hops = peer.hops_away if peer.HasField("hops_away") else told.configs["lora"].hop_limit  # type: ignore[attr-defined]
        return RemoteTalk(self._near.link, self.timing, self.node, self.public_key, hops)
