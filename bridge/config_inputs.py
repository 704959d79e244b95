"""`[[input]]`: the kentongan that hang on wires of the post itself."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, model_validator

from bridge import config_kinds as kinds
from bridge.config_kinds import TABLE, told
from bridge.domain.said import Wrong

EXAMPLE = "serial:///dev/serial/by-id/..."
NEEDS = {"cts": "url", "line": "url", "gpio": "pin"}
SCHEMES = {"cts": ("serial", "rfc2217"), "line": ("serial", "tcp")}
FOREIGN = {"cts": ("pin", "notice_pin"), "line": ("pin", "notice_pin", "notice"), "gpio": ("url", "notice")}
TAKEN = ("command", "drill")  # sources of their own: `kentongan press` and the desk's drills


def _wire(text: str) -> str:
    if not text:
        return text
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError as error:
        raise Wrong(
            f"bukan URL ({error}); tulis misalnya {EXAMPLE}", f"not a URL ({error}); write for example {EXAMPLE}"
        ) from error
    if url.query or url.fragment or url.username or url.password:
        raise Wrong(
            f"berisi lebih dari alamat; tulis misalnya {EXAMPLE}",
            f"holds more than where to go; write for example {EXAMPLE}",
        )
    match url.scheme:
        case "serial" if url.netloc or len(url.path) < 2:
            raise kinds.three_slashes(EXAMPLE)
        case "rfc2217" | "tcp" if not url.hostname or not port or url.path.strip("/"):
            raise Wrong(
                f"perlu host dan port, tidak ada lagi sesudahnya, misalnya {url.scheme}://host:4000",
                f"needs a host, a port and nothing after it, for example {url.scheme}://host:4000",
            )
        case "serial" | "rfc2217" | "tcp":
            return text
        case _:
            raise Wrong(
                f"harus diawali serial://, rfc2217:// atau tcp://, misalnya {EXAMPLE}",
                f"must begin serial://, rfc2217:// or tcp://, for example {EXAMPLE}",
            )


def _name(text: str) -> str:
    if text in TAKEN:
        raise Wrong(
            f"{text!r} sudah menjadi nama hal lain di sini; pilih yang lain, misalnya kentongan",
            f"{text!r} is the name of something else here; choose another, for example kentongan",
        )
    return text


class WiredInput(BaseModel):
    """One wired kentongan, head or button."""

    model_config = TABLE
    name: Annotated[kinds.PostName, AfterValidator(_name)] = told(
        "nama masukan ini: a-z, 0-9, '-'", "this input's name: a-z, 0-9, '-'"
    )
    driver: Literal["cts", "gpio", "line"] = told(
        "jenis: cts (sakelar antara RTS dan CTS), gpio (pin Raspberry Pi), line (kepala kentongan lewat USB)",
        "its kind: cts (a switch between RTS and CTS), gpio (a pin of a Raspberry Pi), line (a head on USB)",
    )
    url: Annotated[str, AfterValidator(_wire)] = told(
        "untuk cts dan line: serial:///dev/serial/by-id/...; cts juga rfc2217://host:port",
        "for cts and line: serial:///dev/serial/by-id/...; cts also rfc2217://host:port",
        "",
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
        if not getattr(self, NEEDS[self.driver]):
            need = NEEDS[self.driver]
            raise Wrong(f"driver {self.driver} perlu {need}", f"driver {self.driver} needs {need}")
        if foreign := [key for key in FOREIGN[self.driver] if getattr(self, key)]:
            raise Wrong(
                f"driver {self.driver} tidak memakai {' dan '.join(foreign)}",
                f"driver {self.driver} has no {' and no '.join(foreign)}",
            )
        schemes = SCHEMES.get(self.driver, ())
        if schemes and urlsplit(self.url).scheme not in schemes:
            starts = [f"{scheme}://" for scheme in schemes]
            raise Wrong(
                f"driver {self.driver} perlu {' atau '.join(starts)}",
                f"driver {self.driver} wants {' or '.join(starts)}",
            )
        if self.notice_pin and self.notice_pin == self.pin:
            raise Wrong("pin dan notice_pin sama", "pin and notice_pin are the same")
        if self.role == "silence" and self.driver == "line":
            raise Wrong(
                "kepala kentongan bukan tombol penghenti; pakai cts atau gpio",
                "a head is no silence button; use cts or gpio",
            )
        return self


def _apart(inputs: tuple[WiredInput, ...]) -> tuple[WiredInput, ...]:
    names = [wired.name for wired in inputs]
    wires = [where for wired in inputs for where in (wired.url, wired.pin, wired.notice_pin) if where]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise Wrong(f"nama {twice[0]} dipakai dua kali", f"the name {twice[0]} is given twice")
    if twice := sorted({where for where in wires if wires.count(where) > 1}):
        raise Wrong(f"{twice[0]} dipakai oleh dua masukan", f"{twice[0]} is given to two inputs")
    return inputs


Inputs = Annotated[tuple[WiredInput, ...], AfterValidator(_apart)]
