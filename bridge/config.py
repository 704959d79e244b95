"""`post.toml`: the settings of one post. Frozen once read; every mistake is named at once; secrets stand in files."""

import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from bridge import config_kinds as kinds
from bridge.config_inputs import Inputs
from bridge.config_kinds import TABLE, told
from bridge.config_rhythm import Rhythm
from bridge.config_siren import COMMAND, Outputs, SirenRing
from bridge.domain.errors import ConfigError
from bridge.domain.ids import PostId
from bridge.domain.said import Said, Wrong
from bridge.mistakes import config_error, inner_model, is_open, open_secret, sentences

FILE = "post.toml"


class Post(BaseModel):
    """Who and where this post is."""

    model_config = TABLE
    village: kinds.Village = told(
        "kode desa Kemendagri, misalnya 35.09.14.2005", "Kemendagri village code, for example 35.09.14.2005"
    )
    id: kinds.PostName = told(
        "nama pos di jaringan: a-z, 0-9, '-'", "the post's name on the wire: a-z, 0-9, '-'", "pos-1"
    )
    name: str = told("nama pos untuk orang", "the post's name for people", "")
    language: Literal["id", "en"] = told("bahasa jawaban: id atau en", "language of the answers: id or en", "id")
    phones: tuple[kinds.Phone, ...] = told(
        "nomor yang disebut bila polisi belum tersambung",
        "numbers to name while the police are not connected",
        ("110",),
    )


class Radio(BaseModel):
    """The gateway radio."""

    model_config = TABLE
    url: kinds.RadioUrl = told(
        "radio gerbang: serial:///dev/serial/by-id/... atau tcp://host:4403; kosong: tanpa radio",
        "the gateway radio: serial:///dev/serial/by-id/... or tcp://host:4403; empty: no radio",
        "",
    )
    channels: tuple[str, ...] = told(
        "kanal yang didengar; kosong: semua kanal privat radio", "channels to hear; empty: every private one", ()
    )
    allow_public_key: kinds.YesNo = told(
        "kanal berkunci umum ikut didengar bila disebut di channels (siapa pun dapat memalsukan)",
        "also hear a channel with the public key if named in channels (anybody can forge it)",
        False,
    )


class Uplink(BaseModel):
    """One way to the desk."""

    model_config = TABLE
    url: kinds.BrokerUrl = told(
        "broker: mqtts://host:8883 atau mqtt://host:1883", "the broker: mqtts://host:8883 or mqtt://host:1883"
    )
    ca: kinds.HasFile | None = told("berkas CA yang dipercaya", "file of the CA to trust", None)
    cert: kinds.HasFile | None = told("berkas sertifikat pos", "file of the post's certificate", None)
    key: kinds.HasFile | None = told("berkas kunci sertifikat", "file of the certificate's key", None)
    username: str = told("nama pengguna broker", "user name at the broker", "")
    password_file: kinds.HasFile | None = told("berkas sandi broker", "file of the password", None)

    @model_validator(mode="after")
    def _fit_together(self) -> "Uplink":
        if (self.cert is None) != (self.key is None):
            raise Wrong("cert dan key harus diisi bersama", "cert and key go together; give both or neither")
        if self.password_file is not None and not self.username:
            raise Wrong("password_file perlu username", "password_file needs a username")
        if self.url.startswith("mqtt:") and (self.ca or self.cert):
            raise Wrong(
                "ca, cert dan key perlu TLS; tulis url dengan mqtts://",
                "ca, cert and key need TLS; write the url as mqtts://",
            )
        return self


class Journal(BaseModel):
    """Where alarms are kept."""

    model_config = TABLE
    path: Path = told("berkas jurnal", "the journal's file", Path("journal.db"))


class Desk(BaseModel):
    """Whose word counts."""

    model_config = TABLE
    keys: tuple[kinds.DeskKey, ...] = told(
        "kunci umum meja polisi: 43 huruf, atau berkas yang memuatnya",
        "public keys of the police desk: 43 letters, or a file that holds them",
        (),
    )


class Control(BaseModel):
    """Where technicians ask."""

    model_config = TABLE
    socket: Path = told("soket kendali", "the control socket", Path("kentongan.sock"))


class Identity(BaseModel):
    """Who signs."""

    model_config = TABLE
    key: Path = told("berkas kunci pribadi pos", "file of the post's private key", Path("keys/post.pem"))


