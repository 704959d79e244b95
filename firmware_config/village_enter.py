"""A node's number and key entered into `village.yaml` as a careful hand would: remarks and order stay as they are."""

import base64
import dataclasses
import stat
from pathlib import Path

import yaml

from bridge.domain.ids import node_id
from bridge.domain.said import Wrong
from firmware_config.village import Village, VillageNode, VillageWrong
from firmware_config.village_file import load_village, parse_village, village_text
from firmware_config.whole_file import write_whole
from firmware_config.yaml_text import LOADER


def enter_node(village: Village, name: str, number: int, public_key: bytes = b"") -> Village:
    """The village with that box known; the file is changed whole or not at all. Raises Wrong, VillageWrong, Refused."""
    now = load_village(village.file)
    wanted = _entered(now.nodes, name, number, public_key)
    if now.nodes == wanted:
        return now
    text = with_node(village_text(village.file), name, number, public_key)
    try:
        entered = parse_village(village.file, text)
    except VillageWrong as error:
        raise _by_hand(village.file, name, number, public_key) from error
    if entered.nodes != wanted:
        raise _by_hand(village.file, name, number, public_key)
    mode = stat.S_IMODE(village.file.stat().st_mode)
    write_whole(village.file, text.encode())
    village.file.chmod(mode)  # others who may read a village's file still may
    return entered


def with_node(text: str, name: str, number: int, public_key: bytes) -> str:
    """The same text with the number and the key (where there is one) in the entry of that name."""
    told = {"node": node_id(number)} | ({"public_key": base64.b64encode(public_key).decode()} if public_key else {})
    for key, value in told.items():
        text = _with(text, name, key, f'"{value}"')
    return text


def _entered(nodes: tuple[VillageNode, ...], name: str, number: int, public_key: bytes) -> tuple[VillageNode, ...]:
    return tuple(
        dataclasses.replace(node, number=number, public_key=public_key or node.public_key)
        if node.name == name
        else node
        for node in nodes
    )


def _with(text: str, name: str, key: str, value: str) -> str:
    entry = _entry(yaml.compose(text, Loader=LOADER), name)
    if entry is None:
        return text
    pairs = {pair[0].value: pair for pair in entry.value}
    if key in pairs:
        old = pairs[key][1]
        start, end = old.start_mark.index, old.end_mark.index
        gap = " " if text[start - 1 : start] == ":" else ""
        return f"{text[:start]}{gap}{value}{text[end:]}"
    known, about = pairs.get("node", pairs["name"]) if key == "public_key" else pairs["name"]
    if entry.flow_style:
        at = about.end_mark.index
        return f"{text[:at]}, {key}: {value}{text[at:]}"
    at = text.find("\n", about.end_mark.index)
    head, rest = (text[: at + 1], text[at + 1 :]) if at >= 0 else (f"{text}\n", "")
    return f"{head}{' ' * known.start_mark.column}{key}: {value}\n{rest}"


def _entry(root: yaml.Node, name: str) -> yaml.MappingNode | None:
    """The entry of `nodes` with that name."""
    for key, value in root.value if isinstance(root, yaml.MappingNode) else ():
        if key.value == "nodes" and isinstance(value, yaml.SequenceNode):
            for item in value.value:
                if isinstance(item, yaml.MappingNode) and any(
                    k.value == "name" and v.value == name for k, v in item.value
                ):
                    return item
    return None


def _by_hand(file: Path, name: str, number: int, public_key: bytes) -> Wrong:
    key = base64.b64encode(public_key).decode()
    return Wrong(
        f'{file} tidak dapat diubah dengan aman; tulis sendiri pada {name}: node: "{node_id(number)}" '
        f'public_key: "{key}"',
        f'{file} cannot be changed safely; write it yourself at {name}: node: "{node_id(number)}" public_key: "{key}"',
    )
