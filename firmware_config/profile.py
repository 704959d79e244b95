"""A profile: everything that a kind of node is set to, each setting with its reason and source (profiles/*.yaml)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from bridge.domain.said import Said
from firmware_config.settings import Setting, Value

PROFILES = ("button", "head", "relay", "gateway", "siren")

_FOLDER = Path(__file__).parent / "profiles"
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's is ten times faster, where it is there
_SECRET_ORIGINS = {"channel.key"}


@dataclass(frozen=True, slots=True)
class Wish:
    """One setting of a profile. `value` None: it is the village's to say, `origin` names what (`radio.region`)."""

    path: str
    value: Value | None
    origin: str
    why: Said
    source: str

    def setting(self, told: Mapping[str, Value], language: str) -> Setting:
        """With what the village told; KeyError when it did not."""
        value = told[self.origin] if self.value is None else self.value
        return Setting(self.path, value, self.why.said(language), self.origin in _SECRET_ORIGINS)


@dataclass(frozen=True, slots=True)
class Profile:
    """A kind of node."""

    name: str
    about: Said
    wishes: tuple[Wish, ...]


@cache
def load_profile(name: str) -> Profile:
    """One of PROFILES. What it shares with others comes first; its own word about a path replaces the shared one."""
    own = _read(_FOLDER / f"{name}.yaml")
    wishes: dict[str, Any] = {}
    for shared in own["shared"]:
        wishes |= _read(_FOLDER / "shared" / f"{shared}.yaml")
    wishes |= own["settings"]
    return Profile(name, _both(own["about"]), tuple(_wish(path, told) for path, told in wishes.items()))


def _wish(path: str, told: dict[str, Any]) -> Wish:
    return Wish(path, told.get("value"), told.get("from", ""), _both(told), told["source"])


def _both(told: dict[str, str]) -> Said:
    return Said(told["id"], told["en"])


def _read(path: Path) -> dict[str, Any]:
    """Our own file: what is wrong in it is a fault of this program, and the tests find it."""
    read: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)
    return read
