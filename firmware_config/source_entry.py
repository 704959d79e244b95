"""A button's entry in the post's register: its number, place and key, so that the post knows who called."""

import base64

from bridge.domain.ids import node_id
from firmware_config.faults import Refused
from firmware_config.register import SOURCE, Register, number_of
from firmware_config.toml_text import Value
from firmware_config.village import VillageNode


def with_source(register: Register, node: VillageNode) -> Register:
    """With that box in it; the same register where it stands there already. Raises Refused for another's key."""
    fields = _fields(node)
    number, key = number_of(str(fields["node"])), str(fields["public_key"])
    known = next(
        (entry for entry in register.sources if "node" in entry.fields and number_of(entry.name) == number), None
    )
    if known is None:
        return register.add(fields)
    if known.public_key == node.public_key:
        return register
    if known.fields.get("public_key"):
        raise Refused("known_name", who=node_id(node.number or 0), house=known.house)
    if any(entry.public_key == node.public_key for entry in register.sources):
        raise Refused("known_key", who=node_id(node.number or 0), house=known.house)
    return Register(register.toml.put(SOURCE, known.turn, "public_key", key))


def _fields(node: VillageNode) -> dict[str, Value]:
    place = node.place
    told: dict[str, Value | None] = {"node": node_id(node.number or 0), "label": node.name, "house": place.house}
    told |= {"rt": place.rt, "rw": place.rw, "landmark": place.landmark, "lat": place.lat, "lon": place.lon}
    told |= {"home": node.home, "public_key": base64.b64encode(node.public_key).decode("ascii")}
    return {name: value for name, value in told.items() if value is not None and value != ""}
