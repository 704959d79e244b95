"""The parts of `village.yaml` as a person writes them, each with what it refuses and why."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, model_validator

from bridge.domain.head import is_head
from bridge.domain.ids import LEVEL, VILLAGE
from bridge.domain.said import Wrong
from firmware_config.keys import to_public_key
from firmware_config.mistakes import not_one_of
from firmware_config.profile import PROFILES

_STRICT = ConfigDict(extra="forbid", frozen=True)
_NAME = re.compile(r"[A-Z0-9-]{1,19}")  # a Detection Sensor's name has room for 19
_NODE = re.compile(r"!?([0-9a-fA-F]{8})")


def _village(text: str) -> str:
    if not VILLAGE.fullmatch(text):
        raise Wrong(
            f"{text!r} bukan kode desa PP.KK.CC.DDDD, misalnya 35.09.14.2005",
            f"{text!r} is no village code PP.KK.CC.DDDD, for example 35.09.14.2005",
        )
    return text


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise Wrong(
            f"{text!r}: hanya A-Z, 0-9 dan '-', paling panjang 19, misalnya RT03-12",
            f"{text!r}: only A-Z, 0-9 and '-', at most 19, for example RT03-12",
        )
    return text


def _short(text: str) -> str:
    if not 1 <= len(text.encode()) <= 4:
        raise Wrong(f"{text!r}: 1 sampai 4 huruf", f"{text!r}: 1 to 4 letters")
    return text


def _level(text: str) -> str:
    if not LEVEL.fullmatch(text) or len(text) > 32:
        raise Wrong(
            f"{text!r}: hanya a-z, 0-9 dan '-', misalnya pos-1", f"{text!r}: only a-z, 0-9 and '-', for example pos-1"
        )
    return text


def _channel(text: str) -> str:
    if not text.strip() or len(text.encode()) > 11:
        raise Wrong(f"{text!r}: 1 sampai 11 huruf", f"{text!r}: 1 to 11 letters")
    return text


def _number(text: Any) -> int:
    found = _NODE.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise Wrong(
            f"{text!r} bukan nomor perangkat, misalnya !00000a01", f"{text!r} is no node number, for example !00000a01"
        )
    return int(found[1], 16)


def _profile(text: str) -> str:
    if text not in PROFILES:
        raise not_one_of(text, PROFILES)
    return text


def _pin(number: int) -> int:
    if not 1 <= number <= 127:
        raise Wrong(f"{number}: nomor kaki 1 sampai 127", f"{number}: a pin's number is 1 to 127")
    return number


def _gain(dbi: float) -> float:
    if not 0 <= dbi <= 30:  # also what is no number
        raise Wrong(f"{dbi:g}: antena 0 sampai 30 dBi", f"{dbi:g}: an antenna has 0 to 30 dBi")
    return dbi


def _hops(number: int) -> int:
    if not 1 <= number <= 7:
        raise Wrong(f"{number}: 1 sampai 7 lompatan", f"{number}: 1 to 7 hops")
    return number


Pin = Annotated[int, AfterValidator(_pin)]


class Pins(BaseModel):
    """Which pins of the board things are wired to, as the firmware numbers them."""

    model_config = _STRICT
    button: Pin | None = None
    serial_rx: Pin | None = None
    serial_tx: Pin | None = None
    siren: Pin | None = None

    def told(self) -> dict[str, int]:
        return self.model_dump(exclude_none=True)


class ChannelEntry(BaseModel):
    model_config = _STRICT
    name: Annotated[str, AfterValidator(_channel)]
    key: str


class RadioEntry(BaseModel):
    """How all nodes send. Nothing of it has a default: a village says on which frequency it is."""

    model_config = _STRICT
    region: str
    preset: str
    slot: int
    power_dbm: int
    antenna_dbi: Annotated[float, AfterValidator(_gain)]
    hops: Annotated[int, AfterValidator(_hops)] = 3


class AdminEntry(BaseModel):
    model_config = _STRICT
    keys: str


class PlaceEntry(BaseModel):
    """Somewhere to drive to. No names of people."""

    model_config = _STRICT
    name: str
    rt: str = ""
    rw: str = ""
    landmark: str = ""
    lat: float | None = None
    lon: float | None = None

    @model_validator(mode="after")
    def _on_earth(self) -> "PlaceEntry":
        if (self.lat is None) != (self.lon is None):
            raise Wrong("lat dan lon selalu berdua", "lat and lon go together")
        if self.lat is not None and self.lon is not None and not (abs(self.lat) <= 90 and abs(self.lon) <= 180):
            raise Wrong(
                "lat -90 sampai 90 dan lon -180 sampai 180 derajat", "lat is -90 to 90, lon -180 to 180 degrees"
            )
        return self


class NodeEntry(BaseModel):
    """One box. `node` and `public_key` are the tool's to write, once it has set the box up."""

    model_config = _STRICT
    name: Annotated[str, AfterValidator(_name)]
    profile: Annotated[str, AfterValidator(_profile)]
    house: str = ""
    place: str = ""
    short: Annotated[str, AfterValidator(_short)] = ""
    home: Annotated[str, AfterValidator(_level)] = ""
    node: Annotated[int, BeforeValidator(_number)] | None = None
    public_key: Annotated[bytes, BeforeValidator(to_public_key)] = b""
    pins: Pins = Pins()

    @model_validator(mode="after")
    def _fits(self) -> "NodeEntry":
        if self.profile == "head" and not is_head(self.name):
            raise Wrong(
                f"nama kepala kentongan paling panjang 7 huruf, {self.name} {len(self.name)}",
                f"a head's name has at most 7 letters, {self.name} has {len(self.name)}",
            )
        if self.public_key and self.node is None:
            raise Wrong("public_key memerlukan node", "public_key needs node")
        return self


class TopEntry(BaseModel):
    """What stands outside the sections."""

    model_config = _STRICT
    village: Annotated[str, AfterValidator(_village)]
    sources: str = ""
