"""`kentongan register people`, `export`, `erase`, `rename`: what is held about people, and their right to it."""

import itertools
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import AsJson, Lang
from cli.register import (
    SOURCES_TOML,
    At,
    Home,
    House,
    Label,
    Landmark,
    Lat,
    Lon,
    Rt,
    Rw,
    Sources,
    Who,
    Yes,
    ask,
    given,
    opened,
    plainly,
    register_app,
    tell_restart,
)
from cli.register_words import RegisterVoice
from cli.sealed import KeyFile, SameDisk, lock_of
from cli.words import fail

if TYPE_CHECKING:
    from firmware_config.people import PeopleFile, Person

people_app = typer.Typer(help="Penghuni, terkunci (people, sealed).", no_args_is_help=True)
register_app.add_typer(people_app, name="people")

MOST_ALARMS = 1_000_000  # all of them


@people_app.command("key")
def make_key(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Berkas baru di stik USB. (A new file on a stick.)")],
    sources: Sources = SOURCES_TOML,
    same_disk: SameDisk = False,
    lang: Lang = "",
) -> None:
    """Buat kunci penghuni di stik USB (make the people's key on a USB stick)."""
    with plainly(lang) as say:
        from firmware_config.faults import Refused
        from firmware_config.paper_key import PaperKey
        from firmware_config.people import refuse_same_disk
        from firmware_config.whole_file import write_whole

        refuse_same_disk(file, sources.resolve(), same_disk)
        if file.exists():
            raise Refused("key_exists", file=file)
        key = PaperKey.new()
        write_whole(file, f"{key.text}\n".encode())
        typer.echo(say("people_key", file=file))
        typer.echo(key.text)


@people_app.command("set")
def set_people(
    who: Who,
    key: KeyFile = None,
    same_disk: SameDisk = False,
    sources: Sources = SOURCES_TOML,
    lang: Lang = "",
    as_json: AsJson = False,
) -> None:
    """Catat siapa tinggal di sebuah rumah, dari layar atau pipa (note who lives at a house, from the screen or a pipe).

    Satu baris seorang: Nama; telepon. Yang lama diganti. (A line each: Name; telephone. The old ones are replaced.)
    """
    with plainly(lang) as say:
        from firmware_config.people import Person

        house = opened(sources).read().house(who)
        vault = _vault(sources, key, same_disk, say)
        people = [Person.read(line) for line in _lines(house, say)]
        vault.change(lambda known: known.put(house, people))
        told = {"house": house, "people": len(people)}
        typer.echo(json.dumps(told) if as_json else say("people_set", house=house, count=len(people)))


@people_app.command("show")
def show_people(
    who: Who,
    key: KeyFile = None,
    same_disk: SameDisk = False,
    sources: Sources = SOURCES_TOML,
    lang: Lang = "",
    as_json: AsJson = False,
) -> None:
    """Siapa tinggal di sebuah rumah (who lives at a house)."""
    with plainly(lang) as say:
        house = opened(sources).read().house(who)
        people = _vault(sources, key, same_disk, say).read().of(house)
        if as_json:
            typer.echo(json.dumps({"house": house, "people": _told(people)}, ensure_ascii=False))
            return
        for person in people:
            typer.echo(f"{person.name}  {person.phone}".rstrip())
        if not people:
            typer.echo(say("people_none", house=house))


@people_app.command("erase")
def erase_people(
    who: Who,
    key: KeyFile = None,
    same_disk: SameDisk = False,
    yes: Yes = False,
    sources: Sources = SOURCES_TOML,
    lang: Lang = "",
    as_json: AsJson = False,
) -> None:
    """Hapus nama dan telepon di sebuah rumah; perangkatnya tetap (erase names and telephones; the devices stay)."""
    with plainly(lang) as say:
        from firmware_config.erasing import note_erasure

        house = opened(sources).read().house(who)
        ask("sure_people", yes, say, house=house)
        _vault(sources, key, same_disk, say).change(lambda known: known.put(house, ()))
        note_erasure(sources.resolve().parent)
        typer.echo(json.dumps({"house": house}) if as_json else say("people_erased", house=house))
        if not as_json:
            typer.echo(say("erased_backups"))


@register_app.command("rename")
def rename(
    who: Who,
    house: House = "",
    rt: Rt = "",
    rw: Rw = "",
    landmark: Landmark = "",
    lat: Lat = None,
    lon: Lon = None,
    home: Home = "",
    label: Label = "",
    at: At = "",
    key: KeyFile = None,
    same_disk: SameDisk = False,
    sources: Sources = SOURCES_TOML,
    lang: Lang = "",
    as_json: AsJson = False,
) -> None:
    """Kode rumah, sebutan atau tempat yang baru; penghuninya ikut (a new house code, label or place; people move)."""
    with plainly(lang) as say:
        fields = given(house=house, rt=rt, rw=rw, landmark=landmark, lat=lat, lon=lon, home=home, label=label, at=at)
        if not fields:
            raise fail(say("nothing_new"), 2)
        file = opened(sources)
        entry = file.read().find(who)
        has_people = bool(house) and house != entry.house and _vault_of(sources).exists()
        vault = _vault(sources, key, same_disk, say) if has_people else None
        if vault is not None:
            vault.read()  # the wrong key is found before anything is changed
        with file.changing() as change:
            change.register = change.register.rename(who, fields)
            old, entry = entry, change.register.sources[entry.turn]
            is_empty = not any(other.house == old.house for other in change.register.sources)
        if vault is not None and is_empty:
            vault.change(lambda known: known.move(old.house, entry.house))
        typer.echo(
            json.dumps(entry.shown(), ensure_ascii=False)
            if as_json
            else say("renamed", name=entry.name, house=entry.house)
        )
        tell_restart(as_json, say)


