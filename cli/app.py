"""The root of `kentongan`. Heavy imports wait inside the commands, so that `--help` is there at once."""

import os
import sys
from typing import Annotated

import typer
import typer.main
from typer.completion import completion_init
from typer.exceptions import TyperException

from bridge.domain.errors import BridgeError, ConfigError
from cli.completion import ASKED, PROGRAM, completion
from cli.control_client import NotAnswered
from cli.desk import app as desk_app
from cli.doctor import doctor
from cli.handover import handover
from cli.head import head_app
from cli.journal import journal_app
from cli.labels import labels
from cli.node import node_app
from cli.options import Lang
from cli.ports import ports
from cli.post_backup import post_app
from cli.press import press
from cli.register_people import register_app
from cli.rhythm import rhythm_app
from cli.run import run
from cli.settings import config_app, keys_app
from cli.setup_post import setup
from cli.simulate import simulate
from cli.siren import siren_app
from cli.status import status
from cli.survey import survey
from cli.tongues import fault_in
from cli.usage_words import ENGLISH, INDONESIAN, VARIABLE, complain, speak, take_language
from cli.version import program_version
from cli.village import village_app
from cli.words import fail, voice

app = typer.Typer(
    name="kentongan",
    help="Panggilan darurat warga: dari kentongan ke meja polisi dan kembali. (A village's alarm, there and back.)",
    epilog="English: kentongan --lang en --help",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"kentongan {program_version()}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Versi program. (The version.)")
    ] = False,
) -> None:
    """Panggilan darurat warga: dari kentongan ke meja polisi dan kembali. (A village's alarm, there and back.)"""


app.command("setup")(setup)
app.command("run")(run)
app.command("status")(status)
app.command("doctor")(doctor)
app.command("ports")(ports)
app.command("survey")(survey)
app.command("handover")(handover)
app.command("press")(press)
app.add_typer(journal_app, name="journal")
app.add_typer(config_app, name="config")
app.add_typer(keys_app, name="keys")
app.add_typer(desk_app, name="desk")
app.add_typer(rhythm_app, name="rhythm")
app.add_typer(head_app, name="head")
app.add_typer(node_app, name="node")
app.add_typer(siren_app, name="siren")
app.add_typer(village_app, name="village")
app.add_typer(register_app, name="register")
app.add_typer(post_app, name="post")
app.command("labels")(labels)
app.command("simulate")(simulate)
app.command("completion")(completion)


@app.command("demo")
def demo(
    as_json: Annotated[
        bool, typer.Option("--json", help="Akhiri dengan objek JSON. (End with a JSON object.)")
    ] = False,
    stay: Annotated[bool, typer.Option("--stay", help="Tetap berjalan sesudahnya. (Keep running afterwards.)")] = False,
    lang: Lang = "",
) -> None:
    """Satu malam di desa, tanpa radio (one night in a village, without a radio).

    Dari pukulan sampai meja polisi dan kembali. (From the strike to the police desk and back.)
    """
    from cli.demo import demo as play

    play(as_json, stay, voice(lang).language)


def main() -> None:
    """The entry point: a wrong use is exit code 2, an expected fault is one line and exit code 1."""
    words, lang = take_language(sys.argv[1:], os.environ)
    language = ENGLISH if lang == ENGLISH else INDONESIAN
    if lang:
        os.environ[VARIABLE] = lang  # so `--lang` may stand anywhere, before the command and beside --help too
    command = speak(typer.main.get_command(app), language)
    if ASKED in os.environ:
        completion_init()
    try:
        code = command.main(words, prog_name=PROGRAM, complete_var=ASKED, standalone_mode=False)
    except ConfigError as error:
        raise SystemExit(fail(error.said(language)).exit_code) from error
    except NotAnswered as error:
        raise SystemExit(fail(fault_in(str(error), language)).exit_code) from error
    except BridgeError as error:
        raise SystemExit(fail(str(error)).exit_code) from error
    except typer.Abort as error:
        raise SystemExit(1) from error
    except TyperException as error:
        typer.echo(complain(error, language), err=True)
        raise SystemExit(error.exit_code) from error
    raise SystemExit(code if isinstance(code, int) else 0)
