"""What a schema found wrong, in words: a wrong name with the right one beside it, all at once, in both languages."""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ValidationError

from bridge.domain.said import Said, Wrong, nearest

_TYPES = {
    "int_parsing": Said("harus bilangan bulat", "must be a whole number"),
    "int_from_float": Said("harus bilangan bulat", "must be a whole number"),
    "int_type": Said("harus bilangan bulat", "must be a whole number"),
    "float_parsing": Said("harus bilangan, dengan titik: -8.25", "must be a number with a point: -8.25"),
    "float_type": Said("harus bilangan, dengan titik: -8.25", "must be a number with a point: -8.25"),
    "string_type": Said("harus satu teks", "must be one text"),
    "model_type": Said("harus berisi kunci: nilai", "must hold keys and values"),
    "missing": Said("belum diisi", "missing"),
}


def found_wrong(error: ValidationError, model: type[BaseModel]) -> list[tuple[tuple[str | int, ...], Said]]:
    """Where and what. Values of a wrong type are not repeated: they may be secret."""
    return [(fault["loc"], _what(fault, model)) for fault in error.errors(include_url=False)]


def unknown_key(word: str, known: Iterable[str]) -> Said:
    near = nearest(word, known)
    return Said(f'kunci "{word}" tidak dikenal{near.indonesian}', f'unknown key "{word}"{near.english}')


def not_one_of(word: str, known: Iterable[str]) -> Wrong:
    near = nearest(word, known)
    return Wrong(f'"{word}" tidak dikenal{near.indonesian}', f'"{word}" is not known{near.english}')


def _what(fault: Any, model: type[BaseModel]) -> Said:
    match fault["type"]:
        case "extra_forbidden":
            return unknown_key(str(fault["loc"][-1]), _keys_at(fault["loc"][:-1], model))
        case "value_error" if isinstance(fault["ctx"]["error"], Wrong):
            error: Wrong = fault["ctx"]["error"]
            return error.said
        case kind:
            return _TYPES.get(kind, Said(f"salah: {fault['msg']}", fault["msg"]))


def _keys_at(loc: tuple[int | str, ...], model: type[BaseModel]) -> Iterable[str]:
    """The keys of a table within a table."""
    for part in loc:
        inner = model.model_fields[str(part)].annotation
        model = inner if isinstance(inner, type) and issubclass(inner, BaseModel) else model
    return model.model_fields
