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

TABLE = ConfigDict(extra="forbid", frozen=True)

_PHONE = re.compile(r"\+?[0-9][0-9 -]{1,18}")
_KEY = re.compile(r"[A-Za-z0-9_-]{43}=?")


def told(indonesian: str, english: str, default: Any = ...) -> Any:
    """A key and what it means to the person who writes it."""
    return Field(default, description=english, json_schema_extra={"id": indonesian})


def _village(text: str) -> str:
    if not VILLAGE.fullmatch(text):
        raise ValueError(f"{text!r} is not PP.KK.CC.DDDD, for example 35.09.14.2005")
    return text


def _post_name(text: str) -> str:
    if not LEVEL.fullmatch(text) or len(text) > 32:
        raise ValueError(f"{text!r} may hold only a-z, 0-9 and '-', at most 32, for example pos-1")
    return text


def _phone(text: str) -> str:
    if not _PHONE.fullmatch(text):
        raise ValueError(f"{text!r} is not a telephone number of at most 20 digits, for example 0331-123456")
    return text


def _split(text: str, schemes: tuple[str, ...], example: str) -> SplitResult:
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError as error:
        raise ValueError(f"not a URL ({error}); write for example {example}") from error
    if url.scheme not in schemes:
        raise ValueError(f"must begin {' or '.join(f'{scheme}://' for scheme in schemes)}, for example {example}")
    if url.query or url.fragment or url.username or url.password:
        raise ValueError(f"holds more than where to go; write for example {example}")
    return url


def _radio(text: str) -> str:
    if not text:
        return text
    url = _split(text, ("serial", "tcp"), "serial:///dev/serial/by-id/... or tcp://host:4403")
    if url.scheme == "tcp" and (not url.hostname or url.path.strip("/")):
        raise ValueError("needs a host and nothing after it, for example tcp://host:4403")
    if url.scheme == "serial" and (url.netloc or len(url.path) < 2):
        raise ValueError("needs three slashes and a device, for example serial:///dev/ttyACM0")
    return text


def _broker(text: str) -> str:
    url = _split(text, ("mqtt", "mqtts"), "mqtts://host:8883 (user and password have keys of their own)")
    if not url.hostname or url.path.strip("/"):
        raise ValueError("needs a host and nothing after it, for example mqtts://host:8883")
    return text


def _file(path: Path) -> Path:
    if not path.is_file():
        raise ValueError(f"no file {path}")
    return path


def _desk_key(text: str) -> str:
    if not is_key(text):
        raise ValueError("neither a key (43 letters of base64url, see `kentongan keys show`) nor a file that holds one")
    return text.rstrip("=")


def _command(text: str) -> str:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ValueError(f"cannot be split into words ({error}); look at its quotes") from error
    if text and not words:
        raise ValueError("holds no program")
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
