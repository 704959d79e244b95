"""Who may order a node what: its own client, or the holder of an admin key over the mesh (AdminModule of 2.7.26)."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Protocol

from google.protobuf.message import DecodeError
from meshtastic.protobuf import admin_pb2, config_pb2, mesh_pb2, module_config_pb2

from simulator import handshake
from simulator.admin_writes import emptied, write_channel, write_config, write_module, write_owner
from simulator.preferences import CHANNEL_SLOTS, Preferences

AdminMessage = admin_pb2.AdminMessage
Error = mesh_pb2.Routing.Error
Reply = AdminMessage | int  # what was asked for, or an error of Routing
_RINGTONE = "24:d=32,o=5,b=565:f6,p,f6,4p,p,f6"
RENEW_S, EXPIRE_S = 150.0, 300.0  # of a session's pass key
_READS = frozenset(name for name in AdminMessage.DESCRIPTOR.fields_by_name if name.endswith("_request")) - {
    "enter_dfu_mode_request",
    "delete_file_request",
}


class Ordered(Protocol):
    """The node, as its administrator sees it. `settings_changed`: what is in memory changed; `is_kept`: for good."""

    kept: Preferences

    def set_clock(self, unix_s: int) -> None: ...

    def reboot(self, after_s: float = 0.0) -> None: ...

    def settings_changed(self, is_kept: bool) -> None: ...


class Admin:
    """Takes orders for one node. Writes between begin and commit stay in memory; `reboot_s` after a commit, or after a
    single write that needs it, the node starts anew. Who wants no response learns of no refusal, only that it came."""

    def __init__(self, node: Ordered, now: Callable[[], float], chance: Random, reboot_s: float, firmware: str) -> None:
        self._node, self._now, self._chance, self._reboot_s, self._firmware = node, now, chance, reboot_s, firmware
        self.written: list[AdminMessage] = []
        self.restart()

    def restart(self) -> None:
        """An open transaction and the session are gone."""
        self._is_editing = False
        self._passkey, self._passkey_at = b"", 0.0

    def local(self, payload: bytes, wants_response: bool) -> Reply | None:
        """An order from the node's own client; a managed node does not listen to it."""
        order = _read(payload)
        if order is None or self._node.kept.config.security.is_managed:
            return None
        return self._obey(order, wants_response)

    def remote(self, payload: bytes, wants_response: bool, key: bytes) -> Reply | None:
        """An order over the mesh; `key` is the sender's if the packet was sealed with it, else empty."""
        order = _read(payload)
        if order is None or (order.WhichOneof("payload_variant") or "").endswith("_response"):
            return None
        refused = self._refusal(order, key)
        if refused is None:
            return self._obey(order, wants_response)
        return refused if wants_response else None

    def _refusal(self, order: AdminMessage, key: bytes) -> int | None:
        if not key:
            return Error.NOT_AUTHORIZED
        if key not in self._node.kept.config.security.admin_key:
            return Error.ADMIN_PUBLIC_KEY_UNAUTHORIZED
        if order.WhichOneof("payload_variant") not in _READS and not self._is_in_session(order.session_passkey):
            return Error.ADMIN_BAD_SESSION_KEY
        return None

    def _obey(self, order: AdminMessage, wants_response: bool) -> Reply | None:
        name = order.WhichOneof("payload_variant") or ""
        if name in _READS:
            return self._tell(order) if wants_response else None
        self.written.append(order)
        refused = self._do(name, order)
        if not wants_response:
            return None
        return Error.NONE if refused is None else refused

    def _do(self, name: str, order: AdminMessage) -> int | None:
        kept, must_restart = self._node.kept, False
        match name:
            case "set_owner":
                changed = write_owner(kept, order.set_owner)
                if not changed:
                    return Error.BAD_REQUEST if changed is None else None
                must_restart = True
            case "set_config":
                must_restart = write_config(kept, order.set_config, lambda: self._chance.randbytes(32))
            case "set_module_config":
                must_restart = write_module(kept, order.set_module_config)
                if not must_restart:
                    return Error.BAD_REQUEST
            case "set_channel":
                if not write_channel(kept, order.set_channel):
                    return Error.BAD_REQUEST
            case _:
                self._do_other(name, order)
                return None
        self._save(must_restart)
        return None

    def _do_other(self, name: str, order: AdminMessage) -> None:
        match name:
            case "set_time_only":
                self._node.set_clock(order.set_time_only)
            case "reboot_seconds":
                self._node.reboot(max(0, order.reboot_seconds))
            case "begin_edit_settings":
                self._is_editing = True
            case "commit_edit_settings":
                self._is_editing = False
                self._save(must_restart=True)
            case "factory_reset_config" | "factory_reset_device":
                self._node.kept = emptied(self._node.kept, keeps_key=name == "factory_reset_config")
                self._save(must_restart=True)

    def _save(self, must_restart: bool) -> None:
        self._node.settings_changed(is_kept=not self._is_editing)
        if must_restart and not self._is_editing:
            self._node.reboot(self._reboot_s)

    def _tell(self, order: AdminMessage) -> Reply | None:
        kept, told = self._node.kept, AdminMessage()
        match order.WhichOneof("payload_variant"):
            case "get_owner_request":
                told.get_owner_response.CopyFrom(kept.owner)
            case "get_config_request":
                told.get_config_response.CopyFrom(_section(kept, order.get_config_request))
            case "get_module_config_request":
                told.get_module_config_response.CopyFrom(_module(kept, order.get_module_config_request))
            case "get_channel_request":
                if not 1 <= order.get_channel_request <= CHANNEL_SLOTS:
                    return Error.BAD_REQUEST
                told.get_channel_response.CopyFrom(kept.channels[order.get_channel_request - 1])
            case "get_device_metadata_request":
                told.get_device_metadata_response.CopyFrom(handshake.metadata(kept, self._firmware))
            case "get_ringtone_request":
                told.get_ringtone_response = _RINGTONE
            case _:
                return None
        told.session_passkey = self._session()
        return told

    def _session(self) -> bytes:
        if not self._passkey or self._now() > self._passkey_at + RENEW_S:
            self._passkey, self._passkey_at = self._chance.randbytes(8), self._now()
        return self._passkey

    def _is_in_session(self, passkey: bytes) -> bool:
        return bool(self._passkey) and passkey == self._passkey and self._now() < self._passkey_at + EXPIRE_S


def _section(kept: Preferences, number: int) -> config_pb2.Config:
    return handshake.config_section(kept, handshake.CONFIGS[number])


def _module(kept: Preferences, number: int) -> module_config_pb2.ModuleConfig:
    return handshake.module_section(kept, handshake.MODULES[number] if number < len(handshake.MODULES) else "")


def _read(payload: bytes) -> AdminMessage | None:
    try:
        return AdminMessage.FromString(payload)
    except DecodeError:
        return None
