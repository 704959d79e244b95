"""What a schema found wrong, in words: a wrong name with the right one beside it, all at once, in both languages."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError

from firmware_config.both import Both, Wrong

_TYPES = {
    "int_parsing": Both("harus bilangan bulat", "must be a whole number"),
    "int_from_float": Both("harus bilangan bulat", "must be a whole number"),
    "int_type": Both("harus bilangan bulat", "must be a whole number"),
    "float_parsing": Both("harus bilangan, dengan titik: -8.25", "must be a number with a point: -8.25"),
    "float_type": Both("harus bilangan, dengan titik: -8.25", "must be a number with a point: -8.25"),
    "string_type": Both("harus satu teks", "must be one text"),
    "model_type": Both("harus berisi kunci: nilai", "must hold keys and values"),
    "missing": Both("belum diisi", "missing"),
}


def found_wrong(error: ValidationError, model: type[BaseModel]) -> list[tuple[tuple[str | int, ...], Both]]:
    """Where and what. Values of a wrong type are not repeated: they may be secret."""
    return [(fault["loc"], _what(fault, model)) for fault in error.errors(include_url=False)]


def nearest(word: str, known: Iterable[str]) -> Both:
    """`; maksudnya "x"?`, or the names there are."""
    names = sorted(known)
    folded = {name.lower(): name for name in names}
    if close := get_close_matches(word.lower(), folded, n=1, cutoff=0.6):
        return Both(f'; maksudnya "{folded[close[0]]}"?', f'; did you mean "{folded[close[0]]}"?')
    if not names:
        return Both("; belum ada satu pun", "; there are none yet")
    listed = ", ".join(names)
    return Both(f"; yang ada: {listed}", f"; there are: {listed}")


def unknown_key(word: str, known: Iterable[str]) -> Both:
    near = nearest(word, known)
    return Both(f'kunci "{word}" tidak dikenal{near.indonesian}', f'unknown key "{word}"{near.english}')


def not_one_of(word: str, known: Iterable[str]) -> Wrong:
    near = nearest(word, known)
    return Wrong(f'"{word}" tidak dikenal{near.indonesian}', f'"{word}" is not known{near.english}')


def _what(fault: Any, model: type[BaseModel]) -> Both:
    match fault["type"]:
        case "extra_forbidden":
            return unknown_key(str(fault["loc"][-1]), _keys_at(fault["loc"][:-1], model))
        case "value_error" if isinstance(fault["ctx"]["error"], Wrong):
            both: Both = fault["ctx"]["error"].both
            return both
        case kind:
            return _TYPES.get(kind, Both(f"salah: {fault['msg']}", fault["msg"]))


def _keys_at(loc: tuple[int | str, ...], model: type[BaseModel]) -> Iterable[str]:
    """The keys of a table within a table."""
    for part in loc:
        inner = model.model_fields[str(part)].annotation
        model = inner if isinstance(inner, type) and issubclass(inner, BaseModel) else model
    return model.model_fields
