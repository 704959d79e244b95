"""The settings in force, as a `post.toml` with a comment to each key: what is printed is what is used."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from bridge.config import Config
from bridge.mistakes import inner_model


def show(config: Config, language: Literal["id", "en"] = "id") -> str:
    """Commented TOML that reads back as the same settings. Secrets appear as the paths of their files."""
    return "\n".join(_lines(config, language)) + "\n"


def described() -> dict[str, tuple[str, str]]:
    """Every key of the file, as `[table] key`, with its meaning in Indonesian and English."""
    return {
        f"{head} {key}".strip(): (_meaning(about, "id"), _meaning(about, "en"))
        for head, model in _tables()
        for key, about in model.model_fields.items()
        if inner_model(about.annotation) is None
    }


def _tables() -> Iterator[tuple[str, type[BaseModel]]]:
    yield "", Config
    for name, about in Config.model_fields.items():
        inside = inner_model(about.annotation)
        if inside is not None:
            yield f"[[{name}]]" if get_origin(about.annotation) is tuple else f"[{name}]", inside


def _lines(config: Config, language: str) -> Iterator[str]:
    for head, model in _tables():
        name = head.strip("[]")
        found = getattr(config, name) if name else config
        for table in found if isinstance(found, tuple) else (found,):
            yield from filter(None, ["", head] if head else [])
            yield from _keys(table, language)
            yield ""
        if found == ():
            yield from (f"# {line}" for line in (head, *_blank(model, language)))
            yield ""


def _keys(table: BaseModel, language: str) -> Iterator[str]:
    for key, about in type(table).model_fields.items():
        if inner_model(about.annotation) is None:
            value = getattr(table, key)
            yield f"# {_meaning(about, language)}"
            yield f'# {key} = ""' if value is None else f"{key} = {_toml(value)}"


def _blank(model: type[BaseModel], language: str) -> Iterator[str]:
    for key, about in model.model_fields.items():
        yield f'{key} = ""  # {_meaning(about, language)}'


def _meaning(about: FieldInfo, language: str) -> str:
    extra = about.json_schema_extra
    return str(extra["id"]) if language == "id" and isinstance(extra, dict) else about.description or ""


def _toml(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case dict():
            pairs = ", ".join(f"{_toml(str(key))} = {_toml(item)}" for key, item in value.items())
            return f"{{{pairs}}}"
        case tuple():
            return f"[{', '.join(_toml(item) for item in value)}]"
        case str() | Path():
            return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
        case _:
            return str(value)
