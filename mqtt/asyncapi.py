"""The contract for other people's backends, written from the models: `python -m mqtt.asyncapi` makes asyncapi.yaml."""

import json
import re
import sys
from pathlib import Path
from typing import Any

from pydantic.json_schema import models_json_schema

from bridge.domain.ids import LEVEL, TOPIC_ROOT
from mqtt.contract import BODIES, AlarmReport, Leaf
from mqtt.signature import VERSION

FILE = Path(__file__).with_name("asyncapi.yaml")
PARAMETERS = {
    "province": "Kemendagri province, two digits",
    "regency": "regency or city, two digits",
    "district": "district, two digits",
    "village": "village, four digits",
    "post": f"the guard post, {LEVEL.pattern}, at most 32",
}
CARRIES = {
    Leaf.ALARM: "Whole alarms at their revisions; each waits until the desk's receipt names its revision and hash.",
    Leaf.RECEIPT: "What the desk has stored or quarantined, answering a batch or a nonce; officers' words.",
    Leaf.ORDER: "Message to the striker or the village, siren off, drill, resend.",
    Leaf.ANSWER: "What became of the desk's words and orders; the desk repeats each until a final one is stored.",
    Leaf.STATUS: "Online or offline; also the will. Compared by (start, connection, state) within one journal.",
    Leaf.HEALTH: "Backlog, clock trust, faults.",
    Leaf.HELLO: "Asks for a signed sign of life and tells the last commit seen of each desk.",
}
PLAIN = re.compile(r"[A-Za-z_$][A-Za-z0-9_$/.-]*( [A-Za-z0-9_/.-]+)*")
WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}


def document() -> dict[str, Any]:
    """AsyncAPI 3.0, as plain values."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Kentongan",
            "version": f"{VERSION}.0.0",
            "description": (
                "Between guard posts and the police desk. MQTT 5, clean start; no broker session is relied on, and"
                " PUBACK is no delivery: an alarm is sent until the desk's signed receipt names it. Every payload is an"
                " envelope whose `body` is JSON text; `sig` is Ed25519 in base64url over"
                ' "kentongan/v1" NUL topic NUL body. Unknown fields are ignored.'
            ),
            "license": {"name": "GPL-3.0-only"},
        },
        "defaultContentType": "application/json",
        "channels": {leaf.value: _channel(leaf) for leaf in Leaf},
        "operations": {_operation_name(leaf): _operation(leaf) for leaf in Leaf},
        "components": {
            "parameters": {name: {"description": text} for name, text in PARAMETERS.items()},
            "messages": {leaf.value: _message(leaf) for leaf in Leaf},
            "schemas": _schemas(),
        },
    }


def _channel(leaf: Leaf) -> dict[str, Any]:
    levels = "/".join(f"{{{name}}}" for name in PARAMETERS)
    return {
        "address": f"{TOPIC_ROOT}/{levels}/{leaf.value}",
        "description": CARRIES[leaf],
        "parameters": {name: {"$ref": f"#/components/parameters/{name}"} for name in PARAMETERS},
        "messages": {leaf.value: {"$ref": f"#/components/messages/{leaf.value}"}},
    }


def _operation_name(leaf: Leaf) -> str:
    return f"{'desk' if leaf.desk_speaks else 'post'}-says-{leaf.value}"


def _operation(leaf: Leaf) -> dict[str, Any]:
    """As a post sees it."""
    return {
        "action": "receive" if leaf.desk_speaks else "send",
        "channel": {"$ref": f"#/channels/{leaf.value}"},
        "messages": [{"$ref": f"#/channels/{leaf.value}/messages/{leaf.value}"}],
        "bindings": {"mqtt": {"qos": leaf.qos, "retain": leaf.is_retained}},
    }


def _message(leaf: Leaf) -> dict[str, Any]:
    body = {
        "type": "string",
        "contentMediaType": "application/json",
        "contentSchema": {"$ref": f"#/components/schemas/{BODIES[leaf].__name__}"},
    }
    fields = {"v": {"const": VERSION}, "kid": _text("which key signed"), "sig": _text("base64url"), "body": body}
    return {
        "name": leaf.value,
        "contentType": "application/json",
        "payload": {"type": "object", "required": list(fields), "properties": fields},
    }


def _text(description: str) -> dict[str, Any]:
    return {"type": "string", "description": description}


def _schemas() -> dict[str, Any]:
    models = [(model, "validation") for model in (*BODIES.values(), AlarmReport)]
    _, schema = models_json_schema(models, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]
    schemas: dict[str, Any] = schema["$defs"]
    text = schemas["AlarmItem"]["properties"]["alarm"]
    text |= {"contentMediaType": "application/json", "contentSchema": {"$ref": "#/components/schemas/AlarmReport"}}
    return schemas


def to_yaml(value: Any, indent: str = "") -> str:
    """YAML for plain values: block mappings and lists, scalars as JSON writes them unless they need no quotes."""
    if isinstance(value, dict) and value:
        return "".join(f"\n{indent}{_scalar(key)}:{to_yaml(item, indent + '  ')}" for key, item in value.items())
    if isinstance(value, list) and value:
        return "".join(f"\n{indent}-{_item(item, indent)}" for item in value)
    return f" {_scalar(value)}"


def _item(value: Any, indent: str) -> str:
    text = to_yaml(value, indent + "  ")
    return " " + text.lstrip() if isinstance(value, dict | list) and value else text


def _scalar(value: Any) -> str:
    if isinstance(value, str) and PLAIN.fullmatch(value) and value.lower() not in WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)


def render() -> str:
    """The file's text."""
    return f"# Made from mqtt/contract.py by `python -m mqtt.asyncapi`; do not edit.{to_yaml(document())}\n"


if __name__ == "__main__":
    FILE.write_text(render(), encoding="utf-8")
    sys.stdout.write(f"{FILE.name} written\n")
