"""Which box is this? One that the village knows, a new one, or a stranger's, which is never written to. Pure."""

from collections.abc import Mapping

from bridge.domain.ids import node_id
from bridge.domain.said import Wrong
from firmware_config.settings import Value
from firmware_config.village import Village, VillageNode


def recognise(village: Village, number: int, public_key: bytes, found: Mapping[str, Value]) -> VillageNode | None:
    """The village's node that this box is; None for a box that is new. Raises Wrong for every other."""
    known = next((node for node in village.nodes if node.number == number), None)
    no_twin(village, known.name if known else "", public_key)
    if known is None:
        if found.get("config.lora.region") == "UNSET":
            return None
        raise _stranger(number, found)
    if known.public_key and known.public_key != public_key:
        raise _other_key(number, known)
    return known


def no_twin(village: Village, name: str, public_key: bytes) -> None:
    """Raises Wrong when another node of the village has that key."""
    for node in village.nodes:
        if public_key and node.public_key == public_key and node.name != name:
            raise _twin(node)


def pending(village: Village) -> VillageNode | None:
    """The next name without a box; the posts' radios first, for their keys go into all the others."""
    waiting = [node for node in village.nodes if node.number is None]
    return min(waiting, key=lambda node: node.profile != "gateway", default=None)


def _stranger(number: int, found: Mapping[str, Value]) -> Wrong:
    name = f"{node_id(number)} ({found.get('owner.long_name', '')!s})"
    return Wrong(
        f"kotak {name} tidak dikenal dan tidak kosong; tidak ada yang ditulis. Bila kotak ini memang untuk desa, "
        "kosongkan dahulu: meshtastic --factory-reset-device",
        f"box {name} is unknown and not empty; nothing was written. If it is meant for the village, empty it first: "
        "meshtastic --factory-reset-device",
    )


def _twin(twin: VillageNode) -> Wrong:
    return Wrong(
        f"kotak ini memakai kunci yang sama dengan {twin.name}; siapa yang memegang satu dapat menjadi keduanya. "
        "Pasang firmware baru, lalu kosongkan: meshtastic --factory-reset-device",
        f"this box has the same key as {twin.name}; who holds one can be both. Put new firmware on it, then empty it: "
        "meshtastic --factory-reset-device",
    )


def _other_key(number: int, known: VillageNode) -> Wrong:
    return Wrong(
        f"kotak {node_id(number)} adalah {known.name}, tetapi kuncinya berubah; tidak ada yang ditulis. Bila Anda "
        f"sendiri yang mengosongkannya: hapus node dan public_key pada {known.name} di village.yaml, cabut kunci lama "
        "(kentongan register replace), lalu ulangi",
        f"box {node_id(number)} is {known.name}, but its key has changed; nothing was written. If you emptied it "
        f"yourself: remove node and public_key at {known.name} in village.yaml, revoke the old key (kentongan register "
        "replace), then run this again",
    )