class Config(BaseSettings):
    """Everything a post is told at start. Paths are absolute; nothing is read from the environment."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True)
    sources: Path = told(
        "daftar sumber: simpul, kunci, tempat", "the register: nodes, keys, places", Path("sources.toml")
    )
    post: Post
    radio: Radio
    uplink: tuple[Uplink, ...] = ()
    journal: Journal
    desk: Desk
    rhythm: Rhythm
    siren: SirenRing
    output: Outputs = ()
    input: Inputs = ()
    control: Control
    identity: Identity

    @property
    def post_id(self) -> PostId:
        return PostId(self.post.village, self.post.id)

    @property
    def siren_names(self) -> list[str]:
        """Everything that sounds here; what `[siren] command` runs is called "command"."""
        return [*([COMMAND] if self.siren.command else []), *(output.name for output in self.output)]

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what stands in the file: a stray variable must not move a post to another village."""
        return (init_settings,)


def load_config(path: Path) -> Config:
    """Read a `post.toml`, or the one in a folder; relative paths start there. Raises ConfigError with all mistakes."""
    path = (path / FILE if path.is_dir() else path).absolute()
    table = _anchored(_read(path), Config, path.parent)
    _fetch_desk_keys(table.get("desk"), path.parent)
    mistakes = _identity(table)
    try:
        config = Config(**table)
    except ValidationError as error:
        mistakes = sentences(error, Config) + mistakes
    if mistakes:
        raise config_error(path.name, mistakes)
    return config


def cautions(config: Config) -> list[Said]:
    """What is allowed and probably not meant, one line each."""
    secrets = [config.identity.key, *(path for up in config.uplink for path in (up.password_file, up.key) if path)]
    found = [open_secret(path) for path in secrets if is_open(path)]
    if not config.uplink:
        found.append(
            Said(
                "tidak ada [[uplink]]: tidak ada alarm yang sampai ke polisi",
                "no [[uplink]]: no alarm gets to the police",
            )
        )
    elif not config.desk.keys:
        found.append(
            Said(
                "[desk] keys kosong: jawaban polisi tidak bisa diperiksa, pos akan berkata 'belum tersambung'",
                "[desk] keys is empty: no answer of the police can be verified, the post will say 'not connected'",
            )
        )
    if not config.radio.url:
        found.append(
            Said(
                "[radio] url kosong: pos ini tidak mendengar radio warga",
                "[radio] url is empty: this post hears no node",
            )
        )
    return found


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ConfigError(
            f"{path}: no such file; `kentongan setup` writes one",
            f"{path}: tidak ada berkas itu; `kentongan setup` membuatnya",
        )
    try:
        return dict(TomlConfigSettingsSource(Config, toml_file=path).toml_data)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}", f"{path}: tidak dapat dibaca: {error}") from error


def _anchored(table: dict[str, Any], model: type[BaseModel], folder: Path) -> dict[str, Any]:
    """The same table with its paths, given or by default, made absolute. What has the wrong type stays as it is."""
    out = dict(table)
    for name, about in model.model_fields.items():
        value = table.get(name, about.default)
        inside = inner_model(about.annotation)
        if inside is None and kinds.is_path(about.annotation) and isinstance(value, str | Path) and str(value):
            out[name] = folder / value
        elif inside is not None and isinstance(value, list):
            out[name] = [_anchored(item, inside, folder) if isinstance(item, dict) else item for item in value]
        elif inside is not None and (isinstance(value, dict) or (name not in table and about.is_required())):
            out[name] = _anchored(value if isinstance(value, dict) else {}, inside, folder)
    return out


def _fetch_desk_keys(desk: Any, folder: Path) -> None:
    """Put the key in the place of the file that holds it; what is neither is found when the keys are checked."""
    if not isinstance(desk, dict) or not isinstance(desk.get("keys"), list):
        return
    for at, text in enumerate(desk["keys"]):
        if isinstance(text, str) and not kinds.is_key(text) and (folder / text).is_file():
            desk["keys"][at] = (folder / text).read_text(encoding="utf-8", errors="replace").strip()


def _identity(table: dict[str, Any]) -> list[Said]:
    """Without its own key a post cannot sign what it sends."""
    identity = table.get("identity")
    key = identity.get("key") if isinstance(identity, dict) else None
    if table.get("uplink") and isinstance(key, Path) and not key.is_file():
        return [
            Said(
                f"[identity] key: tidak ada berkas {key}; `kentongan setup` membuatnya",
                f"[identity] key: no file {key}; `kentongan setup` makes one",
            )
        ]
    return []
