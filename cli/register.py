"""`kentongan register`: which node, head or input stands where, and which keys count no more."""

import contextlib
import datetime
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.domain.errors import BridgeError, ConfigError
from cli.options import AsJson, Lang
from cli.register_words import RegisterVoice
from cli.words import fail, voice

if TYPE_CHECKING:
    from firmware_config.register import Entry
    from firmware_config.register_file import RegisterFile
    from firmware_config.toml_text import Value

register_app = typer.Typer(help="Daftar perangkat, kunci, penghuni (devices, keys, people).", no_args_is_help=True)

SOURCES_TOML = Path("sources.toml")
Sources = Annotated[Path, typer.Option(metavar="FILE", help="Berkas sources.toml pos. (The post's sources.toml.)")]
Who = Annotated[
    str,
    typer.Argument(metavar="WHO", help="Nomor node, kepala, rumah, atau kunci. (A node, head, house or key.)"),
]
Yes = Annotated[bool, typer.Option("--yes", help="Jangan bertanya. (Do not ask.)")]
Why = Annotated[str, typer.Option(metavar="TEXT", help="Sebabnya, misalnya hilang. (Why, for example lost.)")]
Node = Annotated[str, typer.Option(metavar="!HEX", help="Nomor node, !00000a01. (The node's number.)")]
Head = Annotated[str, typer.Option(metavar="NAMA", help="Nama kepala kentongan, RT03-12. (The head's name.)")]
Input = Annotated[str, typer.Option(metavar="NAMA", help="Nama masukan kabel. (The wired input's name.)")]
PublicKey = Annotated[str, typer.Option(metavar="BASE64", help="Kunci publik node, 44 huruf. (Its public key.)")]
House = Annotated[str, typer.Option(help="Kode rumah, RT03-12. (The house.)")]
Rt = Annotated[str, typer.Option(help="Nomor RT. (The RT's number.)")]
Rw = Annotated[str, typer.Option(help="Nomor RW. (The RW's number.)")]
Landmark = Annotated[str, typer.Option(help="Patokan, depan musala. (A landmark.)")]
Lat = Annotated[float | None, typer.Option(help="Lintang. (Latitude.)")]
Lon = Annotated[float | None, typer.Option(help="Bujur. (Longitude.)")]
Home = Annotated[str, typer.Option(help="Pos yang menjawab. (The home post.)")]
Label = Annotated[str, typer.Option(help="Sebutan; tanpa nama orang. (A label; no person's name.)")]
At = Annotated[str, typer.Option(metavar="house|post", help="Di rumah atau di pos. (At a house or at the post.)")]


@register_app.command("list")
def list_sources(sources: Sources = SOURCES_TOML, lang: Lang = "", as_json: AsJson = False) -> None:
    """Semua perangkat, dan yang dicabut (every source, and those revoked)."""
    with plainly(lang) as say:
        register = opened(sources).read()
        if as_json:
            parts = {"sources": register.sources, "revoked": register.revoked}
            told = {name: [entry.shown() for entry in entries] for name, entries in parts.items()}
            typer.echo(json.dumps(told, ensure_ascii=False))
            return
        for entry in register.sources:
            typer.echo(_line(entry, say))
        for entry in register.revoked:
            about = {name: entry.fields.get(name, "") for name in ("day", "why")}
            typer.echo(say("revoked_line", house=entry.house, name=entry.name, **about).rstrip())
        if not register.sources:
            typer.echo(say("register_empty"))


@register_app.command("show")
def show(who: Who, sources: Sources = SOURCES_TOML, lang: Lang = "", as_json: AsJson = False) -> None:
    """Semua tentang satu perangkat; kunci kepala tidak pernah (one source; a head's key is never shown)."""
    with plainly(lang):
        told = opened(sources).read().find(who).shown()
        if as_json:
            typer.echo(json.dumps(told, ensure_ascii=False))
            return
        for name, value in told.items():
            typer.echo(f"{name:<11} {value}")


@register_app.command("add")
def add(
    node: Node = "",
    head: Head = "",
    input: Input = "",
    public_key: PublicKey = "",
    house: House = "",
    rt: Rt = "",
    rw: Rw = "",
    landmark: Landmark = "",
    lat: Lat = None,
    lon: Lon = None,
    home: Home = "",
    label: Label = "",
    at: At = "",
    sources: Sources = SOURCES_TOML,
    lang: Lang = "",
    as_json: AsJson = False,
) -> None:
    """Daftarkan perangkat di tempatnya (register a source at its place).

    Kunci kepala diberi oleh: kentongan head key. (A head gets its key from: kentongan head key.)
    """
    with plainly(lang) as say:
        if sum(map(bool, (node, head, input))) != 1:
            raise fail(say("one_thing"), 2)
        things = given(node=node, head=head, input=input, public_key=public_key)
        place = given(house=house, rt=rt, rw=rw, landmark=landmark, lat=lat, lon=lon, home=home, label=label, at=at)
        with opened(sources, may_be_new=True).changing() as change:
            change.register = change.register.add(things | place)
            entry = change.register.sources[-1]
        _tell(entry, "added", as_json, say)


@register_app.command("revoke")
def revoke(
    who: Who, why: Why = "", yes: Yes = False, sources: Sources = SOURCES_TOML, lang: Lang = "", as_json: AsJson = False
) -> None:
    """Cabut perangkat yang hilang; kuncinya diingat (revoke a lost source; its key is remembered)."""
    with plainly(lang) as say:
        file = opened(sources)
        entry = file.read().find(who)
        ask("sure_revoke", yes, say, name=entry.name, house=entry.house)
        with file.changing() as change:
            change.register = change.register.revoke(who, why, _today())
        _tell(entry, "revoked", as_json, say)


