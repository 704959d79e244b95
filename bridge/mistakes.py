"""What is wrong in a file that people write: every mistake at once, each one line, a wrong name with the right one."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

_TYPES = {
    "string_type": "must be text in quotes",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "tuple_type": 'must be a list, for example ["one", "two"]',
    "path_type": "must be a path in quotes",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "dict_type": "must be a table of keys",
    "model_type": "must be a table of keys",
}


def sentences(error: ValidationError, model: type[BaseModel], head: str = "") -> list[str]:
    """One line per mistake, each beginning with `head`. Values of a wrong type are not repeated: they may be secret."""
    return [
        f"{' '.join(filter(None, (head, position(fault['loc']))))}: {_what(fault['loc'], fault['type'], fault, model)}"
        for fault in error.errors(include_url=False)
    ]


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean "x"?`, or the names there are."""
    names = sorted(known)
    close = get_close_matches(word.lower(), names, n=1, cutoff=0.6)
    return f'; did you mean "{close[0]}"?' if close else f"; known here: {', '.join(names)}"


def _what(loc: tuple[int | str, ...], kind: str, fault: Any, model: type[BaseModel]) -> str:
    match kind:
        case "extra_forbidden":
            return f"unknown key{nearest(str(loc[-1]), _keys_at(loc[:-1], model))}"
        case "tuple_type" if len(loc) == 1 and inner_model(model.model_fields[str(loc[0])].annotation):
            return f"must be written [[{loc[0]}]], once for each"
        case "missing":
            return "missing"
        case "value_error":
            return str(fault["ctx"]["error"])
        case "literal_error":
            return f"must be {fault['ctx']['expected']}"
        case _:
            return str(_TYPES.get(kind, fault["msg"]))


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
