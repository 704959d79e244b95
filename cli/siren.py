"""`kentongan siren`: silence at the post, and a try of everything that sounds."""

import getpass
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from cli.control_client import NoBridge
from cli.options import POST_TOML, AsJson, ConfigFile, Lang, Socket
from cli.post import Post, find_post
from cli.settings import read_config
from cli.words import fail

if TYPE_CHECKING:
    from bridge.config import Config

siren_app = typer.Typer(help="Sirene pos (the post's siren).", no_args_is_help=True)

Try = Callable[[str], str]  # a siren's name → its fault, or ''


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
    sound_s: Annotated[float, typer.Option("--seconds", min=0.1, max=10, help="Lamanya. (For how long.)")] = 2.0,
    config: ConfigFile = POST_TOML,
    lang: Lang = "",
    as_json: AsJson = False,
) -> None:
    """Bunyikan setiap sirene sebentar; bukan alarm (sound each siren briefly; no alarm is made).

    Jembatan yang berjalan yang membunyikannya; tanpa jembatan, langsung. (By the bridge where one runs, else directly.)
    """
    post = find_post(config, None, lang)
    settings = read_config(config, post.say)
    names = _names(settings, only, post)
    faults: dict[str, str] = {}
    with _trying(post, settings, sound_s) as sound:
        for name in names:
            faults[name] = sound(name)
            if not as_json:
                typer.echo(post.say("siren_fault" if faults[name] else "siren_tried", name=name, why=faults[name]))
    if as_json:
        typer.echo(json.dumps({name: {"fault": why} for name, why in faults.items()}, ensure_ascii=False))
    if any(faults.values()):
        raise typer.Exit(1)


def _names(settings: "Config", only: str, post: Post) -> list[str]:
    """What is to sound. Raises typer.Exit where there is no such siren, or none at all."""
    known = settings.siren_names
    if not known:
        raise fail(f"{post.say('siren_none')}\n{post.say('siren_none_advice')}")
    if only and only not in known:
        raise fail(post.say("siren_unknown", name=only, known=", ".join(known)), 2)
    return [only] if only else known


@contextmanager
def _trying(post: Post, settings: "Config", sound_s: float) -> Iterator[Try]:
    """A bridge that runs holds the pins and boards; only it can sound them."""
    try:
        post.ask("status")
    except NoBridge:
        with _ourselves(settings, sound_s) as sound:
            yield sound
    else:
        yield lambda name: str(post.ask("siren test", output=name, seconds=sound_s)["fault"])


@contextmanager
def _ourselves(settings: "Config", sound_s: float) -> Iterator[Try]:
    import structlog

    from bridge.edges.siren_bank import SirenBank
    from bridge.edges.sirens import each_siren

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))  # the answer says it all
    sirens = each_siren(settings.siren, settings.output, settings.rhythm.rules())

    def sound(name: str) -> str:
        bank = SirenBank({name: sirens[name]})
        bank.start(lambda _event: None)
        try:
            return bank.test(name, sound_s)
        finally:
            bank.stop()

    yield sound


def _who() -> str:
    """For the log of the post; a machine may not know its user's name."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""
