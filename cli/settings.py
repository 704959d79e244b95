"""`kentongan config` and `kentongan keys`: the settings in force, whether they are right, and the public key."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from bridge.domain.errors import ConfigError
from cli.options import POST_TOML, AsJson, ConfigFile, Lang
from cli.words import Voice, fail, voice

if TYPE_CHECKING:
    from bridge.config import Config
    from mqtt.signature import Signer

config_app = typer.Typer(help="Setelan pos (the post's settings).", no_args_is_help=True)
keys_app = typer.Typer(help="Kunci pos (the post's keys).", no_args_is_help=True)


def read_config(path: Path, say: Voice) -> "Config":
    """The settings; what is wrong with them is told in full and ends the command with exit 1."""
    from bridge.config import load_config

    try:
        return load_config(path)
    except ConfigError as error:
        raise fail(error.said(say.language) + hint(path, say)) from error


def hint(path: Path, say: Voice) -> str:
    """Who forgot to say which post.toml is told how."""
    return "" if path.is_file() else "\n" + say("config_which")


def read_signer(config: "Config") -> "Signer":
    """The post's private key. Raises ConfigError."""
    from mqtt.signature import Signer

    path = config.identity.key
    try:
        return Signer.load(path)
    except FileNotFoundError as error:
        raise ConfigError(
            f"[identity] key: no file {path}; `kentongan setup` makes one",
            f"[identity] key: tidak ada berkas {path}; `kentongan setup` membuatnya",
        ) from error
    except OSError as error:
        raise ConfigError(
            f"[identity] key: {path} cannot be read: {error.strerror}",
            f"[identity] key: {path} tidak dapat dibaca: {error.strerror}",
        ) from error
    except ValueError as error:
        raise ConfigError(f"[identity] key: {error}") from error


@config_app.command("show")
def show(config: ConfigFile = POST_TOML, lang: Lang = "", as_json: AsJson = False) -> None:
    """Tampilkan setelan yang berlaku dan artinya (show the settings in force and what they mean)."""
    from bridge.config_show import show as toml

    say = voice(lang)
    settings = read_config(config, say)
    if as_json:
        typer.echo(settings.model_dump_json())
    else:
        typer.echo(toml(settings, "en" if (lang or settings.post.language) == "en" else "id"), nl=False)


@config_app.command("check")
def check(config: ConfigFile = POST_TOML, lang: Lang = "", as_json: AsJson = False) -> None:
    """Periksa setelan, daftar perangkat dan kunci (check settings, register and key)."""
    say = voice(lang)
    sources, mistakes, warnings = _everything(config, say)
    if as_json:
        typer.echo(json.dumps({"well": not mistakes, "mistakes": mistakes, "cautions": warnings}, ensure_ascii=False))
        raise typer.Exit(1 if mistakes else 0)
    for warning in warnings:
        typer.echo(say("config_caution", what=warning), err=True)
    if mistakes:
        raise fail("\n".join(mistakes))
    typer.echo(say("config_well", file=config, sources=sources))


def _everything(path: Path, say: Voice) -> tuple[int, list[str], list[str]]:
    """How many sources are known, every mistake of the three files, and what is probably not meant."""
    from bridge.config import cautions, load_config
    from bridge.sources import cautions as source_cautions
    from bridge.sources import load_sources

    try:
        settings = load_config(path)
    except ConfigError as error:
        return 0, (error.said(say.language) + hint(path, say)).splitlines(), []
    mistakes: list[str] = []
    warnings, sources = cautions(settings), 0
    try:
        register = load_sources(settings.sources)
        sources = len(register)
        warnings += source_cautions(settings.sources, register)
    except ConfigError as error:
        mistakes += error.said(say.language).splitlines()
    try:
        read_signer(settings)
    except ConfigError as error:
        mistakes.append(error.said(say.language))
    return sources, mistakes, [warning.indonesian if say.language == "id" else warning.english for warning in warnings]


@keys_app.command("show")
def keys_show(config: ConfigFile = POST_TOML, lang: Lang = "", as_json: AsJson = False) -> None:
    """Tampilkan kunci publik pos; yang pribadi tidak pernah (show the public key; never the private one)."""
    settings = read_config(config, voice(lang))
    signer = read_signer(settings)
    if as_json:
        post, public_key = str(settings.post_id), signer.public_text
        typer.echo(json.dumps({"post": post, "public_key": public_key, "kid": signer.kid}))
    else:
        typer.echo(signer.public_text)
