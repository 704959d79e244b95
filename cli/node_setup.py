"""One box becomes one node of the village: recognised, claimed in `village.yaml`, set up, entered with its key."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bridge.domain.ids import node_id
from bridge.sources import load_sources
from cli.node_words import NodeVoice
from firmware_config.device import Device, Progress, Report, apply
from firmware_config.firmware import is_old
from firmware_config.keys import add_admin_key
from firmware_config.recognise import no_twin, pending, recognise
from firmware_config.register_file import RegisterFile
from firmware_config.seen import Seen, note_seen
from firmware_config.source_entry import with_source
from firmware_config.village import Village, VillageNode
from firmware_config.village_enter import enter_node
from firmware_config.village_file import load_village
from firmware_config.whole_file import alone_in


class NodeFault(Exception):
    """A sentence of node_words, by its key, with what it speaks of."""

    def __init__(self, key: str, **facts: object) -> None:
        super().__init__(key)
        self.key, self.facts = key, facts


@dataclass(frozen=True, slots=True)
class SetUp:
    """What became of one box."""

    node: VillageNode
    report: Report
    is_admin: bool = True  # a post's radio whose key found no room in the admins' file is none
    is_new: bool = False  # its name is to be written on it

    def said(self, say: NodeVoice) -> str:
        """For one that is right now."""
        name, count = self.node.name, len(self.report.written)
        said = say("applied" if count else "applied_none", name=name, count=count)
        return said + say("write_name", name=name) if self.is_new else said


def claim(file: Path, device: Device, name: str = "") -> tuple[Village, VillageNode]:
    """Which node this box is, entered before anything is written to it: a set-up that breaks off finds its box again.

    `name`: it must be that one. A new box gets that name, or the next one. Raises NodeFault, Wrong, VillageWrong,
    Refused.
    """
    note(load_village(file), device)
    new_enough(device)
    with alone_in(file.resolve().parent):
        village = load_village(file)
        node = known_as(village, device) or _named(village, device, name)
        if name and node.name != name:
            raise NodeFault("other_box", found=f"{node.name} ({node_id(device.node)})", name=name)
        village = enter_node(village, node.name, device.node)
    return village, _find(village, node.name)


def set_up(
    village: Village, node: VillageNode, device: Device, language: str, tell: Callable[[Progress], None]
) -> SetUp:
    """Written, read back, and when all is right entered with its key. Raises DeviceError and what `claim` raises."""
    is_new = not node.is_done
    report = apply(device, village.wanted(node, language), tell)
    if not report.is_right:
        return SetUp(node, report)
    if not device.public_key:
        raise NodeFault("no_key", name=node.name)
    note(village, device)
    with alone_in(village.file.parent):
        village = load_village(village.file)
        no_twin(village, node.name, device.public_key)
        village = enter_node(village, node.name, device.node, device.public_key)
        is_admin = node.profile != "gateway" or add_admin_key(village.admin_file, device.public_key, node.name)
    node = _find(village, node.name)
    _enter_source(village, node)
    return SetUp(node, report, is_admin, is_new)


def known_as(village: Village, device: Device) -> VillageNode | None:
    """The village's node that this box is; None for a new one. Raises Wrong for a stranger's."""
    is_known = any(node.number == device.node for node in village.nodes)
    found = {} if is_known else device.read(("config.lora.region", "owner.long_name"))
    return recognise(village, device.node, device.public_key, found)


def note(village: Village, device: Device) -> None:
    """What a box of the village said of itself, for `kentongan register check`. Raises Refused."""
    if village.sources is not None and any(node.number == device.node for node in village.nodes):
        key = base64.b64encode(device.public_key).decode()
        note_seen(village.sources, Seen(node_id(device.node), key, device.firmware))


def new_enough(device: Device) -> None:
    """Raises NodeFault."""
    if is_old(device.firmware):
        raise NodeFault("old_firmware", found=device.firmware)


def _named(village: Village, device: Device, name: str) -> VillageNode:
    """The name that a new box gets."""
    node = _find(village, name) if name else pending(village)
    if node is None:
        raise NodeFault("no_name_left", box=node_id(device.node), file=village.file)
    if node.number is not None:
        raise NodeFault("name_taken", name=node.name, number=node_id(node.number))
    return node


def _find(village: Village, name: str) -> VillageNode:
    node = village.find(name)
    if node is None:
        known = ", ".join(node.name for node in village.nodes)
        raise NodeFault("no_name", name=name, file=village.file, known=known)
    return node


def _enter_source(village: Village, node: VillageNode) -> None:
    """Only a button calls by its own number; a head is entered with its key by `kentongan head key`."""
    if village.sources is None or node.profile != "button":
        return
    with RegisterFile(village.sources, load_sources).changing() as change:
        change.register = with_source(change.register, node)
