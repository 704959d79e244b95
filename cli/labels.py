"""`kentongan labels`: sheets to print: which house, how to strike, whom to call, and who the box is."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.domain.place import Place
from cli.options import AsJson, Lang
from cli.register import opened, plainly
from cli.words import LANGUAGES

if TYPE_CHECKING:
    from firmware_config.label_sheet import Label, Phrases

VILLAGE_FILES = (".yaml", ".yml")
AT_A_HOUSE = ("button", "head")
CODEBOOK = "a"
CONTACT_KEY = 32

Strikes = tuple[tuple["Phrases", str], ...]


def labels(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="Berkas village.yaml atau sources.toml. (A village.yaml or sources.toml.)"),
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Lembar SVG. (The sheet, an SVG.)")] = Path("labels.svg"),
    codebook: Annotated[
        str, typer.Option(metavar="NAMA", help="Irama desa; bawaan: menurut post.toml. (Default: as post.toml says.)")
    ] = "",
    with_channel: Annotated[
        bool,
        typer.Option(
            "--with-channel",
            help="Juga kode kanal untuk ponsel, di berkas sendiri; RAHASIA. (Also the channel's code; SECRET.)",
        ),
    ] = False,
    lang: Lang = "",
    as_json: AsJson = False,
) -> None:
    """Label untuk dicetak: rumah, cara memukul, nomor, kode QR (labels to print: house, how to strike, numbers, QR)."""
    with plainly(lang) as say:
        from cli.label_words import NUMBERS, WORDS
        from firmware_config.faults import Refused
        from firmware_config.label_sheet import sheets
        from firmware_config.whole_file import write_whole

        column = LANGUAGES.index(say.language)
        is_village = file.suffix in VILLAGE_FILES
        if with_channel and not is_village:
            raise Refused("labels_no_channel", file=file)
        strikes, phones = _strikes(file, codebook, column)
        found = list(_of_village(file, strikes) if is_village else _of_sources(file, strikes))
        if not found:
            raise Refused("labels_none", file=file)
        own = " · ".join(number for number in phones if number != "110")
        numbers = [line for line in (own, *(both[column] for both in NUMBERS)) if line]
        drawn = sheets(found, numbers, WORDS[column])
        files = [_numbered(out, turn) for turn in range(len(drawn))]
        for path, sheet in zip(files, drawn, strict=True):
            write_whole(path, sheet.encode())
        channel = _write_channel(file, out) if with_channel else None
        if as_json:
            told = {"labels": len(found), "files": [str(path) for path in files]}
            typer.echo(json.dumps(told | {"channel": channel and str(channel)}))
            return
        typer.echo(say("labels_done", count=len(found), sheets=len(files), files=", ".join(map(str, files))))
        if channel is not None:
            typer.echo(say("labels_channel", file=channel), err=True)


def _of_village(file: Path, strikes: Strikes) -> "Iterator[Label]":
    from firmware_config.village_file import load_village

    for node in load_village(file).nodes:
        if node.profile in AT_A_HOUSE:
            about = strikes if node.profile == "head" else ()
            place = str(replace(node.place, house="", lat=None, lon=None))
            yield _label(node.place.house or node.name, place, node.name, node.number, node.public_key, about)


def _of_sources(file: Path, strikes: Strikes) -> "Iterator[Label]":
    from firmware_config.register import number_of

    for entry in opened(file).read().sources:
        is_node = "node" in entry.fields
        number = int(number_of(entry.name), 16) if is_node else None
        rt, rw, landmark = (str(entry.fields.get(name, "")) for name in ("rt", "rw", "landmark"))
        place = str(Place(rt=rt, rw=rw, landmark=landmark))
        yield _label(entry.house, place, entry.name, number, entry.public_key, () if is_node else strikes)


def _label(house: str, place: str, name: str, number: int | None, key: bytes, strikes: Strikes) -> "Label":
    """A node with its key is a contact for Meshtastic's app; else the code says who it is."""
    from firmware_config.device_codes import contact_code
    from firmware_config.label_sheet import Label

    code = f"KENTONGAN {house} {name}".upper()
    if number is not None and len(key) == CONTACT_KEY:
        code = contact_code(number, house, key)
    return Label(house, place, strikes, code, name)


def _strikes(file: Path, codebook: str, column: int) -> tuple[Strikes, tuple[str, ...]]:
    """How this village strikes, and its own telephone numbers. Raises ConfigError."""
    from bridge.codebook_files import load_rules
    from bridge.config import load_config
    from cli.label_words import KINDS
    from firmware_config.label_sheet import strikes_of

    toml = file.resolve().with_name("post.toml")
    settings = load_config(toml) if toml.is_file() else None
    rules = load_rules(codebook or CODEBOOK) if codebook or settings is None else settings.rhythm.rules()
    kinds = {kind: both[column] for kind, both in KINDS.items()}
    return strikes_of(rules, kinds), settings.post.phones if settings else ()


def _write_channel(file: Path, out: Path) -> Path:
    """In a file of its own, for its owner only. Its path."""
    from firmware_config.device_codes import channel_code
    from firmware_config.label_sheet import code_sheet
    from firmware_config.village_file import load_village
    from firmware_config.whole_file import write_whole

    village = load_village(file)
    path = out.with_name(f"{out.stem}-channel{out.suffix}")
    title = f"{village.sending.channel}  {village.code}"
    write_whole(path, code_sheet(title, ("RAHASIA / SECRET",), channel_code(village)).encode())
    return path


def _numbered(out: Path, turn: int) -> Path:
    return out if turn == 0 else out.with_name(f"{out.stem}-{turn + 1}{out.suffix}")
