"""The kinds of value in `post.toml`, each with what it refuses and why."""

import base64
import binascii
import re
import shlex
from pathlib import Path
from typing import Annotated, Any, get_args
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, ConfigDict, Field, Strict

from bridge.domain.ids import LEVEL, VILLAGE
from bridge.domain.said import Said, Wrong

TABLE = ConfigDict(extra="forbid", frozen=True)

_RADIOS = Said(
    "serial:///dev/serial/by-id/... atau tcp://host:4403", "serial:///dev/serial/by-id/... or tcp://host:4403"
)
_BROKERS = Said(
    "mqtts://host:8883 (pengguna dan sandi punya kunci sendiri)",
    "mqtts://host:8883 (user and password have keys of their own)",
)
_PHONE = re.compile(r"\+?[0-9][0-9 -]{1,18}")
_KEY = re.compile(r"[A-Za-z0-9_-]{43}=?")


def told(indonesian: str, english: str, default: Any = ...) -> Any:
    """A key and what it means to the person who writes it."""
    return Field(default, description=english, json_schema_extra={"id": indonesian})


def _village(text: str) -> str:
    if not VILLAGE.fullmatch(text):
        raise Wrong(
            f"{text!r} bukan PP.KK.CC.DDDD, misalnya 35.09.14.2005",
            f"{text!r} is not PP.KK.CC.DDDD, for example 35.09.14.2005",
        )
    return text


def _post_name(text: str) -> str:
    if not LEVEL.fullmatch(text) or len(text) > 32:
        raise Wrong(
            f"{text!r} hanya boleh berisi a-z, 0-9 dan '-', paling banyak 32, misalnya pos-1",
            f"{text!r} may hold only a-z, 0-9 and '-', at most 32, for example pos-1",
        )
    return text


def _phone(text: str) -> str:
    if not _PHONE.fullmatch(text):
        raise Wrong(
            f"{text!r} bukan nomor telepon, paling banyak 20 angka, misalnya 0331-123456",
            f"{text!r} is not a telephone number of at most 20 digits, for example 0331-123456",
        )
    return text


def _split(text: str, schemes: tuple[str, ...], example: Said) -> SplitResult:
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError as error:
        raise Wrong(
            f"bukan URL ({error}); tulis misalnya {example.indonesian}",
            f"not a URL ({error}); write for example {example.english}",
        ) from error
    if url.scheme not in schemes:
        starts = [f"{scheme}://" for scheme in schemes]
        raise Wrong(
            f"harus diawali {' atau '.join(starts)}, misalnya {example.indonesian}",
            f"must begin {' or '.join(starts)}, for example {example.english}",
        )
    if url.query or url.fragment or url.username or url.password:
        raise Wrong(
            f"berisi lebih dari alamat; tulis misalnya {example.indonesian}",
            f"holds more than where to go; write for example {example.english}",
        )
    return url


def _radio(text: str) -> str:
    if not text:
        return text
    url = _split(text, ("serial", "tcp"), _RADIOS)
    if url.scheme == "tcp" and (not url.hostname or url.path.strip("/")):
        raise host_only("tcp://host:4403")
    if url.scheme == "serial" and (url.netloc or len(url.path) < 2):
        raise three_slashes("serial:///dev/ttyACM0")
    return text


def _broker(text: str) -> str:
    url = _split(text, ("mqtt", "mqtts"), _BROKERS)
    if not url.hostname or url.path.strip("/"):
        raise host_only("mqtts://host:8883")
    return text


def host_only(example: str) -> Wrong:
    return Wrong(
        f"perlu host dan tidak ada lagi sesudahnya, misalnya {example}",
        f"needs a host and nothing after it, for example {example}",
    )


def three_slashes(example: str) -> Wrong:
    return Wrong(
        f"perlu tiga garis miring dan alat, misalnya {example}",
        f"needs three slashes and a device, for example {example}",
    )


def _file(path: Path) -> Path:
    if not path.is_file():
        raise Wrong(f"tidak ada berkas {path}", f"no file {path}")
    return path


def _desk_key(text: str) -> str:
    if not is_key(text):
        raise Wrong(
            "bukan kunci (43 huruf base64url, lihat `kentongan desk key`) dan bukan berkas yang memuatnya",
            "neither a key (43 letters of base64url, see `kentongan desk key`) nor a file that holds one",
        )
    return text.rstrip("=")


def _command(text: str) -> str:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise Wrong(
            f"tidak bisa dibagi menjadi kata ({error}); periksa tanda kutipnya",
            f"cannot be split into words ({error}); look at its quotes",
        ) from error
    if text and not words:
        raise Wrong("tidak berisi program", "holds no program")
    return text


def is_key(text: str) -> bool:
    """Whether a text is 32 bytes of base64url."""
    if not _KEY.fullmatch(text):
        return False
    try:
        return len(base64.b64decode(text.rstrip("=") + "=", altchars=b"-_", validate=True)) == 32
    except binascii.Error:
        return False


def is_path(annotation: Any) -> bool:
    """Whether a field's type is a path, perhaps a checked one, perhaps none."""
    return annotation is Path or any(is_path(inner) for inner in get_args(annotation))


Village = Annotated[str, AfterValidator(_village)]
PostName = Annotated[str, AfterValidator(_post_name)]
Phone = Annotated[str, AfterValidator(_phone)]
RadioUrl = Annotated[str, AfterValidator(_radio)]
BrokerUrl = Annotated[str, AfterValidator(_broker)]
HasFile = Annotated[Path, AfterValidator(_file)]
DeskKey = Annotated[str, AfterValidator(_desk_key)]
CommandLine = Annotated[str, AfterValidator(_command)]
YesNo = Annotated[bool, Strict()]
