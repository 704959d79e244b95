"""What is wrong in a file that people write: every mistake at once, each one line, a wrong name with the right one."""

import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from bridge.domain.errors import ConfigError
from bridge.domain.said import Said, Wrong, nearest

UNKNOWN_KEY = Said("kunci tidak dikenal", "unknown key")

_TEXT = Said("harus teks dalam tanda kutip", "must be text in quotes")
_NUMBER = Said("harus angka", "must be a number")
_YES_NO = Said("harus true atau false", "must be true or false")
_TABLE = Said("harus tabel berisi kunci", "must be a table of keys")
_TYPES = {
    "missing": Said("belum diisi", "missing"),
    "string_type": _TEXT,
    "bool_type": _YES_NO,
    "bool_parsing": _YES_NO,
    "tuple_type": Said('harus daftar, misalnya ["satu", "dua"]', 'must be a list, for example ["one", "two"]'),
    "path_type": Said("harus jalur berkas dalam tanda kutip", "must be a path in quotes"),
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "int_type": _NUMBER,
    "int_parsing": _NUMBER,
    "dict_type": _TABLE,
    "model_type": _TABLE,
}


def config_error(file: str, mistakes: Iterable[Said]) -> ConfigError:
    """All of them, one a line, each beginning with the file's name."""
    lines = [mistake.after(file) for mistake in mistakes]
    return ConfigError("\n".join(line.english for line in lines), "\n".join(line.indonesian for line in lines))


def open_secret(path: Path) -> Said:
    return Said(
        f"{path}: semua orang bisa membaca rahasia ini; ketik: chmod 600 {path}",
        f"{path}: everybody may read this secret; type: chmod 600 {path}",
    )


def is_open(path: Path) -> bool:
    """Whether everybody on this machine may read a file."""
    try:
        return bool(path.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False


def sentences(error: ValidationError, model: type[BaseModel], head: str = "") -> list[Said]:
    """One line per mistake, each beginning with `head`. Values of a wrong type are not repeated: they may be secret."""
    return [
        _what(fault["loc"], fault["type"], fault, model).after(
            " ".join(filter(None, (head, position(fault["loc"])))),
        )
        for fault in error.errors(include_url=False)
    ]


def _what(loc: tuple[int | str, ...], kind: str, fault: Any, model: type[BaseModel]) -> Said:
    match kind:
        case "extra_forbidden":
            return UNKNOWN_KEY.then(nearest(str(loc[-1]), _keys_at(loc[:-1], model)))
        case "tuple_type" if len(loc) == 1 and inner_model(model.model_fields[str(loc[0])].annotation):
            return written_as(str(loc[0]))
        case "value_error":
            error = fault["ctx"]["error"]
            return error.said if isinstance(error, Wrong) else Said(str(error), str(error))
        case "literal_error":
            expected = fault["ctx"]["expected"]
            return Said(f"harus {expected.replace(' or ', ' atau ')}", f"must be {expected}")
        case "greater_than_equal" | "less_than_equal":
            (limit,) = fault["ctx"].values()
            edge = ("paling sedikit", "at least") if kind.startswith("greater") else ("paling banyak", "at most")
            return Said(f"harus {edge[0]} {limit:g}", f"must be {edge[1]} {limit:g}")
        case _:
            return _TYPES.get(kind, Said(fault["msg"], fault["msg"]))


def written_as(table: str) -> Said:
    """A table that may stand several times has double brackets."""
    return Said(f"tulis [[{table}]], sekali untuk setiap satu", f"must be written [[{table}]], once for each")


def position(loc: tuple[int | str, ...]) -> str:
    """('uplink', 1, 'url') -> `[[uplink]] 2 url`; ('post', 'id') -> `[post] id`."""
    match loc:
        case (str(table), int(index), *rest):
            head = f"[[{table}]] {index + 1}"
        case (str(table), _, *_):
            head, rest = f"[{table}]", list(loc[1:])
        case _:
            return " ".join(str(part) for part in loc)
    return " ".join([head, *(f"item {part + 1}" if isinstance(part, int) else part for part in rest)])


def _keys_at(loc: tuple[int | str, ...], model: type[BaseModel]) -> list[str]:
    for part in loc:
        if isinstance(part, str) and part in model.model_fields:
            model = inner_model(model.model_fields[part].annotation) or model
    return list(model.model_fields)


def inner_model(annotation: Any) -> type[BaseModel] | None:
    """The model inside `Model`, `tuple[Model, ...]` or `Model | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, (inner_model(inner) for inner in get_args(annotation))), None)
