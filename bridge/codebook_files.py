"""The villages' codebooks as files: those that come with the program, or one of the village's own."""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from bridge.domain.codebook import Codebook
from bridge.domain.errors import ConfigError

FOLDER = "codebooks"


def known_codebooks() -> dict[str, str]:
    """Each codebook that comes with the program and where it is struck."""
    found = {}
    for file in (files("bridge") / FOLDER).iterdir():
        if file.name.endswith(".toml"):
            found[file.name.removesuffix(".toml")] = str(tomllib.loads(file.read_text("utf-8"))["region"])
    return dict(sorted(found.items()))


def load_rules(name: str, override: Mapping[str, str] | None = None) -> dict[str, str]:
    """Patterns and kinds of a codebook, by name (`a`, or `A′` as its file says) or by the path of a file.

    `override` wins, and "" takes a rule out. Raises ConfigError with one line.
    """
    text = _text(name)
    try:
        rules = tomllib.loads(text)["rules"]
    except (tomllib.TOMLDecodeError, KeyError) as error:
        raise ConfigError(
            f"codebook {name}: no table [rules] can be read: {error}",
            f"kode {name}: tabel [rules] tidak dapat dibaca: {error}",
        ) from error
    if not isinstance(rules, dict):
        raise ConfigError(
            f"codebook {name}: no table [rules] can be read: write [rules], then a rhythm = kind a line",
            f"kode {name}: tabel [rules] tidak dapat dibaca: tulis [rules], lalu satu irama = jenis tiap baris",
        )
    rules = {str(pattern): str(kind).upper() for pattern, kind in (rules | dict(override or {})).items()}
    return {pattern: kind for pattern, kind in rules.items() if kind}


def load_codebook(name: str, override: Mapping[str, str] | None = None) -> Codebook:
    """What the village's rhythms mean. Raises ConfigError, naming kinds that cannot be told apart."""
    try:
        return Codebook(name, load_rules(name, override))
    except ValueError as error:
        raise ConfigError(f"codebook {name}: {error}", f"kode {name}: {error}") from error


def _text(name: str) -> str:
    plain = name.lower().replace("'", "′")
    try:
        for file in (files("bridge") / FOLDER).iterdir():
            text = file.read_text("utf-8")
            if plain in (file.name.removesuffix(".toml"), str(tomllib.loads(text)["name"]).lower()):
                return text
        return Path(name).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        names = ", ".join(known_codebooks())
        raise ConfigError(
            f"codebook {name!r}: neither one of {names} nor a file that can be read",
            f"kode {name!r}: bukan salah satu dari {names}, dan bukan berkas yang dapat dibaca",
        ) from error