@register_app.command("export")
def export(
    who: Annotated[str, typer.Argument(metavar="[WHO]", help="Rumah siapa. (Whose house.)")] = "",
    for_desk: Annotated[
        bool, typer.Option("--for-desk", help="Semua tempat, tanpa nama, untuk polisi. (All places, no names.)")
    ] = False,
    key: KeyFile = None,
    same_disk: SameDisk = False,
    sources: Sources = SOURCES_TOML,
    lang: Lang = "",
) -> None:
    """Semua yang disimpan tentang satu rumah, sebagai JSON (all that is held about one house, as JSON)."""
    with plainly(lang) as say:
        from firmware_config.register import for_desk as places
        from firmware_config.register import source_id

        register = opened(sources).read()
        if bool(who) == for_desk:
            raise fail(say("nothing_new"), 2)
        village, post = _post(sources)
        if for_desk:
            told: dict[str, Any] = {"village": village, "post": post, "places": places(register, post)}
        else:
            house = register.house(who)
            told = {"house": house, "sources": [entry.shown() for entry in register.of_house(house)]}
            told["revoked"] = [entry.shown() for entry in register.was_of_house(house)]
            told["people"] = []
            if _vault_of(sources).exists():
                told["people"] = _told(_vault(sources, key, same_disk, say).read().of(house))
            ids = {source_id(entry, post) for entry in register.of_house(house)}
            told["alarms"] = _alarms(sources, ids)
        typer.echo(json.dumps(told, ensure_ascii=False, indent=1))


@register_app.command("erase")
def erase(
    who: Who,
    key: KeyFile = None,
    same_disk: SameDisk = False,
    yes: Yes = False,
    sources: Sources = SOURCES_TOML,
    lang: Lang = "",
    as_json: AsJson = False,
) -> None:
    """Hapus sebuah rumah: perangkat, kunci, penghuni, juga dari cadangan (erase a house, from the backups too).

    Cadangan lama hilang begitu yang baru dibuat. (Older backups go as soon as the next one is made.)
    """
    with plainly(lang) as say:
        from firmware_config.erasing import erase_house

        file = opened(sources)
        house = file.read().house(who)
        ask("sure_erase", yes, say, house=house)
        vault = _vault(sources, key, same_disk, say) if _vault_of(sources).exists() else None
        erase_house(file, vault, house)
        if as_json:
            typer.echo(json.dumps({"house": house}))
            return
        typer.echo(say("erased", house=house))
        typer.echo(say("erased_backups"))
        tell_restart(False, say)


def _vault_of(sources: Path) -> Path:
    from firmware_config.people import VAULT

    return sources.resolve().with_name(VAULT)


def _vault(sources: Path, key: Path | None, same_disk: bool, say: RegisterVoice) -> "PeopleFile":
    from firmware_config.people import PeopleFile

    path = _vault_of(sources)
    return PeopleFile(path, lock_of(path, key, same_disk, say))


def _lines(house: str, say: RegisterVoice) -> list[str]:
    """What people type or a pipe brings; never from the command line, whose history stays on the disk."""
    is_typed = sys.stdin.isatty()
    if is_typed:
        typer.echo(say("people_ask", house=house), err=True)
    lines = (line.strip() for line in sys.stdin)
    return [line for line in itertools.takewhile(lambda line: line or not is_typed, lines) if line]


def _told(people: tuple["Person", ...]) -> list[dict[str, str]]:
    return [{"name": person.name, "phone": person.phone} for person in people]


def _post(sources: Path) -> tuple[str, str]:
    """The village and the post whose register it is; '' where no post.toml lies beside it."""
    from bridge.config import load_config

    toml = sources.resolve().with_name("post.toml")
    if not toml.is_file():
        return "", ""
    post = load_config(toml).post
    return post.village, post.id


def _alarms(sources: Path, ids: set[str]) -> list[dict[str, Any]]:
    """What the journal beside the register holds of these sources."""
    from bridge.config import load_config
    from bridge.store.reader import JournalReader

    toml = sources.resolve().with_name("post.toml")
    journal = load_config(toml).journal.path if toml.is_file() else None
    if journal is None or not journal.exists():
        return []
    return [alarm for alarm in JournalReader(journal).alarms(MOST_ALARMS) if alarm["source"] in ids]
