"""`[[input]]`: the kentongan that hang on wires of the post itself."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, model_validator

from bridge import config_kinds as kinds
from bridge.config_kinds import TABLE, told

NEEDS = {"cts": ("url", ("serial", "rfc2217")), "line": ("url", ("serial", "tcp")), "gpio": ("pin", ())}


def _wire(text: str) -> str:
    if text and urlsplit(text).scheme not in ("serial", "tcp", "rfc2217"):
        raise ValueError("write serial:///dev/serial/by-id/...")
    return text


class WiredInput(BaseModel):
    """One wired kentongan, head or button."""

    model_config = TABLE
    name: kinds.PostName = told("nama masukan ini: a-z, 0-9, '-'", "this input's name: a-z, 0-9, '-'")
    driver: Literal["cts", "gpio", "line"] = told(
        "jenis: cts (sakelar antara RTS dan CTS), gpio (pin Raspberry Pi), line (kepala kentongan lewat USB)",
        "its kind: cts (a switch between RTS and CTS), gpio (a pin of a Raspberry Pi), line (a head on USB)",
    )
    url: Annotated[str, AfterValidator(_wire)] = told(
        "untuk cts dan line: serial:///dev/serial/by-id/...", "for cts and line: serial:///dev/serial/by-id/...", ""
    )
    pin: str = told("untuk gpio: pin sakelar ke GND, misalnya GPIO27", "for gpio: the switch to GND, like GPIO27", "")
    active_low: kinds.YesNo = told("untuk gpio: tertutup berarti 0 V", "for gpio: closed means 0 V", True)
    at: Literal["post", "house"] = told(
        "tempatnya: post (satu pukulan mungkin tanda jam) atau house (satu pukulan sudah alarm)",
        "where it is: post (a lone strike may be the hourly beat) or house (one strike is an alarm)",
        "post",
    )
    role: Literal["kentongan", "silence"] = told(
        "gunanya: kentongan, atau silence (tombol penghenti sirene)",
        "what it is for: kentongan, or silence (a button that stops the siren)",
        "kentongan",
    )
    notice: kinds.YesNo = told(
        "untuk cts: ada sakelar berita antara DTR dan DSR", "for cts: a notice switch hangs between DTR and DSR", False
    )
    notice_pin: str = told("untuk gpio: pin sakelar berita", "for gpio: the pin of the notice switch", "")

    @model_validator(mode="after")
    def _complete(self) -> "WiredInput":
        need, schemes = NEEDS[self.driver]
        if not getattr(self, need):
            raise ValueError(f"driver {self.driver} needs {need}")
        if schemes and urlsplit(self.url).scheme not in schemes:
            raise ValueError(f"driver {self.driver} wants {' or '.join(f'{scheme}://' for scheme in schemes)}")
        if self.role == "silence" and self.driver == "line":
            raise ValueError("a head is no silence button; use cts or gpio")
        return self


def _apart(inputs: tuple[WiredInput, ...]) -> tuple[WiredInput, ...]:
    names = [wired.name for wired in inputs]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"the name {twice[0]} is given twice")
    return inputs


Inputs = Annotated[tuple[WiredInput, ...], AfterValidator(_apart)]
