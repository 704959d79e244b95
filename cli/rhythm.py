"""`kentongan rhythm`: which codebooks there are, and what a rhythm means, for anybody who wants to try."""

import json
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer

from bridge.codebook_files import known_codebooks, load_codebook, load_rules
from bridge.domain.codebook import Codebook
from bridge.domain.rhythm import notation
from cli.options import AsJson, Lang
from cli.words import Voice, fail, voice

rhythm_app = typer.Typer(help="Irama kentongan dan artinya (rhythms and what they mean).", no_args_is_help=True)

Name = Annotated[
    str,
    typer.Option("--codebook", metavar="NAMA", help="Kode desa: nama atau berkas. (The codebook: a name or a file.)"),
]


@rhythm_app.command("list")
def list_codebooks(lang: Lang = "", as_json: AsJson = False) -> None:
    """Kode kentongan yang dikenal (the codebooks there are)."""
    voice(lang)
    books = known_codebooks()
    if as_json:
        told = {name: {"region": region, "rules": load_rules(name)} for name, region in books.items()}
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    for name, region in books.items():
        typer.echo(f"{name}  {region}")
        for pattern, kind in load_rules(name).items():
            typer.echo(f"    {pattern:<6} {kind}")


@rhythm_app.command("read")
def read(
    codebook: Name,
    file: Annotated[
        Path | None, typer.Argument(metavar="BERKAS", help="Bawaan: masukan standar. (Default: standard input.)")
    ] = None,
    lang: Lang = "",
) -> None:
    """Baca irama: satu baris JSON waktu pukulan (detik) menjadi satu baris JSON.
    (Read rhythms: a JSON line of strike times in seconds becomes a JSON line of kind, groups and confidence.)
    """
    say, book = voice(lang), load_codebook(codebook)
    mistakes = 0
    for number, line in enumerate(_lines(file, say), start=1):
        if not line.strip():
            continue
        try:
            answer = _read(line, book)
        except ValueError as error:
            mistakes += 1
            typer.echo(say("rhythm_line", number=number, why=error), err=True)
        else:
            typer.echo(json.dumps(answer))
    if mistakes:
        raise typer.Exit(2)


def _lines(file: Path | None, say: Voice) -> Iterator[str]:
    try:
        with nullcontext(sys.stdin.buffer) if file is None else file.open("rb") as source:
            for line in source:
                yield line.decode(errors="replace")
    except OSError as error:
        raise fail(say("unreadable", file=file, why=error), 2) from error


def _read(line: str, book: Codebook) -> dict[str, Any]:
    """Raises ValueError for anything but a list of rising seconds."""
    try:
        times = json.loads(line)
    except RecursionError:
        times = None
    if not isinstance(times, list) or not times or not all(type(time) in (int, float) for time in times):
        raise ValueError("not a list of numbers")
    if times != sorted(times) or not -1e12 < times[0] <= times[-1] < 1e12:
        raise ValueError("the times must rise")
    reading = book.hear([round(1000 * time) for time in times])
    return {"kind": reading.kind, "groups": notation(reading.phrases), "confidence": reading.confidence / 100}
