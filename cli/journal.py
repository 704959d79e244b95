"""`kentongan journal`: what the post has on its disk, newest first, also while no bridge runs."""

import datetime
import json
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from cli.options import POST_TOML, AsJson, ConfigFile, Lang, Socket
from cli.post import find_post
from cli.words import Voice

journal_app = typer.Typer(help="Jurnal pos (the post's journal).", no_args_is_help=True)
FOR_PEOPLE, FOR_SCRIPTS = 50, 10_000
HIDDEN = ("sightings", "replies", "words", "outbox")


@journal_app.command("list")
def list_alarms(
    config: ConfigFile = POST_TOML,
    socket: Socket = None,
    limit: Annotated[
        int | None, typer.Option(min=1, max=FOR_SCRIPTS, help="Paling banyak sekian alarm. (At most so many.)")
    ] = None,
    only_open: Annotated[
        bool, typer.Option("--open", help="Hanya yang belum ditutup. (Only those not closed.)")
    ] = False,
    lang: Lang = "",
    as_json: AsJson = False,
) -> None:
    """Daftar alarm, yang terbaru dahulu (list alarms, newest first)."""
    post = find_post(config, socket, lang)
    most = limit or (FOR_SCRIPTS if as_json else FOR_PEOPLE)
    rows = post.look("journal list", lambda reader: reader.alarms(most, only_open), limit=most, open=only_open)
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        typer.echo(_line(row, post.say))
    if not rows:
        typer.echo(post.say("journal_empty"))
    elif len(rows) == most:
        typer.echo(post.say("journal_more", limit=2 * most))


@journal_app.command("show")
def show_alarm(
    alarm: Annotated[str, typer.Argument(metavar="ID", help="Nama alarm dari daftar. (An alarm's id from the list.)")],
    config: ConfigFile = POST_TOML,
    socket: Socket = None,
    lang: Lang = "",
    as_json: AsJson = False,
) -> None:
    """Semua tentang satu alarm (everything about one alarm)."""
    post = find_post(config, socket, lang)
    found = post.look("journal show", lambda reader: reader.alarm(alarm), id=alarm)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    for line in _page(found, post.say):
        typer.echo(line)


def _line(row: dict[str, Any], say: Voice) -> str:
    desk = say(f"custody_{row['desk']}") if row["desk"] else "-"
    remarks = " ".join(row["remarks"])
    place = row["place"] or say("place_unknown")
    columns = (_when(row["first_at"]), row["id"], f"{row['kind']:<9}", f"{row['stage']:<12}", f"{desk:<10}", place)
    return "  ".join((*columns, remarks)).rstrip()


def _page(found: dict[str, Any], say: Voice) -> Iterator[str]:
    for name, value in found.items():
        if name not in HIDDEN:
            shown = _when(value) if name.endswith("_at") else _plain(value)
            yield f"{name:<14} {shown}"
    for name in HIDDEN[:3]:
        for row in found[name]:
            shown = "  ".join(f"{key}={_when(value) if key == 'at' else _plain(value)}" for key, value in row.items())
            yield f"{name:<14} {shown}"
    if found["outbox"]:
        outbox = {key: value for key, value in found["outbox"].items() if key != "body"}
        yield f"{'outbox':<14} " + "  ".join(f"{key}={_plain(value)}" for key, value in outbox.items())


def _plain(value: Any) -> str:
    match value:
        case None | "" | []:
            return "-"
        case list():
            return ", ".join(map(str, value))
        case dict():
            return "  ".join(f"{key}={_when(item) if key == 'at' else item}" for key, item in value.items())
        case _:
            return str(value)


def _when(seconds: float) -> str:
    """The village's own time of day, with its distance from UTC."""
    return datetime.datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S%z")
