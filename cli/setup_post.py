"""`kentongan setup`: a new post's folder with its configuration and its keys, whole or not at all."""

import json
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from cli.new_folder import SetupRefused, settle, sync, unfinished
from cli.options import AsJson, Lang
from cli.words import Voice, fail, voice

POST_TOML = """\
# Pos kentongan. Semua kunci dan artinya: kentongan config show
# (A kentongan post. All keys and what they mean: kentongan config show)

[post]
village = {village}
id = {post}
language = {language}
# name = "Poskamling RT 03"
# Nomor yang disebut kepada warga bila polisi belum tersambung. (Said when the police are not connected.)
# phones = ["110"]

[radio]
# serial:///dev/serial/by-id/…  atau (or)  tcp://host:4403
url = {radio}
# Hanya kanal ini yang didengar; bawaan: semua kanal pribadi. (Only these are heard; default: every private channel.)
# channels = ["SiagaDesa"]

[[uplink]]
url = {mqtt}
# mqtts:// membutuhkan CA. (mqtts:// needs the CA.)
# ca = "keys/ca.pem"
# username = "pos-1"
# password_file = "keys/mqtt-password"

[journal]
path = "journal.db"

[desk]
# Kunci publik meja polisi: yang sekarang dan cadangan. (The desk's public keys: current and spare.)
keys = {desk_keys}
{siren}
"""
SIREN = """
[siren]
command = {command}
"""
NO_SIREN = """
# [siren]
# command = "aplay -q /usr/share/sounds/siren.wav"
"""
SOURCES_TOML = """\
# Perangkat warga. Tanpa nama orang; cukup tempat yang dapat didatangi.
# (The villagers' nodes. No names of people; a place to drive to is enough.)
#
# [[source]]
# node = "!00000a01"
# label = "RT03-12"
# house = "RT03-12"
# rt = "03"
# rw = "01"
# landmark = "depan musala"
# lat = -8.2512
# lon = 113.6421
# public_key = "…"   # base64; pesan langsung dengan kunci ini TERBUKTI (direct texts with this key are VERIFIED)
"""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a technician said about the new post."""

    village: str
    post: str
    radio: str
    mqtt: str
    desk_keys: tuple[str, ...] = ()
    language: str = "id"
    siren: str = ""

    @property
    def address(self) -> str:
        return f"{self.village}/{self.post}"

    def to_toml(self) -> str:
        siren = SIREN.format(command=_quoted(self.siren)) if self.siren else NO_SIREN
        return POST_TOML.format(
            village=_quoted(self.village),
            post=_quoted(self.post),
            language=_quoted(self.language),
            radio=_quoted(self.radio),
            mqtt=_quoted(self.mqtt),
            desk_keys="[" + ", ".join(map(_quoted, self.desk_keys)) + "]",
            siren=siren.rstrip("\n"),
        )


def setup(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder baru untuk pos. (The post's new folder.)")],
    village: Annotated[str, typer.Option(help="Kode desa Kemendagri, PP.KK.CC.DDDD. (The village's code.)")],
    post: Annotated[str, typer.Option(help="Nama pos, misalnya pos-1. (The post's name, for example pos-1.)")],
    radio: Annotated[
        str, typer.Option(metavar="URL", help="Radio: serial:///dev/serial/by-id/… atau tcp://host:4403. (The radio.)")
    ],
    mqtt: Annotated[
        str, typer.Option(metavar="URL", help="Broker: mqtt://host:1883 atau mqtts://host:8883. (The broker.)")
    ],
    desk_key: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY", help="Kunci publik meja polisi; boleh lebih dari satu. (The desk's public key.)"),
    ] = None,
    language: Annotated[
        str, typer.Option(metavar="id|en", help="Bahasa pos kepada warga. (What the post speaks to people.)")
    ] = "id",
    siren_command: Annotated[
        str, typer.Option(metavar="COMMAND", help="Perintah yang membunyikan sirene. (Rings the siren.)")
    ] = "",
    lang: Lang = "",
    as_json: AsJson = False,
) -> None:
    """Siapkan pos baru (make a new post).

    Tulis post.toml, kunci dan sources.toml tanpa bertanya. (Writes settings and keys, asks nothing.)
    """
    say = voice(lang, language if language in ("id", "en") else "id")
    wishes = Wishes(village, post, radio, mqtt, tuple(desk_key or ()), language, siren_command)
    public_key = make_post(folder.absolute(), wishes, say)
    if as_json:
        typer.echo(json.dumps({"folder": str(folder), "post": wishes.address, "public_key": public_key}))
    else:
        _tell_next(folder, wishes, public_key, say)


def make_post(folder: Path, wishes: Wishes, say: Voice) -> str:
    """Everything is written beside `folder` and renamed into place; the post's public key. Raises typer.Exit."""
    from bridge.config import load_config
    from bridge.domain.errors import ConfigError
    from mqtt.signature import Signer

    try:
        with unfinished(folder, say) as scratch:
            (scratch / "post.toml").write_text(wishes.to_toml(), encoding="utf-8")
            (scratch / "sources.toml").write_text(SOURCES_TOML, encoding="utf-8")
            (scratch / "keys").mkdir(mode=0o700)
            signer = Signer.create(scratch / "keys" / "post.pem")
            load_config(scratch / "post.toml")
            settle(scratch)
            scratch.rename(folder)
            sync(folder.parent)
    except SetupRefused as refusal:
        raise fail(str(refusal)) from refusal
    except ConfigError as error:
        raise fail(say("setup_wrong", why=error.said(say.language)), 2) from error
    except OSError as error:
        raise fail(say("setup_disk", folder=folder, why=error.strerror)) from error
    return signer.public_text


def _tell_next(folder: Path, wishes: Wishes, public_key: str, say: Voice) -> None:
    config = folder / "post.toml"
    add = f"kentongan desk post add {wishes.village} {wishes.post} {public_key}"
    typer.echo(say("setup_done", post=wishes.address, folder=folder))
    typer.echo(say("setup_key", key=public_key))
    typer.echo(f"\n{say('setup_next')}")
    if not wishes.desk_keys:
        typer.echo(f"  # {say('setup_desk_key', config=config)}")
    typer.echo(f"  # {say('setup_sources', file=folder / 'sources.toml')}")
    typer.echo(f"  {add}    # {say('setup_at_desk')}")
    typer.echo(f"  kentongan run --config {shlex.quote(str(config))}    # {say('setup_run')}")


def _quoted(text: str) -> str:
    """A TOML basic string: JSON's escapes are a part of TOML's, but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
