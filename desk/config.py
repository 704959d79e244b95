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


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DeskSection(Section):
    """`id` is made once and never changes; `name` is what strikers read; paths count from the file's folder."""

    id: str = Field(min_length=1, max_length=64)
    name: str = Field(min_length=1, max_length=60)
    key: Path = Path(KEY)
    database: str = "sqlite:///desk.sqlite3"


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


def load(path: Path) -> DeskConfig:
    """Read a desk.toml, or the one in a folder. Raises ConfigError that names every mistake at once."""
    path = path / FILE if path.is_dir() else path
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"{path} does not exist; make it with: kentongan desk init") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error
    try:
        return DeskConfig.model_validate(said | {"folder": path.resolve().parent})
    except ValidationError as error:
        raise ConfigError(f"{path}: {'; '.join(_mistakes(error))}") from error


def create(folder: Path, url: str, name: str, database: str = "") -> tuple[DeskConfig, Signer]:
    """A new desk in `folder`: its file and its key. Raises ConfigError when there is one already, or no room."""
    path = folder / FILE
    if path.exists():
        raise ConfigError(f"{path} exists; this desk is made already")
    desk = {"id": f"desk-{uuid.uuid4().hex[:12]}", "name": name, "key": KEY}
    desk["database"] = database or "sqlite:///desk.sqlite3"
    said: dict[str, Any] = {"desk": desk, "mqtt": {"url": url}}
    try:
        config = DeskConfig.model_validate(said | {"folder": folder.resolve()})
        folder.mkdir(parents=True, exist_ok=True)
        signer = Signer.create(folder / KEY)
        _write_private(path, _toml(said))
    except ValidationError as error:
        raise ConfigError("; ".join(_mistakes(error))) from error
    except FileExistsError as error:
        raise ConfigError(
            f"{folder / KEY} exists but {path} does not; move the key away or restore the file"
        ) from error
    except OSError as error:
        raise ConfigError(f"{folder}: {error.strerror}") from error
    return config, signer


def load_key(config: DeskConfig) -> Signer:
    """The desk's private key. Raises ConfigError."""
    try:
        return Signer.load(config.key_file)
    except (OSError, ValueError) as error:
        raise ConfigError(f"the desk's key {config.key_file}: {error}") from error


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


def _mistakes(error: ValidationError) -> list[str]:
    return [_mistake(one["type"], [str(part) for part in one["loc"]], one["msg"]) for one in error.errors()]


def _mistake(kind: str, where: list[str], message: str) -> str:
    name = ".".join(where)
    if kind != "extra_forbidden":
        return f"{name}: {message}"
    section: type[BaseModel] = SECTIONS.get(where[0], DeskConfig) if where[1:] else DeskConfig
    near = difflib.get_close_matches(where[-1], [field for field in section.model_fields if field != "folder"], 1)
    return f"{name} is unknown" + (f"; did you mean {near[0]}?" if near else "")