@register_app.command("replace")
def replace(
    who: Who,
    node: Node = "",
    head: Head = "",
    public_key: PublicKey = "",
    why: Why = "",
    yes: Yes = False,
    sources: Sources = SOURCES_TOML,
    lang: Lang = "",
    as_json: AsJson = False,
) -> None:
    """Perangkat atau kunci baru untuk rumah yang sama (a new node or key for the same house).

    Yang lama dicabut dan diingat. Kunci kepala: kentongan head key --replace. (The old one is revoked and remembered.)
    """
    with plainly(lang) as say:
        fields = given(node=node, head=head, public_key=public_key)
        if not fields or (node and head):
            raise fail(say("nothing_new"), 2)
        file = opened(sources)
        entry = file.read().find(who)
        ask("sure_replace", yes, say, name=entry.name, house=entry.house)
        with file.changing() as change:
            change.register = change.register.replace(who, fields, why, _today())
            entry = change.register.sources[entry.turn]
        _tell(entry, "replaced", as_json, say)


@register_app.command("note")
def note(
    node: Annotated[str, typer.Argument(metavar="!HEX", help="Nomor node. (The node's number.)")],
    public_key: PublicKey = "",
    firmware: Annotated[str, typer.Option(help="Versi firmware, 2.7.26. (Its firmware.)")] = "",
    sources: Sources = SOURCES_TOML,
    lang: Lang = "",
) -> None:
    """Catat apa kata sebuah node tentang dirinya, untuk check (note what a node says of itself, for check)."""
    with plainly(lang) as say:
        from firmware_config.seen import Seen, note_seen

        if not public_key and not firmware:
            raise fail(say("nothing_new"), 2)
        note_seen(sources.resolve(), Seen(node, public_key, firmware))
        typer.echo(say("noted", node=node))


@register_app.command("check")
def check(sources: Sources = SOURCES_TOML, lang: Lang = "", as_json: AsJson = False) -> None:
    """Kunci kembar, kunci berubah, firmware lama; dengan nama rumah (keys in common or changed, old firmware)."""
    with plainly(lang) as say:
        from firmware_config.seen import flags, read_seen

        found = flags(opened(sources).read(), read_seen(sources.resolve()))
        if as_json:
            typer.echo(json.dumps([asdict(flag) for flag in found], ensure_ascii=False))
        else:
            lines = [say(f"flag_{flag.what}", house=flag.house, node=flag.node, other=flag.other) for flag in found]
            typer.echo("\n".join(lines) or say("flags_none"))
        if found:
            raise typer.Exit(1)


@contextlib.contextmanager
def plainly(lang: str) -> Iterator[RegisterVoice]:
    """What is to be expected is a sentence and exit code 1."""
    import logging

    import structlog

    from firmware_config.faults import Refused

    say, before = RegisterVoice(voice(lang).language), structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))  # the answer says it all
    try:
        yield say
    except Refused as refusal:
        raise fail(say(refusal.key, **refusal.facts)) from refusal
    except ConfigError as error:
        raise fail(error.said(say.language)) from error
    except BridgeError as error:
        raise fail(str(error)) from error
    finally:
        structlog.configure(**before)


def opened(sources: Path, may_be_new: bool = False) -> "RegisterFile":
    """The register, checked before it is written as the bridge will read it. A mistyped name is no empty register.

    Raises Refused.
    """
    from firmware_config.faults import Refused
    from firmware_config.register_file import RegisterFile

    if not may_be_new and not sources.exists():
        raise Refused("no_register", file=sources)

    name = sources.name

    def reads(draft: Path) -> object:
        from bridge.sources import load_sources

        try:
            return load_sources(draft)
        except ConfigError as error:
            both = (error.said(language).replace(draft.name, name) for language in ("en", "id"))
            raise ConfigError(*both) from error

    return RegisterFile(sources, reads)


def ask(sentence: str, yes: bool, say: RegisterVoice, **facts: object) -> None:
    """Whether it is meant. Raises typer.Exit when it is not, or when there is nobody to ask."""
    if yes:
        return
    typer.echo(say(sentence, **facts), err=True)
    if not sys.stdin.isatty() or not typer.confirm(say("sure"), err=True):
        raise fail(say("not_sure"))


def tell_restart(is_quiet: bool, say: RegisterVoice) -> None:
    if not is_quiet:
        typer.echo(say("restart"))


def _tell(entry: "Entry", sentence: str, as_json: bool, say: RegisterVoice) -> None:
    if as_json:
        typer.echo(json.dumps(entry.shown(), ensure_ascii=False))
        return
    typer.echo(say(sentence, name=entry.name, house=entry.house))
    tell_restart(False, say)


def _line(entry: "Entry", say: RegisterVoice) -> str:
    parts = (("RT ", "rt"), ("RW ", "rw"), ("", "landmark"))
    place = ", ".join(f"{before}{entry.fields[name]}" for before, name in parts if entry.fields.get(name))
    keyed = say("keyed" if entry.public_key or entry.head_key_id else "unkeyed")
    is_wired = bool(entry.fields.get("input"))
    text = say("register_line", house=entry.house, name=entry.name, place=place and f"{place}  ", keyed=keyed)
    return text.removesuffix(keyed).rstrip() if is_wired else text


def given(**options: "Value | None") -> dict[str, "Value"]:
    return {name: value for name, value in options.items() if value not in ("", None)}


def _today() -> str:
    return datetime.date.today().isoformat()
