"""`kentongan siren`: silence at the post, and a try of everything that sounds."""

import getpass
import json
import queue
from typing import Annotated

import typer

from bridge.domain.commands import Silence, Sound
from bridge.domain.events import Event, Fault
from bridge.domain.ports import Siren
from bridge.domain.press import Kind
from cli.control_client import NoBridge
from cli.options import POST_TOML, AsJson, ConfigFile, Lang, Socket
from cli.post import find_post
from cli.settings import read_config
from cli.words import fail, voice

siren_app = typer.Typer(help="Sirene pos (the post's siren).", no_args_is_help=True)


@siren_app.command("off")
def off(config: ConfigFile = POST_TOML, socket: Socket = None, lang: Lang = "", as_json: AsJson = False) -> None:
    """Hentikan sirene; alarm tetap berjalan, pukulan berikutnya berbunyi lagi (silence; the next press rings again)."""
    post = find_post(config, socket, lang)
    try:
        answer = post.ask("siren off", by=_who())
    except NoBridge:
        raise fail(post.no_bridge()) from None
    typer.echo(json.dumps(answer) if as_json else post.say("siren_off"))


@siren_app.command("test")
def test(
    only: Annotated[str, typer.Option("--output", metavar="NAMA", help="Hanya yang ini. (Only this one.)")] = "",
    sound_s: Annotated[float, typer.Option("--seconds", min=0.1, max=30, help="Lamanya. (For how long.)")] = 2.0,
    config: ConfigFile = POST_TOML,
    lang: Lang = "",
    as_json: AsJson = False,
) -> None:
    """Bunyikan setiap sirene sebentar, langsung dari setelan (sound each siren briefly, straight from the settings)."""
    from bridge.edges.sirens import each_siren

    say = voice(lang)
    settings = read_config(config, say)
    sirens = each_siren(settings.siren, settings.output, settings.rhythm.rules())
    if not (wanted := {name: siren for name, siren in sirens.items() if only in ("", name)}):
        raise fail(say("siren_unknown", name=only, known=", ".join(sirens) or "-"), 2)
    faults: dict[str, str] = {}
    for name, siren in wanted.items():
        faults[name] = _try(siren, sound_s)
        if not as_json:
            typer.echo(say("siren_fault" if faults[name] else "siren_tried", name=name, why=faults[name]))
    if as_json:
        typer.echo(json.dumps({name: {"fault": why} for name, why in faults.items()}))
    if any(faults.values()):
        raise typer.Exit(1)


def _try(siren: Siren, sound_s: float) -> str:
    """Sound, then silence; the fault that it reported, or ''."""
    heard: queue.SimpleQueue[Event] = queue.SimpleQueue()
    siren.start(heard.put)
    siren.do(Sound("test", Kind.PANIC, None))
    why = ""
    try:
        event = heard.get(timeout=sound_s)
        why = event.why if isinstance(event, Fault) else ""
    except queue.Empty:
        siren.do(Silence("test"))
    siren.stop()
    return why


def _who() -> str:
    """For the log of the post; a machine may not know its user's name."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""
