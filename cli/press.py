"""`kentongan press`: a drill from the keyboard, followed until the police desk has stored it."""

import json
import time
from collections.abc import Callable
from typing import Annotated, Any

import typer

from bridge.domain.press import Kind
from cli.control_client import NoBridge
from cli.options import POST_TOML, AsJson, ConfigFile, Lang, Socket
from cli.post import Post, find_post
from cli.words import fail

LOOK_S = 0.1
NEWEST = 50


def press(
    kind: Annotated[str, typer.Option(help="Jenis: PANIC, FIRE, THEFT, … (Kind: PANIC, FIRE, THEFT, …)")] = "PANIC",
    wait_s: Annotated[
        float, typer.Option("--wait", min=0, max=600, help="Tunggu sekian detik. (Wait for so many seconds.)")
    ] = 10.0,
    config: ConfigFile = POST_TOML,
    socket: Socket = None,
    lang: Lang = "",
    as_json: AsJson = False,
) -> None:
    """Pukul kentongan dari sini; selalu LATIHAN (strike from here; always a DRILL).

    Tunggu sampai meja polisi menyimpannya. (Waits until the police desk has stored it.)
    """
    post = find_post(config, socket, lang)
    _known(kind, post)
    try:
        struck = post.ask("press", kind=kind)
        if not as_json:
            typer.echo(post.say("press_done", id=struck["press"]))
        told = _follow(post, struck, wait_s, quiet=as_json)
    except NoBridge:
        raise fail(post.no_bridge()) from None
    if as_json:
        typer.echo(json.dumps(struck | told))
    if told["journaled_s"] is None:
        raise fail(post.say("press_not_journaled", s=wait_s))
    if told["stored_s"] is None and struck["uplinks"]:
        raise fail(post.say("press_not_stored", s=wait_s))


def _known(kind: str, post: Post) -> None:
    """A kind that does not exist is a wrong use of the command."""
    kinds = [known.value for known in Kind]
    if kind.upper() not in kinds:
        raise fail(post.say("press_kind", kind=kind, kinds=", ".join(kinds)), 2)


def _follow(post: Post, struck: dict[str, Any], wait_s: float, quiet: bool) -> dict[str, float | None]:
    """Seconds until it was in the journal and until the desk had it; None where that did not come."""
    began = time.monotonic()
    told: dict[str, float | None] = {"journaled_s": None, "stored_s": None}
    steps: tuple[tuple[str, Callable[[dict[str, Any]], bool]], ...] = (
        ("journaled", bool),
        ("stored", lambda row: row.get("desk") in ("stored", "quarantined")),
    )
    for step, is_true in steps if struck["uplinks"] else steps[:1]:
        while not (is_there := is_true(_row(post, struck["press"]))) and time.monotonic() - began < wait_s:
            time.sleep(LOOK_S)
        if not is_there:
            break
        told[f"{step}_s"] = round(time.monotonic() - began, 2)
        if not quiet:
            typer.echo(post.say(f"press_{step}", s=told[f"{step}_s"]))
    return told


def _row(post: Post, press_id: str) -> dict[str, Any]:
    """The alarm that holds this press, as it stands in the journal; {} while it does not."""
    rows = post.ask("journal list", limit=NEWEST)["alarms"]
    return next((row for row in rows if press_id in row["presses"]), {})
