"""desk.toml: who this desk is, where its database is, and how it reaches the broker."""

import difflib
import os
import tomllib
import uuid
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bridge.domain.errors import ConfigError
from mqtt.signature import Signer

FILE = "desk.toml"
KEY = "desk.key"
DATABASE = "sqlite:///desk.sqlite3"


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DeskSection(Section):
    """`id` is made once and never changes; `name` is what strikers read; paths count from the file's folder."""

    id: str = Field(min_length=1, max_length=64)
    name: str = Field(min_length=1, max_length=60)
    key: Path = Path(KEY)
    database: str = DATABASE


class MqttSection(Section):
    """`url` is mqtt://host:1883 or mqtts://host:8883; the password stands alone in a file."""

    url: str = Field(min_length=1)
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    username: str = ""
    password_file: Path | None = None


class DeskConfig(Section):
    desk: DeskSection
    mqtt: MqttSection
    folder: Path = Field(default=Path(), exclude=True)

    def path(self, path: Path | None) -> Path | None:
        """As written in the file, or from the file's folder when relative."""
        return None if path is None else self.folder / path

    @property
    def key_file(self) -> Path:
        return self.folder / self.desk.key

    @property
    def database_url(self) -> str:
        """A relative SQLite file counts from the file's folder, wherever the command is typed."""
        scheme, found, rest = self.desk.database.partition(":///")
        if found and scheme.startswith("sqlite") and rest and not rest.startswith(("/", ":")):
            return f"{scheme}:///{self.folder / rest}"
        return self.desk.database


SECTIONS: dict[str, type[BaseModel]] = {"desk": DeskSection, "mqtt": MqttSection}
WRONG = {
    "missing": "belum diisi",
    "string_type": "harus teks dalam tanda kutip",
    "string_too_short": "tidak boleh kosong",
    "string_too_long": "terlalu panjang",
    "path_type": "harus jalur berkas dalam tanda kutip",
    "model_type": "harus tabel berisi kunci",
}


def load(path: Path) -> DeskConfig:
    """Read a desk.toml, or the one in a folder. Raises ConfigError that names every mistake at once."""
    path = path / FILE if path.is_dir() else path
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(
            f"{path} does not exist; make it with: kentongan desk init",
            f"{path} tidak ada; buatlah dengan: kentongan desk init",
        ) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}", f"{path}: tidak dapat dibaca: {error}") from error
    try:
        return DeskConfig.model_validate(said | {"folder": path.resolve().parent})
    except ValidationError as error:
        raise _mistakes(error, f"{path}: ") from error


def plan(folder: Path, url: str, name: str, database: str = "") -> DeskConfig:
    """A new desk for `folder`; nothing is written. Raises ConfigError when there is one already."""
    if (folder / FILE).exists():
        raise ConfigError(
            f"{folder / FILE} exists; this desk is made already", f"{folder / FILE} sudah ada; meja ini sudah dibuat"
        )
    if (folder / KEY).exists():
        raise ConfigError(
            f"{folder / KEY} exists but {FILE} does not; move the key away or restore the file",
            f"{folder / KEY} ada tetapi {FILE} tidak ada; pindahkan kunci itu atau pulihkan berkasnya",
        )
    desk = {"id": f"desk-{uuid.uuid4().hex[:12]}", "name": name, "database": database or DATABASE}
    try:
        return DeskConfig.model_validate({"desk": desk, "mqtt": {"url": url}, "folder": folder.resolve()})
    except ValidationError as error:
        raise _mistakes(error) from error


def write(config: DeskConfig) -> Signer:
    """Make the key and the file that only their owner may read. Raises ConfigError."""
    desk, mqtt = config.desk, config.mqtt
    said = {"desk": {"id": desk.id, "name": desk.name, "key": str(desk.key), "database": desk.database}}
    said["mqtt"] = {"url": mqtt.url}
    try:
        signer = Signer.create(config.key_file)
        _write_private(config.folder / FILE, _toml(said))
    except OSError as error:
        raise ConfigError(f"{config.folder}: {error.strerror}") from error
    return signer


def load_key(config: DeskConfig) -> Signer:
    """The desk's private key. Raises ConfigError."""
    try:
        return Signer.load(config.key_file)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"the desk's key {config.key_file}: {error}", f"kunci meja {config.key_file}: {error}"
        ) from error


def _write_private(path: Path, text: str) -> None:
    """The database's address may hold a password: only the owner reads it."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def _toml(said: dict[str, Any]) -> str:
    sections = (
        "\n".join([f"[{name}]", *(f"{key} = {_quoted(value)}" for key, value in section.items())])
        for name, section in said.items()
    )
    return "\n\n".join(sections) + "\n"


def _quoted(text: str) -> str:
    escaped = "".join(
        f"\\{letter}" if letter in '"\\' else letter if letter.isprintable() else f"\\U{ord(letter):08x}"
        for letter in text
    )
    return f'"{escaped}"'


def _mistakes(error: ValidationError, head: str = "") -> ConfigError:
    """All of them in one line, in both languages."""
    told = [_mistake(one["type"], [str(part) for part in one["loc"]], one["msg"]) for one in error.errors()]
    english, indonesian = zip(*told, strict=True)
    return ConfigError(head + "; ".join(english), head + "; ".join(indonesian))


def _mistake(kind: str, where: list[str], message: str) -> tuple[str, str]:
    name = ".".join(where)
    if kind != "extra_forbidden":
        return f"{name}: {message}", f"{name}: {WRONG.get(kind, message)}"
    section: type[BaseModel] = SECTIONS.get(where[0], DeskConfig) if where[1:] else DeskConfig
    near = difflib.get_close_matches(where[-1], [field for field in section.model_fields if field != "folder"], 1)
    return (
        f"{name} is unknown" + (f"; did you mean {near[0]}?" if near else ""),
        f"{name} tidak dikenal" + (f"; maksudnya {near[0]}?" if near else ""),
    )
