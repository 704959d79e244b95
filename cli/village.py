"""`kentongan village`: the code that a post's address begins with, found by the village's name."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from cli.options import AsJson, Lang
from cli.words import fail, voice

village_app = typer.Typer(help="Kode desa Kemendagri (the villages' codes).", no_args_is_help=True)

SHOWN = 20


@village_app.command("find")
def find(
    name: Annotated[
        list[str],
        typer.Argument(
            metavar="NAMA…",
            help="Nama desa; boleh ditambah kecamatan dan kabupaten: Suci Panti Jember. "
            "(The village, and where it is: Suci Panti Jember.)",
        ),
    ],
    lang: Lang = "",
    as_json: AsJson = False,
) -> None:
    """Cari kode desa menurut nama (find a village's code by its name).

    Data: idn-area-data, lisensi ODbL 1.0. (Data: idn-area-data, under the ODbL 1.0.)
    """
    from cli.village_codes import find as look
    from cli.village_codes import nearest, villages

    say, said = voice(lang), " ".join(name)
    known = list(villages())
    found = look(said, known)
    near = [] if found else nearest(said, known)
    if as_json:
        told = {"found": found, "nearest": near}
        typer.echo(json.dumps({key: list(map(asdict, one)) for key, one in told.items()}, ensure_ascii=False))
        raise typer.Exit(0 if found else 1)
    for village in found[:SHOWN]:
        typer.echo(str(village))
    if len(found) > SHOWN:
        typer.echo(say("village_more", count=len(found) - SHOWN))
    if not found:
        raise fail("\n".join([say("village_near" if near else "village_none", said=said), *map(str, near)]))
